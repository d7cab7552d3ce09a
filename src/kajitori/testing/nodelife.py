"""What a Node is, and what is said of it when it is lost. Pure; under `cloud`.

Source: kubernetes/pkg/controller/nodelifecycle, pkg/controller/tainteviction, pkg/kubelet/nodestatus.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import format_time
from kajitori.apis import facts
from kajitori.testing.placing import tolerates

__all__ = ["GRACE_SECONDS", "UNREACHABLE", "evicted_at", "new_node", "node_conditions", "taints"]

GRACE_SECONDS = 50.0
"""kube-controller-manager's --node-monitor-grace-period: silence for so long means that a node is lost."""

UNREACHABLE = "node.kubernetes.io/unreachable"

_NOT_READY = "node.kubernetes.io/not-ready"
"""Given to every node as it is created, by the admission plugin TaintNodesByCondition."""

_WELL: Mapping[str, tuple[str, str, str]] = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}
_LOST = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")


def new_node(
    name: str, number: int, capacity: Mapping[str, Any], labels: Mapping[str, str], now: float
) -> JsonObject:
    """A Node that is well. `number` is its place among its like, from 1: addresses follow from it."""
    version = facts.VERSION["gitVersion"]
    metadata: JsonObject = {
        "name": name,
        "labels": {
            "beta.kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            **labels,
        },
    }
    status: JsonObject = {
        "capacity": dict(capacity),
        "allocatable": dict(capacity),
        "conditions": _conditions({}, _WELL, now),
        "addresses": [
            {"type": "InternalIP", "address": f"172.18.0.{number + 1}"},
            {"type": "Hostname", "address": name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": "fake://",
            "kernelVersion": "fake",
            "kubeProxyVersion": "",
            "kubeletVersion": version,
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "fake",
            "systemUUID": "",
        },
    }
    cidr = f"10.244.{number}.0/24"
    return {"metadata": metadata, "spec": {"podCIDR": cidr, "podCIDRs": [cidr]}, "status": status}


def node_conditions(node: Unstructured, lost: bool, now: float) -> list[JsonObject]:
    """The conditions of a node that is well, or lost; those of others stay as they are."""
    known = {each["type"]: each for each in (node.get("status") or {}).get("conditions") or ()}
    wanted = dict.fromkeys(_WELL, _LOST) if lost else _WELL
    others = [dict(each) for type_, each in known.items() if type_ not in _WELL]
    return [*_conditions(known, wanted, now), *others]


def _conditions(
    known: Mapping[str, Any], wanted: Mapping[str, tuple[str, str, str]], now: float
) -> list[JsonObject]:
    conditions: list[JsonObject] = []
    for type_, (status, reason, message) in wanted.items():
        before = known.get(type_) or {}
        if before.get("status") == status and before.get("reason") == reason:
            conditions.append(dict(before))
            continue
        at = format_time(now)
        told = {"type": type_, "status": status, "reason": reason, "message": message}
        conditions.append({**told, "lastHeartbeatTime": at, "lastTransitionTime": at})
    return conditions


def taints(node: Unstructured, lost: bool, now: float) -> list[JsonObject]:
    """The taints of a node: of a lost one those that keep Pods away and drive them out, and others' as they are."""
    known = [dict(each) for each in (node.get("spec") or {}).get("taints") or ()]
    if lost:
        there = {(each["key"], each["effect"]) for each in known}
        for effect in ("NoSchedule", "NoExecute"):
            if (UNREACHABLE, effect) not in there:
                known.append({"key": UNREACHABLE, "effect": effect, "timeAdded": format_time(now)})
        return known
    return [each for each in known if each["key"] not in (UNREACHABLE, _NOT_READY)]


def evicted_at(pod: Unstructured, since: float) -> float:
    """When a Pod no longer tolerates that its node has been lost since then; infinite: never."""
    toleration = tolerates(pod, {"key": UNREACHABLE, "effect": "NoExecute"})
    if toleration is None:
        return since
    seconds = toleration.get("tolerationSeconds")
    return float("inf") if seconds is None else since + max(0, seconds)
