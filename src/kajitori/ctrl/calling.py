"""One call of a reconciler: within its time, while its cluster is engaged, watched over step by step.

Sits between the controller, which chooses the name and judges what comes of it, and the reconciler.

Promises
    H1  a call that takes longer than `timeout_seconds` is cancelled and raises TimeoutError; counted
    H2  a call for a cluster that is not engaged, or is disengaged meanwhile, raises NotEngaged; what runs is cancelled
    H3  a step that keeps the event loop to itself is counted and logged (`symptoms`)
    H4  what is no Result raises TypeError (`outcome`)
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Generic

from kajitori.ctrl.clusters import Clusters, NotEngaged
from kajitori.ctrl.metrics import ReconcileFigures
from kajitori.ctrl.outcome import checked
from kajitori.ctrl.reconcile import DONE, R, Reconciler, Request, Result
from kajitori.ctrl.symptoms import noting_steps

__all__ = ["Caller"]

_log = logging.getLogger(__name__)


class Caller(Generic[R]):
    """Calls the reconciler of one controller."""

    def __init__(
        self,
        reconciler: Reconciler[R],
        *,
        clusters: Clusters,
        figures: ReconcileFigures,
        now: Callable[[], float],
        timeout_seconds: float | None,
        logged: Callable[[R], dict[str, Any]],
    ) -> None:
        """`logged`: what logs say of a request."""
        self.reconciler = reconciler
        self._clusters = clusters
        self._figures = figures
        self._now = now
        self._timeout = timeout_seconds
        self._logged = logged

    async def call(self, request: R) -> Result:
        """Raises: NotEngaged; TimeoutError; TypeError; whatever the reconciler does."""
        if isinstance(request, Request) and request.cluster:
            return await self._call_in(request.cluster, request)
        return await self._call(request)

    async def _call(self, request: R) -> Result:
        def note(seconds: float) -> None:
            self._figures.blocked += 1
            self._figures.blocked_seconds += seconds
            _log.warning(
                "a reconcile has kept the event loop to itself for %.2f s; let it wait with await, and work in threads "
                "(asyncio.to_thread)",
                seconds,
                extra=self._logged(request),
            )

        running = noting_steps(self.reconciler.reconcile(request), self._now, note)
        if self._timeout is None:
            result = await running
        else:
            limit = asyncio.timeout(self._timeout)
            try:
                async with limit:
                    result = await running
            finally:
                if limit.expired():
                    self._figures.timeouts += 1
        return result if result is DONE else checked(result)

    async def _call_in(self, name: str, request: R) -> Result:
        cluster = self._clusters.get(name)
        limit = asyncio.timeout(None)

        def cut_short() -> None:
            limit.reschedule(asyncio.get_running_loop().time())

        try:
            async with limit:
                cluster.when_gone.add(cut_short)
                try:
                    return await self._call(request)
                finally:
                    cluster.when_gone.discard(cut_short)
        except TimeoutError:
            if limit.expired():
                raise NotEngaged(f"cluster {name!r} has been disengaged") from None
            raise
