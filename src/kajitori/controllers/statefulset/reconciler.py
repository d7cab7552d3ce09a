"""Joins observing, deciding and acting for StatefulSets."""

from collections.abc import Iterable
from typing import Any

from kajitori.apimachinery.errors import AlreadyExists, ApiError, Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured, thaw
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.labels import selector_from_object
from kajitori.client import Client, PatchType, key_of
from kajitori.controllers.kinds import (
    CONTROLLER_REVISIONS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    STATEFUL_SETS,
)
from kajitori.controllers.statefulset import seen as plans
from kajitori.controllers.statefulset.decide import decide
from kajitori.controllers.statefulset.revisions import same_template
from kajitori.controllers.statefulset.seen import SetSeen
from kajitori.controllers.statefulset.template import claims_of, ordinal_of
from kajitori.ctrl import DONE, Cache, EventRecorder, Manager, Request, Result, Watch, controller_of
from kajitori.ctrl.owners import controller_reference
from kajitori.world.clock import Clock

__all__ = ["StatefulSetReconciler", "observe", "setup"]


def observe(cache: Cache, request: Request, now: float) -> SetSeen | None:
    """Everything about one set, from the cache; None when there is none."""
    set_ = cache.get(STATEFUL_SETS, request.namespace, request.name)
    if set_ is None:
        return None
    selector = selector_from_object(set_["spec"].get("selector"))
    pods: list[Unstructured] = []
    ordinals: set[int] = set()
    for pod in cache.list(PODS, request.namespace):
        controller = controller_of(pod)
        mine = controller is not None and controller.uid == set_.uid
        free = controller is None and selector.matches(pod.labels)
        if mine or (free and ordinal_of(request.name, pod.name) is not None):
            pods.append(pod)
            ordinal = ordinal_of(request.name, pod.name)
            if ordinal is not None:
                ordinals.add(ordinal)
    revisions = [
        each
        for each in cache.list(CONTROLLER_REVISIONS, request.namespace)
        if _belongs(each, set_, selector.matches(each.labels))
    ]
    start = int((set_["spec"].get("ordinals") or {}).get("start") or 0)
    replicas = set_["spec"].get("replicas")
    ordinals.update(range(start, start + (1 if replicas is None else int(replicas))))
    claims: dict[str, Unstructured] = {}
    for ordinal in ordinals:
        for claim in claims_of(set_, ordinal):
            standing = cache.get(PERSISTENT_VOLUME_CLAIMS, request.namespace, claim["metadata"]["name"])
            if standing is not None:
                claims[standing.name] = standing
    return SetSeen(set_, tuple(pods), tuple(revisions), claims, now)


def _belongs(revision: Unstructured, set_: Unstructured, matches: bool) -> bool:
    controller = controller_of(revision)
    if controller is not None:
        return controller.uid == set_.uid
    return matches and not revision.being_deleted


class StatefulSetReconciler:
    """Brings the Pods and claims of a set to what it asks for."""

    def __init__(self, client: Client, cache: Cache, events: EventRecorder, clock: Clock) -> None:
        self._client = client
        self._cache = cache
        self._events = events
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        seen = observe(self._cache, request, self._clock.now().timestamp())
        if seen is None:
            return DONE
        plan = decide(seen)
        for action in plan.actions:
            await self._act(seen.set, action)
        return Result(requeue_after_seconds=plan.requeue_after_seconds)

    async def _act(self, set_: Unstructured, action: plans.Action) -> None:
        match action:
            case plans.CreateRevision(revision):
                await self._create_revision(set_, revision)
            case plans.AdoptRevision(revision):
                await self._own(CONTROLLER_REVISIONS, revision, set_)
            case plans.UpdateRevision(revision, number):
                await self._client.patch(
                    CONTROLLER_REVISIONS, revision.namespace, revision.name, {"revision": number}
                )
            case plans.DeleteRevision(revision):
                await self._delete(CONTROLLER_REVISIONS, revision)
            case plans.AdoptPod(pod):
                await self._own(PODS, pod, set_)
            case plans.ReleasePod(pod):
                await self._disown(pod, set_)
            case plans.CreateClaim(claim):
                await self._create(set_, PERSISTENT_VOLUME_CLAIMS, claim, "Claim")
            case plans.UpdateClaimOwners(claim, owners):
                patch = {"metadata": {"uid": claim.uid, "ownerReferences": owners or None}}
                await self._client.patch(PERSISTENT_VOLUME_CLAIMS, claim.namespace, claim.name, patch)
            case plans.CreatePod(pod):
                await self._create(set_, PODS, pod, "Pod")
            case plans.DeletePod(pod, why):
                await self._delete(PODS, pod)
                message = f"delete Pod {pod.name} in StatefulSet {set_.name} successful: {why}"
                self._events.event(set_, "Normal", "SuccessfulDelete", message)
            case plans.UpdateStatus(status):
                await self._write_status(set_, status)

    async def _create_revision(self, set_: Unstructured, revision: JsonObject) -> None:
        try:
            await self._client.create(CONTROLLER_REVISIONS, revision)
        except AlreadyExists:
            name = revision["metadata"]["name"]
            standing = await self._client.get(CONTROLLER_REVISIONS, set_.namespace, name)
            if same_template(standing, revision["data"]):
                return  # the cache is about to learn of it
            collisions = int((set_.get("status") or {}).get("collisionCount") or 0) + 1
            await self._client.patch(
                STATEFUL_SETS,
                set_.namespace,
                set_.name,
                {"status": {"collisionCount": collisions}},
                subresource="status",
            )
            raise

    async def _create(self, set_: Unstructured, kind: Kind, body: JsonObject, what: str) -> None:
        name = body["metadata"]["name"]
        try:
            await self._client.create(kind, body)
        except AlreadyExists:
            return  # the cache is about to learn of it
        except ApiError as error:
            message = f"create {what} {name} in StatefulSet {set_.name} failed error: {error}"
            self._events.event(set_, "Warning", "FailedCreate", message)
            raise
        message = f"create {what} {name} in StatefulSet {set_.name} successful"
        self._events.event(set_, "Normal", "SuccessfulCreate", message)

    async def _own(self, kind: Kind, value: Unstructured, set_: Unstructured) -> None:
        """Adopts an object, unless the set has been deleted meanwhile or is another by now."""
        live = await self._client.get(STATEFUL_SETS, set_.namespace, set_.name)
        if live.uid != set_.uid or live.being_deleted:
            return
        owners = [*value.owner_references, controller_reference(set_)]
        patch = {
            "metadata": {
                "uid": value.uid,
                "resourceVersion": value.resource_version,
                "ownerReferences": owners,
            }
        }
        try:
            await self._client.patch(kind, value.namespace, value.name, patch)
        except NotFound:
            return

    async def _disown(self, pod: Unstructured, set_: Unstructured) -> None:
        kept = [each for each in pod.owner_references if each.get("uid") != set_.uid]
        patch = {"metadata": {"uid": pod.uid, "ownerReferences": kept or None}}
        try:
            await self._client.patch(PODS, pod.namespace, pod.name, patch, PatchType.MERGE)
        except NotFound:
            return

    async def _delete(self, kind: Kind, value: Unstructured) -> None:
        try:
            await self._client.delete(kind, value.namespace, value.name, uid=value.uid)
        except (NotFound, Conflict):
            return

    async def _write_status(self, set_: Unstructured, status: JsonObject) -> None:
        body = thaw(set_)
        body["status"] = status
        try:
            await self._client.update(STATEFUL_SETS, body, subresource="status")
        except NotFound:
            return


def _sets_of_orphan(cache: Cache, kind: Kind) -> Any:
    """A Pod or claim that nobody controls concerns the set whose name it has."""

    def requests(value: Any) -> Iterable[Request]:
        if controller_of(value) is not None:
            return
        key = key_of(value)
        base = key.name.rpartition("-")[0]
        if kind == PERSISTENT_VOLUME_CLAIMS:
            for set_ in cache.list(STATEFUL_SETS, key.namespace):
                if base.endswith(f"-{set_.name}"):
                    yield Request(key.namespace, set_.name)
        elif base:
            yield Request(key.namespace, base)

    return requests


def setup(manager: Manager) -> None:
    """Adds the controller to a manager."""
    cache = manager.cache
    manager.controller(
        "statefulsets",
        StatefulSetReconciler(manager.client, cache, manager.events, manager.clock),
        for_=STATEFUL_SETS,
        owns=[PODS, CONTROLLER_REVISIONS],
        watches=[
            Watch(PODS, _sets_of_orphan(cache, PODS)),
            Watch(PERSISTENT_VOLUME_CLAIMS, _sets_of_orphan(cache, PERSISTENT_VOLUME_CLAIMS)),
        ],
        workers=4,
    )
