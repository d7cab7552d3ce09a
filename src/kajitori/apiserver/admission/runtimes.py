"""Admission of Pods that name a RuntimeClass: it must be there, and says what its Pods cost and where they may run.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ (RuntimeClass)
"""

from collections.abc import Mapping, Sequence

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import Forbidden, forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import parse_quantity
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["RuntimeClass", "includes", "merged_tolerations"]

CLASSES = "node.k8s.io/runtimeclasses"

_read = msgspec.json.Decoder(JsonObject).decode
_NO_MATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
_NO_CLASS = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


class RuntimeClass:
    """The overhead and the place of a Pod are those of its class."""

    name = "RuntimeClass"

    def __init__(self, store: Store) -> None:
        self._store = store

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation == "CREATE" and bucket == "/pods" and not subresource

    def mutate(self, attributes: Attributes) -> None:
        """Raises: Forbidden when the class is not there, or says something else than the Pod."""
        pod = attributes.obj
        assert pod is not None, attributes
        spec: JsonObject = pod["spec"]
        found = self._class(attributes, spec)
        if found is None:
            return
        if "overhead" in found:
            fixed: Mapping[str, str] = found["overhead"].get("podFixed") or {}
            if spec.get("overhead") and not _is_same(spec["overhead"], fixed):
                raise _refused(attributes, _NO_MATCH)
            if fixed:
                spec["overhead"] = dict(fixed)
        if "scheduling" in found:
            _place(attributes, spec, found["scheduling"] or {})

    def validate(self, attributes: Attributes) -> None:
        """Raises: Forbidden when a later plugin has changed the overhead, or there is none for it to come from."""
        pod = attributes.obj
        assert pod is not None, attributes
        spec: JsonObject = pod["spec"]
        found = self._class(attributes, spec)
        if found is not None and "overhead" in found:
            if not _is_same(spec.get("overhead") or {}, found["overhead"].get("podFixed") or {}):
                raise _refused(attributes, _NO_MATCH)
        elif "overhead" in spec:
            raise _refused(attributes, _NO_CLASS)

    def _class(self, attributes: Attributes, spec: JsonObject) -> JsonObject | None:
        name = spec.get("runtimeClassName")
        if name is None:
            return None
        item = self._store.get(CLASSES, name)
        if item is None:
            raise _refused(attributes, f"pod rejected: RuntimeClass {go_quote(name)} not found")
        return _read(item.value)


def _refused(attributes: Attributes, why: str) -> Forbidden:
    return forbidden("pods", "", attributes.name, why)


def _is_same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return one.keys() == other.keys() and all(
        parse_quantity(one[name]) == parse_quantity(other[name]) for name in one
    )


def _place(attributes: Attributes, spec: JsonObject, scheduling: JsonObject) -> None:
    selector: dict[str, str] = dict(spec.get("nodeSelector") or {})
    wanted: Mapping[str, str] = scheduling.get("nodeSelector") or {}
    for key, value in sorted(wanted.items()):
        said = selector.setdefault(key, value)
        if said != value:
            raise _refused(
                attributes,
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {said}",
            )
    if selector:
        spec["nodeSelector"] = selector
    tolerations = merged_tolerations(spec.get("tolerations") or (), scheduling.get("tolerations") or ())
    if tolerations:
        spec["tolerations"] = tolerations


def merged_tolerations(first: Sequence[JsonObject], second: Sequence[JsonObject]) -> list[JsonObject]:
    """All tolerations but those that another one of them includes; of equal ones the first stays."""
    every = [*first, *second]
    merged: list[JsonObject] = []
    for index, each in enumerate(every):
        covered = any(includes(kept, each) for kept in merged)
        if not covered and not any(each != later and includes(later, each) for later in every[index + 1 :]):
            merged.append(each)
    return merged


def includes(wide: JsonObject, narrow: JsonObject) -> bool:
    """Whether one toleration tolerates all that another one does."""
    if wide == narrow:
        return True
    operator = wide.get("operator", "")
    every_key = not wide.get("key") and operator == "Exists"
    if narrow.get("key", "") != wide.get("key", "") and not every_key:
        return False
    if wide.get("effect") and narrow.get("effect", "") != wide["effect"]:
        return False
    if wide.get("effect") == "NoExecute" and "tolerationSeconds" in wide:
        seconds = narrow.get("tolerationSeconds")
        if seconds is None or seconds > wide["tolerationSeconds"]:
            return False
    if operator in ("Equal", ""):
        return bool(narrow.get("operator") == "Equal" and narrow.get("value", "") == wide.get("value", ""))
    return bool(operator == "Exists")
