"""Large answers written over several turns of the event loop, as fast as the client takes them.

Promises
    P1  an answer of any size holds at most about a megabyte of copies
    P2  between two megabytes other connections have their turn
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from kajitori.apiserver.http.bodies import Compressor, batches

__all__ = ["Congestion", "Write", "pump", "pump_compressed"]

_TURN_BYTES_MAX = 1024 * 1024
"""How much of one answer is written before others have their turn."""
_COMPRESS_BATCH_BYTES = 1024 * 1024
"""How much goes to the compressing thread at a time: enough to make the trip worth it."""

Write = Callable[[bytes], object]
"""Takes a piece of the body, in whatever form the connection gives it."""

Congestion = Callable[[], "asyncio.Future[None] | None"]
"""None while the client takes what is written, else what to wait for."""


async def pump(write: Write, body: bytes | Sequence[bytes], congestion: Congestion) -> None:
    """Writes `body`."""
    turn = 0
    for batch in batches(body):
        write(batch)
        turn += len(batch)
        waiting = congestion()
        if waiting is not None:
            await waiting
            turn = 0
        elif turn >= _TURN_BYTES_MAX:
            await asyncio.sleep(0)
            turn = 0


async def pump_compressed(
    write: Write,
    body: bytes | Sequence[bytes],
    congestion: Congestion,
    *,
    executor: Executor,
) -> None:
    """Writes `body` as gzip; the compressing itself happens on `executor`. Some of what is written is empty."""
    loop = asyncio.get_running_loop()
    compressor = Compressor()
    for batch in batches(body, _COMPRESS_BATCH_BYTES):
        write(await loop.run_in_executor(executor, compressor.feed, batch))
        waiting = congestion()
        if waiting is not None:
            await waiting
    write(compressor.finish())
