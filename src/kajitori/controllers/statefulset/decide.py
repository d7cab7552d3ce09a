"""What to do next for a StatefulSet. Pure and total.

Order
    1  revisions: the present template has one, old ones beyond the history limit go
    2  Pods that match and belong to nobody are adopted, Pods that no longer match are let go
    3  from the lowest ordinal: claims, then the Pod; with OrderedReady, one that is not ready holds up the next
    4  ordinals that are too high go, from the highest
    5  Pods of an old revision go, from the highest, as far as partition and strategy allow
    6  status

Invariants
    I1  no claim is ever deleted; its owners change only as the retention policy says
    I2  a Pod that has the identity of its ordinal and the wanted revision is never touched
    I3  with OrderedReady at most one Pod is made or deleted at a time, and never while a lower one is not ready
    I4  a rolling update takes at most maxUnavailable Pods, and none below the partition
    I5  when everything is as wanted the plan is empty

Source: Kubernetes' statefulset controller; https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject
from kajitori.controllers.statefulset import health, revisions, template
from kajitori.controllers.statefulset.seen import (
    Action,
    AdoptPod,
    AdoptRevision,
    CreateClaim,
    CreatePod,
    CreateRevision,
    DeletePod,
    DeleteRevision,
    Plan,
    ReleasePod,
    SetSeen,
    UpdateClaimOwners,
    UpdateRevision,
    UpdateStatus,
)
from kajitori.ctrl.owners import controller_of, controller_reference

__all__ = ["decide"]

HISTORY_DEFAULT = 10


class _Deciding:
    """The plan in the making: what all steps look at."""

    def __init__(self, seen: SetSeen) -> None:
        self.seen = seen
        self.set = seen.set
        self.spec: Mapping[str, Any] = seen.set["spec"]
        self.name: str = seen.set.name
        self.owner = controller_reference(seen.set)
        self.actions: list[Action] = []
        self.requeue = 0.0
        replicas = self.spec.get("replicas")
        self.replicas = 1 if replicas is None else int(replicas)
        self.start = int((self.spec.get("ordinals") or {}).get("start") or 0)
        self.min_ready = int(self.spec.get("minReadySeconds") or 0)
        self.parallel = self.spec.get("podManagementPolicy") == "Parallel"
        self.pods: dict[int, Unstructured] = {}
        """Ours, by ordinal."""
        self.update = ""
        self.current = ""
        self.templates: dict[str, Mapping[str, Any]] = {}

    @property
    def ordinals(self) -> range:
        return range(self.start, self.start + self.replicas)

    def revision_of(self, pod: Mapping[str, Any]) -> str:
        return str((pod["metadata"].get("labels") or {}).get(template.REVISION_LABEL) or "")

    def is_healthy(self, pod: Unstructured) -> bool:
        """Ready for long enough, and staying; notes when waiting alone will make it so."""
        if health.is_terminating(pod):
            return False
        wait = health.available_in(pod, self.min_ready, self.seen.now)
        if wait:
            self.requeue = min(self.requeue, wait) if self.requeue else wait
        return wait == 0.0


def decide(seen: SetSeen) -> Plan:
    """The plan for what is seen."""
    state = _Deciding(seen)
    _revisions(state)
    _adopt(state)
    if not seen.set.being_deleted:
        _replicas(state)
    _claims_owners(state)
    status = _status(state)
    if status != seen.set.get("status"):
        state.actions.append(UpdateStatus(status))
    return Plan(tuple(state.actions), state.requeue)


# Step 1.


def _revisions(state: _Deciding) -> None:
    data = revisions.template_of(state.set)
    known = sorted(state.seen.revisions, key=revisions.revision_number)
    newest = revisions.revision_number(known[-1]) if known else 0
    same = [each for each in known if revisions.same_template(each, data)]
    if same:
        update = same[-1]
        if revisions.revision_number(update) < newest:
            state.actions.append(UpdateRevision(update, newest + 1))
        state.update = update.name
    else:
        made = revisions.new_revision(state.set, data, newest + 1, state.owner)
        state.actions.append(CreateRevision(made))
        state.update = made["metadata"]["name"]
    for each in known:
        state.templates[each.name] = (each.get("data") or {}).get("spec", {}).get("template") or {}
        if controller_of(each) is None and not state.set.being_deleted:
            state.actions.append(AdoptRevision(each))
    state.templates[state.update] = state.spec["template"]
    said = (state.set.get("status") or {}).get("currentRevision") or ""
    state.current = said if said in state.templates else state.update
    _prune(state, known)


def _prune(state: _Deciding, known: list[Unstructured]) -> None:
    """Revisions that no Pod has, beyond the history limit, oldest first."""
    used = {state.update, state.current} | {state.revision_of(each) for each in state.seen.pods}
    limit = state.spec.get("revisionHistoryLimit")
    spare = [each for each in known if each.name not in used]
    excess = len(spare) - (HISTORY_DEFAULT if limit is None else int(limit))
    state.actions += [DeleteRevision(each) for each in spare[: max(0, excess)]]


# Step 2.


def _adopt(state: _Deciding) -> None:
    for pod in state.seen.pods:
        ordinal = template.ordinal_of(state.name, pod.name)
        controller = controller_of(pod)
        matches = _matches(state, pod)
        if controller is not None and controller.uid == state.set.uid:
            if ordinal is None or not matches:
                if not state.set.being_deleted:
                    state.actions.append(ReleasePod(pod))
                continue
            state.pods[ordinal] = pod
        elif controller is None and ordinal is not None and matches:
            if pod.being_deleted or state.set.being_deleted:
                continue
            state.actions.append(AdoptPod(pod))
            state.pods[ordinal] = pod


def _matches(state: _Deciding, pod: Unstructured) -> bool:
    from kajitori.apimachinery.labels import selector_from_object

    return selector_from_object(state.spec.get("selector")).matches(pod.labels)


# Steps 3 to 5.


def _replicas(state: _Deciding) -> None:
    if not _fill(state):
        return
    if not _shrink(state):
        return
    _roll(state)


def _fill(state: _Deciding) -> bool:
    """Makes what is missing. Whether nothing holds up the steps after it."""
    for ordinal in state.ordinals:
        pod = state.pods.get(ordinal)
        if pod is not None and health.is_ended(pod):
            if not health.is_terminating(pod):
                state.actions.append(DeletePod(pod, f"it has {health.phase_of(pod).lower()}"))
            if not state.parallel:
                return False
            continue
        if pod is None:
            _make(state, ordinal)
            if not state.parallel:
                return False
            continue
        _missing_claims(state, ordinal)
        if not state.parallel and not state.is_healthy(pod):
            return False
    return True


def _make(state: _Deciding, ordinal: int) -> None:
    _missing_claims(state, ordinal)
    revision = _revision_for(state, ordinal)
    pod = template.pod_of(state.set, state.templates[revision], ordinal, revision, state.owner)
    state.actions.append(CreatePod(pod))


def _missing_claims(state: _Deciding, ordinal: int) -> None:
    for claim in template.claims_of(state.set, ordinal):
        if claim["metadata"]["name"] not in state.seen.claims:
            owners = _claim_owners(state, ordinal, [])
            if owners:
                claim["metadata"]["ownerReferences"] = owners
            state.actions.append(CreateClaim(claim))


def _revision_for(state: _Deciding, ordinal: int) -> str:
    """Below the partition a Pod is made anew as it was."""
    if state.current == state.update:
        return state.update
    return state.current if ordinal - state.start < _partition(state) else state.update


def _partition(state: _Deciding) -> int:
    strategy = state.spec.get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") == "OnDelete":
        return 0
    return int((strategy.get("rollingUpdate") or {}).get("partition") or 0)


def _shrink(state: _Deciding) -> bool:
    """Takes away ordinals that are out of range, highest first. Whether none is left."""
    condemned = sorted((each for each in state.pods if each not in state.ordinals), reverse=True)
    for ordinal in condemned:
        pod = state.pods[ordinal]
        if health.is_terminating(pod):
            if state.parallel:
                continue
            return False
        state.actions.append(DeletePod(pod, "the set is smaller now"))
        if not state.parallel:
            return False
    return not condemned


def _roll(state: _Deciding) -> None:
    strategy = state.spec.get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") == "OnDelete":
        return
    low = state.start + _partition(state)
    allowed = _unavailable_max(state, strategy)
    pods = [(ordinal, state.pods[ordinal]) for ordinal in reversed(state.ordinals) if ordinal in state.pods]
    unavailable = sum(1 for _, pod in pods if not state.is_healthy(pod))
    for ordinal, pod in pods:
        if ordinal < low:
            return
        if state.revision_of(pod) == state.update or health.is_terminating(pod):
            if unavailable >= allowed and not state.is_healthy(pod):
                return  # the one that was replaced last is not back yet
            continue
        if state.is_healthy(pod):
            if unavailable >= allowed:
                return
            unavailable += 1
        state.actions.append(DeletePod(pod, "its template is an older one"))
        if allowed == 1:
            return


def _unavailable_max(state: _Deciding, strategy: Mapping[str, Any]) -> int:
    said = (strategy.get("rollingUpdate") or {}).get("maxUnavailable")
    if said is None:
        return 1
    if isinstance(said, str) and said.endswith("%"):
        return max(1, -(-int(said[:-1]) * state.replicas // 100))
    return max(1, int(said))


# Claims follow the retention policy.


def _claims_owners(state: _Deciding) -> None:
    for ordinal in sorted({*state.ordinals, *state.pods}):
        for claim in template.claims_of(state.set, ordinal):
            standing = state.seen.claims.get(claim["metadata"]["name"])
            if standing is None:
                continue
            wanted = _claim_owners(state, ordinal, standing.owner_references)
            if wanted != list(standing.owner_references):
                state.actions.append(UpdateClaimOwners(standing, wanted))


def _claim_owners(state: _Deciding, ordinal: int, standing: list[Any]) -> list[Any]:
    """The owners that the policy asks for, others left as they are."""
    policy = state.spec.get("persistentVolumeClaimRetentionPolicy") or {}
    pod = state.pods.get(ordinal)
    pod_uids = {each.uid for each in state.pods.values()}
    kept = [
        each
        for each in standing
        if each.get("uid") != state.set.uid
        and not (each.get("kind") == "Pod" and each.get("uid") in pod_uids)
    ]
    condemned = ordinal not in state.ordinals
    if policy.get("whenScaled") == "Delete" and condemned and pod is not None:
        return [*kept, _plain_owner(pod, "v1", "Pod")]
    if policy.get("whenDeleted") == "Delete":
        return [*kept, _plain_owner(state.set, "apps/v1", "StatefulSet")]
    return kept


def _plain_owner(owner: Unstructured, api_version: str, kind: str) -> JsonObject:
    return {"apiVersion": api_version, "kind": kind, "name": owner.name, "uid": owner.uid}


# Step 6.


def _status(state: _Deciding) -> JsonObject:
    before: Mapping[str, Any] = state.set.get("status") or {}
    counted = {"replicas": 0, "readyReplicas": 0, "availableReplicas": 0, "current": 0, "updated": 0}
    for pod in state.pods.values():
        counted["replicas"] += 1
        if health.is_ready(pod) and not health.is_terminating(pod):
            counted["readyReplicas"] += 1
            counted["availableReplicas"] += state.is_healthy(pod)
        if health.is_terminating(pod):
            continue
        counted["current"] += state.revision_of(pod) == state.current
        counted["updated"] += state.revision_of(pod) == state.update
    current = state.current
    strategy = (state.spec.get("updateStrategy") or {}).get("type", "RollingUpdate")
    finished = (
        strategy == "RollingUpdate"
        and counted["updated"] == counted["replicas"] == state.replicas
        and counted["readyReplicas"] == counted["replicas"]
    )
    if finished:
        current = state.update
        counted["current"] = counted["updated"]
    status: JsonObject = {"observedGeneration": state.set.generation, "replicas": counted["replicas"]}
    for name, value in (
        ("readyReplicas", counted["readyReplicas"]),
        ("currentReplicas", counted["current"]),
        ("updatedReplicas", counted["updated"]),
        ("currentRevision", current),
        ("updateRevision", state.update),
        ("collisionCount", int(before.get("collisionCount") or 0)),
    ):
        if value or name == "collisionCount":
            status[name] = value
    status["availableReplicas"] = counted["availableReplicas"]
    if before.get("conditions"):
        status["conditions"] = list(before["conditions"])
    return status
