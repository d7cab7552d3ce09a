"""What runs a process full of controllers: one client, one cache, controllers, other tasks, events, one life.

    manager = Manager(client)
    manager.controller("widgets", Reconciler(manager.client, manager.cache), for_=WIDGETS, owns=[CONFIG_MAPS])
    await manager.run()

Promises
    M1  every task belongs to `run`: when it has returned or raised, nothing of the manager's is left running
    M2  on stop or cancellation controllers finish what is ready, at most `graceful_seconds`; then they are
        cancelled; caches and the client work until after that
    M3  one part that fails stops the others, and `run` raises its error
    M4  with `leader_election`, what needs leadership runs only while we lead; caches fill, and the rest runs, without
    M5  when leadership is lost, what needs it is cancelled at once and `run` raises LeadershipLost; on a stop the
        Lease is given back when all that needs it has ended
    M6  clusters are engaged and disengaged at any time (see `clusters`)
    M7  `hand_over` and `take_over` let a manager of newer code go on where this one was (see `handover`)

Source: controller-runtime's pkg/manager.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast, overload

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.client.client import Client
from kajitori.client.objects import Model, kind_of
from kajitori.ctrl.cache import Cache
from kajitori.ctrl.cache_options import CacheOptions
from kajitori.ctrl.clusters import OWN, ClusterProvider, Clusters, EngagedCluster
from kajitori.ctrl.controller import Controller, ControllerOptions, refuse_unknown
from kajitori.ctrl.events import EventRecorder
from kajitori.ctrl.explain import Explanation
from kajitori.ctrl.handler import Watch, own_request, owner_requests
from kajitori.ctrl.handover import Handover
from kajitori.ctrl.health import Check, Checks, NotReady
from kajitori.ctrl.kind_checks import report_mismatches
from kajitori.ctrl.leader import LeaderCollector, LeaderElection, LeaderElector, LeadershipLost
from kajitori.ctrl.metrics import InformerCollector, RequestCollector, RuntimeCollector
from kajitori.ctrl.predicate import Predicate
from kajitori.ctrl.reconcile import R, Reconciler
from kajitori.ctrl.source import EventSource
from kajitori.ctrl.tracing import ReconcileTracing
from kajitori.ctrl.webhooks import WebhookHost, WebhooksNotServed
from kajitori.world.clock import SYSTEM_CLOCK, Clock
from kajitori.world.random import SYSTEM_RANDOM, Random

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider
    from prometheus_client import CollectorRegistry

    from kajitori.apimachinery.versions import Versions
    from kajitori.ctrl.sharding.member import ShardMember
    from kajitori.ctrl.sharding.settings import Sharding
    from kajitori.ctrl.webhooks.conversion import Conversions
    from kajitori.ctrl.webhooks.declared import WebhookOptions
    from kajitori.ctrl.webhooks.registering import ManagerWebhooks
    from kajitori.ctrl.webhooks.typed import Defaulter, Mutating, Validating, Validator

__all__ = ["GRACEFUL_SECONDS", "Manager", "Runnable"]

GRACEFUL_SECONDS = 30.0
"""How long a reconcile may go on after the stop, as in controller-runtime."""

HANDOVER_SECONDS = 1.0
"""How long a reconcile may go on when its code is about to be replaced: who waits sits at a keyboard."""

FLUSH_SECONDS = 2.0
"""For the last events."""

Runnable = Callable[[], Awaitable[None]]

T = TypeVar("T")

_log = logging.getLogger(__name__)


class ManagerOptions(ControllerOptions, total=False):
    """How controllers run, and how kinds are cached, that say nothing else."""

    cache: CacheOptions
    """Of kinds."""
    sharding: "Sharding | None"
    """Controllers that need leadership work, in every process, on a part of the objects that they are for."""
    kind_workers: Mapping[str, int]
    """Workers of the controllers for a kind, as in controller-runtime's GroupKindConcurrency:
    `{"Pod": 2, "Widget.example.com": 8}`.
    """


class Manager:
    """Add controllers and runnables, before `run` or while it runs."""

    def __init__(
        self,
        client: Client,
        *,
        name: str = "kajitori",
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
        metrics: "CollectorRegistry | None" = None,
        graceful_seconds: float = GRACEFUL_SECONDS,
        webhooks: WebhookHost | None = None,
        leader_election: LeaderElection | None = None,
        **defaults: Unpack[ManagerOptions],
    ) -> None:
        """`name` is the component that Events are reported by; `metrics` the registry to be measured in; `webhooks`
        where those of the controllers are answered; `leader_election` the Lease to be held while they run.
        Further options count for controllers and kinds that say nothing else.

        Raises: ValueError when `leader_election` or `sharding` names no namespace and we run in no Pod, or with both;
        TypeError for an option that there is not.
        """
        refuse_unknown("Manager", defaults, ManagerOptions)
        self.client = client
        """Writes, and reads that must not be cached."""
        self.cache = Cache(client, random=random, defaults=defaults.pop("cache", None))
        self.name = name
        self.events = EventRecorder(client, clock=clock, component=name)
        self.clock = clock
        self.random = random
        own = EngagedCluster(OWN, client, self.cache, self.events)
        self.clusters = Clusters(own, self._new_cluster)
        """Its own, and those that are engaged."""
        self.webhooks = webhooks
        """Where webhooks are answered; None: nowhere."""
        self._declared_webhooks: ManagerWebhooks | None = None
        self._graceful_seconds = graceful_seconds
        self._controllers: dict[str, Controller[Any]] = {}
        self._kind_workers = defaults.pop("kind_workers", {})
        sharding = defaults.pop("sharding", None)
        self._controller_options: ControllerOptions = defaults
        self._runnables: list[Runnable] = []
        self._leaderless: set[Runnable] = set()
        self._elected = leader_election is None
        self._standing_by = False
        """Others may run what needs leadership; its caches fill here too."""
        self._metrics = metrics
        self._group: asyncio.TaskGroup | None = None
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._controller_tasks: dict[asyncio.Task[None], Controller[Any]] = {}
        self._collectors: list[Any] = []
        self.elector: LeaderElector | ShardMember | None = None
        """Our candidate of the leader election, or what we are in a ring of shards; None: neither."""
        self.shard: ShardMember | None = None
        """What we are in a ring of shards."""
        self.tracer_provider: TracerProvider | None = None
        """Whom spans are made with, from `run` on; None: the one that is set for the process, if any (see `spans`)."""
        self._tracing: ReconcileTracing | None = None
        self.healthz = Checks("healthz", {"ping": lambda: None})
        """Whether the process is alive; asked at `/healthz` and `/livez`."""
        self.readyz = Checks(
            "readyz", {"caches-synced": self._check_synced, "shutdown": self._check_not_stopping}
        )
        """Whether it may be counted on; asked at `/readyz`."""
        self.was_cut_short = False
        """Whether, at the end, something had to be cancelled because it took longer than `graceful_seconds`."""
        self._had_synced = False
        self.started_at: float | None = None
        """When `run` began, on the loop's clock; None: it has not."""
        self._join(leader_election, sharding)
        self._measure_ourselves()

    def _measure_ourselves(self) -> None:
        now, clusters = self.clock.monotonic, self.clusters.everyone
        self.measure(
            RequestCollector(
                lambda: {id(each.client.figures): each.client.figures for each in clusters()}.values()
            )
        )
        self.measure(
            InformerCollector(
                lambda: ((each.name, informer) for each in clusters() for informer in each.cache.informers()),
                now,
            )
        )
        self.measure(RuntimeCollector(lambda: self._controllers.values(), now))

    def _join(self, election: LeaderElection | None, sharding: "Sharding | None") -> None:
        """Makes what must be held while controllers run."""
        if election is not None and sharding is not None:
            raise ValueError("sharding and leader election exclude one another: every shard works")
        if election is not None:
            self.elector = LeaderElector(
                self.client, election, clock=self.clock, random=self.random, events=self.events
            )
            self.measure(LeaderCollector(self.elector))
        elif sharding is not None:
            from kajitori.ctrl.sharding import member  # few managers are shards

            self._elected = False
            self.elector = self.shard = member.ShardMember(
                self, sharding, clock=self.clock, random=self.random
            )

    def controller(
        self,
        name: str,
        reconciler: Reconciler[R],
        *,
        for_: Model | None = None,
        owns: Sequence[Model] = (),
        watches: Sequence[Watch[R]] = (),
        predicates: Sequence[Predicate] = (),
        sources: Sequence[EventSource[R]] = (),
        **options: Unpack[ControllerOptions],
    ) -> Controller[R]:
        """Reconciles every object of `for_`, woken by it (when all `predicates` hold), by objects of the
        kinds in `owns` that it controls, by `watches` and by event `sources`. Without `for_` only by the last two,
        which may then have requests of another type than `Request`.

        Raises: ValueError when the name is taken, or nothing could own what `owns` lists; TypeError for what is no
        reconciler, and for an option that there is not.
        """
        if name in self._controllers:
            raise ValueError(f"there is a controller called {name!r} already")
        if for_ is None and (owns or predicates):
            raise ValueError(f"controller {name!r}: owns and predicates need a kind that it is for; say for_")
        own: list[Watch[Any]] = []
        merged: ControllerOptions = {**self._controller_options, **options}
        sharded = None
        if for_ is not None:
            if self.shard is not None and merged.get("needs_leader", True):
                sharded = self.shard.reconciler(for_, owns, reconciler)
                reconciler = cast("Reconciler[R]", sharded)
                predicates = sharded.predicates(predicates)
            own = [
                Watch(for_, own_request, predicates),
                *(Watch(each, owner_requests(for_)) for each in owns),
            ]
            kind = kind_of(for_)
            group_kind = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
            if "workers" not in options and group_kind in self._kind_workers:
                merged["workers"] = self._kind_workers[group_kind]
        controller = Controller(
            name,
            reconciler,
            [*own, *watches],
            self.clusters,
            random=self.random,
            clock=self.clock,
            sources=sources,
            **merged,
        )
        controller.tracing = self._tracing
        controller.kind = None if for_ is None else kind_of(for_)
        if sharded is not None:
            sharded.controller = controller
        self._controllers[name] = controller
        self._start_controller(controller)
        return controller

    @overload
    def webhook(
        self,
        model: Kind,
        handler: "Validator[Unstructured] | Defaulter[Unstructured] | Validating | Mutating",
        **options: "Unpack[WebhookOptions]",
    ) -> None: ...
    @overload
    def webhook(
        self,
        model: type[T],
        handler: "Validator[T] | Defaulter[T] | Validating | Mutating",
        **options: "Unpack[WebhookOptions]",
    ) -> None: ...
    def webhook(self, model: Model, handler: Any, **options: "Unpack[WebhookOptions]") -> None:
        """Asks `handler` about writes of objects of `model`: in every process, leading or not; the leader registers it.

        Raises: WebhooksNotServed when nobody answers webhooks here; TypeError, ValueError for what cannot be one.
        """
        self._webhooks_here().webhook(model, handler, options)

    @overload
    def conversion(self, kind: "Versions") -> None: ...
    @overload
    def conversion(self, kind: Kind, conversions: "Conversions") -> None: ...
    def conversion(self, kind: "Kind | Versions", conversions: "Conversions | None" = None) -> None:
        """Converts objects of a kind between its versions: by the classes of `Versions`, or by functions from JSON to
        JSON; those that there is no function for go through the version of `kind`, the hub.

        Raises: WebhooksNotServed; ValueError where the kind is converted already.
        """
        if isinstance(kind, Kind):
            self._webhooks_here().conversion(kind, conversions or {})
        else:
            self._webhooks_here().conversion(kind.kind, kind.functions)

    @property
    def declares_webhooks(self) -> bool:
        """Whether there is any webhook or conversion."""
        return self._declared_webhooks is not None

    async def webhooks_registered(self) -> None:
        """Returns when the webhooks that were declared are asked, in the process that leads; at once without any."""
        if self._declared_webhooks is not None and self.is_leader:
            await self._declared_webhooks.registered()

    def _webhooks_here(self) -> "ManagerWebhooks":
        if self._declared_webhooks is None:
            if self.webhooks is None:
                raise WebhooksNotServed(f"the operator {self.name} answers webhooks")
            from kajitori.ctrl.webhooks.registering import ManagerWebhooks  # few operators have any

            self._declared_webhooks = ManagerWebhooks(self, self.webhooks)
        return self._declared_webhooks

    def engage(self, name: str, client: Client) -> EngagedCluster:
        """One more cluster, for controllers with `clusters="engaged"` or `"all"`. At any time; whoever made the client
        closes it when the cluster is disengaged.

        Raises: ValueError when there is one of that name.
        """
        return self.clusters.engage(name, client)

    def disengage(self, name: str) -> None:
        """Cuts short what is reconciled there, and forgets the rest. Safe to repeat."""
        self.clusters.disengage(name)

    def cluster(self, name: str = OWN) -> EngagedCluster:
        """The cluster of a request, by `request.cluster`. Raises: NotEngaged."""
        return self.clusters.get(name)

    def discover(self, provider: ClusterProvider) -> None:
        """Lets a provider engage and disengage clusters, in every process of a leader election."""
        self.add(lambda: provider.run(self), needs_leader=False)

    def _new_cluster(self, name: str, client: Client) -> EngagedCluster:
        client = client.in_cluster(name)
        events = EventRecorder(client, clock=self.clock, component=self.name)
        return EngagedCluster(name, client, self.cache.alike(client), events)

    def add(self, runnable: Runnable, *, needs_leader: bool = True) -> None:
        """Runs `runnable()` as a task until the controllers have stopped; when it raises, the manager
        stops. `needs_leader=False`: in every process of a leader election.
        """
        self._runnables.append(runnable)
        if not needs_leader:
            self._leaderless.add(runnable)
        self._start_runnable(runnable)

    @property
    def is_leader(self) -> bool:
        """Whether what needs leadership may run; without leader election, always."""
        return self.elector is None or self.elector.is_leader

    @property
    def is_stopping(self) -> bool:
        """Whether `run` has been told to end."""
        return self._stop.is_set()

    def is_started(self, controller: Controller) -> bool:
        """Whether it runs; not before `run`, nor while another process leads and it needs leadership."""
        return controller in self._controller_tasks.values()

    @property
    def controllers(self) -> Sequence[Controller[Any]]:
        return list(self._controllers.values())

    def explain(self, controller: str | Controller[R], request: R) -> Explanation[R]:
        """Why a name is or was queued, and what came of it.

        Raises: KeyError when there is no such controller.
        """
        found: Controller[R] = self._controllers[controller] if isinstance(controller, str) else controller
        return found.explain(request)

    def add_healthz_check(self, name: str, check: Check) -> None:
        """The process is alive only while `check`, a function or a coroutine function, raises nothing and gives no
        False. Who asks may kill it otherwise: check what a restart would mend.

        Raises: ValueError when the name is taken.
        """
        self.healthz.add(name, check)

    def add_readyz_check(self, name: str, check: Check) -> None:
        """The process is ready only while `check`, a function or a coroutine function, raises nothing and gives no
        False.

        Raises: ValueError when the name is taken.
        """
        self.readyz.add(name, check)

    def _check_synced(self) -> None:
        """Once is enough: a kind that is watched later does not make what works already unready."""
        if self._had_synced:
            return
        if self._group is None or not (self._elected or self._standing_by):
            raise NotReady("not started yet")
        missing = [each.name for each in self.cache.informers() if not each.has_synced]
        missing += [
            f"what {each.name} watches" for each in self._controller_tasks.values() if not each.is_working
        ]
        if missing:
            raise NotReady(f"not listed yet: {', '.join(missing)}")
        self._had_synced = True

    def _check_not_stopping(self) -> None:
        if self.is_stopping:
            raise NotReady("process is shutting down")

    def measure(self, collector: Any) -> None:
        """Adds the figures of an operator, any Prometheus collector, to the manager's own."""
        if self._metrics is not None:
            self._metrics.register(collector)
        else:
            self._collectors.append(collector)

    def metrics_registry(self) -> "CollectorRegistry":
        """The registry that holds all figures: the one given, or one of our own."""
        if self._metrics is None:
            from prometheus_client import CollectorRegistry

            self._metrics = CollectorRegistry(auto_describe=False)
            for collector in self._collectors:
                self._metrics.register(collector)
        return self._metrics

    def stop(self) -> None:
        """Ends `run` gracefully. Safe to repeat."""
        self._stop.set()

    async def hand_over(self, *, grace_seconds: float = HANDOVER_SECONDS) -> Handover:
        """Ends `run`, and gives what the manager that comes next goes on with. Reconciles under way may end within
        `grace_seconds`; then they are cut short.
        """
        kinds = self.cache.hand_over()
        tasks = dict(self._controller_tasks)
        for task, controller in tasks.items():
            controller.halt()
            if not controller.is_working:
                task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_seconds)
            for task in late:
                task.cancel()
            if late:
                # Who refuses to be cancelled keeps nobody from going on.
                await asyncio.wait(late, timeout=grace_seconds)
        self._stop.set()
        return Handover(kinds, {each.name: each.backlog() for each in self._controllers.values()})

    def take_over(self, left: Handover) -> None:
        """Goes on where another manager was, as far as the kinds and the names of the controllers are the same; before
        `run`.
        """
        self.cache.take_over(left.kinds)
        for name, backlog in left.backlogs.items():
            if name in self._controllers:
                self._controllers[name].take_over(backlog)

    async def run(self) -> None:
        """Until stopped or cancelled.

        Raises: LeadershipLost; an ExceptionGroup with the error of the part that failed.
        """
        self.started_at = asyncio.get_running_loop().time()
        self._begin_tracing()
        try:
            await self._run_services()
        except BaseExceptionGroup as group:
            error: BaseException = group
            while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
                error = error.exceptions[0]
            if isinstance(error, LeadershipLost):
                raise error from None
            raise
        finally:
            self.client.tracing = None

    def _begin_tracing(self) -> None:
        if self.tracer_provider is None and "opentelemetry.trace" not in sys.modules:
            return  # Who sets a provider for the process has imported it.
        from kajitori.ctrl.spans import ReconcileSpans, provider_of_process

        provider = self.tracer_provider or provider_of_process()
        if provider is not None:
            spans = ReconcileSpans(provider, self.clock, self.client.figures.host)
            self.client.tracing = spans.request
            self._tracing = spans.begin
            for controller in self._controllers.values():
                controller.tracing = self._tracing

    async def _run_services(self) -> None:
        async with asyncio.TaskGroup() as services:
            cache = services.create_task(self.cache.run(), name="cache")
            events = services.create_task(self.events.run(), name="events")
            clusters = services.create_task(self.clusters.run(), name="clusters")
            models = [each.watch.kind for controller in self.controllers for each in controller.watches]
            checks = services.create_task(report_mismatches(self.client, models), name="definitions")
            try:
                await self._run_controllers()
            finally:
                if not events.done():
                    try:
                        async with asyncio.timeout(FLUSH_SECONDS):
                            await self.events.flush()
                    except TimeoutError:
                        _log.warning("the last events were not written in time", extra={"manager": self.name})
                events.cancel()
                cache.cancel()
                clusters.cancel()
                checks.cancel()

    async def _run_controllers(self) -> None:
        try:
            await self._run_until_stopped()
        finally:
            # Only here has all that needs leadership ended.
            if self.elector is not None:
                await self.elector.release()

    async def _run_until_stopped(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            election = None
            try:
                if self.elector is not None:
                    election = group.create_task(self._stand(self.elector), name="leader election")
                for controller in self._controllers.values():
                    self._start_controller(controller)
                for runnable in self._runnables:
                    self._start_runnable(runnable)
                await self._stop.wait()
            finally:
                # Also when we are cancelled: what has begun may end in peace. A second cancellation cuts it
                # short.
                self._group = None
                self._stop.set()
                await self._drain()
                if election is not None:
                    election.cancel()

    async def _stand(self, elector: "LeaderElector | ShardMember") -> None:
        """Starts what needs leadership when we have it, and keeps it. Raises: LeadershipLost."""
        if self.shard is not None:
            await self.shard.prepare()
        try:
            self._standing_by = True
            for controller in self._controllers.values():
                controller.warm()
            await elector.acquire()
            self._standing_by = False
            self._elected = True
            for controller in self._controllers.values():
                if controller.needs_leader:
                    self._start_controller(controller)
            for runnable in self._runnables:
                if runnable not in self._leaderless:
                    self._start_runnable(runnable)
            await elector.hold()
        finally:
            self._standing_by = False
            for controller in self._controllers.values():
                controller.cool()

    async def _drain(self) -> None:
        for task, controller in self._controller_tasks.items():
            controller.stop()
            if not controller.is_working:
                task.cancel()
        if self._controller_tasks:
            _log.info("Stopping and waiting for workers", extra={"manager": self.name})
            _, late = await asyncio.wait(self._controller_tasks, timeout=self._graceful_seconds)
            for task in late:
                self.was_cut_short = True
                _log.warning("a controller did not stop in time", extra={"task": task.get_name()})
                task.cancel()
        for task in self._tasks:
            task.cancel()

    def _start_controller(self, controller: Controller[Any]) -> None:
        if self._group is not None and (self._elected or not controller.needs_leader):
            _log.info("Starting Controller", extra=controller.log_keys)
            task = self._group.create_task(controller.run(), name=f"controller {controller.name}")
            self._controller_tasks[task] = controller
            task.add_done_callback(self._controller_tasks.pop)
        elif self._standing_by:
            controller.warm()

    def _start_runnable(self, runnable: Runnable) -> None:
        if self._group is not None and (self._elected or runnable in self._leaderless):
            task = self._group.create_task(_awaited(runnable))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _awaited(runnable: Runnable) -> None:
    await runnable()
