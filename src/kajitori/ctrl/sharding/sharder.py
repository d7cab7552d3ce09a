"""The sharder: writes on each object of a ring which shard works on it. One of several processes, by leader election.

    kajitori run kajitori.ctrl.sharding:sharder --leader-elect

Sits above `labels`, which decides, on controllers of its own. It can be replaced by the Go sharder, and replace it.

Promises
    A1  every object gets a shard, also where no webhook assigns it: those without a label are watched, and no others
    A2  every write names the version of the object that it is about: two sharders at once do no harm
    A3  when shards come or go, and every RESYNC_SECONDS, all objects are looked at; of them only metadata is read
    A4  what fails for one object is tried again, and keeps nobody else from being assigned

Source: timebertt/kubernetes-controller-sharding, pkg/controller/sharder and pkg/controller/controllerring.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.errors import ApiError, Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.labels import LabelSelector, selector_from_object
from kajitori.apis.sharding_v1alpha1 import ControllerRing
from kajitori.client.accessors import labels_of
from kajitori.client.client import Client
from kajitori.client.transport import TransportError
from kajitori.ctrl.cache_options import CacheOptions
from kajitori.ctrl.conditions import set_condition
from kajitori.ctrl.handler import Watch
from kajitori.ctrl.leader import LEASES
from kajitori.ctrl.owners import controller_of
from kajitori.ctrl.predicate import Change
from kajitori.ctrl.reconcile import DONE, Request, Result
from kajitori.ctrl.sharding.labels import (
    LABEL_RING,
    Step,
    StepKind,
    assignment_of,
    decide,
    drain_label,
    shard_label,
)
from kajitori.ctrl.sharding.metrics import SharderFigures
from kajitori.ctrl.sharding.onlooker import Onlooker
from kajitori.ctrl.sharding.ring import HashRing, object_key
from kajitori.ctrl.sharding.states import DURATION_SECONDS, ShardState, available
from kajitori.ctrl.sharding.unassigned import Unassigned

if TYPE_CHECKING:
    from kajitori.ctrl.manager import Manager

__all__ = ["RESYNC_SECONDS", "sharder"]

RESYNC_SECONDS = 300.0
"""Between two looks at all objects when no shard comes or goes, as the Go sharder."""

RETRY_SECONDS = 5.0
"""Until what has failed is tried again; when it was a look at all objects, doubled after each failure."""

WRITES_AT_ONCE = 20
"""So many objects are written at the same time."""

NAMESPACES_LEFT_OUT = frozenset({"kube-system", "sharding-system"})
"""Where a ring says nothing else, as the Go sharder."""

_NAMESPACES = Kind("", "v1", "Namespace", "namespaces", namespaced=False)

_log = logging.getLogger(__name__)


def sharder(manager: "Manager") -> None:
    """Adds the sharder to a manager, which should run it in one process at a time (`leader_election`)."""
    manager.cache.configure(LEASES, CacheOptions(labels=LABEL_RING))
    reconciler = _Reconciler(manager)
    manager.controller(
        "sharder",
        reconciler,
        for_=ControllerRing,
        watches=[Watch(LEASES, _ring_of_lease, (_changes_membership,))],
    )
    manager.add(reconciler.unassigned.run)
    manager.measure(reconciler.figures)


def _ring_of_lease(lease: Any) -> Iterable[Request]:
    ring = labels_of(lease).get(LABEL_RING)
    return (Request("", ring),) if ring else ()


def _changes_membership(change: Change) -> bool:
    """Leaves out renewals: how old a Lease is, is looked at in time."""
    if change.type != "update":
        return True
    old, new = change.old["spec"], change.object["spec"]
    return bool(old.get("holderIdentity") != new.get("holderIdentity"))


@dataclass(slots=True)
class _Known:
    """What is remembered of one ring."""

    onlooker: Onlooker
    looked: Any = None
    """Among which shards, and as what spec of the ring, all objects were looked at last."""
    look_again_at: float = float("-inf")
    failures: int = 0
    """In a row, of looks at all objects."""
    kinds: dict[tuple[str, str], Kind] = field(default_factory=dict[tuple[str, str], Kind])
    """Of resources, as they were served when all objects were looked at last."""
    ring: HashRing = field(default_factory=lambda: HashRing(()))


@dataclass(frozen=True, slots=True)
class _Part:
    """One resource of a ring."""

    kind: Kind
    controlled: bool


class _Reconciler:
    def __init__(self, manager: "Manager") -> None:
        self._manager = manager
        self._client: Client = manager.client
        self._clock = manager.clock
        self._known: dict[str, _Known] = {}
        self.figures = SharderFigures()
        self.unassigned = Unassigned(manager.client, manager.random, self._found)

    def _found(self, ring: str) -> None:
        """An object has no shard."""
        for controller in self._manager.controllers:
            if controller.name == "sharder":
                controller.enqueue(Request("", ring))

    async def reconcile(self, request: Request) -> Result:
        ring = self._manager.cache.get(ControllerRing, "", request.name)
        if ring is None or ring.metadata.deletion_timestamp:
            self._known.pop(request.name, None)
            self.unassigned.forget(request.name)
            return DONE
        known = self._known.get(request.name)
        if known is None:
            known = self._known[request.name] = _Known(Onlooker(self._client, self._clock, request.name))
        leases = [
            each for each in self._manager.cache.list(LEASES) if each.labels.get(LABEL_RING) == request.name
        ]
        states = known.onlooker.look(leases)
        await known.onlooker.tend(states)
        errors = list[Exception]()
        try:
            parts = await self._parts(ring, known, errors)
            namespaces = await self._namespaces(ring)
            await self._share_out(ring, known, states, parts, namespaces, errors)
        except (ApiError, TransportError) as error:
            errors.append(error)
        await self._tell(ring, states, errors)
        looks = [known.look_again_at - self._clock.monotonic()]
        if errors:
            # Not an error of the reconcile, whose back-off would also keep us from seeing who is dead.
            looks.append(RETRY_SECONDS)
            _log.warning(
                "Not all objects could be shared out", extra={"ring": request.name, "error": _text(errors)}
            )
        next_look = known.onlooker.seconds_to_next()
        if next_look is not None:
            looks.append(next_look + 0.1)
        return Result(requeue_after_seconds=max(0.1, min(looks)))

    async def _parts(self, ring: ControllerRing, known: _Known, errors: list[Exception]) -> list[_Part]:
        """Those that are served."""
        if self._clock.monotonic() >= known.look_again_at:
            known.kinds.clear()
        parts = dict[tuple[str, str], _Part]()
        for main in ring.spec.resources:
            named = [(main.group, main.resource, False)]
            named += [(each.group, each.resource, True) for each in main.controlled_resources]
            for group, resource, controlled in named:
                name = (group, resource)
                if name in parts and controlled:
                    continue
                try:
                    known.kinds[name] = known.kinds.get(name) or await _served(self._client, *name)
                except NotFound as error:
                    errors.append(error)
                else:
                    parts[name] = _Part(known.kinds[name], controlled)
        return list(parts.values())

    async def _namespaces(self, ring: ControllerRing) -> "_Namespaces":
        if ring.spec.namespace_selector is None:
            return _Namespaces(None)
        selector: LabelSelector = selector_from_object(ring.spec.namespace_selector)
        found = await self._client.list(_NAMESPACES)
        return _Namespaces(frozenset(each.name for each in found.items if selector.matches(each.labels)))

    async def _share_out(
        self,
        ring: ControllerRing,
        known: _Known,
        states: Mapping[str, ShardState],
        parts: Sequence[_Part],
        namespaces: "_Namespaces",
        errors: list[Exception],
    ) -> None:
        name, now = ring.metadata.name, self._clock.monotonic()
        shards = tuple(available(states))
        if known.ring.shards != shards:
            known.ring = HashRing(shards)
            self.figures.calculations[name] += 1
        plan = _Plan(name, known.ring, states, namespaces)
        self.unassigned.watch(name, [each.kind for each in parts])
        look_at_all = known.looked != (shards, ring.spec) or now >= known.look_again_at
        if look_at_all:
            known.looked, known.failures = (shards, ring.spec), known.failures + 1
            known.look_again_at = now + min(RETRY_SECONDS * 2 ** min(known.failures - 1, 10), RESYNC_SECONDS)
        steps = list[tuple[_Part, Unstructured, Step]]()
        for part in parts:
            if look_at_all:
                pages = self._client.list_pages(part.kind, metadata_only=True, resource_version="0")
                async for page in pages:
                    steps += plan.steps(part, page.items)
            else:
                steps += plan.steps(part, self.unassigned.objects(name, part.kind))
        strangers = {step.shard for _, _, step in steps if step.kind is StepKind.ASK}
        for shard in sorted(strangers):
            await known.onlooker.ask(shard)
        await self._write(name, [each for each in steps if each[2].kind is not StepKind.ASK], errors)
        if look_at_all and not errors:
            known.failures = 0
            known.look_again_at = now + (DURATION_SECONDS if strangers else RESYNC_SECONDS)

    async def _write(
        self, ring: str, steps: Sequence[tuple[_Part, Unstructured, Step]], errors: list[Exception]
    ) -> None:
        """Tries all, whatever becomes of each (A4)."""
        limit = asyncio.Semaphore(WRITES_AT_ONCE)

        async def write(part: _Part, value: Unstructured, step: Step) -> None:
            labels: dict[str, str | None] = {shard_label(ring): step.shard, drain_label(ring): None}
            if step.kind is StepKind.DRAIN:
                labels = {drain_label(ring): "true"}
            patch = {"metadata": {"resourceVersion": value.resource_version, "labels": labels}}
            async with limit:
                try:
                    await self._client.patch(part.kind, value.namespace, value.name, patch)
                except NotFound:
                    return
                except (ApiError, TransportError) as error:
                    errors.append(error)
                else:
                    self._count(ring, part.kind, value, step)

        async with asyncio.TaskGroup() as group:
            for each in steps:
                group.create_task(write(*each))
        if steps:
            _log.info("Objects assigned or asked back", extra={"ring": ring, "objects": len(steps)})

    def _count(self, ring: str, kind: Kind, value: Unstructured, step: Step) -> None:
        counted = self.figures.movements if shard_label(ring) in value.labels else self.figures.assignments
        if step.kind is StepKind.DRAIN:
            counted = self.figures.drains
        counted[ring, kind.group, kind.plural] += 1

    async def _tell(
        self, ring: ControllerRing, states: Mapping[str, ShardState], errors: Sequence[Exception]
    ) -> None:
        """Keeps the status. A conflict is no news: somebody else has written the object meanwhile."""
        told = [each for each in errors if not isinstance(each, Conflict)]
        before = {} if ring.status is None else msgspec.to_builtins(ring.status)
        generation = ring.metadata.generation
        status = {
            **before,
            "observedGeneration": generation,
            "shards": len(states),
            "availableShards": len(available(states)),
            "conditions": set_condition(
                before.get("conditions"),
                "Ready",
                status="False" if told else "True",
                reason="ReconciliationFailed" if told else "ReconciliationSucceeded",
                message=_text(told) if told else "ControllerRing was successfully reconciled",
                observed_generation=generation,
                now=self._clock.now(),
            ),
        }
        if status != before:
            await self._client.patch(
                ControllerRing, "", ring.metadata.name, {"status": status}, subresource="status"
            )


@dataclass(frozen=True, slots=True)
class _Namespaces:
    """Whose objects are shared out."""

    names: frozenset[str] | None
    """None: all but NAMESPACES_LEFT_OUT."""

    def has(self, namespace: str) -> bool:
        if not namespace:
            return True
        return namespace not in NAMESPACES_LEFT_OUT if self.names is None else namespace in self.names


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where objects belong now."""

    name: str
    ring: HashRing
    states: Mapping[str, ShardState]
    namespaces: _Namespaces

    def steps(self, part: _Part, objects: Iterable[Unstructured]) -> list[tuple[_Part, Unstructured, Step]]:
        found = list[tuple[_Part, Unstructured, Step]]()
        for value in objects:
            key = _key_of(part, value) if self.namespaces.has(value.namespace) else ""
            if key:
                now = assignment_of(value.labels, self.name)
                step = decide(now, self.ring.shard_of(key), self.states, controlled=part.controlled)
                if step.kind is not StepKind.NOTHING:
                    found.append((part, value, step))
        return found


def _key_of(part: _Part, value: Unstructured) -> str:
    """Empty: the object is not assigned, as nobody controls it."""
    if not part.controlled:
        return object_key(part.kind.group, part.kind.kind, value.namespace, value.name)
    owner = controller_of(value)
    if owner is None:
        return ""
    return object_key(owner.api_version.rpartition("/")[0], owner.kind, value.namespace, owner.name)


async def _served(client: Client, group: str, plural: str) -> Kind:
    """The kind of a resource, in the version that the server prefers. Raises: ApiError, TransportError."""
    root = "/api/v1"
    if group:
        found = msgspec.json.decode((await client.send("GET", f"/apis/{group}")).body)
        root = f"/apis/{found['preferredVersion']['groupVersion']}"
    for each in msgspec.json.decode((await client.send("GET", root)).body)["resources"]:
        if each["name"] == plural:
            return Kind(group, root.rpartition("/")[2], each["kind"], plural, namespaced=each["namespaced"])
    raise NotFound(
        f"no resource {plural} in {root}; name one in spec.resources as `kubectl api-resources` does"
    )


def _text(errors: Sequence[Exception]) -> str:
    """The first few, each once."""
    texts = sorted({str(each) for each in errors})
    more = f"; and {len(texts) - 3} more" if len(texts) > 3 else ""
    return "; ".join(texts[:3]) + more
