"""What the status of a Pod is while nothing of it is run: a function of what happened to it and of the time.

Sits under `cloud`, which knows what happened. Pure: no clock, no client.

Promises
    L1  containers start, become ready and end as a kubelet would tell it, with the delays of the `Stages`
    L2  one that fails begins again after a back-off of 10 s growing to 300 s, as its restart policy says
    L3  `Ready` waits for the readiness gates, whose conditions, as those of anybody else, are left as they are
    L4  a condition keeps its time as long as its status stays

Source: kubernetes/pkg/kubelet/status and kuberuntime; https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import format_time

__all__ = ["Failure", "Run", "Stages", "pod_status"]

BACKOFF_SECONDS_MIN = 10.0
BACKOFF_SECONDS_MAX = 300.0

_OURS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


@dataclass(frozen=True, slots=True)
class Stages:
    """How long things take, in seconds."""

    schedule_seconds: float = 0.0
    """Until a Pod is bound to a node."""
    start_seconds: float = 0.0
    """Until its containers run: images, volumes, sandbox."""
    ready_seconds: float = 0.0
    """Until they are ready from then on."""
    complete_seconds: float = 0.0
    """Until the containers of a Job end well, from when they run."""
    stop_seconds: float = 0.0
    """Until a deleted Pod is gone; never longer than its grace period."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A container ended when it should not."""

    at: float
    exit_code: int
    reason: str = "Error"


@dataclass(slots=True)
class Run:
    """What happened to a Pod on its node."""

    bound_at: float
    ip: str
    host_ip: str
    failures: dict[str, list[Failure]] = field(default_factory=dict[str, list[Failure]])
    """Of each container, the oldest first."""
    completed: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])
    """When a container ended for good because somebody said so, and how."""


@dataclass(slots=True)
class _Container:
    state: JsonObject
    ready: bool = False
    started: bool = False
    ended: int | None = None
    """Its exit code, once it will not run again."""
    restarts: int = 0
    last: JsonObject = field(default_factory=dict[str, Any])
    next_at: float | None = None


def pod_status(
    pod: Unstructured, run: Run, stages: Stages, missing_images: Collection[str], now: float
) -> tuple[JsonObject, float | None]:
    """The status of a Pod at `now`, and when it changes next by itself; None: not before something happens."""
    spec = pod["spec"]
    containers = {
        each["name"]: _container(each, pod, run, stages, each.get("image", "") in missing_images, now)
        for each in spec["containers"]
    }
    states = list(containers.values())
    begun = now >= run.bound_at + stages.start_seconds
    ready = all(each.ready for each in states)
    gates = [each["conditionType"] for each in spec.get("readinessGates") or ()]
    known = {each["type"]: each for each in (pod.get("status") or {}).get("conditions") or ()}
    open_gates = all((known.get(gate) or {}).get("status") == "True" for gate in gates)
    holds = {
        "PodReadyToStartContainers": begun,
        "Initialized": begun,
        "Ready": ready and open_gates,
        "ContainersReady": ready,
        "PodScheduled": True,
    }
    phase = _phase(states, begun)
    at = format_time(now)
    conditions = [_condition(type_, holds[type_], known, at, phase) for type_ in _OURS]
    conditions += [each for type_, each in known.items() if type_ not in _OURS]
    status: JsonObject = {
        "phase": phase,
        "startTime": format_time(run.bound_at),
        "hostIP": run.host_ip,
        "hostIPs": [{"ip": run.host_ip}],
        "conditions": conditions,
        "containerStatuses": [_told(each, containers[each["name"]]) for each in spec["containers"]],
    }
    if begun:
        status |= {"podIP": run.ip, "podIPs": [{"ip": run.ip}]}
    if spec.get("initContainers"):
        status["initContainerStatuses"] = [
            _told(each, _initialised(begun, run.bound_at)) for each in spec["initContainers"]
        ]
    changes = [each.next_at for each in states if each.next_at is not None]
    return status, min(changes, default=None)


def _container(
    spec: Mapping[str, Any], pod: Unstructured, run: Run, stages: Stages, image_is_missing: bool, now: float
) -> _Container:
    begins = run.bound_at + stages.start_seconds
    if now < begins:
        return _Container({"waiting": {"reason": "ContainerCreating"}}, next_at=begins)
    if image_is_missing:
        why = f'Back-off pulling image "{spec.get("image", "")}"'
        return _Container({"waiting": {"reason": "ImagePullBackOff", "message": why}})
    failures = run.failures.get(spec["name"], [])
    policy = pod["spec"].get("restartPolicy", "Always")
    found = _Container({}, restarts=len(failures))
    if failures:
        failure = failures[-1]
        ended = _ended(failure.exit_code, failure.reason, begins, failure.at)
        if policy == "Never":
            return _Container(ended, ended=failure.exit_code)
        found.last = ended
        begins = failure.at + _backoff(len(failures))
        if now < begins:
            why = f"back-off {begins - failure.at:g}s restarting failed container={spec['name']}"
            found.state = {"waiting": {"reason": "CrashLoopBackOff", "message": why}}
            found.next_at = begins
            found.restarts -= 1
            return found
    if (told := run.completed.get(spec["name"])) is not None:
        return _Container(_ended(told[1], _reason(told[1]), begins, told[0]), ended=told[1])
    if policy != "Always" and _is_of_job(pod):
        ends = begins + stages.complete_seconds
        if now >= ends:
            return _Container(_ended(0, "Completed", begins, ends), ended=0, restarts=found.restarts)
        found.next_at = ends
    found.state = {"running": {"startedAt": format_time(begins)}}
    found.started = True
    found.ready = now >= begins + stages.ready_seconds
    if not found.ready:
        found.next_at = min(begins + stages.ready_seconds, found.next_at or float("inf"))
    return found


def _backoff(failures: int) -> float:
    """The first restart is at once."""
    return 0.0 if failures < 2 else min(BACKOFF_SECONDS_MIN * 2.0 ** (failures - 2), BACKOFF_SECONDS_MAX)


def _initialised(begun: bool, at: float) -> _Container:
    if not begun:
        return _Container({"waiting": {"reason": "PodInitializing"}})
    return _Container(_ended(0, "Completed", at, at), ready=True)


def _ended(exit_code: int, reason: str, began: float, at: float) -> JsonObject:
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": reason,
            "startedAt": format_time(min(began, at)),
            "finishedAt": format_time(at),
        }
    }


def _reason(exit_code: int) -> str:
    return "Error" if exit_code else "Completed"


def _phase(states: Collection[_Container], begun: bool) -> str:
    if all(each.ended is not None for each in states):
        return "Failed" if any(each.ended for each in states) else "Succeeded"
    waits = all("waiting" in each.state and not each.restarts and not each.last for each in states)
    return "Pending" if waits or not begun else "Running"


def _condition(type_: str, holds: bool, known: Mapping[str, Any], at: str, phase: str) -> JsonObject:
    status = "True" if holds else "False"
    before = known.get(type_) or {}
    since = before.get("lastTransitionTime") if before.get("status") == status else None
    condition: JsonObject = {"type": type_, "status": status, "lastTransitionTime": since or at}
    if not holds and type_ in ("Ready", "ContainersReady"):
        condition["reason"] = "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"
    return condition


def _told(spec: Mapping[str, Any], container: _Container) -> JsonObject:
    told: JsonObject = {
        "name": spec["name"],
        "image": spec.get("image", ""),
        "imageID": "",
        "ready": container.ready,
        "restartCount": container.restarts,
        "started": container.started,
        "state": container.state,
    }
    if container.last:
        told["lastState"] = container.last
    return told


def _is_of_job(pod: Unstructured) -> bool:
    return any(each.get("kind") == "Job" for each in pod.metadata.get("ownerReferences") or ())
