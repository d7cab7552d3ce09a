"""Events: who tells of what, and when it was seen.

The group in which a client writes decides how strictly: core's Events are held to the old rules alone, those of
events.k8s.io to the new ones too. Objects come in the stored version, core's, either way.

Source: pkg/apis/core/validation/events.go.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors, check_qualified_name, check_subdomain
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.validator import Validator, same_rules

__all__ = ["NEW_EVENTS", "VALIDATORS"]

_TEXT_BYTES_MAX = {"reportingInstance": 128, "action": 128, "reason": 128}
_MESSAGE_BYTES_MAX = 1024
_SERIES_COUNT_MIN = 2
_TYPES = ("Normal", "Warning")
_NO_MATCH = "does not match event.namespace"
_IMMUTABLE: Mapping[str, str] = {
    # Member to what an absent one is shown as: the Go struct of it, or the zero of its type.
    "involvedObject": "core.v1.ObjectReference",
    "reason": "",
    "message": "",
    "source": "core.v1.EventSource",
    "firstTimestamp": "null",
    "lastTimestamp": "null",
    "count": "0",
    "type": "",
    "eventTime": "null",
    "action": "",
    "related": "core.v1.ObjectReference",
    "reportingComponent": "",
    "reportingInstance": "",
}


def _legacy(event: JsonObject, reporter_path: str, errors: Errors) -> None:
    namespace = event["metadata"].get("namespace", "")
    involved = (event.get("involvedObject") or {}).get("namespace", "")
    path = "involvedObject.namespace"
    if not event.get("eventTime"):
        allowed = ("", "default") if not involved else (involved,)
        if namespace not in allowed:
            errors.append(FieldError.invalid(path, involved, _NO_MATCH))
    else:
        if not involved and namespace not in ("default", "kube-system"):
            errors.append(FieldError.invalid(path, involved, _NO_MATCH))
        _check_report(event, reporter_path, errors)
    check_subdomain(namespace, "namespace", errors)


def _check_report(event: JsonObject, reporter_path: str, errors: Errors) -> None:
    reporter = event.get("reportingComponent", "")
    if not reporter:
        errors.append(FieldError.required(reporter_path))
    check_qualified_name(reporter, reporter_path, errors)
    for member, bytes_max in _TEXT_BYTES_MAX.items():
        text = event.get(member, "")
        if not text:
            errors.append(FieldError.required(member))
        if len(text.encode()) > bytes_max:
            told = f"can have at most {bytes_max} characters"
            errors.append(FieldError.invalid(member, "", told))
    if len(event.get("message", "").encode()) > _MESSAGE_BYTES_MAX:
        told = f"can have at most {_MESSAGE_BYTES_MAX} characters"
        errors.append(FieldError.invalid("message", "", told))


def _check_core(event: JsonObject, errors: Errors) -> None:
    _legacy(event, "reportingComponent", errors)


def _check_series(event: JsonObject, errors: Errors) -> None:
    series = event.get("series")
    if series is None:
        return
    if series.get("count", 0) < _SERIES_COUNT_MIN:
        errors.append(FieldError.invalid("series.count", "", f"should be at least {_SERIES_COUNT_MIN}"))
    if not series.get("lastObservedTime"):
        errors.append(FieldError.required("series.lastObservedTime"))


def _create_new(event: JsonObject, errors: Errors) -> None:
    _legacy(event, "reportingController", errors)
    _check_series(event, errors)
    if not event.get("eventTime"):
        errors.append(FieldError.required("eventTime"))
    said = event.get("type", "")
    if said not in _TYPES:
        errors.append(FieldError.invalid("type", "", f"has invalid value: {said}"))
    for member in ("firstTimestamp", "lastTimestamp", "count"):
        if event.get(member):
            errors.append(FieldError.invalid(member, "", "needs to be unset"))
    source: JsonObject = event.get("source") or {}
    if source.get("component") or source.get("host"):
        errors.append(FieldError.invalid("source", "", "needs to be unset"))


def _update_new(event: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    _legacy(event, "reportingController", errors)
    if event.get("series") != old.get("series"):
        _check_series(event, errors)
    for member in _IMMUTABLE:
        path = "reportingController" if member == "reportingComponent" else member
        if (event.get(member) or None) != (old.get(member) or None):
            errors.append(FieldError.invalid(path, _shown(member, event.get(member)), "field is immutable"))
            if member == "reason":  # which Kubernetes compares twice
                errors.append(errors[-1])


def _shown(member: str, value: Any) -> Any:
    kind = _IMMUTABLE[member]
    if "." in kind:
        return None if value is None and member == "related" else go_struct(kind, value)
    return value or {"": "", "0": 0, "null": None}[kind]


NEW_EVENTS = Validator(_create_new, _update_new)
"""The rules for what is written by way of events.k8s.io."""
VALIDATORS = {"events": same_rules(_check_core)}
