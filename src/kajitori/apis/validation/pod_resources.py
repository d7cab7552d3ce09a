"""What a whole Pod asks for: at least what its containers ask for together.

Source: validatePodResources in pkg/apis/core/validation.
"""

from collections.abc import Iterable, Mapping, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity, parse_quantity
from kajitori.apis.validation.amounts import (
    amounts,
    check_pod_resource_name,
    check_requirements,
    is_huge_page,
)
from kajitori.apis.validation.checks import Errors
from kajitori.apis.validation.containers import Surroundings

__all__ = ["aggregated_resources", "check_pod_resources"]

_Amounts = dict[str, Quantity]


def check_pod_resources(spec: JsonObject, around: Surroundings, path: str, errors: Errors) -> None:
    resources: JsonObject = spec["resources"] or {}
    here = f"{path}.resources"
    if around.system == "windows":
        errors.append(FieldError.forbidden(here, "may not be set for a windows pod"))
        return
    if "claims" in resources:
        told = "claims may not be set for Resources at pod-level"
        errors.append(FieldError.forbidden(f"{here}.claims", told))
    check_requirements(resources, around.claim_names, here, errors, check_pod_resource_name)
    requests: Mapping[str, str] = resources.get("requests") or {}
    limits: Mapping[str, str] = resources.get("limits") or {}
    for name, amount in aggregated_resources(spec, "requests").items():
        if name in requests and amount > parse_quantity(requests[name]):
            told = f"must be greater than or equal to aggregate container requests of {amount}"
            errors.append(FieldError.invalid(f"{here}.requests[{name}]", requests[name], told))
    for name, amount in aggregated_resources(spec, "limits").items():
        if is_huge_page(name) and name in limits and amount > parse_quantity(limits[name]):
            told = f"must be greater than or equal to aggregate container limits of {amount}"
            errors.append(FieldError.invalid(f"{here}.limits[{name}]", limits[name], told))
    containers: Sequence[JsonObject] = spec.get("containers") or ()
    for index, container in enumerate(containers):
        own: JsonObject = container.get("resources") or {}
        for name, text in (own.get("limits") or {}).items():
            if name in limits and parse_quantity(text) > parse_quantity(limits[name]):
                told = f"must be less than or equal to pod limits of {limits[name]}"
                errors.append(FieldError.invalid(f"{here}.containers[{index}][{name}].limits", text, told))


def aggregated_resources(spec: JsonObject, member: str) -> _Amounts:
    """What the containers need at once: all that run together, or the most while they start."""

    def of(container: JsonObject) -> _Amounts:
        return amounts((container.get("resources") or {}).get(member))

    sidecars: _Amounts = {}
    starting: _Amounts = {}
    for container in spec.get("initContainers") or ():
        own = of(container)
        if container.get("restartPolicy") == "Always":
            sidecars = _sum((sidecars, own))
            starting = _largest(starting, sidecars)
        else:
            starting = _largest(starting, _sum((sidecars, own)))
    running = _sum([sidecars, *(of(each) for each in spec.get("containers") or ())])
    return _largest(running, starting)


def _sum(parts: Iterable[_Amounts]) -> _Amounts:
    total: _Amounts = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total[name] + amount if name in total else amount
    return total


def _largest(one: _Amounts, two: _Amounts) -> _Amounts:
    return {name: max(each[name] for each in (one, two) if name in each) for name in {**one, **two}}
