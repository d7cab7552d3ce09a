"""`kajitori up` in a thread of this process: the cluster of who names none.

A thread of its own, because code that is being written blocks: a `time.sleep` or a debugger in a reconcile stops the
loop of the operator, and the API answers kubectl all the same.

Promises
    M1  inside of `running` the API answers, and the kubeconfig is written; after it nothing of the thread is left
    M2  what cannot start says why in one sentence (ClusterError)
"""

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from kajitori.cli.dev.logs import CLUSTER_THREAD
from kajitori.cluster.cluster import Cluster
from kajitori.cluster.operators import OPERATORS
from kajitori.cluster.options import ClusterOptions

__all__ = ["running"]

_END_SECONDS_MAX = 15.0
"""How long requests in flight may keep it; the server gives them ten seconds."""


@contextmanager
def running(kubeconfig: Path, *, data_dir: Path | None, port: int, api_only: bool) -> Generator[str]:
    """A cluster with Kubernetes' controllers and none of our operators; gives where it serves.

    Without `data_dir` it forgets everything at its end.
    """
    options = ClusterOptions(data_dir=data_dir, port=port, api_only=api_only, without=frozenset(OPERATORS))
    started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(target=_run, args=(options, kubeconfig, started), name=CLUSTER_THREAD)
    thread.start()
    try:
        url, loop, ended = started.result()
    except BaseException:
        thread.join(_END_SECONDS_MAX)
        raise
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(_END_SECONDS_MAX)


def _run(
    options: ClusterOptions,
    kubeconfig: Path,
    started: "Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]]",
) -> None:
    import uvloop

    async def serve() -> None:
        ended = asyncio.Event()
        async with Cluster(options) as cluster:
            kubeconfig.parent.mkdir(parents=True, exist_ok=True)
            cluster.write_kubeconfig(kubeconfig)
            started.set_result((cluster.url, asyncio.get_running_loop(), ended))
            await cluster.run_until(ended)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)
