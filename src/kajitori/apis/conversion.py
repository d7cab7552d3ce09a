"""Between the versions of built-in kinds that have two: nothing is lost either way.

Sits between what a path's version says and what is stored: Events are stored as core/v1, autoscalers as
autoscaling/v2.

Promises
    C1  to the stored version and back gives the object that went in
    C2  nothing that is given is changed; what both versions share is shared

Source: pkg/apis/events/v1/conversion.go, pkg/apis/autoscaling/v1/conversion.go.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kajitori.apimachinery.errors import BadRequest
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.conversion_autoscaling import autoscaler_from_v1, autoscaler_to_v1
from kajitori.apis.definitions import zero_value

__all__ = ["convert"]

_EVENT_NAMES: Mapping[str, str] = {
    # Member of a core/v1 Event to its name in events.k8s.io/v1.
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_EVENT_NAMES_BACK = {new: old for old, new in _EVENT_NAMES.items()}


def convert(obj: JsonObject, api_version: str) -> JsonObject:
    """The object in another version of its kind; the object itself when it is in that version already.

    Raises: BadRequest when the kind has no such version.
    """
    if obj.get("apiVersion") == api_version:
        return obj
    function = _CONVERSIONS.get((obj.get("kind", ""), obj.get("apiVersion", ""), api_version))
    if function is None:
        raise BadRequest(f"{obj.get('kind', '')} has no version {api_version}")
    converted = function(obj)
    head = {"kind": obj["kind"], "apiVersion": api_version}
    return {**head, **{name: value for name, value in converted.items() if name not in head}}


def _renamed(obj: JsonObject, names: Mapping[str, str], definition: str) -> JsonObject:
    renamed = {names.get(name, name): value for name, value in obj.items()}
    # Zeros that one version writes and the other does not.
    zeros: dict[str, Any] = zero_value(definition)
    kept = {name: value for name, value in renamed.items() if name in zeros or value not in ("", 0, None, [])}
    return {**kept, **{name: value for name, value in zeros.items() if name not in kept}}


def _event_to_core(obj: JsonObject) -> JsonObject:
    return _renamed(obj, _EVENT_NAMES_BACK, "io.k8s.api.core.v1.Event")


def _event_from_core(obj: JsonObject) -> JsonObject:
    return _renamed(obj, _EVENT_NAMES, "io.k8s.api.events.v1.Event")


_CONVERSIONS: Mapping[tuple[str, str, str], Callable[[JsonObject], JsonObject]] = {
    ("Event", "events.k8s.io/v1", "v1"): _event_to_core,
    ("Event", "v1", "events.k8s.io/v1"): _event_from_core,
    ("HorizontalPodAutoscaler", "autoscaling/v1", "autoscaling/v2"): autoscaler_from_v1,
    ("HorizontalPodAutoscaler", "autoscaling/v2", "autoscaling/v1"): autoscaler_to_v1,
}
