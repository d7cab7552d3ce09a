"""Configurations of admission webhooks, validating and mutating.

Source: validateValidatingWebhook and validateMutatingWebhook in pkg/apis/admissionregistration/validation.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_dns1035_label, is_dns1123_subdomain
from kajitori.apis.validation.admission_expressions import Expressions, stored_texts
from kajitori.apis.validation.admission_rules import (
    FAILURE_POLICIES,
    MATCH_POLICIES,
    REINVOCATION_POLICIES,
    check_match_conditions,
    check_rule,
)
from kajitori.apis.validation.checks import Errors, check_each, check_enum, check_label_selector
from kajitori.apis.validation.validator import Validator
from kajitori.apis.validation.webhook_clients import check_webhook_client

__all__ = ["VALIDATORS"]

_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_REVIEW_VERSIONS = ("v1", "v1beta1")
_TIMEOUT_SECONDS_MAX = 30
_SEGMENTS_MIN = 3


def _check_webhooks(obj: JsonObject, errors: Errors, old: JsonObject | None = None) -> None:
    names: set[str] = set()
    stood = [each.get("matchConditions") for each in (old or {}).get("webhooks") or ()]
    conditions = [each.get("matchConditions") for each in obj.get("webhooks") or ()]
    expressions = Expressions(stored=stored_texts(old))
    for index, hook in enumerate(obj.get("webhooks") or ()):
        path, name = f"webhooks[{index}]", hook.get("name", "")
        _check_name(name, f"{path}.name", errors)
        for place, rule in enumerate(hook.get("rules") or ()):
            check_rule(rule, f"{path}.rules[{place}]", errors)
        _check_choices(hook, path, errors)
        for member in ("namespaceSelector", "objectSelector"):
            check_label_selector(hook.get(member), f"{path}.{member}", errors)
        check_webhook_client(hook.get("clientConfig") or {}, f"{path}.clientConfig", errors)
        if old is None or conditions != stood:
            here = f"{path}.matchConditions"
            check_match_conditions(hook.get("matchConditions") or (), here, errors, expressions)
        versions: Sequence[str] = hook.get("admissionReviewVersions") or ()
        _check_versions(versions, f"{path}.admissionReviewVersions", errors)
        if name and name in names:
            errors.append(FieldError.duplicate(f"{path}.name", name))
        names.add(name)


def _check_name(name: str, path: str, errors: Errors) -> None:
    """A domain of at least three parts."""
    if not name:
        errors.append(FieldError.required(path))
    elif problems := is_dns1123_subdomain(name):
        errors.append(FieldError.invalid(path, name, ",".join(problems)))
    elif name.count(".") < _SEGMENTS_MIN - 1:
        told = "should be a domain with at least three segments separated by dots"
        errors.append(FieldError.invalid(path, name, told))


def _check_choices(hook: JsonObject, path: str, errors: Errors) -> None:
    for member, supported in (
        ("failurePolicy", FAILURE_POLICIES),
        ("matchPolicy", MATCH_POLICIES),
        ("reinvocationPolicy", REINVOCATION_POLICIES),
    ):
        if member in hook:
            check_enum(hook[member], supported, f"{path}.{member}", errors)
    effects, here = hook.get("sideEffects"), f"{path}.sideEffects"
    if effects is None:
        errors.append(FieldError.required(here, f"must specify one of {', '.join(_SIDE_EFFECTS)}"))
    else:
        check_enum(effects, _SIDE_EFFECTS, here, errors)
    seconds = hook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= _TIMEOUT_SECONDS_MAX:
        told = f"the timeout value must be between 1 and {_TIMEOUT_SECONDS_MAX} seconds"
        errors.append(FieldError.invalid(f"{path}.timeoutSeconds", seconds, told))


def _check_versions(versions: Sequence[str], path: str, errors: Errors) -> None:
    """The versions of AdmissionReview that a webhook speaks."""
    spoken = ", ".join(_REVIEW_VERSIONS)
    if not versions:
        errors.append(FieldError.required(path, f"must specify one of {spoken}"))
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            errors.append(FieldError.invalid(f"{path}[{index}]", version, "duplicate version"))
        else:
            check_each(version, f"{path}[{index}]", is_dns1035_label, errors)
    if not any(each in _REVIEW_VERSIONS for each in versions):
        told = f"must include at least one of {spoken}"
        errors.append(FieldError.invalid(path, versions, told))


def _update_webhooks(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    _check_webhooks(obj, errors, old)


VALIDATORS = {
    "mutatingwebhookconfigurations": Validator(_check_webhooks, _update_webhooks),
    "validatingwebhookconfigurations": Validator(_check_webhooks, _update_webhooks),
}
