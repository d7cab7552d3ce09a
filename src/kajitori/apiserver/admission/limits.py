"""Admission by LimitRanges: what containers ask for when they do not say, and the least and most that may be asked.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ (LimitRanger)
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from kajitori.apimachinery.errors import forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity, parse_quantity
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["LimitRanger"]

RANGES = "/limitranges"
ANNOTATION = "kubernetes.io/limit-ranger"

_MILLI_MAX = ((1 << 63) - 1) // 1000
"""Above this, amounts are compared in whole units only."""
_POD_LEVEL = ("cpu", "memory")
_CLAIMS = "/persistentvolumeclaims"

_read = msgspec.json.Decoder(JsonObject).decode
_Amounts = Mapping[str, Quantity]
_Constraint = Callable[[str, str, Quantity, _Amounts, _Amounts], str]
"""Kind of limit, resource, what is enforced, requests, limits; gives what is wrong, or nothing."""


class LimitRanger:
    """Pods and claims stay within the limit ranges of their namespace."""

    name = "LimitRanger"

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        if bucket == "/pods":
            # The containers of a Pod never change, but what they ask for does where Pods are resized.
            return (operation, subresource) in (("CREATE", ""), ("UPDATE", "resize"))
        return bucket == _CLAIMS and operation in ("CREATE", "UPDATE") and not subresource

    def mutate(self, attributes: Attributes) -> None:
        if attributes.resource.bucket == _CLAIMS:
            return
        for limits in self._limits(attributes):
            pod = attributes.obj
            assert pod is not None, attributes
            _fill_in(pod, limits)

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden when a Pod or a claim asks for too little or too much."""
        obj = attributes.obj
        assert obj is not None, attributes
        is_claim = attributes.resource.bucket == _CLAIMS
        for limits in self._limits(attributes):
            problems = list(_claim_problems(obj, limits) if is_claim else _pod_problems(obj, limits))
            if problems:
                told = list(dict.fromkeys(problems))
                why = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
                raise forbidden(attributes.resource.kind.plural, "", attributes.name, why)

    def _limits(self, attributes: Attributes) -> Iterator[list[JsonObject]]:
        if attributes.old is not None and "deletionTimestamp" in attributes.old["metadata"]:
            return
        for item in self._store.range(RANGES, f"{attributes.namespace}/"):
            yield (_read(item.value).get("spec") or {}).get("limits") or []


# What is filled in.


def _fill_in(pod: JsonObject, limits: list[JsonObject]) -> None:
    requests: dict[str, str] = {}
    most: dict[str, str] = {}
    for limit in limits:
        if limit.get("type") == "Container":
            requests.update(limit.get("defaultRequest") or {})
            most.update(limit.get("default") or {})
    if not requests and not most:
        return
    told: list[str] = []
    for member, kind in (("containers", "container"), ("initContainers", "init container")):
        for container in pod["spec"].get(member) or ():
            told += _fill_container(container, kind, requests, most)
    if told:
        metadata: JsonObject = pod["metadata"]
        metadata["annotations"] = {
            **(metadata.get("annotations") or {}),
            ANNOTATION: "LimitRanger plugin set: " + "; ".join(told),
        }


def _fill_container(
    container: JsonObject, kind: str, requests: Mapping[str, str], limits: Mapping[str, str]
) -> list[str]:
    resources: JsonObject = container.get("resources") or {}
    told: list[str] = []
    for member, word, defaults in (("requests", "request", requests), ("limits", "limit", limits)):
        said: Mapping[str, str] = resources.get(member) or {}
        missing = sorted(name for name in defaults if name not in said)
        if missing:
            resources[member] = dict(sorted({**defaults, **said}.items()))
            told.append(f"{', '.join(missing)} {word} for {kind} {container.get('name', '')}")
    if resources:
        # In Go's order.
        order = ("limits", "requests", "claims")
        container["resources"] = {name: resources[name] for name in order if name in resources}
    return told


# What is refused.


def _compared(*amounts: Quantity | None) -> list[int]:
    """The amounts as whole numbers that can be compared: thousandths, unless one of them is huge."""
    present = [each if each is not None else Quantity(0) for each in amounts]
    whole = [each.value() for each in present]
    return [each.milli_value() for each in present] if max(whole) <= _MILLI_MAX else whole


def _too_little(kind: str, name: str, least: Quantity, requests: _Amounts, limits: _Amounts) -> str:
    request, limit = requests.get(name), limits.get(name)
    asked, most, enforced = _compared(request, limit, least)
    told = f"minimum {name} usage per {kind} is {least}"
    if request is None:
        return f"{told}.  No request is specified"
    if asked < enforced:
        return f"{told}, but request is {request}"
    return f"{told}, but limit is {limit}" if limit is not None and most < enforced else ""


def _too_much(kind: str, name: str, most: Quantity, requests: _Amounts, limits: _Amounts) -> str:
    request, limit = requests.get(name), limits.get(name)
    asked, allowed, enforced = _compared(request, limit, most)
    told = f"maximum {name} usage per {kind} is {most}"
    if limit is None:
        return f"{told}.  No limit is specified"
    if allowed > enforced:
        return f"{told}, but limit is {limit}"
    return f"{told}, but request is {request}" if request is not None and asked > enforced else ""


def _asks_too_much(kind: str, name: str, most: Quantity, requests: _Amounts, limits: _Amounts) -> str:
    request = requests.get(name)
    asked, enforced = _compared(request, most)
    told = f"maximum {name} usage per {kind} is {most}"
    if request is None:
        return f"{told}.  No request is specified"
    return f"{told}, but request is {request}" if asked > enforced else ""


def _too_wide(kind: str, name: str, most: Quantity, requests: _Amounts, limits: _Amounts) -> str:
    asked, allowed, _ = _compared(requests.get(name), limits.get(name), most)
    told = f"{name} max limit to request ratio per {kind} is {most}, but"
    if not asked:
        return f"{told} no request is specified or request is 0"
    if not allowed:
        return f"{told} no limit is specified or limit is 0"
    if allowed * 1000 <= most.milli_value() * asked:
        return ""
    return f"{told} provided ratio is {allowed / asked:.6f}"


_CONSTRAINTS: Mapping[str, _Constraint] = {
    "min": _too_little,
    "max": _too_much,
    "maxLimitRequestRatio": _too_wide,
}
_OF_CLAIMS: Mapping[str, _Constraint] = {"min": _too_little, "max": _asks_too_much}


def _problems(
    limit: JsonObject, constraints: Mapping[str, _Constraint], requests: _Amounts, limits: _Amounts
) -> Iterator[str]:
    for member, constraint in constraints.items():
        for name, text in (limit.get(member) or {}).items():
            problem = constraint(limit["type"], name, parse_quantity(text), requests, limits)
            if problem:
                yield problem


def _pod_problems(pod: JsonObject, limits: list[JsonObject]) -> Iterator[str]:
    from kajitori.apis.validation.pod_resources import aggregated_resources  # only where there are limits

    spec: JsonObject = pod["spec"]
    for limit in limits:
        if limit.get("type") == "Container":
            for member in ("containers", "initContainers"):
                for container in spec.get(member) or ():
                    yield from _problems(limit, _CONSTRAINTS, *_of(container.get("resources")))
        elif limit.get("type") == "Pod":
            requests, most = (dict(aggregated_resources(spec, each)) for each in ("requests", "limits"))
            for own, total in zip(_of(spec.get("resources")), (requests, most), strict=True):
                total.update({name: own[name] for name in _POD_LEVEL if name in own})
            yield from _problems(limit, _CONSTRAINTS, requests, most)


def _claim_problems(claim: JsonObject, limits: list[JsonObject]) -> Iterator[str]:
    requests, _ = _of((claim.get("spec") or {}).get("resources"))
    for limit in limits:
        if limit.get("type") == "PersistentVolumeClaim":
            yield from _problems(limit, _OF_CLAIMS, requests, {})


def _of(resources: JsonObject | None) -> tuple[_Amounts, _Amounts]:
    def amounts(member: str) -> dict[str, Quantity]:
        return {name: parse_quantity(text) for name, text in ((resources or {}).get(member) or {}).items()}

    return amounts("requests"), amounts("limits")
