"""Disruption budgets: how many Pods of an application may go at once, counted anew whenever one of them changes.

The numbers come from a pure function of the budget, its Pods and the size that their controllers should have. The
eviction subresource spends what is counted here.

Promises
    D1  `disruptionsAllowed` is what healthy Pods there are beyond those that the budget asks for, never below 0, and 0
        while no Pod is expected
    D2  a Pod whose eviction was granted counts as gone until it is, for two minutes at most
    D3  when the size of an application cannot be known, nothing may be disrupted, and the condition says why
    D4  a Pod that was to be disrupted and still is there after two minutes is no longer said to be

Source: https://kubernetes.io/docs/tasks/run-application/configure-pdb/ and Kubernetes' disruption controller.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured, thaw
from kajitori.apimachinery.intstr import scaled_value
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.labels import selector_from_object
from kajitori.apimachinery.time import format_time, parse_time
from kajitori.client import Client
from kajitori.client.accessors import Owner
from kajitori.controllers.discovery import served_kinds
from kajitori.controllers.kinds import POD_DISRUPTION_BUDGETS, PODS, STATEFUL_SETS
from kajitori.ctrl import (
    DONE,
    Cache,
    EventRecorder,
    Manager,
    Request,
    Result,
    Watch,
    controller_of,
    find_condition,
    is_condition_true,
    set_condition,
)
from kajitori.world.clock import Clock

__all__ = ["BudgetReconciler", "Counted", "StaleReconciler", "counted", "setup"]

DELETION_SECONDS = 120.0
"""How long after its eviction was granted a Pod is expected to be deleted."""

STALE_SECONDS = 120.0
"""How long a Pod may be said to be a target of disruption without being deleted."""

CONFLICT_SECONDS = 1.0

_COMPONENT = "controllermanager"
_DEPLOYMENTS = Kind("apps", "v1", "Deployment", "deployments")
_REPLICA_SETS = Kind("apps", "v1", "ReplicaSet", "replicasets")
_APPS = ("apps", "extensions")
_KNOWN = {(each.group, each.kind): each for each in (_REPLICA_SETS, STATEFUL_SETS)}
"""Kinds that nobody needs to be asked about."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a budget comes to."""

    current: int
    """Healthy Pods that are not about to go."""
    desired: int
    expected: int
    allowed: int
    disrupted: Mapping[str, str]
    """Pods that are about to go, and when that was granted."""
    overdue: Sequence[Unstructured]
    """Pods that should have gone by now."""
    look_again_seconds: float
    """When the next of them is overdue; 0: none is expected to go."""


def needs_scale(spec: Mapping[str, Any]) -> bool:
    """Whether the budget speaks of a part of the whole, and so the size of the whole has to be known."""
    return spec.get("maxUnavailable") is not None or isinstance(spec.get("minAvailable"), str)


def counted(budget: Unstructured, pods: Sequence[Unstructured], scale: int, now: datetime) -> Counted:
    """The numbers of a budget over its Pods (D1, D2). `scale` is how many there should be, where that matters."""
    spec, expected, desired = budget["spec"], len(pods), 0
    if needs_scale(spec):
        expected = scale
    if (most := spec.get("maxUnavailable")) is not None:
        desired = max(0, expected - scaled_value(most, expected, round_up=True))
    elif (least := spec.get("minAvailable")) is not None:
        desired = scaled_value(least, expected, round_up=True)
    granted = (budget.get("status") or {}).get("disruptedPods") or {}
    disrupted: dict[str, str] = {}
    overdue: list[Unstructured] = []
    current, next_seconds = 0, 0.0
    for pod in pods:
        if pod.being_deleted:
            continue
        if pod.name in granted:
            left = parse_time(granted[pod.name]) + DELETION_SECONDS - now.timestamp()
            if left > 0:
                disrupted[pod.name] = granted[pod.name]
                next_seconds = min(next_seconds or left, left)
                continue
            overdue.append(pod)
        if is_condition_true((pod.get("status") or {}).get("conditions"), "Ready"):
            current += 1
    allowed = max(0, current - desired) if expected > 0 else 0
    return Counted(current, desired, expected, allowed, disrupted, overdue, next_seconds)


class _UnknownScale(Exception):
    """Nobody knows how many Pods there should be; the text says why."""


class BudgetReconciler:
    """Keeps the status of budgets."""

    def __init__(self, client: Client, cache: Cache, events: EventRecorder, clock: Clock) -> None:
        self._client = client
        self._cache = cache
        self._events = events
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        budget = self._cache.get(POD_DISRUPTION_BUDGETS, request.namespace, request.name)
        if budget is None:
            return DONE
        selector = selector_from_object(budget["spec"].get("selector"))
        pods: list[Unstructured] = self._cache.list(PODS, budget.namespace, labels=selector)
        if not pods:
            self._event(budget, "Normal", "NoPods", "No matching pods found")
        now = self._clock.now()
        try:
            scale = await self._scale(budget, pods) if needs_scale(budget["spec"]) else 0
            found = counted(budget, pods, scale, now)
        except (_UnknownScale, ValueError) as error:
            told = f"Failed to calculate the number of expected pods: {error}"
            self._event(budget, "Warning", "CalculateExpectedPodCountFailed", told)
            return await self._write(budget, _unsafe(budget, str(error), now))
        for pod in found.overdue:
            told = f"Pod was expected by PDB {budget.namespace}/{budget.name} to be deleted but it wasn't"
            self._event(pod, "Warning", "NotDeleted", told)
        written = await self._write(budget, _status(budget, found, now))
        return Result(requeue_after_seconds=found.look_again_seconds) if written is DONE else written

    async def _write(self, budget: Unstructured, status: JsonObject) -> Result:
        if status == thaw(budget).get("status"):
            return DONE
        try:
            changed = {**thaw(budget), "status": status}
            await self._client.update(POD_DISRUPTION_BUDGETS, changed, subresource="status")
        except NotFound:
            return DONE
        except Conflict:  # an eviction was faster
            return Result(requeue_after_seconds=CONFLICT_SECONDS)
        return DONE

    def _event(self, about: Unstructured, type_: Any, reason: str, message: str) -> None:
        self._events.event(about, type_, reason, message, component=_COMPONENT)

    async def _scale(self, budget: Unstructured, pods: Iterable[Unstructured]) -> int:
        """How many Pods the controllers of these should have. Raises: _UnknownScale."""
        scales: dict[str, int] = {}
        known: set[str] = set()
        alone = False
        for pod in pods:
            owner = controller_of(pod)
            if owner is None:
                alone = True
            elif owner.uid not in known:
                known.add(owner.uid)
                found = await self._scale_of(pod.namespace, owner)
                if found is None:
                    raise _UnknownScale(f'found no controllers for pod "{pod.name}"')
                scales[found[0]] = found[1]
        if alone:
            self._event(
                budget,
                "Warning",
                "UnmanagedPods",
                "Some of the selected Pods have no controller, so nobody knows how many of them there should be. Set "
                ".spec.minAvailable to a number to count the Pods themselves",
            )
        return sum(scales.values())

    async def _scale_of(self, namespace: str, owner: Owner) -> tuple[str, int] | None:
        """The uid of what decides about the size, and the size; None where it is gone. Raises: _UnknownScale."""
        group = owner.api_version.rpartition("/")[0]
        if owner.kind == "ReplicaSet" and group in _APPS:
            deployment = await self._deployment_of(namespace, owner)
            if deployment is not None:
                return deployment.uid, deployment["spec"].get("replicas", 1)
        kind = await self._kind(owner)
        try:
            scale = await self._client.subresource(kind, namespace, owner.name, "scale").get()
        except NotFound:
            if await self._get(kind, namespace, owner.name) is None:
                return None
            named = ".".join(filter(None, (kind.plural, kind.group)))
            raise _UnknownScale(f"{named} does not implement the scale subresource") from None
        return None if scale.uid != owner.uid else (scale.uid, (scale.get("spec") or {}).get("replicas", 0))

    async def _deployment_of(self, namespace: str, owner: Owner) -> Unstructured | None:
        """The Deployment of a ReplicaSet, if it has one that is there."""
        replica_set = await self._get(_REPLICA_SETS, namespace, owner.name)
        above = None if replica_set is None or replica_set.uid != owner.uid else controller_of(replica_set)
        if above is None or above.kind != "Deployment":
            return None
        deployment = await self._get(_DEPLOYMENTS, namespace, above.name)
        return deployment if deployment is not None and deployment.uid == above.uid else None

    async def _kind(self, owner: Owner) -> Kind:
        group = owner.api_version.rpartition("/")[0]
        if known := _KNOWN.get((group, owner.kind)):
            return known
        for served in (await served_kinds(self._client)).kinds:
            if served.kind.group == group and served.kind.kind == owner.kind:
                return served.kind
        raise _UnknownScale(f'no matches for kind "{owner.kind}" in version "{owner.api_version}"')

    async def _get(self, kind: Kind, namespace: str, name: str) -> Unstructured | None:
        try:
            return await self._client.get(kind, namespace, name)
        except NotFound:
            return None


def _status(budget: Unstructured, found: Counted, now: datetime) -> JsonObject:
    generation = budget.generation
    status: JsonObject = {
        "conditions": set_condition(
            (budget.get("status") or {}).get("conditions"),
            "DisruptionAllowed",
            status="True" if found.allowed else "False",
            reason="SufficientPods" if found.allowed else "InsufficientPods",
            observed_generation=generation,
            now=now,
        ),
        "currentHealthy": found.current,
        "desiredHealthy": found.desired,
        "disruptionsAllowed": found.allowed,
        "expectedPods": found.expected,
        "observedGeneration": generation,
    }
    if found.disrupted:
        status["disruptedPods"] = dict(found.disrupted)
    return status


def _unsafe(budget: Unstructured, why: str, now: datetime) -> JsonObject:
    """The status where nothing is known (D3)."""
    status: JsonObject = dict(thaw(budget).get("status") or {})
    status["disruptionsAllowed"] = 0
    status["conditions"] = set_condition(
        status.get("conditions"),
        "DisruptionAllowed",
        status="False",
        reason="SyncFailed",
        message=why,
        observed_generation=status.get("observedGeneration", 0),
        now=now,
    )
    return status


class StaleReconciler:
    """Takes back what Pods say of a disruption that did not come (D4)."""

    def __init__(self, client: Client, cache: Cache, clock: Clock) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        pod = self._cache.get(PODS, request.namespace, request.name)
        condition = None if pod is None else _stale_condition(pod)
        if pod is None or condition is None:
            return DONE
        now = self._clock.now().timestamp()
        left = parse_time(condition["lastTransitionTime"]) + STALE_SECONDS - now
        if left > 0:
            return Result(requeue_after_seconds=left)
        changed = thaw(pod)
        for each in changed["status"]["conditions"]:
            if each["type"] == "DisruptionTarget":
                each.clear()
                each |= {
                    "type": "DisruptionTarget",
                    "status": "False",
                    "lastTransitionTime": format_time(now),
                }
        try:
            await self._client.update(PODS, changed, subresource="status")
        except (NotFound, Conflict):
            return DONE  # it changed: the watch tells of it
        return DONE


def _stale_condition(pod: Unstructured) -> Mapping[str, Any] | None:
    """What says that the Pod is to be disrupted, where that may turn out to be wrong."""
    status = pod.get("status") or {}
    condition: Mapping[str, Any] | None = find_condition(status.get("conditions"), "DisruptionTarget")
    if (
        pod.being_deleted
        or condition is None
        or condition.get("status") != "True"
        or condition.get("reason") == "TerminationByKubelet"
        or status.get("phase") in ("Succeeded", "Failed")
        or not condition.get("lastTransitionTime")
    ):
        return None
    return condition


def _budgets_of(cache: Cache) -> Callable[[Any], Iterable[Request]]:
    def requests(pod: Any) -> Iterable[Request]:
        labels = pod.metadata.get("labels") or {}
        return [
            Request(budget.namespace, budget.name)
            for budget in cache.list(POD_DISRUPTION_BUDGETS, pod.namespace)
            if selector_from_object(budget["spec"].get("selector")).matches(labels)
        ]

    return requests


def setup(manager: Manager) -> None:
    """Adds the count of budgets, and the end of disruptions that did not come."""
    client, cache, clock = manager.client, manager.cache, manager.clock
    manager.controller(
        "disruption-controller",
        BudgetReconciler(client, cache, manager.events, clock),
        for_=POD_DISRUPTION_BUDGETS,
        watches=[Watch(PODS, _budgets_of(cache))],
    )
    manager.controller("stale-pod-disruption", StaleReconciler(client, cache, clock), for_=PODS)
