"""What the tests of the store share."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from kajitori.storage import Render, Store, open_store

Body = Callable[[Store], Coroutine[Any, Any, None]]


def value(text: str) -> Render:
    """Renders `text` with the revision behind it."""
    return lambda revision: f"{text}@{revision}".encode()


def run(path: Path | None, body: Body, **options: Any) -> None:
    """Runs `body` with the store at `path`, open only meanwhile."""

    async def main() -> None:
        store = await open_store(path, **{"compact_every_seconds": 0, **options})
        try:
            await body(store)
        finally:
            await store.close()

    asyncio.run(main())


async def rounds(count: int = 3) -> None:
    """Lets everything that is ready go on."""
    for _ in range(count):
        await asyncio.sleep(0)
