"""What a Pod uses: what its containers ask for, its overhead, and itself until it is over.

Source: pkg/quota/v1/evaluator/core/pods.go and component-helpers/resource (PodRequests, PodLimits).
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity
from kajitori.apimachinery.time import parse_time
from kajitori.apis.quota.evaluator import Evaluator, Surroundings
from kajitori.apis.quota.quantities import ONE, ZERO, Amounts, add, amounts_of, largest
from kajitori.apis.quota.quotas import Selector
from kajitori.apis.validation.amounts import is_extended_resource, is_native_resource

__all__ = ["PodEvaluator", "is_extended_in_quota", "pod_usage"]

_COUNT = "count/pods"
_COMMON = ("cpu", "memory", "ephemeral-storage")
_RESOURCES = frozenset(
    {
        _COUNT,
        "pods",
        *(f"{prefix}{each}" for each in _COMMON for prefix in ("", "requests.", "limits.")),
    }
)
_REQUIRED = frozenset(
    f"{prefix}{each}" for each in ("cpu", "memory") for prefix in ("", "requests.", "limits.")
)
"""What each container must say where a quota limits it, as Kubernetes has demanded since its first quotas."""

_HUGE_PAGES = "hugepages-"
_DEVICE_CLASS = "deviceclass.resource.kubernetes.io/"
_FOR_GOOD = ("Failed", "Succeeded")

_Effective = Callable[[Amounts, JsonObject], Amounts]
"""What counts of what a container says, given its status."""


class PodEvaluator(Evaluator):
    """Measures Pods."""

    has_scopes = True

    def handles(self, operation: str, subresource: str, obj: JsonObject, old: JsonObject | None) -> bool:
        if operation == "UPDATE" and old is not None and not subresource:
            return _is_terminating(obj) != _is_terminating(old)  # it changes its scope
        return (operation, subresource) in (("CREATE", ""), ("UPDATE", "resize"))

    def resources(self, names: Iterable[str], around: Surroundings) -> set[str]:
        return {each for each in names if each in _RESOURCES or _is_of_pods(each)}

    def matches(self, selector: Selector, obj: JsonObject) -> bool:
        match selector.scope:
            case "Terminating":
                return _is_terminating(obj)
            case "NotTerminating":
                return not _is_terminating(obj)
            case "BestEffort":
                return _is_best_effort(obj)
            case "NotBestEffort":
                return not _is_best_effort(obj)
            case "PriorityClass":
                return selector.selects(obj["spec"].get("priorityClassName") or None)
            case "CrossNamespacePodAffinity":
                return any(_is_cross_namespace(each) for each in _affinity_terms(obj["spec"]))
            case _:
                return False

    def usage(self, obj: JsonObject, around: Surroundings) -> Amounts:
        return pod_usage(obj, around.now)

    def missing(self, required: Collection[str], obj: JsonObject) -> str:
        spec: JsonObject = obj["spec"]
        if _pod_level(spec, "requests") or _pod_level(spec, "limits"):
            return ""
        wanted = sorted(_REQUIRED.intersection(required))
        if not wanted:
            return ""
        lacking: dict[str, set[str]] = {}
        for member in ("containers", "initContainers"):
            for container in spec.get(member) or ():
                resources: JsonObject = container.get("resources") or {}
                said = _counted(amounts_of(resources.get("requests")), amounts_of(resources.get("limits")))
                for name in wanted:
                    if name not in said:
                        lacking.setdefault(name, set()).add(container.get("name", ""))
        if not lacking:
            return ""
        return "must specify " + "; ".join(
            f"{name} for: {','.join(sorted(lacking[name]))}" for name in sorted(lacking)
        )


def is_extended_in_quota(name: str) -> bool:
    """Whether a name in a quota is that of a resource that only some nodes have: `requests.example.com/gpu`."""
    if not name.startswith("requests."):
        return False
    return not is_native_resource(name) or name.startswith(f"requests.{_DEVICE_CLASS}")


def _is_of_pods(name: str) -> bool:
    return name.startswith((_HUGE_PAGES, f"requests.{_HUGE_PAGES}")) or is_extended_in_quota(name)


def _is_terminating(pod: JsonObject) -> bool:
    seconds: int | None = pod["spec"].get("activeDeadlineSeconds")
    return seconds is not None and seconds >= 0


def _is_best_effort(pod: JsonObject) -> bool:
    from kajitori.apis.strategies.qos import qos_class  # only quotas with such a scope need it

    known: str = (pod.get("status") or {}).get("qosClass") or qos_class(pod["spec"])
    return known == "BestEffort"


def _affinity_terms(spec: JsonObject) -> Iterator[JsonObject]:
    affinity: JsonObject = spec.get("affinity") or {}
    for member in ("podAffinity", "podAntiAffinity"):
        terms: JsonObject = affinity.get(member) or {}
        yield from terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for each in terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield each.get("podAffinityTerm") or {}


def _is_cross_namespace(term: JsonObject) -> bool:
    return bool(term.get("namespaces")) or term.get("namespaceSelector") is not None


# What it uses.


def pod_usage(pod: JsonObject, now: float) -> dict[str, Quantity]:
    """What a Pod uses at a time; its number counts as long as it is there, the rest until it is over."""
    used = {_COUNT: ONE}
    if _is_over(pod, now):
        return used
    spec: JsonObject = pod["spec"]
    requests, limits = _requests(pod, spec), _limits(pod, spec)
    used.update(_counted(requests, limits))
    return used


def _is_over(pod: JsonObject, now: float) -> bool:
    if (pod.get("status") or {}).get("phase") in _FOR_GOOD:
        return True
    metadata: JsonObject = pod["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("deletionGracePeriodSeconds") is None:
        return False
    # One that is stuck while it terminates keeps nobody from taking its place.
    grace: int = metadata["deletionGracePeriodSeconds"]
    return now > parse_time(metadata["deletionTimestamp"]) + grace


def _counted(requests: Amounts, limits: Amounts) -> dict[str, Quantity]:
    """Under which names amounts count."""
    used = {"pods": ONE}
    for name in _COMMON:
        if name in requests:
            used[name] = used[f"requests.{name}"] = requests[name]
        if name in limits:
            used[f"limits.{name}"] = limits[name]
    for name, amount in requests.items():
        if name in _COMMON:
            continue
        if name.startswith(_HUGE_PAGES):
            used[name] = used[f"requests.{name}"] = amount
        if is_extended_resource(name) or name.startswith(_DEVICE_CLASS):
            used[f"requests.{name}"] = amount
    return used


def _pod_level(spec: JsonObject, member: str) -> dict[str, Quantity]:
    """What is said of the Pod as a whole."""
    said = amounts_of((spec.get("resources") or {}).get(member))
    return {
        name: amount
        for name, amount in said.items()
        if name in ("cpu", "memory") or name.startswith(_HUGE_PAGES)
    }


def _requests(pod: JsonObject, spec: JsonObject) -> dict[str, Quantity]:
    infeasible = _is_infeasible(pod)

    def effective(said: Amounts, status: JsonObject) -> Amounts:
        actual = amounts_of(status["resources"].get("requests"))
        allocated = amounts_of(status.get("allocatedResources"))
        return largest((actual, allocated) if infeasible else (said, actual, allocated))

    total = {**_aggregated(pod, spec, "requests", effective), **_pod_level(spec, "requests")}
    return add(total, amounts_of(spec.get("overhead")))


def _limits(pod: JsonObject, spec: JsonObject) -> dict[str, Quantity]:
    infeasible = _is_infeasible(pod)

    def effective(said: Amounts, status: JsonObject) -> Amounts:
        actual = amounts_of(status["resources"].get("limits"))
        return actual if infeasible else largest((said, actual))

    total = {**_aggregated(pod, spec, "limits", effective), **_pod_level(spec, "limits")}
    for name, amount in amounts_of(spec.get("overhead")).items():
        if total.get(name, ZERO):
            total[name] += amount
    return total


def _is_infeasible(pod: JsonObject) -> bool:
    conditions: list[JsonObject] = (pod.get("status") or {}).get("conditions") or []
    pending = next((each for each in conditions if each.get("type") == "PodResizePending"), {})
    return pending.get("reason") == "Infeasible"


def _aggregated(pod: JsonObject, spec: JsonObject, member: str, effective: _Effective) -> dict[str, Quantity]:
    """What the containers need at once: all that run together, or the most while they start."""
    status: JsonObject = pod.get("status") or {}
    statuses: dict[str, JsonObject] = {
        each["name"]: each
        for kind in ("containerStatuses", "initContainerStatuses")
        for each in status.get(kind) or ()
    }

    def of(container: JsonObject, *, runs_on: bool) -> Amounts:
        said = amounts_of((container.get("resources") or {}).get(member))
        known = statuses.get(container.get("name", "")) if runs_on else None
        return said if known is None or known.get("resources") is None else effective(said, known)

    running: dict[str, Quantity] = {}
    for container in spec.get("containers") or ():
        running = add(running, of(container, runs_on=True))
    sidecars: dict[str, Quantity] = {}
    starting: dict[str, Quantity] = {}
    for container in spec.get("initContainers") or ():
        is_sidecar = container.get("restartPolicy") == "Always"
        own = of(container, runs_on=is_sidecar)
        if is_sidecar:
            running, sidecars = add(running, own), add(sidecars, own)
            starting = largest((starting, sidecars))
        else:
            starting = largest((starting, add(own, sidecars)))
    return largest((running, starting))
