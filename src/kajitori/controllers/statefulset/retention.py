"""Who owns the claims of a StatefulSet, so that the garbage collector takes them when the policy says so.

With `whenDeleted: Delete` a claim of a Pod that stays belongs to the set; with `whenScaled: Delete` that of a Pod
that goes because the set got smaller belongs to this Pod. Everything else belongs to nobody, and stays.

Promises
    C1  references to others than the set and its Pod are never touched
    C2  a claim that another controller owns gets no owner from us
    C3  a claim that belonged to an earlier set or Pod of the same name is left to the garbage collector

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject
from kajitori.ctrl.owners import controller_reference

__all__ = ["belonged_to_earlier_pod", "owners_wanted"]


def owners_wanted(
    set_: Unstructured, pod: Unstructured | None, claim: Unstructured | None, *, condemned: bool
) -> list[Any] | None:
    """The owner references that a claim should have; None when it is right, or not ours to change.

    `pod` is the claim's Pod and None before it is made, `claim` None when it is about to be made.
    """
    policy = set_["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    scaled, deleted = policy.get("whenScaled") == "Delete", policy.get("whenDeleted") == "Delete"
    wanted: list[JsonObject] = []
    if scaled and condemned and pod is not None:
        wanted = [controller_reference(pod)]
    elif deleted and not (scaled and condemned):
        wanted = [controller_reference(set_)]
    if claim is None:
        return wanted
    standing = claim.owner_references
    ours = [each for each in standing if _names(each, set_) or (pod is not None and _names(each, pod))]
    if any(each.get("uid") not in _uids(set_, pod) for each in ours):
        return None  # C3
    others = [each for each in standing if each not in ours]
    if (scaled or deleted) and any(each.get("controller") for each in others):
        wanted = []  # C2
    if {each["uid"] for each in wanted} == {each["uid"] for each in ours if each.get("controller")} and all(
        each.get("controller") for each in ours
    ):
        return None
    return [*others, *wanted]


def belonged_to_earlier_pod(pod_name: str, claim: Unstructured) -> bool:
    """Whether a claim goes with a Pod that had this name before: it must be gone before the next Pod is made."""
    return any(
        each.get("kind") == "Pod" and each.get("apiVersion") == "v1" and each.get("name") == pod_name
        for each in claim.owner_references
    )


def _names(reference: Mapping[str, Any], value: Unstructured) -> bool:
    """Whether a reference is to this object, or to another that had its name."""
    return (
        reference.get("apiVersion") == value["apiVersion"]
        and reference.get("kind") == value["kind"]
        and reference.get("name") == value.name
    )


def _uids(set_: Unstructured, pod: Unstructured | None) -> set[str]:
    return {set_.uid} if pod is None else {set_.uid, pod.uid}
