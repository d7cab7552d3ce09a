"""A `TestEnv` with a loop of its own, for tests that are plain functions: what the fixture `kube` gives.

    with Kube() as kube:
        kube.run(kube.client().create(CONFIG_MAPS, {...}))

Promises
    U1  begun by `with`, it lives in a loop of its own; begun by `async with`, in the loop that runs
    U2  it ends in the task it began in, whatever task asks for that
"""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from kajitori.testing.env import TestEnv

__all__ = ["Kube"]

T = TypeVar("T")


class Kube(TestEnv):
    """One API server, from `with` or `async with` to the end of the block; see `TestEnv` for what it takes."""

    __test__ = False

    _runner: asyncio.Runner | None = None
    _keeper: asyncio.Task[None] | None = None
    _ended: asyncio.Event

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives, run in the loop of this server. What runs beside it goes on meanwhile only."""
        if self._runner is None:
            work.close()
            raise RuntimeError("run() is for servers begun with `with`; await here, in the loop that runs")
        return self._runner.run(work)

    # In a loop of its own.

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner()
        try:
            self._runner.run(self.__aenter__())
        except BaseException:
            self._close_loop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None, "begun"
        try:
            self._runner.run(self.__aexit__(kind, error, trace))
        finally:
            self._close_loop()

    def _close_loop(self) -> None:
        assert self._runner is not None, "begun"
        self._runner.close()
        self._runner = None

    # In the loop that runs. A task keeps it: fixtures end in another task than the one they began in.

    async def __aenter__(self) -> Self:
        if self._keeper is not None:
            raise RuntimeError("it runs already; one server is begun once")
        self._ended = asyncio.Event()
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.get_running_loop().create_task(self._keep(begun), name="kube")
        try:
            await begun
        except BaseException:
            self._ended.set()
            await asyncio.wait([self._keeper])
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._keeper is not None, "begun"
        self._ended.set()
        await self._keeper

    async def _keep(self, begun: asyncio.Future[None]) -> None:
        try:
            await super().__aenter__()
        except BaseException as error:
            if not begun.done():
                begun.set_exception(error)
            return
        try:
            if not begun.done():
                begun.set_result(None)
            await self._ended.wait()
        finally:
            await super().__aexit__(None, None, None)
