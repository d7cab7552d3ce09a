"""Which node a Pod comes to: a small part of what kube-scheduler decides, for nodes that run nothing.

Pure. It looks at node selectors, required node affinity, taints, cordons, and requests of cpu, memory and Pods, and
spreads: of the nodes that remain the one with the fewest Pods. It knows nothing of affinity between Pods, of topology
spread, priorities and volumes.

Source: kubernetes/pkg/scheduler/framework/plugins, whose words it uses.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.labels import selector_from_object
from kajitori.apimachinery.quantity import parse_quantity

__all__ = ["Place", "place", "tolerates"]

_GREATER = {"Gt": 1, "Lt": -1}


@dataclass(frozen=True, slots=True)
class Place:
    """A node, and the Pods that it has."""

    node: Unstructured
    pods: Sequence[Unstructured]


def place(pod: Unstructured, places: Sequence[Place]) -> tuple[str, str]:
    """The name of the node that a Pod comes to, or "" and why there is none."""
    refusals: Counter[str] = Counter()
    fit: list[tuple[int, str]] = []
    for each in places:
        refused = _refusals(pod, each)
        if refused:
            refusals.update(refused)
        else:
            fit.append((len(each.pods), each.node.name))
    if fit:
        return min(fit)[1], ""
    told = ", ".join(sorted(f"{count} {why}" for why, count in refusals.items()))
    return "", f"0/{len(places)} nodes are available: {told or 'there are none'}."


def _refusals(pod: Unstructured, where: Place) -> list[str]:
    """Why a Pod cannot come to a node: of the reasons of the first kind that there are any of, all."""
    node, spec = where.node, pod["spec"]
    if (node.get("spec") or {}).get("unschedulable"):
        return ["node(s) were unschedulable"]
    for taint in (node.get("spec") or {}).get("taints") or ():
        if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
            return [f"node(s) had untolerated taint(s) {{{taint['key']}: {taint.get('value', '')}}}"]
    labels = node.labels
    wanted = (spec.get("nodeSelector") or {}).items()
    if any(labels.get(key) != value for key, value in wanted) or not _is_near(spec, node):
        return ["node(s) didn't match Pod's node affinity/selector"]
    return _short_of(pod, where)


def _is_near(spec: Mapping[str, Any], node: Unstructured) -> bool:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    fields = {"metadata.name": node.name}
    return any(
        all(_matches(each, node.labels) for each in term.get("matchExpressions") or ())
        and all(_matches(each, fields) for each in term.get("matchFields") or ())
        for term in required["nodeSelectorTerms"]
        if term.get("matchExpressions") or term.get("matchFields")
    )


def _matches(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    sign = _GREATER.get(expression["operator"])
    if sign is None:
        return selector_from_object({"matchExpressions": [expression]}).matches(labels)
    value = labels.get(expression["key"], "")
    return value.lstrip("-").isdecimal() and sign * (int(value) - int(expression["values"][0])) > 0


def tolerates(pod: Unstructured, taint: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The toleration of a Pod that lets it bear a taint; None when it has none."""
    for each in pod["spec"].get("tolerations") or ():
        if each.get("effect") not in (None, "", taint["effect"]):
            continue
        if not each.get("key"):
            if each.get("operator") == "Exists":
                return dict(each)
        elif each["key"] == taint["key"] and (
            each.get("operator") == "Exists" or (each.get("value") or "") == (taint.get("value") or "")
        ):
            return dict(each)
    return None


def _short_of(pod: Unstructured, where: Place) -> list[str]:
    allocatable = (where.node.get("status") or {}).get("allocatable") or {}
    if len(where.pods) >= _milli(allocatable.get("pods", "110")) // 1000:
        return ["Too many pods"]
    wanted = _requests(pod)
    taken: Counter[str] = Counter()
    for each in where.pods:
        taken.update(_requests(each))
    return [
        f"Insufficient {resource}"
        for resource, amount in wanted.items()
        if amount and taken[resource] + amount > _milli(allocatable.get(resource, "0"))
    ]


def _requests(pod: Unstructured) -> dict[str, int]:
    """In thousandths: the containers together, or the largest of those that run before, when that is more."""
    together: Counter[str] = Counter()
    for each in pod["spec"]["containers"]:
        together.update(_requested(each))
    for each in pod["spec"].get("initContainers") or ():
        together |= Counter(_requested(each))
    return dict(together)


def _requested(container: Mapping[str, Any]) -> dict[str, int]:
    requests = (container.get("resources") or {}).get("requests") or {}
    return {resource: _milli(amount) for resource, amount in requests.items()}


def _milli(amount: Any) -> int:
    return parse_quantity(str(amount)).milli_value()
