"""Events: who tells of what, and when it was seen.

The version in which a client writes decides how strictly: objects come in the stored version here, so the strict
rules hold for those that say when they happened in the newer way.

Source: pkg/apis/core/validation/events.go.
"""

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors, check_qualified_name, check_subdomain
from kajitori.apis.validation.validator import same_rules

__all__ = ["VALIDATORS"]

_TEXT_BYTES_MAX = {"reportingInstance": 128, "action": 128, "reason": 128}
_MESSAGE_BYTES_MAX = 1024
_NO_MATCH = "does not match event.namespace"


def _check_event(event: JsonObject, errors: Errors) -> None:
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
        _check_report(event, errors)
    check_subdomain(namespace, "namespace", errors)


def _check_report(event: JsonObject, errors: Errors) -> None:
    # The stored version has the reporter by another name than the message.
    reporter = event.get("reportingComponent", "")
    if not reporter:
        errors.append(FieldError.required("reportingController"))
    check_qualified_name(reporter, "reportingController", errors)
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


VALIDATORS = {"events": same_rules(_check_event)}
