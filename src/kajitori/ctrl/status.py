"""What a manager is doing at this moment, as plain values: for pages, terminals and JSON.

    status = snapshot(manager)
    for controller in status.controllers: print(controller.name, controller.queue.ready)

`snapshot` only reads. It costs what it shows, a few milliseconds at most, and nothing while nobody asks. Times are
seconds before or after the snapshot, so that no clock need be known to read them.

Promises
    T1  a snapshot holds no object of the cache and nothing that changes later
    T2  lists are bounded: NAMES_SHOWN_MAX names, RECONCILES_SHOWN_MAX reconciles of each controller
    T3  the memory of a cache is estimated from MEMORY_SAMPLES_MAX of its objects
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.client.objects import kind_of
from kajitori.ctrl.clusters import EngagedCluster
from kajitori.ctrl.controller import Controller
from kajitori.ctrl.explain import Cause, Trace
from kajitori.ctrl.informer import Informer
from kajitori.ctrl.reconcile import Request
from kajitori.ctrl.store import Store

if TYPE_CHECKING:
    from kajitori.ctrl.manager import Manager

__all__ = [
    "CacheStatus",
    "CauseStatus",
    "ControllerStatus",
    "ExplanationStatus",
    "LeaderStatus",
    "QueueStatus",
    "QueuedStatus",
    "ReconcileCounts",
    "ReconcileStatus",
    "Status",
    "explain_status",
    "snapshot",
]

NAMES_SHOWN_MAX = 20
RECONCILES_SHOWN_MAX = 20

MEMORY_SAMPLES_MAX = 20
"""Objects measured of a cache: a millisecond for large ones."""


class _Plain(msgspec.Struct, frozen=True, rename="camel"):
    """Frozen, and JSON under Kubernetes' manner of naming."""


class CauseStatus(_Plain, frozen=True):
    """One reason for which a name was queued."""

    type: str
    seconds_ago: float
    kind: str = ""
    """Of the object that changed; empty where none did."""
    object: str = ""
    old_version: str = ""
    new_version: str = ""

    def __str__(self) -> str:
        words = [self.type, self.kind, self.object]
        if self.new_version and self.type != "resync":
            words.append(f"{self.old_version} → {self.new_version}" if self.old_version else self.new_version)
        return " ".join(word for word in words if word)


class QueuedStatus(_Plain, frozen=True):
    """One name that is queued or being worked on."""

    name: str
    state: str
    """`running`, `parked` (done, but the caches have not seen its writes yet), `ready` or `waiting`."""
    seconds: float
    """Running, parked and ready: for so long; waiting: due in so long."""
    priority: int
    failures: int
    """In a row."""
    causes: tuple[CauseStatus, ...] = ()


class QueueStatus(_Plain, frozen=True):
    """One queue."""

    ready: int
    """Names that a worker may take."""
    waiting: int
    """Names whose time has not come."""
    held: int
    """Names that workers have, parked ones included."""
    parked: int
    failing: int
    """Names that failed when they were last tried."""
    names: tuple[QueuedStatus, ...]
    """Those being worked on, then those that come next."""


class ReconcileStatus(_Plain, frozen=True):
    """One reconcile that has ended."""

    name: str
    reconcile_id: str
    outcome: str
    error: str
    ended_seconds_ago: float
    waited_seconds: float
    took_seconds: float
    requeue_seconds: float
    writes: int
    causes: tuple[CauseStatus, ...]


class ReconcileCounts(_Plain, frozen=True):
    """How reconciles have ended so far."""

    success: int
    requeue_after: int
    error: int
    """Terminal errors and panics included."""
    terminal_errors: int
    panics: int
    timeouts: int
    seconds: float
    """All of them together."""


class ControllerStatus(_Plain, frozen=True):
    """One controller."""

    name: str
    kind: str
    """Of the objects that it reconciles, as `Widget.v1.example.com`; empty: it watches none."""
    state: str
    """`not started`, `standing by` (another process leads), `filling caches`, `working` or `stopping`."""
    watches: tuple[str, ...]
    workers: int
    active_workers: int
    queue: QueueStatus
    reconciles: ReconcileCounts
    last: tuple[ReconcileStatus, ...]
    """Latest first."""


class CacheStatus(_Plain, frozen=True):
    """One informer."""

    kind: str
    synced: bool
    """Whether its first list has come."""
    objects: int
    memory_bytes: int
    """An estimate."""
    resource_version: str
    seconds_since_event: float | None
    """None: nothing has come yet. Bookmarks count, which come about once a minute."""
    namespace: str = ""
    """Several are joined with commas. Empty: all."""
    labels: str = ""
    fields: str = ""
    metadata_only: bool = False
    cluster: str = ""
    """Empty: the manager's own."""


class LeaderStatus(_Plain, frozen=True):
    """One candidate of a leader election, or one shard, which leads only itself."""

    lease: str
    identity: str
    is_leader: bool
    leader: str
    """Who held the Lease when we last looked; empty: nobody."""
    ring: str = ""
    """Of the shards that we are one of; empty: it is a leader election."""


class Status(_Plain, frozen=True):
    """One manager."""

    name: str
    state: str
    """`not started`, `running` or `stopping`."""
    running_seconds: float
    leader: LeaderStatus | None
    """None: neither leader election nor shards."""
    controllers: tuple[ControllerStatus, ...]
    caches: tuple[CacheStatus, ...]


class ExplanationStatus(_Plain, frozen=True):
    """What is known of one name in one controller."""

    controller: str
    name: str
    state: str
    """`absent`, `queued`, `running` or `parked`."""
    failures: int
    causes: tuple[CauseStatus, ...]
    """Why it is queued now."""
    last: tuple[ReconcileStatus, ...]
    """Latest first."""


def snapshot(manager: "Manager") -> Status:
    """What a manager does now; to be called on its event loop."""
    now = asyncio.get_running_loop().time()
    started = manager.started_at
    return Status(
        name=manager.name,
        state="not started" if started is None else "stopping" if manager.is_stopping else "running",
        running_seconds=0.0 if started is None else now - started,
        leader=_leader(manager),
        controllers=tuple(_controller(manager, each, now) for each in manager.controllers),
        caches=tuple(
            _cache(cluster, each, now)
            for cluster in manager.clusters.everyone()
            for each in cluster.cache.informers()
        ),
    )


def explain_status(manager: "Manager", controller: str, request: Request) -> ExplanationStatus:
    """Why a name is or was queued, and what came of it. Raises: KeyError when there is no such controller."""
    known = manager.explain(controller, request)
    now = asyncio.get_running_loop().time()
    return ExplanationStatus(
        controller,
        str(request),
        known.state,
        known.failures,
        _causes(known.causes, now),
        tuple(_reconcile(each, now) for each in known.traces[:RECONCILES_SHOWN_MAX]),
    )


def _leader(manager: "Manager") -> LeaderStatus | None:
    elector = manager.elector
    if elector is None:
        return None
    ring = manager.shard.settings.ring if manager.shard is not None else ""
    return LeaderStatus(elector.lease, elector.identity, elector.is_leader, elector.leader, ring)


def _controller(manager: "Manager", controller: Controller, now: float) -> ControllerStatus:
    figures = controller.figures
    kinds = [str(kind_of(each.watch.kind)) for each in controller.watches]
    return ControllerStatus(
        name=controller.name,
        kind=kinds[0] if kinds else "",
        state=_state(manager, controller),
        watches=tuple(kinds),
        workers=controller.workers,
        active_workers=figures.active_workers,
        queue=_queue(controller, now),
        reconciles=ReconcileCounts(
            figures.success,
            figures.requeue_after,
            figures.error,
            figures.terminal_errors,
            figures.panics,
            figures.timeouts,
            figures.reconcile_seconds.sum,
        ),
        last=tuple(_reconcile(each, now) for each in controller.last_traces(RECONCILES_SHOWN_MAX)),
    )


def _state(manager: "Manager", controller: Controller) -> str:
    if manager.started_at is None:
        return "not started"
    if manager.is_stopping:
        return "stopping"
    if not manager.is_started(controller):
        return "standing by"
    return "working" if controller.is_working else "filling caches"


def _queue(controller: Controller, now: float) -> QueueStatus:
    queue, parked = controller.queue, controller.parked()
    held = queue.held()
    ready = sum(queue.depths().values())
    return QueueStatus(
        ready=ready,
        waiting=len(queue) - ready,
        held=len(held),
        parked=len(parked),
        failing=queue.failing,
        names=tuple(_names(controller, held, parked, now)),
    )


def _names(
    controller: Controller, held: Mapping[Request, float], parked: frozenset[Request], now: float
) -> Iterator[QueuedStatus]:
    queue = controller.queue
    for request, since in list(held.items())[:NAMES_SHOWN_MAX]:
        state = "parked" if request in parked else "running"
        yield QueuedStatus(str(request), state, now - since, 0, queue.failures(request))
    for each in queue.next(NAMES_SHOWN_MAX - min(len(held), NAMES_SHOWN_MAX)):
        ready = each.ready_at is None
        yield QueuedStatus(
            str(each.name),
            "ready" if ready else "waiting",
            now - each.queued_at if each.ready_at is None else each.ready_at - now,
            each.priority,
            queue.failures(each.name),
            _causes(controller.explain(each.name).causes, now),
        )


def _reconcile(trace: Trace, now: float) -> ReconcileStatus:
    return ReconcileStatus(
        name=str(trace.request),
        reconcile_id=trace.reconcile_id,
        outcome=trace.outcome,
        error=trace.error,
        ended_seconds_ago=now - trace.started_at - trace.took_seconds,
        waited_seconds=trace.waited_seconds,
        took_seconds=trace.took_seconds,
        requeue_seconds=trace.requeue_seconds,
        writes=trace.writes,
        causes=_causes(trace.causes, now),
    )


def _causes(causes: Iterable[Cause], now: float) -> tuple[CauseStatus, ...]:
    return tuple(
        CauseStatus(each.type, now - each.at, each.kind, each.object, each.old_version, each.new_version)
        for each in causes
    )


def _cache(cluster: EngagedCluster, informer: Informer, now: float) -> CacheStatus:
    options, told_at = cluster.cache.options(informer.model), informer.told_at
    return CacheStatus(
        kind=str(informer.kind),
        synced=informer.has_synced,
        objects=len(informer.store),
        memory_bytes=_memory_bytes(informer.store),
        resource_version=informer.resource_version,
        seconds_since_event=None if told_at is None else now - told_at,
        namespace=",".join(sorted(options.selections())),
        labels=options.labels or "",
        fields=options.fields or "",
        metadata_only=informer.metadata_only,
        cluster=cluster.name,
    )


def _memory_bytes(store: Store) -> int:
    """What the objects take, as far as it is theirs alone: what several share is counted once."""
    samples = store.sample(MEMORY_SAMPLES_MAX)
    if not samples:
        return 0
    seen: set[int] = set()
    return sum(_size(each, seen) for each in samples) * len(store) // len(samples)


def _size(value: Any, seen: set[int]) -> int:
    if id(value) in seen or value is None or isinstance(value, (bool, type)):
        return 0
    seen.add(id(value))
    size = sys.getsizeof(value)
    if isinstance(value, Mapping):
        return size + sum(_size(each, seen) for pair in value.items() for each in pair)
    if isinstance(value, (list, tuple, set, frozenset)):
        return size + sum(_size(each, seen) for each in value)
    if isinstance(value, msgspec.Struct):
        return size + sum(_size(getattr(value, name), seen) for name in value.__struct_fields__)
    return size
