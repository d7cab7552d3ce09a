"""A controller: watches and event sources that put names in a queue, workers that take them out and call the
reconciler.

Made by `Manager.controller`. Its life: its sources begin, its informers are wanted and their first lists awaited, then
its workers run until it is stopped; then what is ready is still worked off.

Promises
    P1  a name is reconciled by one worker at a time, and once more when it changed meanwhile
    P2  whatever the reconciler raises or returns ends that one reconcile, counted and logged, and nothing else; only
        KeyboardInterrupt goes through
    P3  the outcome decides what follows, as `outcome` says
    P4  a name is not reconciled again before the caches have seen what its last reconcile wrote (see
        `readback`)
    P5  names that nothing happened to (first lists, resyncs) come after those that something happened to
    P6  a reconcile that takes longer than `timeout_seconds` is cancelled, counted and tried again; one that does not
        let itself be cancelled keeps its worker, which the figures of the queue show
    P7  after `halt` no reconcile begins; `backlog` has the names of those that were to come, and of those cut short
    P8  a reconciler that keeps the event loop to itself, and one that writes for a name again and again, as when
        another controller undoes it, are counted and logged (`symptoms`)

Source: controller-runtime's pkg/internal/controller.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypedDict, Unpack

from kajitori.apimachinery.kind import Kind
from kajitori.client.writes import WriteLog, current_writes
from kajitori.ctrl.calling import Caller
from kajitori.ctrl.clusters import Clusters, ClusterScope
from kajitori.ctrl.explain import TRACES_MAX, Cause, Explanation, Outcome, State, Trace, Traces
from kajitori.ctrl.handler import Watch
from kajitori.ctrl.handover import Backlog, QueuedName
from kajitori.ctrl.metrics import ReconcileFigures
from kajitori.ctrl.outcome import judge, told
from kajitori.ctrl.queue_state import NAMES_MAX, QueueFull
from kajitori.ctrl.rate_limit import DEFAULT_RATE_LIMIT, RateLimit
from kajitori.ctrl.readback import ParkedTogether, Parking, park
from kajitori.ctrl.reconcile import DONE, R, Reconciler, Request, Result
from kajitori.ctrl.source import EventSource, SourceFailed, SyncingSource
from kajitori.ctrl.symptoms import Restless
from kajitori.ctrl.tracing import ReconcileTracing, Traced
from kajitori.ctrl.watching import CACHE_SYNC_TIMEOUT_SECONDS, CacheSyncTimeout, Watches, WatchHandle
from kajitori.ctrl.workqueue import QueueShutDown, Taken, WorkQueue
from kajitori.world.clock import SYSTEM_CLOCK, Clock
from kajitori.world.random import Random

__all__ = ["Controller", "ControllerOptions", "CurrentReconcile", "current_reconcile", "refuse_unknown"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CurrentReconcile:
    """Which reconcile the running task works for: for logs and traces."""

    controller: str
    request: Any
    reconcile_id: str
    kind: Kind | None = None
    """Of the objects that the controller reconciles."""


current_reconcile: ContextVar[CurrentReconcile | None] = ContextVar("current_reconcile", default=None)


class ControllerOptions(TypedDict, total=False):
    """How a controller runs."""

    workers: int
    """So many names are reconciled at the same time (1)."""
    timeout_seconds: float | None
    """A reconcile that takes longer is cancelled and counts as failed (None: it may take any time)."""
    needs_leader: bool
    """False: it runs in every process of a leader election, not only in the leader's (True)."""
    rate_limit: RateLimit
    """How failures are slowed down (each name by itself, 5 ms doubled up to 1000 s)."""
    names_max: int
    """So many names may be in its queue; one more stops the manager (NAMES_MAX)."""
    cache_sync_timeout_seconds: float
    """How long the first lists of what it watches may take (CACHE_SYNC_TIMEOUT_SECONDS)."""
    clusters: ClusterScope
    """Where it watches: in the manager's own cluster, in those that are engaged, in all ("own")."""


def refuse_unknown(who: str, options: Mapping[str, Any], known: type) -> None:
    """Raises: TypeError for an option that a TypedDict does not know."""
    names = sorted(known.__annotations__)
    if unknown := sorted(options.keys() - names):
        raise TypeError(f"{who}: there is no option {', '.join(unknown)}; there are {', '.join(names)}")


def _check(name: str, reconciler: object, options: ControllerOptions) -> None:
    """Raises: TypeError, ValueError for what no controller can be made of."""
    who = f"controller {name!r}"
    refuse_unknown(who, options, ControllerOptions)
    if isinstance(reconciler, type) or not callable(getattr(reconciler, "reconcile", None)):
        raise TypeError(
            f"{who}: {reconciler!r} is no reconciler; give an object with `async def reconcile(request)`"
        )
    workers = options.get("workers", 1)
    if workers < 1:
        raise ValueError(f"{who}: workers={workers}; use 1 or more")


class Controller(Generic[R]):
    """One reconciler at work."""

    def __init__(
        self,
        name: str,
        reconciler: Reconciler[R],
        watches: Iterable[Watch[R]],
        among: Clusters,
        /,
        *,
        random: Random,
        clock: Clock = SYSTEM_CLOCK,
        sources: Iterable[EventSource[R]] = (),
        **options: Unpack[ControllerOptions],
    ) -> None:
        _check(name, reconciler, options)
        self.name = name
        self.workers = options.get("workers", 1)
        self.needs_leader = options.get("needs_leader", True)
        """Whether, in a leader election, it runs only where the leader is."""
        self.figures = ReconcileFigures()
        self.queue: WorkQueue[R] = WorkQueue(
            name,
            names_max=options.get("names_max", NAMES_MAX),
            rate_limit=options.get("rate_limit", DEFAULT_RATE_LIMIT),
        )
        self._watches: Watches[R] = Watches(
            name,
            watches,
            self._tell,
            figures=self.figures,
            clusters=among,
            scope=options.get("clusters", "own"),
        )
        self.sources = tuple(sources)
        """What wakes it beside what it watches."""
        self._clusters = among
        self._random = random
        self._caller: Caller[R] = Caller(
            reconciler,
            clusters=among,
            figures=self.figures,
            now=clock.monotonic,
            timeout_seconds=options.get("timeout_seconds"),
            logged=self._logged,
        )
        self._restless: Restless[R] = Restless()
        self._sync_timeout = options.get("cache_sync_timeout_seconds", CACHE_SYNC_TIMEOUT_SECONDS)
        self._traces: Traces[R] = Traces()
        self._parked: dict[R, Parking | ParkedTogether] = {}
        self._shown: dict[R, str] = {}
        """The last failure of each name that fails: its traceback is in the log."""
        self._failed: asyncio.Future[None] | None = None
        self._time: Callable[[], float] = lambda: 0.0
        """The loop's, once it runs."""
        self._stopping = False
        self._halted = False
        self._cut_short = False
        """Whether what runs here is being cancelled, by whoever runs us or because a part has failed."""
        self._source_tasks: list[asyncio.Task[None]] = []
        self.kind: Kind | None = None
        """Of the objects that it reconciles; None: its requests are no objects."""
        self.tracing: ReconcileTracing | None = None
        """Who traces what it does; None: nobody."""
        self.is_working = False
        """Whether the first lists have come and the workers run."""

    def watch(self, watch: Watch[R]) -> WatchHandle[R]:
        """Watches one more kind from now on, or from the beginning. Safe at any time, like the handle's `remove`."""
        return self._watches.add(watch)

    @property
    def watches(self) -> Sequence[WatchHandle[R]]:
        """All that it watches now."""
        return list(self._watches)

    def enqueue(self, request: R, priority: int = 0) -> None:
        """Reconciles a name soon, for reasons of the caller's. Raises: QueueFull."""
        self._traces.note_cause(request, Cause("asked", asyncio.get_running_loop().time()))
        self.queue.add(request, priority)

    def warm(self) -> None:
        """Lets its caches fill before it runs."""
        self._watches.warm()

    def cool(self) -> None:
        """Takes that back, when it is not going to run. Safe to repeat."""
        self._watches.end()

    def explain(self, request: R) -> Explanation[R]:
        """What is known of a name here."""
        state: State = "absent"
        if request in self._parked:
            state = "parked"
        elif self.queue.is_held(request):
            state = "running"
        elif self.queue.is_there(request):
            state = "queued"
        return Explanation(
            self.name,
            request,
            self._time(),
            state,
            self.queue.failures(request),
            self._traces.causes(request),
            self._traces.traces(request),
        )

    @property
    def log_keys(self) -> dict[str, Any]:
        """What tells records about it from others; what is logged in a reconcile has them anyway."""
        if self.kind is None:
            return {"controller": self.name}
        return {"controller": self.name, "controllerGroup": self.kind.group, "controllerKind": self.kind.kind}

    def listen(self, told: Callable[[Trace[R]], None]) -> list[Trace[R]]:
        """Calls `told`, which must be quick, with every reconcile that ends from now on. Gives those that ended before,
        as far as they are remembered, the earliest first; none where somebody listens already, whom `told` replaces.
        """
        past = [] if self._traces.listener is not None else self._traces.last(TRACES_MAX)[::-1]
        self._traces.listener = told
        return past

    def last_traces(self, most: int) -> list[Trace[R]]:
        """Its last reconciles, latest first."""
        return self._traces.last(most)

    def parked(self) -> frozenset[R]:
        """The names that are done, but for the caches, which have not seen what was written for them."""
        return frozenset(self._parked)

    def stop(self) -> None:
        """Takes nothing in any more; `run` returns when what is ready has been worked off."""
        self._stopping = True
        self.queue.shut_down()
        self._stop_sources()
        for parking in list(self._parked.values()):
            parking.end(True)

    def halt(self) -> None:
        """Begins nothing any more: `run` returns when the reconciles under way have ended."""
        self._halted = True
        self.queue.halt()
        self._stop_sources()

    def _stop_sources(self) -> None:
        for task in self._source_tasks:
            task.cancel()

    def backlog(self) -> Backlog[R]:
        """What was to be reconciled, for the controller that comes after this one; once `run` has ended."""
        names = [
            QueuedName(request, priority, seconds, self._traces.take_causes(request))
            for request, priority, seconds in self.queue.left()
        ]
        return Backlog(names, self._traces)

    def take_over(self, backlog: Backlog[R]) -> None:
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

        Raises: CacheSyncTimeout; SourceFailed; QueueFull; an ExceptionGroup of several of them.
        """
        loop = asyncio.get_running_loop()
        self._failed, self._time = loop.create_future(), loop.time
        try:
            async with asyncio.TaskGroup() as group:
                try:
                    await self._run_in(group)
                except BaseException:
                    self._cut_short = True
                    raise
        except ExceptionGroup as errors:
            if len(errors.exceptions) == 1:
                raise errors.exceptions[0] from errors.exceptions[0].__cause__
            raise
        finally:
            self._watches.end()
            for parking in list(self._parked.values()):
                parking.end(True)

    async def _run_in(self, group: asyncio.TaskGroup) -> None:
        assert self._failed is not None
        self._source_tasks = [
            group.create_task(self._run_source(source), name=f"{self.name} {_label(source)}")
            for source in self.sources
        ]
        await self._watches.begin(self._sync_timeout)
        for source in self.sources:
            if isinstance(source, SyncingSource):
                await self._wait_source(source)
        self.is_working = True
        _log.info("Starting workers", extra={**self.log_keys, "workers": self.workers})
        working = {
            group.create_task(self._work(), name=f"{self.name} worker {number}")
            for number in range(self.workers)
        }
        while working:
            ended, _ = await asyncio.wait({*working, self._failed}, return_when=asyncio.FIRST_COMPLETED)
            if self._failed in ended:
                self._failed.result()
            working -= ended

    async def _wait_source(self, source: SyncingSource) -> None:
        try:
            async with asyncio.timeout(self._sync_timeout):
                await source.wait_synced()
        except TimeoutError:
            raise CacheSyncTimeout(
                f"controller {self.name}: its event source {_label(source)} has not told what there was at the "
                f"beginning within {self._sync_timeout:g} s"
            ) from None

    # From what happens to names.

    def _tell(self, request: R, priority: int, cause: Cause) -> None:
        self._traces.note_cause(request, cause)
        try:
            self.queue.add(request, priority)
        except QueueFull as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _run_source(self, source: EventSource[R]) -> None:
        label, time = _label(source), asyncio.get_running_loop().time

        def enqueue(request: R, /, priority: int = 0) -> None:
            self._traces.note_cause(request, Cause("source", time(), label))
            self.queue.add(request, priority)

        try:
            await source.run(enqueue)
        except asyncio.CancelledError as error:
            if self._cut_short or self._stopping or self._halted:
                raise
            self._cut_short = True
            raise SourceFailed(
                f"controller {self.name}: its event source {label} cancelled itself"
            ) from error
        except Exception as error:
            self._cut_short = True
            raise SourceFailed(
                f"controller {self.name}: its event source {label} failed: {told(error)}"
            ) from error

    # From names to reconciles.

    async def _work(self) -> None:
        try:
            while not self._cut_short:
                await self._reconcile(await self.queue.get())
        except QueueShutDown:
            return
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._cut_short = True
            raise

    async def _reconcile(self, taken: Taken[R]) -> None:
        request, figures, loop = taken.name, self.figures, asyncio.get_running_loop()
        causes = self._traces.take_causes(request)
        log = WriteLog()
        reconcile_id = self._random.uuid4()
        writes_token = current_writes.set(log)
        current_token = current_reconcile.set(CurrentReconcile(self.name, request, reconcile_id, self.kind))
        span = None
        if self.tracing is not None:
            span = self.tracing(
                Traced(
                    *(self.name, self.kind, request, reconcile_id, causes),
                    *(taken.waited_seconds, taken.priority, log),
                )
            )
        figures.queue_seconds.observe(taken.waited_seconds)
        figures.active_workers += 1
        started = loop.time()
        result = DONE
        error: BaseException | None = None
        try:
            result = await self._caller.call(request)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:
            if isinstance(raised, asyncio.CancelledError) and self._is_cut_short():
                if self._halted:
                    for cause in causes:
                        self._traces.note_cause(request, cause)
                    self.queue.add(request, taken.priority)
                self.queue.done(request)
                if span is not None:
                    span.end("cancelled", raised)
                raise
            error = raised
        finally:
            figures.active_workers -= 1
            current_reconcile.reset(current_token)
            current_writes.reset(writes_token)
        took = loop.time() - started
        figures.reconcile_seconds.observe(took)
        outcome, requeue_seconds = self._settle(taken, result, error, reconcile_id)
        if span is not None:
            span.end(outcome, error, requeue_seconds)
        self._traces.note_trace(
            Trace(
                *(request, reconcile_id, causes, taken.priority, taken.waited_seconds, started, took),
                *(outcome, "" if error is None else told(error), requeue_seconds, len(log)),
            )
        )
        in_a_row = self._restless.note(request, bool(log), started)
        if in_a_row:
            figures.restless += 1
            _log.warning(
                "%d reconciles have written for one object in quick succession; does another controller undo it, or "
                "does this one write what is there already?",
                in_a_row,
                extra=self._logged(request),
            )
        self._give_back(request, log)

    def _is_cut_short(self) -> bool:
        """Of a reconcile that was cancelled: whether we wished that. If not, it cancelled itself: its mistake."""
        task = asyncio.current_task()
        assert task is not None
        if task.cancelling() and self._cut_short:
            return True
        while task.cancelling():
            task.uncancel()
        return False

    def _settle(
        self, taken: Taken[R], result: Result, error: BaseException | None, reconcile_id: str
    ) -> tuple[Outcome, float]:
        """What follows (`outcome`); with it, in how many seconds the name comes again (0: not by itself)."""
        request, figures = taken.name, self.figures
        if error is not None:
            if isinstance(request, Request) and self._clusters.find(request.cluster) is None:
                self.queue.forget(request)
                return "cluster gone", 0.0
            judged = judge(error)
            figures.error += 1
            figures.panics += judged.is_panic
            figures.conflicts += judged.is_conflict
            seconds = 0.0
            if judged.retry:
                seconds = self.queue.add_rate_limited(
                    request, taken.priority, at_least_seconds=judged.at_least_seconds
                )
                self._note_requeue(request, "retry")
            else:
                figures.terminal_errors += 1
                self.queue.forget(request)
            self._log_failure(request, error, reconcile_id, seconds)
            return judged.outcome, seconds
        self.queue.forget(request)
        if self._shown:
            self._shown.pop(request, None)
        if result.requeue_after_seconds > 0:
            figures.requeue_after += 1
            priority = taken.priority if result.priority is None else result.priority
            self.queue.add_after(request, result.requeue_after_seconds, priority)
            self._note_requeue(request, "requeue after")
            return "requeue after", result.requeue_after_seconds
        figures.success += 1
        return "success", 0.0

    def _log_failure(self, request: R, error: BaseException, reconcile_id: str, seconds: float) -> None:
        """Every one: they come more and more seldom. One that is as the last of the name says so, and formatters leave
        its traceback out.
        """
        text = told(error)
        again = {"repeated": True} if self._shown.get(request) == text else {}
        self._shown[request] = text
        _log.error(
            "Reconciler error",
            exc_info=error,
            extra={
                **self._logged(request),
                "reconcile_id": reconcile_id,
                "failures": self.queue.failures(request),
                "retry_in_seconds": seconds,
                **again,
            },
        )

    def _note_requeue(self, request: R, type: Any) -> None:
        if not self._stopping:
            self._traces.note_cause(request, Cause(type, asyncio.get_running_loop().time()))

    def _logged(self, request: R) -> dict[str, Any]:
        if isinstance(request, Request):
            where = {"cluster": request.cluster} if request.cluster else {}
            return {
                **self.log_keys,
                "namespace": request.namespace,
                "object_name": request.name,
                **where,
            }
        return {"controller": self.name, "object_name": str(request)}

    def _give_back(self, request: R, log: WriteLog) -> None:
        def let_go(caught_up: bool) -> None:
            del self._parked[request]
            if not caught_up:
                self.figures.parked_in_vain += 1
                _log.warning(
                    "the caches did not see the writes of a reconcile in time", extra=self._logged(request)
                )
            self.figures.work_seconds.observe(self.queue.done(request))

        if log and not self._stopping:
            parking = self._park(log, let_go)
            if parking:
                self.figures.parked += 1
                self._parked[request] = parking
                return
        self.figures.work_seconds.observe(self.queue.done(request))

    def _park(self, log: WriteLog, let_go: Callable[[bool], None]) -> Parking | ParkedTogether | None:
        if log.elsewhere is None:
            return park(self._clusters.own.cache, log, let_go)
        together = ParkedTogether(let_go)
        for name, each in log.by_cluster():
            cluster = self._clusters.find(name)
            if cluster is not None:
                together.park(cluster.cache, each)
        return together


def _label(source: Any) -> str:
    """What an event source is called: its text, when it has one of its own."""
    text = str(source)
    return type(source).__name__ if text == object.__repr__(source) else text
