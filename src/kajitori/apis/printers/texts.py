"""Small texts that many kinds' cells are made of."""

from collections.abc import Iterable, Mapping
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import selector_from_object
from kajitori.apimachinery.quantity import QuantityError, normal_quantity
from kajitori.apimachinery.time import age

__all__ = [
    "age_of",
    "condition",
    "container_texts",
    "joined",
    "labels_text",
    "load_balancer_text",
    "member",
    "name_of",
    "quantity_text",
    "selector_text",
    "with_more",
]


def member(value: Any, *path: str) -> Any:
    """What stands at a path, None when some part of it is absent or null."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def name_of(value: JsonObject) -> str:
    return member(value, "metadata", "name") or ""


def age_of(value: JsonObject, now: float) -> str:
    """How long ago an object was created."""
    return age((value.get("metadata") or {}).get("creationTimestamp"), now)


def labels_text(labels: Mapping[str, str] | None) -> str:
    """`a=b,c=d` sorted by key, `<none>` without any."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) if labels else "<none>"


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector's canonical text, `<none>` for one that selects nothing or everything."""
    try:
        return str(selector_from_object(selector)) or "<none>"
    except ValueError:
        return "<error>"


def container_texts(pod_spec: Mapping[str, Any] | None) -> tuple[str, str]:
    """Names and images of a pod's containers, each apart by commas."""
    containers = (pod_spec or {}).get("containers") or ()
    return joined(containers, "name"), joined(containers, "image")


def joined(values: Iterable[Mapping[str, Any]], name: str) -> str:
    """One member of each value, apart by commas."""
    return ",".join(each.get(name) or "" for each in values)


def with_more(shown: list[str], count: int, count_max: int, *, separator: str = ",") -> str:
    """`a,b,c + 2 more...` when there are more than may be shown."""
    text = separator.join(shown[:count_max])
    return f"{text} + {count - count_max} more..." if count > count_max else text


def quantity_text(value: Any) -> str:
    """A quantity's canonical text, `0` for one that is not there."""
    try:
        return "0" if value is None else normal_quantity(value)
    except QuantityError:
        return str(value)


def condition(value: JsonObject, kind: str) -> JsonObject | None:
    """The first condition of a type in an object's status."""
    for each in member(value, "status", "conditions") or ():
        if each.get("type") == kind:
            return dict(each)
    return None


def load_balancer_text(value: JsonObject) -> str:
    """The addresses or host names that a load balancer has given, sorted."""
    ingress = member(value, "status", "loadBalancer", "ingress") or ()
    return ",".join(sorted({each.get("ip") or each.get("hostname") or "" for each in ingress} - {""}))
