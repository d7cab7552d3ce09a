"""What to do next for a StatefulSet. Pure and total.

Order
    1  revisions: the present template has one
    2  Pods that match and belong to nobody are adopted, Pods that no longer match are let go
    3  from the lowest ordinal: Pods that ended go, missing ones are made with their claims, adopted ones get their
       identity; with OrderedReady, one that is not available holds up everything after it
    4  ordinals that are out of range go, from the highest
    5  one Pod of an old revision goes, from the highest, down to the partition
    6  status; then revisions beyond the history limit go

Invariants
    I1  no claim is ever deleted; its owners change only as the retention policy says
    I2  a Pod that is available, in range and of the wanted revision is never deleted
    I3  with OrderedReady at most one Pod is made or deleted at a time, and none is made while one below it is not
        available
    I4  a rolling update takes one Pod at a time, waits for those above it, and takes none below the partition
    I5  when everything is as wanted the plan is empty
    I6  a set that is being deleted makes and changes nothing but its status

`updateStrategy.rollingUpdate.maxUnavailable` belongs to a feature that is off in Kubernetes 1.36, where the API
server drops it.

Source: Kubernetes' statefulset controller; https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.frozen import Unstructured, thaw
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import selector_from_object
from kajitori.controllers.statefulset import health, retention, revisions, template
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
    UpdatePod,
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
        self.problem: tuple[str, str] = ("", "")
        replicas = self.spec.get("replicas")
        self.start = int((self.spec.get("ordinals") or {}).get("start") or 0)
        self.ordinals = range(self.start, self.start + (1 if replicas is None else int(replicas)))
        self.min_ready = int(self.spec.get("minReadySeconds") or 0)
        self.parallel = self.spec.get("podManagementPolicy") == "Parallel"
        self.pods: dict[int, Unstructured] = {}
        """Ours, by ordinal."""
        self.taken: set[int] = set()
        """Ordinals whose names are those of Pods that nobody controls and that are on their way out."""
        self.update = ""
        self.current = ""
        self.templates: dict[str, Mapping[str, Any]] = {}
        self.history: list[Unstructured] = []

    @property
    def condemned(self) -> list[int]:
        """The ordinals that are out of range, the highest first."""
        return sorted((each for each in self.pods if each not in self.ordinals), reverse=True)

    def is_available(self, pod: Unstructured) -> bool:
        """Ready for long enough, whether or not it is on its way out."""
        return health.available_in(pod, self.min_ready, self.seen.now) == 0.0

    def is_in_service(self, pod: Unstructured) -> bool:
        """Available, and staying."""
        return self.is_available(pod) and not health.is_terminating(pod)


def decide(seen: SetSeen) -> Plan:
    """The plan for what is seen."""
    state = _Deciding(seen)
    _revisions(state)
    _adopt(state)
    if not seen.set.being_deleted:
        _replicas(state)
    status = _status(state)
    if status != seen.set.get("status"):
        state.actions.append(UpdateStatus(status))
    if not seen.set.being_deleted:
        _prune(state)
    return Plan(tuple(state.actions), *state.problem, _next_look(state))


# Step 1.


def _revisions(state: _Deciding) -> None:
    data = revisions.template_of(state.set)
    known = state.history = sorted(state.seen.revisions, key=revisions.in_order)
    newest = revisions.revision_number(known[-1]) if known else 0
    if not state.set.being_deleted:
        state.actions += [AdoptRevision(each) for each in known if controller_of(each) is None]
    same = [each for each in known if revisions.same_template(each, data)]
    status = state.set.get("status") or {}
    if same:
        state.update = same[-1].name
        if revisions.revision_number(same[-1]) < newest and not state.set.being_deleted:
            state.actions.append(UpdateRevision(same[-1], newest + 1))
    elif state.set.being_deleted:
        state.update = status.get("updateRevision") or ""  # what was there is being collected
    else:
        made = revisions.new_revision(state.set, data, newest + 1, state.owner)
        state.actions.append(CreateRevision(made))
        state.update = made["metadata"]["name"]
    for each in known:
        state.templates[each.name] = (each.get("data") or {}).get("spec", {}).get("template") or {}
    state.templates[state.update] = state.spec["template"]
    said = status.get("currentRevision") or ""
    state.current = said if said in state.templates else state.update


# Step 2.


def _adopt(state: _Deciding) -> None:
    selector = selector_from_object(state.spec.get("selector"))
    for pod in state.seen.pods:
        ordinal = template.ordinal_of(state.name, pod.name)
        controller = controller_of(pod)
        if ordinal is None or not selector.matches(pod.labels):
            ordinal = None
        if controller is not None:
            if controller.uid != state.set.uid:
                continue
            if ordinal is None:
                if not state.set.being_deleted:
                    state.actions.append(ReleasePod(pod))
                continue
        elif ordinal is None or state.set.being_deleted:
            continue
        elif pod.being_deleted:
            state.taken.add(ordinal)
            continue
        else:
            state.actions.append(AdoptPod(pod))
        state.pods[ordinal] = pod


# Steps 3 to 5.


def _replicas(state: _Deciding) -> None:
    if _fill(state) and _shrink(state):
        _roll(state)


def _fill(state: _Deciding) -> bool:
    """Makes what is missing and puts right what is there. Whether nothing holds up the steps after it."""
    for ordinal in state.ordinals:
        pod = state.pods.get(ordinal)
        if pod is None:
            if ordinal not in state.taken:
                _make(state, ordinal)
            free = False
        elif health.is_ended(pod):
            # The next one is made when this one is gone.
            if not health.is_terminating(pod):
                state.actions.append(DeletePod(pod))
            free = False
        else:
            free = _keep(state, ordinal, pod)
        if not free and not state.parallel:
            return False
    return True


def _make(state: _Deciding, ordinal: int) -> None:
    name = f"{state.name}-{ordinal}"
    policy = state.spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for claim_name in template.claim_names(state.set, ordinal):
        claim = state.seen.claims.get(claim_name)
        if claim is None:
            continue
        if policy.get("whenScaled") == "Delete" and retention.belonged_to_earlier_pod(name, claim):
            return  # The garbage collector takes it, and then we hear of it.
        if claim.being_deleted:
            state.problem = (f"pvc {claim_name} is being deleted", name)
            return
    _missing_claims(state, ordinal, None)
    revision = _revision_for(state, ordinal)
    pod = template.pod_of(state.set, state.templates[revision], ordinal, revision, state.owner)
    state.actions.append(CreatePod(pod))


def _keep(state: _Deciding, ordinal: int, pod: Unstructured) -> bool:
    """Looks after a Pod that is there. Whether those after it may go on, where there is an order."""
    pending, stored = health.is_pending(pod), template.has_storage(pod, state.set, ordinal)
    if pending:
        _missing_claims(state, ordinal, pod)
        _claim_owners(state, ordinal, pod)
    if not state.parallel and not state.is_in_service(pod):
        return False
    if not stored and not pending:
        _missing_claims(state, ordinal, pod)
    if not (stored and template.has_identity(pod)):
        state.actions.append(UpdatePod(template.with_identity(thaw(pod), state.set, ordinal)))
    if not pending:
        _claim_owners(state, ordinal, pod)
    return True


def _missing_claims(state: _Deciding, ordinal: int, pod: Unstructured | None) -> None:
    for claim in template.claims_of(state.set, ordinal):
        metadata = claim["metadata"]
        if metadata["name"] in state.seen.claims:
            continue
        owners = retention.owners_wanted(state.set, pod, None, condemned=ordinal not in state.ordinals)
        if owners:
            metadata["ownerReferences"] = [*metadata.get("ownerReferences", ()), *owners]
        state.actions.append(CreateClaim(claim, f"{state.name}-{ordinal}"))


def _claim_owners(state: _Deciding, ordinal: int, pod: Unstructured) -> None:
    for name in template.claim_names(state.set, ordinal):
        claim = state.seen.claims.get(name)
        if claim is None:
            continue
        owners = retention.owners_wanted(state.set, pod, claim, condemned=ordinal not in state.ordinals)
        if owners is not None:
            state.actions.append(UpdateClaimOwners(claim, owners))


def _revision_for(state: _Deciding, ordinal: int) -> str:
    """Below the partition a Pod is made anew as it was."""
    return state.current if ordinal - state.start < _partition(state) else state.update


def _partition(state: _Deciding) -> int:
    strategy = state.spec.get("updateStrategy") or {}
    return int((strategy.get("rollingUpdate") or {}).get("partition") or 0)


def _shrink(state: _Deciding) -> bool:
    """Takes away ordinals that are out of range, highest first. Whether the update may go on."""
    condemned = state.condemned
    for ordinal in condemned:
        _claim_owners(state, ordinal, state.pods[ordinal])
    # The lowest that is out of service may go before its turn: waiting for it would be in vain.
    first_out = next((each for each in reversed(condemned) if not state.is_in_service(state.pods[each])), -1)
    for ordinal in condemned:
        pod = state.pods[ordinal]
        if not health.is_terminating(pod):
            if not state.parallel and not state.is_available(pod) and ordinal != first_out:
                return False
            state.actions.append(DeletePod(pod))
        if not state.parallel:
            return False
    return True


def _roll(state: _Deciding) -> None:
    strategy = state.spec.get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return
    low = state.start + _partition(state)
    for ordinal in reversed(state.ordinals):
        pod = state.pods.get(ordinal)
        if ordinal < low or pod is None:
            return
        if _revision_of(pod) != state.update and not health.is_terminating(pod):
            if DeletePod(pod) not in state.actions:
                state.actions.append(DeletePod(pod))
            return
        if not state.is_in_service(pod):
            return


def _revision_of(pod: Unstructured) -> str:
    return pod.labels.get(template.REVISION_LABEL) or ""


# Step 6.


def _status(state: _Deciding) -> JsonObject:
    before: Mapping[str, Any] = state.set.get("status") or {}
    ready = available = current = updated = 0
    for pod in state.pods.values():
        if health.is_ready(pod):
            ready += 1
            available += state.is_available(pod)
        if not health.is_terminating(pod):
            current += _revision_of(pod) == state.current
            updated += _revision_of(pod) == state.update
    replicas = len(state.pods)
    strategy = (state.spec.get("updateStrategy") or {}).get("type", "RollingUpdate")
    revision = state.current
    if strategy == "RollingUpdate" and updated == ready == replicas == len(state.ordinals):
        revision, current = state.update, updated
    counted = {
        "observedGeneration": state.set.generation,
        "readyReplicas": ready,
        "currentReplicas": current,
        "updatedReplicas": updated,
        "currentRevision": revision,
        "updateRevision": state.update,
    }
    status: JsonObject = {name: value for name, value in counted.items() if value}
    status["replicas"] = replicas
    status["availableReplicas"] = available
    status["collisionCount"] = int(before.get("collisionCount") or 0)
    if before.get("conditions"):
        status["conditions"] = list(before["conditions"])
    return status


def _prune(state: _Deciding) -> None:
    """Revisions that no Pod has, beyond the history limit, oldest first."""
    used = {state.update, state.current, *(_revision_of(each) for each in state.pods.values())}
    said = state.spec.get("revisionHistoryLimit")
    limit = HISTORY_DEFAULT if said is None else int(said)
    spare = [each for each in state.history if each.name not in used]
    if limit >= 0:
        state.actions += [DeleteRevision(each) for each in spare[: max(0, len(spare) - limit)]]


def _next_look(state: _Deciding) -> float:
    """In how many seconds the next Pod becomes available by waiting alone; 0: none does."""
    waits = [
        health.available_in(pod, state.min_ready, state.seen.now)
        for pod in state.pods.values()
        if not health.is_terminating(pod)
    ]
    return min((each for each in waits if each), default=0.0)
