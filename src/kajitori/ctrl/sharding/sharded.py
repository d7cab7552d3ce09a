"""A reconciler that works on the objects of its shard only, and the labels by which it knows them.

Sits between a controller and the reconciler that it was given.

Promises
    P1  the reconciler is called for an object while that is this shard's, as the cache has it, and the Lease is kept
    P2  it is not called for what is not in the cache: that may have gone to another shard, which is no deletion
    P3  an object is given back when no controller of this process works on it any more
    P4  a predicate never hides that an object is asked for

Source: timebertt/kubernetes-controller-sharding, pkg/shard/controller.
"""

import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from kajitori.apimachinery.errors import ApiError, Conflict, NotFound
from kajitori.apimachinery.kind import Kind
from kajitori.client.accessors import labels_of, resource_version_of
from kajitori.client.objects import Model, kind_of
from kajitori.client.writes import current_writes
from kajitori.ctrl.predicate import Change, Predicate, all_of, any_of
from kajitori.ctrl.reconcile import DONE, Reconciler, Request, Result
from kajitori.ctrl.sharding.labels import Verdict, assignment_of, drain_label, judge, shard_label
from kajitori.ctrl.sharding.work import Work
from kajitori.world.clock import Clock

if TYPE_CHECKING:
    from kajitori.ctrl.controller import Controller
    from kajitori.ctrl.manager import Manager
    from kajitori.ctrl.sharding.member import ShardMember

__all__ = ["ByLabel", "Judge", "ShardedReconciler", "cached"]

_log = logging.getLogger(__name__)


class Judge(Protocol):
    """Says whose objects are; in one of the modes."""

    def restrict(self, model: Model) -> None:
        """Keeps the objects of others out of the cache, where that is possible."""
        ...

    async def prepare(self) -> None: ...

    def verdict(self, value: Any) -> Verdict: ...

    def slot(self, value: Any) -> int | None: ...

    def is_asked_for(self, value: Any) -> bool:
        """Whether an object must be looked at whatever the predicates say."""
        ...

    async def give_back(self, model: Model, request: Request, value: Any) -> None: ...

    def became_idle(self, name: Hashable) -> None: ...

    def check(self) -> None:
        """Raises: ShardLost when it is too late to write."""
        ...

    def get(self, model: Model, request: Request) -> Any: ...


class ShardedReconciler:
    """Of one controller, which is set when there is one."""

    def __init__(
        self,
        judge: Judge,
        work: Work,
        clock: Clock,
        model: Model,
        owns: Sequence[Model],
        reconciler: Reconciler[Any],
    ) -> None:
        self.model = model
        self.owns = owns
        self.kind = kind_of(model)
        self.controller: Controller[Any] | None = None
        self._judge = judge
        self._work = work
        self._clock = clock
        self._reconciler = reconciler

    def predicates(self, predicates: Sequence[Predicate]) -> Sequence[Predicate]:
        """The same, but for objects that are asked for (P4)."""
        if not predicates:
            return predicates
        asked_for = self._judge.is_asked_for

        def is_asked_for(change: Change) -> bool:
            return asked_for(change.object)

        return (any_of(is_asked_for, all_of(*predicates)),)

    async def reconcile(self, request: Request) -> Result:
        value = self._judge.get(self.model, request)
        if value is None:
            return DONE
        verdict = self._judge.verdict(value)
        if verdict is Verdict.LEAVE:
            return DONE
        name = (self.kind, request)
        if verdict is Verdict.ACKNOWLEDGE:
            if self._work.is_idle(name):
                await self._judge.give_back(self.model, request, value)
            return DONE
        slot = self._judge.slot(value)
        if not self._work.begin(name, slot, self._clock.monotonic()):
            self._judge.check()
        log = current_writes.get()
        if log is not None:
            log.may_write = self._judge.check
        try:
            return await self._reconciler.reconcile(request)
        finally:
            self._work.end(name, slot)

    def enqueue(self, request: Request, priority: int = 0) -> None:
        if self.controller is not None:
            self.controller.enqueue(request, priority)


class ByLabel:
    """Mode `labels`: what an object's labels say."""

    def __init__(self, manager: "Manager", member: "ShardMember") -> None:
        self._manager = manager
        self._member = member
        self._ring = member.settings.ring
        self._selector = f"{shard_label(self._ring)}={member.identity}"

    def restrict(self, model: Model) -> None:
        cache = self._manager.cache
        options = cache.options(model)
        if self._selector in (options.labels or ""):
            return
        namespaces = options.namespaces
        if isinstance(namespaces, Mapping):
            namespaces = {
                name: each if each.labels is None else replace(each, labels=self._narrowed(each.labels))
                for name, each in namespaces.items()
            }
        cache.configure(model, replace(options, labels=self._narrowed(options.labels), namespaces=namespaces))

    def _narrowed(self, labels: str | None) -> str:
        return f"{labels},{self._selector}" if labels else self._selector

    async def prepare(self) -> None:
        """Restricts also those owned kinds whose objects the sharder assigns."""
        from kajitori.apis.sharding_v1alpha1 import ControllerRing

        try:
            ring = await self._manager.client.get(ControllerRing, "", self._ring)
        except (NotFound, ApiError) as error:
            _log.warning(
                "the ring cannot be read; objects that others own are watched too",
                extra={"ring": self._ring, "error": str(error)},
            )
            return
        assigned = {(each.group, each.resource) for each in ring.spec.resources}
        controlled = {
            (each.group, each.resource) for main in ring.spec.resources for each in main.controlled_resources
        }
        for sharded in self._member.sharded:
            if (sharded.kind.group, sharded.kind.plural) not in assigned:
                _log.error(
                    "the ring does not have a kind that is reconciled here; nobody assigns its objects",
                    extra={"ring": self._ring, "group": sharded.kind.group, "resource": sharded.kind.plural},
                )
            for model in sharded.owns:
                kind = kind_of(model)
                if (kind.group, kind.plural) in controlled:
                    self.restrict(model)

    def get(self, model: Model, request: Request) -> Any:
        return cached(self._manager, model, request)

    def verdict(self, value: Any) -> Verdict:
        return judge(assignment_of(labels_of(value), self._ring), self._member.identity)

    def slot(self, value: Any) -> None:
        return None

    def is_asked_for(self, value: Any) -> bool:
        return drain_label(self._ring) in labels_of(value)

    async def give_back(self, model: Model, request: Request, value: Any) -> None:
        """Takes both labels away; not when the object has changed: then it is looked at again."""
        client = self._manager.cluster(request.cluster).client
        labels = {shard_label(self._ring): None, drain_label(self._ring): None}
        metadata = {"resourceVersion": resource_version_of(value), "labels": labels}
        try:
            await client.patch(model, request.namespace, request.name, {"metadata": metadata})
        except (Conflict, NotFound):
            return
        _log.info(
            "Object given back",
            extra={"ring": self._ring, "namespace": request.namespace, "object_name": request.name},
        )

    def became_idle(self, name: Hashable) -> None:
        assert isinstance(name, tuple)
        kind: Kind = name[0]
        request: Request = name[1]
        for sharded in self._member.sharded:
            if sharded.kind == kind:
                value = self.get(sharded.model, request)
                if value is not None and self.is_asked_for(value):
                    sharded.enqueue(request)
                return

    def check(self) -> None:
        self._member.check()


def cached(manager: "Manager", model: Model, request: Request) -> Any:
    """The object of a request, in whichever cluster it is; None when there is none."""
    cluster = manager.clusters.find(request.cluster)
    found: Any = None if cluster is None else cluster.cache.get(model, request.namespace, request.name)
    return found
