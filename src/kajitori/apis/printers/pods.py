"""The cells of pods: how ready, in what state, how often restarted.

Promises
    P1  the state is the word that Kubernetes shows: of the first init container that is not done, else of the
        containers, the last one's first; "Terminating" and "Unknown" outrank both
    P2  restarts count the containers, and init containers only while they run or when they are sidecars

Source: kubernetes/pkg/printers/internalversion, printPod.
"""

from typing import Any, NamedTuple

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import age

from .texts import age_of, condition, member, name_of

__all__ = ["pod_cells", "pod_row_conditions"]


class _State(NamedTuple):
    """What was learned from the containers so far. `restarted_at` is the last restart, "" for none."""

    reason: str
    ready: int
    restarts: int
    restarted_at: str


def pod_cells(pod: JsonObject, now: float) -> list[Any]:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    sidecars = {
        each.get("name") for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"
    }
    phase = status.get("phase") or ""
    reason = status.get("reason") or phase
    if any(
        each.get("type") == "PodScheduled" and each.get("reason") == "SchedulingGated"
        for each in status.get("conditions") or ()
    ):
        reason = "SchedulingGated"
    state, initializing, sidecar_state = _after_init(spec, status, sidecars, reason)
    initialized = condition(pod, "Initialized")
    if not initializing or (initialized is not None and initialized.get("status") == "True"):
        state = _after_containers(pod, status, sidecar_state._replace(reason=state.reason))
    reason = state.reason
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif phase not in ("Failed", "Succeeded"):
            reason = "Terminating"
    restarts = str(state.restarts)
    if state.restarts and state.restarted_at:
        restarts = f"{restarts} ({age(state.restarted_at, now)} ago)"
    count = len(spec.get("containers") or ()) + len(sidecars)
    return [
        name_of(pod),
        f"{state.ready}/{count}",
        reason,
        restarts,
        age_of(pod, now),
        _address(status),
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        _gates_text(spec, status),
    ]


def _after_init(
    spec: JsonObject, status: JsonObject, sidecars: set[Any], reason: str
) -> tuple[_State, bool, _State]:
    """What the init containers say, whether they still run, and what the sidecars alone say."""
    ready = restarts = sidecar_restarts = 0
    restarted_at = sidecar_restarted_at = ""
    initializing = False
    for index, container in enumerate(status.get("initContainerStatuses") or ()):
        count, finished = container.get("restartCount") or 0, _last_finish(container)
        restarts, restarted_at = restarts + count, max(restarted_at, finished)
        is_sidecar = container.get("name") in sidecars
        if is_sidecar:
            sidecar_restarts += count
            sidecar_restarted_at = max(sidecar_restarted_at, finished)
        terminated = member(container, "state", "terminated")
        if terminated is not None and not terminated.get("exitCode"):
            continue
        if is_sidecar and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        waiting = member(container, "state", "waiting", "reason")
        initializing = True
        if terminated is not None:
            reason = "Init:" + _ended(terminated)
        elif waiting and waiting != "PodInitializing":
            reason = f"Init:{waiting}"
        else:
            reason = f"Init:{index}/{len(spec.get('initContainers') or ())}"
        break
    state = _State(reason, ready, restarts, restarted_at)
    return state, initializing, _State(reason, ready, sidecar_restarts, sidecar_restarted_at)


def _after_containers(pod: JsonObject, status: JsonObject, state: _State) -> _State:
    reason, ready, restarts, restarted_at = state
    running = False
    failure = ""
    for container in reversed(status.get("containerStatuses") or ()):
        restarts += container.get("restartCount") or 0
        restarted_at = max(restarted_at, _last_finish(container))
        terminated = member(container, "state", "terminated")
        if waiting := member(container, "state", "waiting", "reason"):
            reason = waiting
        elif terminated is not None:
            reason = _ended(terminated)
            if terminated.get("exitCode"):
                failure = reason
        elif container.get("ready") and member(container, "state", "running") is not None:
            running = True
            ready += 1
    if reason == "Completed":  # Some ended well; is the pod as a whole still at work?
        is_ready = any(
            each.get("type") == "Ready" and each.get("status") == "True"
            for each in status.get("conditions") or ()
        )
        if running and is_ready:
            reason = "Running"
        elif failure:
            reason = failure
        elif running:
            reason = "NotReady"
    return _State(reason, ready, restarts, restarted_at)


def _ended(terminated: JsonObject) -> str:
    """Why a container ended: its reason, signal or exit code."""
    if reason := terminated.get("reason"):
        return str(reason)
    if signal := terminated.get("signal"):
        return f"Signal:{signal}"
    return f"ExitCode:{terminated.get('exitCode') or 0}"


def _last_finish(container: JsonObject) -> str:
    """When the container's previous run ended. Times of one server compare as texts."""
    return member(container, "lastState", "terminated", "finishedAt") or ""


def _address(status: JsonObject) -> str:
    addresses = status.get("podIPs")
    found = status.get("podIP") or (addresses[0].get("ip") if addresses else "")
    return found or "<none>"


def _gates_text(spec: JsonObject, status: JsonObject) -> str:
    gates = spec.get("readinessGates")
    if not gates:
        return "<none>"
    # Of conditions that repeat, the first counts.
    statuses: dict[Any, Any] = {}
    for each in status.get("conditions") or ():
        statuses.setdefault(each.get("type"), each.get("status"))
    held = sum(statuses.get(each.get("conditionType")) == "True" for each in gates)
    return f"{held}/{len(gates)}"


_ROW_CONDITIONS = {
    "Succeeded": ("Succeeded", "The pod has completed successfully."),
    "Failed": ("Failed", "The pod failed."),
}


def pod_row_conditions(pod: JsonObject) -> list[dict[str, str]]:
    """Conditions of a pod's row: `kubectl get` leaves rows out that are completed, when asked to."""
    found = _ROW_CONDITIONS.get(member(pod, "status", "phase") or "")
    if found is None:
        return []
    return [{"type": "Completed", "status": "True", "reason": found[0], "message": found[1]}]
