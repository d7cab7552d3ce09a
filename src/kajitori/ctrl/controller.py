"""A controller: watches that put names in a queue, workers that take them out and call the reconciler.

Made by `Manager.controller`. Its life: its informers are wanted, their first lists awaited, then its workers
run until it is stopped; then what is ready is still worked off.

Promises
    P1  a name is reconciled by one worker at a time, and once more when it changed meanwhile
    P2  whatever the reconciler raises ends that one reconcile, counted and logged, and nothing else
    P3  the outcome decides what follows, as in `_settle`
    P4  a name is not reconciled again before the caches have seen what its last reconcile wrote (see
        `readback`)
    P5  names that nothing happened to (first lists, resyncs) come after those that something happened to
    P6  after `halt` no reconcile begins; `backlog` has the names of those that were to come, and of those cut short

Source: controller-runtime's pkg/internal/controller.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.errors import ApiError
from kajitori.client.accessors import key_pair_of, resource_version_of
from kajitori.client.objects import Model, kind_of
from kajitori.client.writes import WriteLog, current_writes
from kajitori.ctrl.cache import RESYNC_SECONDS, Cache, InformerUse
from kajitori.ctrl.explain import Cause, Explanation, Outcome, State, Trace, Traces
from kajitori.ctrl.handler import MapFunction, own_request
from kajitori.ctrl.handover import Backlog, QueuedName
from kajitori.ctrl.informer import ChangeHandler, Registration
from kajitori.ctrl.metrics import ReconcileFigures
from kajitori.ctrl.predicate import Change, Predicate
from kajitori.ctrl.queue_state import LOW_PRIORITY, QueueFull
from kajitori.ctrl.readback import Parking, park
from kajitori.ctrl.reconcile import DONE, Reconciler, Request, Result, TerminalError
from kajitori.ctrl.workqueue import QueueShutDown, Taken, WorkQueue
from kajitori.world.random import Random

__all__ = [
    "CACHE_SYNC_TIMEOUT_SECONDS",
    "CacheSyncTimeout",
    "Controller",
    "CurrentReconcile",
    "Source",
    "current_reconcile",
]

CACHE_SYNC_TIMEOUT_SECONDS = 120.0
"""How long the first lists may take, as in controller-runtime; usually a kind is missing or forbidden."""

_MISTAKES = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, MemoryError),
    *(NameError, NotImplementedError, RecursionError, TypeError),
)
"""What a reconciler raises when its author erred: what Go calls a panic."""

_log = logging.getLogger(__name__)


class CacheSyncTimeout(Exception):
    """A kind that a controller watches could not be listed in time."""


@dataclass(frozen=True, slots=True)
class Source:
    """One watched kind, and what its changes mean."""

    model: Model
    map: MapFunction
    predicates: Sequence[Predicate] = ()
    metadata_only: bool = False


@dataclass(frozen=True, slots=True)
class CurrentReconcile:
    """Which reconcile the running task works for: for logs and traces."""

    controller: str
    request: Request
    reconcile_id: str


current_reconcile: ContextVar[CurrentReconcile | None] = ContextVar("current_reconcile", default=None)


class Controller:
    """One reconciler at work."""

    def __init__(
        self,
        name: str,
        reconciler: Reconciler,
        sources: Sequence[Source],
        *,
        cache: Cache,
        random: Random,
        workers: int = 1,
        timeout_seconds: float | None = None,
        needs_leader: bool = True,
    ) -> None:
        assert workers > 0, workers
        self.name = name
        self.workers = workers
        self.needs_leader = needs_leader
        """Whether, in a leader election, it runs only where the leader is."""
        self.figures = ReconcileFigures()
        self.queue: WorkQueue[Request] = WorkQueue(name)
        self._reconciler = reconciler
        self.sources = sources
        self._cache = cache
        self._random = random
        self._timeout = timeout_seconds
        self._traces = Traces()
        self._parked: dict[Request, Parking] = {}
        self._failed: asyncio.Future[None] | None = None
        self._stopping = False
        self._halted = False
        self.is_working = False
        """Whether the first lists have come and the workers run."""

    def enqueue(self, request: Request, priority: int = 0) -> None:
        """Reconciles a name soon, for reasons of the caller's. Raises: QueueFull."""
        self._traces.note_cause(request, Cause("asked", asyncio.get_running_loop().time()))
        self.queue.add(request, priority)

    def explain(self, request: Request) -> Explanation:
        """What is known of a name here."""
        state: State = "absent"
        if request in self._parked:
            state = "parked"
        elif self.queue.is_held(request):
            state = "running"
        elif self.queue.is_there(request):
            state = "queued"
        return Explanation(
            request,
            state,
            self.queue.failures(request),
            self._traces.causes(request),
            self._traces.traces(request),
        )

    def last_traces(self, most: int) -> list[Trace]:
        """Its last reconciles, latest first."""
        return self._traces.last(most)

    def parked(self) -> frozenset[Request]:
        """The names that are done, but for the caches, which have not seen what was written for them."""
        return frozenset(self._parked)

    def stop(self) -> None:
        """Takes nothing in any more; `run` returns when what is ready has been worked off."""
        self._stopping = True
        self.queue.shut_down()
        for parking in list(self._parked.values()):
            parking.end(True)

    def halt(self) -> None:
        """Begins nothing any more: `run` returns when the reconciles under way have ended."""
        self._halted = True
        self.queue.halt()

    def backlog(self) -> Backlog:
        """What was to be reconciled, for the controller that comes after this one; once `run` has ended."""
        names = [
            QueuedName(request, priority, seconds, self._traces.take_causes(request))
            for request, priority, seconds in self.queue.left()
        ]
        return Backlog(names, self._traces)

    def take_over(self, backlog: Backlog) -> None:
        """Begins with what another controller left, and remembers what that did; before `run`."""
        self._traces = backlog.traces
        for request, priority, seconds, causes in backlog.names:
            for cause in causes:
                self._traces.note_cause(request, cause)
            if any(each.type == "retry" for each in causes):
                # It failed in code that may be mended now.
                self.queue.add(request, max(priority, 0))
            else:
                self.queue.add_after(request, seconds, priority)

    async def run(self) -> None:
        """Until stopped and drained, or cancelled.

        Raises: CacheSyncTimeout; QueueFull; whatever kept a worker from going on.
        """
        self._failed = asyncio.get_running_loop().create_future()
        uses: list[InformerUse] = []
        registrations: list[Registration] = []
        try:
            for source in self.sources:
                use = self._cache.use(source.model, metadata_only=source.metadata_only)
                uses.append(use)
                registrations.append(
                    use.informer.add_handler(self._handler(source), resync_seconds=RESYNC_SECONDS)
                )
            await self._wait_synced(uses)
            await self._work_until_stopped()
        finally:
            for registration in registrations:
                registration.remove()
            for use in uses:
                use.release()
            for parking in list(self._parked.values()):
                parking.end(True)

    async def _wait_synced(self, uses: Sequence[InformerUse]) -> None:
        for use in uses:
            try:
                async with asyncio.timeout(CACHE_SYNC_TIMEOUT_SECONDS):
                    await use.informer.wait_synced()
            except TimeoutError:
                raise CacheSyncTimeout(
                    f"controller {self.name}: {use.informer.name} could not be listed within "
                    f"{CACHE_SYNC_TIMEOUT_SECONDS:g} s; does the kind exist, and may we list and watch it?"
                ) from None

    async def _work_until_stopped(self) -> None:
        assert self._failed is not None
        self.is_working = True
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._work(), name=f"{self.name} worker {number}")
                for number in range(self.workers)
            ]
            await asyncio.wait([*tasks, self._failed], return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done():
                self._failed.result()

    # From changes to names.

    def _handler(self, source: Source) -> ChangeHandler:
        predicates, requests_of, queue, note = (
            source.predicates,
            source.map,
            self.queue,
            self._traces.note_cause,
        )
        kind_name = kind_of(source.model).kind
        is_own = requests_of is own_request
        time = asyncio.get_running_loop().time

        def on_change(change: Change) -> None:
            for predicate in predicates:
                if not predicate(change):
                    return
            kind, value, old = change.type, change.object, change.old
            requests = requests_of(value)
            new_version, old_version, priority = resource_version_of(value), "", 0
            cause_type: Any = kind
            if kind == "update":
                old_version = resource_version_of(old)
                if old_version == new_version:
                    priority, cause_type = LOW_PRIORITY, "resync"
                elif not is_own:
                    # An object that moved from one owner to another concerns both.
                    requests = dict.fromkeys([*requests_of(old), *requests])
            elif change.initial:
                priority = LOW_PRIORITY
            cause: Cause | None = None
            for request in requests:
                if cause is None:
                    cause = Cause(
                        cause_type, time(), kind_name, "/".join(key_pair_of(value)), old_version, new_version
                    )
                note(request, cause)
                try:
                    queue.add(request, priority)
                except QueueFull as error:
                    self._fail(error)
                    return

        return on_change

    def _fail(self, error: Exception) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    # From names to reconciles.

    async def _work(self) -> None:
        while True:
            try:
                taken = await self.queue.get()
            except QueueShutDown:
                return
            await self._reconcile(taken)

    async def _reconcile(self, taken: Taken[Request]) -> None:
        request, figures, loop = taken.name, self.figures, asyncio.get_running_loop()
        causes = self._traces.take_causes(request)
        log = WriteLog()
        reconcile_id = self._random.uuid4()
        writes_token = current_writes.set(log)
        current_token = current_reconcile.set(CurrentReconcile(self.name, request, reconcile_id))
        figures.queue_seconds.observe(taken.waited_seconds)
        figures.active_workers += 1
        started = loop.time()
        result = DONE
        error: BaseException | None = None
        try:
            result = await self._call(request)
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                if self._halted:
                    for cause in causes:
                        self._traces.note_cause(request, cause)
                    self.queue.add(request, taken.priority)
                self.queue.done(request)
                raise
            # The reconciler cancelled itself: its mistake, not a wish of ours.
            error = cancelled
        except Exception as raised:
            error = raised
        finally:
            figures.active_workers -= 1
            current_reconcile.reset(current_token)
            current_writes.reset(writes_token)
        took = loop.time() - started
        figures.reconcile_seconds.observe(took)
        outcome, requeue_seconds = self._settle(taken, result, error, reconcile_id)
        self._traces.note_trace(
            Trace(
                *(request, reconcile_id, causes, taken.priority, taken.waited_seconds, started, took),
                *(outcome, "" if error is None else _text(error), requeue_seconds, len(log.writes)),
            )
        )
        self._give_back(request, log)

    async def _call(self, request: Request) -> Result:
        if self._timeout is None:
            result = await self._reconciler.reconcile(request)
        else:
            limit = asyncio.timeout(self._timeout)
            try:
                async with limit:
                    result = await self._reconciler.reconcile(request)
            finally:
                if limit.expired():
                    self.figures.timeouts += 1
        if type(result) is not Result:
            raise TypeError(
                f"reconcile returned {result!r}; return a Result, DONE when nothing is to be done"
            )
        return result

    def _settle(
        self, taken: Taken[Request], result: Result, error: BaseException | None, reconcile_id: str
    ) -> tuple[Outcome, float]:
        """What follows from the outcome; with it, in how many seconds the name comes again (0: not by
        itself).

        raised                back-off of its own, or what the server asked for when that is longer; same priority
        raised TerminalError  nothing until something changes
        requeue_after         after that time; failures forgotten
        otherwise             nothing until something changes; failures forgotten
        """
        request, figures = taken.name, self.figures
        priority = taken.priority if result.priority is None else result.priority
        if error is not None:
            figures.error += 1
            terminal = _only(error, TerminalError)
            if terminal:
                figures.terminal_errors += 1
                self.queue.forget(request)
                seconds = 0.0
            else:
                if _any(error, _MISTAKES):
                    figures.panics += 1
                seconds = self.queue.add_rate_limited(
                    request, taken.priority, at_least_seconds=_retry_after_seconds(error)
                )
                self._note_requeue(request, "retry")
            _log.error(
                "reconcile failed",
                exc_info=error,
                extra={
                    "controller": self.name,
                    "namespace": request.namespace,
                    "object_name": request.name,
                    "reconcile_id": reconcile_id,
                    "retry_in_seconds": seconds,
                },
            )
            return ("terminal error" if terminal else "error"), seconds
        self.queue.forget(request)
        if result.requeue_after_seconds > 0:
            figures.requeue_after += 1
            self.queue.add_after(request, result.requeue_after_seconds, priority)
            self._note_requeue(request, "requeue after")
            return "requeue after", result.requeue_after_seconds
        figures.success += 1
        return "success", 0.0

    def _note_requeue(self, request: Request, type: Any) -> None:
        if not self._stopping:
            self._traces.note_cause(request, Cause(type, asyncio.get_running_loop().time()))

    def _give_back(self, request: Request, log: WriteLog) -> None:
        def let_go(caught_up: bool) -> None:
            del self._parked[request]
            if not caught_up:
                self.figures.parked_in_vain += 1
                _log.warning(
                    "the caches did not see the writes of a reconcile in time",
                    extra={
                        "controller": self.name,
                        "namespace": request.namespace,
                        "object_name": request.name,
                    },
                )
            self.figures.work_seconds.observe(self.queue.done(request))

        if log.writes and not self._stopping:
            parking = park(self._cache, log, let_go)
            if parking is not None:
                self.figures.parked += 1
                self._parked[request] = parking
                return
        self.figures.work_seconds.observe(self.queue.done(request))


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]


def _only(error: BaseException, kind: type[BaseException]) -> bool:
    return all(isinstance(leaf, kind) for leaf in _leaves(error))


def _any(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    return any(isinstance(leaf, kinds) for leaf in _leaves(error))


def _retry_after_seconds(error: BaseException) -> float:
    return max(leaf.retry_after_seconds if isinstance(leaf, ApiError) else 0 for leaf in _leaves(error))


def _text(error: BaseException) -> str:
    return "; ".join(f"{type(leaf).__name__}: {leaf}" for leaf in _leaves(error))
