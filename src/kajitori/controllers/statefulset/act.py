"""Carries out what `decide` chose for a StatefulSet, one action after the other. Every action is safe to repeat.

Promises
    E1  nothing is deleted or changed but the object that was seen: its uid goes with the request
    E2  a Pod or revision is adopted only while the set itself is there and not being deleted
    E3  what happened to Pods and claims is told in Events, in the words of Kubernetes' controller
"""

from typing import Any

from kajitori.apimachinery.errors import AlreadyExists, ApiError, Conflict, Invalid, NotFound
from kajitori.apimachinery.frozen import Unstructured, thaw
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client, PatchType
from kajitori.controllers.kinds import (
    CONTROLLER_REVISIONS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    STATEFUL_SETS,
)
from kajitori.controllers.statefulset import seen as plans
from kajitori.controllers.statefulset.revisions import same_template
from kajitori.ctrl import EventRecorder
from kajitori.ctrl.events import EventType
from kajitori.ctrl.owners import controller_reference

__all__ = ["Actor", "NameTaken"]


class NameTaken(Exception):
    """Another template has the name of the new revision; the set now counts one collision more."""


class Actor:
    """Acts for one set, as it was seen."""

    def __init__(self, client: Client, events: EventRecorder, set_: Unstructured) -> None:
        self._client = client
        self._events = events
        self._set = set_
        self._may_adopt: bool | None = None

    async def act(self, action: plans.Action) -> None:
        """Raises: ApiError, NameTaken."""
        match action:
            case plans.CreateRevision(revision):
                await self._create_revision(revision)
            case plans.AdoptRevision(revision):
                await self._adopt(CONTROLLER_REVISIONS, revision)
            case plans.UpdateRevision(revision, number):
                patch = {"metadata": {"uid": revision.uid}, "revision": number}
                await self._client.patch(CONTROLLER_REVISIONS, revision.namespace, revision.name, patch)
            case plans.DeleteRevision(revision):
                await self._delete(CONTROLLER_REVISIONS, revision)
            case plans.AdoptPod(pod):
                await self._adopt(PODS, pod)
            case plans.ReleasePod(pod):
                await self._release(pod)
            case plans.CreateClaim(claim, pod_name):
                await self._create_claim(claim, pod_name)
            case plans.UpdateClaimOwners(claim, owners):
                await self._set_owners(claim, owners)
            case plans.CreatePod(pod):
                await self._write_pod("create", pod)
            case plans.UpdatePod(pod):
                await self._write_pod("update", pod)
            case plans.DeletePod(pod):
                await self._delete_pod(pod)
            case plans.UpdateStatus(status):
                await self._client.update(
                    STATEFUL_SETS, {**thaw(self._set), "status": status}, subresource="status"
                )

    def report_problem(self, pod_name: str, problem: str) -> None:
        """Tells why a Pod is not made."""
        self._tell_pod("create", pod_name, problem)

    async def _create_revision(self, revision: JsonObject) -> None:
        set_ = self._set
        try:
            await self._client.create(CONTROLLER_REVISIONS, revision)
        except AlreadyExists:
            standing = await self._client.get(
                CONTROLLER_REVISIONS, set_.namespace, revision["metadata"]["name"]
            )
            if same_template(standing, revision["data"]):
                return  # of a set of this name that is on its way out, or not in the cache yet
            collisions = int((set_.get("status") or {}).get("collisionCount") or 0) + 1
            patch = {"status": {"collisionCount": collisions}}
            await self._client.patch(STATEFUL_SETS, set_.namespace, set_.name, patch, subresource="status")
            raise NameTaken(revision["metadata"]["name"]) from None

    async def _adopt(self, kind: Kind, value: Unstructured) -> None:
        if self._may_adopt is None:
            live = await self._client.get(STATEFUL_SETS, self._set.namespace, self._set.name)
            self._may_adopt = live.uid == self._set.uid and not live.being_deleted
        if self._may_adopt:
            await self._change_owners(kind, value, controller_reference(self._set))

    async def _release(self, pod: Unstructured) -> None:
        try:
            await self._change_owners(PODS, pod, {"$patch": "delete", "uid": self._set.uid})
        except Invalid:
            return  # it has lost the reference already

    async def _set_owners(self, claim: Unstructured, owners: list[Any]) -> None:
        kept = {each["uid"] for each in owners}
        dropped = [
            {"$patch": "delete", "uid": each["uid"]}
            for each in claim.owner_references
            if each["uid"] not in kept
        ]
        await self._change_owners(PERSISTENT_VOLUME_CLAIMS, claim, *dropped, *owners)

    async def _change_owners(self, kind: Kind, value: Unstructured, *changes: JsonObject) -> None:
        patch = {"metadata": {"uid": value.uid, "ownerReferences": list(changes)}}
        try:
            await self._client.patch(kind, value.namespace, value.name, patch, PatchType.STRATEGIC)
        except NotFound:
            return

    async def _delete(self, kind: Kind, value: Unstructured) -> bool:
        """Whether it was there to be deleted."""
        try:
            await self._client.delete(kind, value.namespace, value.name, uid=value.uid)
        except (NotFound, Conflict):
            return False
        return True

    async def _delete_pod(self, pod: Unstructured) -> None:
        try:
            if await self._delete(PODS, pod):
                self._tell_pod("delete", pod.name)
        except ApiError as error:
            self._tell_pod("delete", pod.name, error.message)
            raise

    async def _write_pod(self, verb: str, pod: JsonObject) -> None:
        name = pod["metadata"]["name"]
        try:
            if verb == "create":
                await self._client.create(PODS, pod)
            else:
                await self._client.update(PODS, pod)
        except (AlreadyExists, Conflict):
            raise
        except ApiError as error:
            self._tell_pod(verb, name, error.message)
            raise
        self._tell_pod(verb, name)

    async def _create_claim(self, claim: JsonObject, pod_name: str) -> None:
        name, set_ = claim["metadata"]["name"], self._set
        try:
            await self._client.create(PERSISTENT_VOLUME_CLAIMS, claim)
        except AlreadyExists:
            raise
        except ApiError as error:
            message = (
                f"create Claim {name} for Pod {pod_name} in StatefulSet {set_.name} failed error: {error}"
            )
            self._tell("Warning", "FailedCreate", message)
            self._tell_pod("create", pod_name, f"failed to create PVC {name}: {error}")
            raise
        message = f"create Claim {name} Pod {pod_name} in StatefulSet {set_.name} success"
        self._tell("Normal", "SuccessfulCreate", message)

    def _tell_pod(self, verb: str, pod_name: str, error: str = "") -> None:
        head = f"{verb} Pod {pod_name} in StatefulSet {self._set.name}"
        if error:
            self._tell("Warning", f"Failed{verb.title()}", f"{head} failed error: {error}")
        else:
            self._tell("Normal", f"Successful{verb.title()}", f"{head} successful")

    def _tell(self, type_: EventType, reason: str, message: str) -> None:
        self._events.event(self._set, type_, reason, message, component="statefulset-controller")
