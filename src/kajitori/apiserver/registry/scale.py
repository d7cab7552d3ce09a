"""Scale: the one number of anything that has replicas, behind the same shape for all kinds.

Source: autoscaling/v1 Scale; https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/scale-v1/
and, for custom resources, the scale subresource of a CustomResourceDefinition.
"""

from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.errors import ApiError, FieldError, internal_error
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import selector_from_labels, selector_from_object

__all__ = ["BUILT_IN", "REPLICAS_UNSET", "ScalePaths", "scale_errors", "scale_of", "with_replicas"]


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a kind keeps its replicas. Paths are member names; the selector may be missing."""

    spec: tuple[str, ...]
    status: tuple[str, ...]
    selector: tuple[str, ...] = ()
    selector_object: bool = False
    """The selector is a LabelSelector or a label map, not its text."""


BUILT_IN = ScalePaths(
    ("spec", "replicas"), ("status", "replicas"), ("spec", "selector"), selector_object=True
)

REPLICAS_UNSET = -(1 << 31)
"""Stands in the Scale of a custom object without a number of replicas while it is being changed."""


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(name)
    return obj


def _custom_at(obj: Any, path: tuple[str, ...], kind: str) -> Any:
    """Raises: ApiError where the path leads to something else, or through it."""
    from kajitori.apis.apiextensions_v1.serving import AccessError, nested  # custom objects have it loaded

    try:
        return nested(obj, ".".join(path), kind)
    except AccessError as problem:
        raise ApiError(str(problem)) from None


def scale_of(obj: JsonObject, paths: ScalePaths, *, changing: bool = False) -> JsonObject:
    """The Scale of an object; `changing` when it is to be changed, which may give it its first replicas.

    Raises: InternalError when a custom object has no number of replicas to show.
    """
    metadata = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    spec: JsonObject = {}
    if paths.selector_object:
        replicas, current = _at(obj, paths.spec), _at(obj, paths.status)
        selector = _at(obj, paths.selector) if paths.selector else None
    else:
        replicas, current = _custom_at(obj, paths.spec, "int64"), _custom_at(obj, paths.status, "int64")
        selector = _custom_at(obj, paths.selector, "string") if paths.selector else None
    if replicas is None and not paths.selector_object and changing:
        replicas = REPLICAS_UNSET
    elif replicas is None and not paths.selector_object:
        told = f'the spec replicas field ".{".".join(paths.spec)}" does not exist'
        raise internal_error(told)
    if replicas:
        spec["replicas"] = replicas
    status: JsonObject = {"replicas": current or 0}
    if paths.selector_object and selector:
        labels = selector if not _is_selector(selector) else None
        parsed = selector_from_labels(labels) if labels is not None else selector_from_object(selector)
        selector = str(parsed)
    if selector:
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in kept if name in metadata},
        "spec": spec,
        "status": status,
    }


def _is_selector(selector: JsonObject) -> bool:
    return bool(selector.keys() & {"matchLabels", "matchExpressions"})


def scale_errors(scale: JsonObject) -> list[FieldError]:
    """What is wrong with a Scale that a client sent."""
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    if replicas < 0:
        return [FieldError.invalid("spec.replicas", replicas, "must be greater than or equal to 0")]
    return []


def with_replicas(obj: JsonObject, paths: ScalePaths, replicas: int) -> JsonObject:
    """The object with another number of replicas; `obj` is a private copy and is changed.

    Raises: ApiError where something else stands in the way.
    """
    inner = obj
    for name in paths.spec[:-1]:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            where = ".".join(paths.spec[: paths.spec.index(name) + 1])
            raise ApiError(f"value cannot be set because .{where} is not a map[string]interface{{}}")
    inner[paths.spec[-1]] = replicas
    return obj
