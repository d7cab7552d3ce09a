"""Defaults of admission policies and webhooks.

Source: pkg/apis/admissionregistration/v1/defaults.go.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULTS"]

_PACKAGE = "io.k8s.api.admissionregistration.v1."
_TIMEOUT_SECONDS = 10
_HTTPS = 443


def _fails(obj: JsonObject) -> None:
    obj.setdefault("failurePolicy", "Fail")


def _matches(obj: JsonObject) -> None:
    obj.setdefault("matchPolicy", "Equivalent")
    obj.setdefault("namespaceSelector", {})
    obj.setdefault("objectSelector", {})


def _webhook(obj: JsonObject) -> None:
    _fails(obj)
    _matches(obj)
    obj.setdefault("timeoutSeconds", _TIMEOUT_SECONDS)


def _mutating_webhook(obj: JsonObject) -> None:
    _webhook(obj)
    obj.setdefault("reinvocationPolicy", "Never")


def _rule(obj: JsonObject) -> None:
    obj.setdefault("scope", "*")


def _service(obj: JsonObject) -> None:
    obj.setdefault("port", _HTTPS)


DEFAULTS = {
    f"{_PACKAGE}{name}": rule
    for name, rule in {
        "MatchResources": _matches,
        "MutatingAdmissionPolicySpec": _fails,
        "MutatingWebhook": _mutating_webhook,
        "NamedRuleWithOperations": _rule,
        "RuleWithOperations": _rule,
        "ServiceReference": _service,
        "ValidatingAdmissionPolicySpec": _fails,
        "ValidatingWebhook": _webhook,
    }.items()
}
