"""The clusters of a manager: its own, and others that are engaged and disengaged while it runs.

    manager.controller("sites", reconciler, for_=Site, clusters="all")
    manager.engage("east", client)
    ...
    east = manager.cluster(request.cluster)  # in the reconciler: east.client, east.cache

Promises
    K1  every cluster has caches of its own, configured like the manager's
    K2  a cluster that is away delays nothing of the others; its names come when all that a controller watches there is
        complete
    K3  when a cluster is disengaged, its reconciles are cut short, its names forgotten and its informers stopped
    K4  asking for a cluster that is not engaged raises NotEngaged

Source: multicluster-runtime's pkg/manager and pkg/clusters.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from kajitori.client.client import Client
from kajitori.ctrl.cache import Cache
from kajitori.ctrl.events import EventRecorder

if TYPE_CHECKING:
    from kajitori.ctrl.manager import Manager

__all__ = ["OWN", "ClusterProvider", "ClusterScope", "Clusters", "EngagedCluster", "NotEngaged"]

OWN = ""
"""The name of the manager's own cluster."""

ClusterScope = Literal["own", "engaged", "all"]
"""Where a controller watches: in the manager's own cluster, in those that are engaged, in both."""

FLUSH_SECONDS = 2.0
"""For the last events."""

_log = logging.getLogger(__name__)


class NotEngaged(Exception):
    """There is no such cluster, or not any more."""


class ClusterProvider(Protocol):
    """Knows which clusters there are."""

    async def run(self, manager: "Manager", /) -> None:
        """Engages and disengages them, until cancelled. Raises: anything, to stop the manager."""
        ...


class EngagedCluster:
    """One cluster. What is written by its client is waited for in its caches."""

    def __init__(self, name: str, client: Client, cache: Cache, events: EventRecorder) -> None:
        self.name = name
        """Empty: the manager's own."""
        self.client = client
        self.cache = cache
        self.events = events
        self.when_gone: set[Callable[[], None]] = set()
        """Called once when it is disengaged."""

    async def run(self) -> None:
        """Keeps the caches up to date, and writes Events. Until cancelled."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.cache.run(), name=f"cache of {self.name}"),
                group.create_task(self.events.run(), name=f"events of {self.name}"),
            ]
            try:
                await asyncio.Event().wait()
            finally:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FLUSH_SECONDS):
                        await self.events.flush()
                for task in tasks:
                    task.cancel()


class ClusterListener(Protocol):
    """Who wants to know which clusters there are."""

    def engaged(self, cluster: EngagedCluster) -> None: ...

    def disengaged(self, cluster: EngagedCluster) -> None: ...


class Clusters:
    """The clusters of one manager."""

    def __init__(self, own: EngagedCluster, new: Callable[[str, Client], EngagedCluster]) -> None:
        self.own = own
        self._new = new
        self._engaged: dict[str, EngagedCluster] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self.listeners: dict[ClusterListener, None] = {}

    def get(self, name: str) -> EngagedCluster:
        """Raises: NotEngaged."""
        if name == OWN:
            return self.own
        found = self._engaged.get(name)
        if found is None:
            raise NotEngaged(
                f"cluster {name!r} is not engaged; engaged are {', '.join(self._engaged) or 'none'}"
            )
        return found

    def find(self, name: str) -> EngagedCluster | None:
        return self.own if name == OWN else self._engaged.get(name)

    def everyone(self) -> Sequence[EngagedCluster]:
        """The manager's own, and those that are engaged."""
        return [self.own, *self._engaged.values()]

    def engaged(self) -> Sequence[EngagedCluster]:
        """All but the manager's own."""
        return list(self._engaged.values())

    def engage(self, name: str, client: Client) -> EngagedCluster:
        """Raises: ValueError when there is one of that name."""
        if name == OWN:
            raise ValueError("a cluster without a name is the manager's own; give it one")
        if name in self._engaged:
            raise ValueError(f"cluster {name!r} is engaged already; disengage it first")
        cluster = self._engaged[name] = self._new(name, client)
        self._start(cluster)
        for listener in list(self.listeners):
            listener.engaged(cluster)
        _log.info("engaged a cluster", extra={"cluster": name})
        return cluster

    def disengage(self, name: str) -> None:
        """Safe to repeat."""
        cluster = self._engaged.pop(name, None)
        if cluster is None:
            return
        for listener in list(self.listeners):
            listener.disengaged(cluster)
        for call in list(cluster.when_gone):
            call()
        cluster.cache.part()
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
        _log.info("disengaged a cluster", extra={"cluster": name})

    async def run(self) -> None:
        """Runs those that are engaged. Until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for cluster in self._engaged.values():
                    self._start(cluster)
                await asyncio.Event().wait()
            finally:
                self._group = None
                self._tasks.clear()

    def _start(self, cluster: EngagedCluster) -> None:
        if self._group is not None:
            self._tasks[cluster.name] = self._group.create_task(cluster.run(), name=f"cluster {cluster.name}")
