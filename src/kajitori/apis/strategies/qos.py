"""How much a Pod may rely on its resources: Guaranteed, Burstable or BestEffort.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ and pkg/apis/core/helper/qos.
"""

from collections.abc import Iterable, Mapping

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity, parse_quantity

__all__ = ["qos_class"]

_COMPUTE = ("cpu", "memory")


def qos_class(spec: JsonObject) -> str:
    """The class of a Pod with this spec."""
    whole = spec.get("resources")
    if whole is not None:
        parts = [whole]
    else:
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        parts = [each.get("resources") or {} for each in containers]
    requests = _total(each.get("requests") for each in parts)
    limits = _total(each.get("limits") for each in parts)
    if not requests and not limits:
        return "BestEffort"
    limited = [_positive(each.get("limits")) for each in parts if whole is None or each.get("limits")]
    if all(len(each) == len(_COMPUTE) for each in limited) and requests == limits:
        return "Guaranteed"
    return "Burstable"


def _positive(amounts: Mapping[str, str] | None) -> dict[str, Quantity]:
    if not amounts:
        return {}
    parsed = {name: parse_quantity(amounts[name]) for name in _COMPUTE if name in amounts}
    return {name: amount for name, amount in parsed.items() if amount.unscaled > 0}


def _total(parts: Iterable[Mapping[str, str] | None]) -> dict[str, Quantity]:
    total: dict[str, Quantity] = {}
    for part in parts:
        for name, amount in _positive(part).items():
            total[name] = total[name] + amount if name in total else amount
    return total
