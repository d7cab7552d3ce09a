"""What a webhook is called, where it is answered, and what it is asked about: from what was declared to manifests.

Promises
    D1  paths are controller-runtime's: `/mutate-<group with dashes>-<version>-<kind>`, `/validate-…`, `/convert`
    D2  every webhook has a configuration of its own, called like it: two operators meet only where they guard the
        same kind
    D3  what cannot be registered is told when it is declared, with what would be right

Source: admissionregistration.k8s.io/v1; controller-runtime's pkg/builder/webhook.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client.objects import Model, kind_of
from kajitori.ctrl.webhooks.typed import (
    AdmissionHandler,
    Defaulter,
    Mutating,
    Validating,
    Validator,
    defaulting,
    operations_of,
    validating,
)

__all__ = [
    "CONVERT_PATH",
    "MUTATING",
    "TIMEOUT_SECONDS",
    "TIMEOUT_SECONDS_MAX",
    "VALIDATING",
    "Declared",
    "Handler",
    "WebhookOptions",
    "configuration",
    "conversion",
    "declare",
]

_GROUP = "admissionregistration.k8s.io"
VALIDATING = Kind(
    _GROUP, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", namespaced=False
)
MUTATING = Kind(
    _GROUP, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced=False
)

CONVERT_PATH = "/convert"
TIMEOUT_SECONDS = 10
"""How long an API server waits for an answer unless told otherwise; Kubernetes' default."""
TIMEOUT_SECONDS_MAX = 30

Handler = Validator[Any] | Defaulter[Any] | Validating | Mutating

_is_path = re.compile(r"(/[a-zA-Z0-9-_]+)+").fullmatch
_is_name = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?){2,}").fullmatch


class WebhookOptions(TypedDict, total=False):
    """How a webhook is registered; the words are Kubernetes', and so are the defaults that are not told here."""

    name: str
    """What it is called: a DNS name of three or more parts (`validate.v1.widgets.example.com`)."""
    path: str
    """Where it is answered (`/validate-example-com-v1-widget`)."""
    operations: Sequence[str]
    """CREATE, UPDATE, DELETE, CONNECT (those that the handler has methods for)."""
    rules: Sequence[JsonObject]
    """RuleWithOperations, instead of what the model and `operations` say."""
    failure_policy: Literal["Fail", "Ignore"]
    """What becomes of a request when the webhook cannot be asked (Fail)."""
    side_effects: Literal["None", "NoneOnDryRun"]
    """Whether being asked changes anything elsewhere (None)."""
    match_policy: Literal["Exact", "Equivalent"]
    timeout_seconds: int
    """1 to 30 (10)."""
    object_selector: JsonObject
    namespace_selector: JsonObject
    match_conditions: Sequence[JsonObject]
    """CEL expressions with names: `{"name": "not-the-node", "expression": "..."}`."""
    reinvocation_policy: Literal["Never", "IfNeeded"]
    """Whether a mutating webhook is asked again when another has changed the object after it (Never)."""


_CHOICES: dict[str, tuple[str, ...]] = {
    "failure_policy": ("Fail", "Ignore"),
    "side_effects": ("None", "NoneOnDryRun"),
    "match_policy": ("Exact", "Equivalent"),
    "reinvocation_policy": ("Never", "IfNeeded"),
}
_PLAIN = {
    "match_policy": "matchPolicy",
    "object_selector": "objectSelector",
    "namespace_selector": "namespaceSelector",
    "match_conditions": "matchConditions",
    "reinvocation_policy": "reinvocationPolicy",
}


@dataclass(frozen=True, slots=True)
class Declared:
    """One webhook: what answers, and what it is asked about."""

    kind: Kind
    """VALIDATING or MUTATING."""
    name: str
    path: str
    handle: AdmissionHandler
    rules: Sequence[JsonObject]
    options: WebhookOptions
    timeout_seconds: int = TIMEOUT_SECONDS

    @property
    def is_mutating(self) -> bool:
        return self.kind is MUTATING


def declare(model: Model, handler: Handler, options: WebhookOptions) -> list[Declared]:
    """The webhooks that answer with `handler` for objects of `model`: one, or two where it fills in and validates.

    Raises: TypeError, ValueError for what cannot be one.
    """
    kind = kind_of(model)
    _check(kind, options)
    found: list[tuple[Kind, AdmissionHandler, Sequence[str]]] = []
    if isinstance(handler, Defaulter):
        found.append((MUTATING, defaulting(model, handler), ("CREATE", "UPDATE")))
    if isinstance(handler, Validator):
        operations = operations_of(handler)
        if not operations and not isinstance(handler, Defaulter):
            what = type(handler).__name__
            raise ValueError(
                f"{what} validates nothing; write validate_create, validate_update or validate_delete"
            )
        if operations:
            found.append((VALIDATING, validating(model, handler), operations))
    if isinstance(handler, Mutating):
        found.append((MUTATING, handler.handle, handler.operations))
    if isinstance(handler, Validating):
        found.append((VALIDATING, handler.handle, handler.operations))
    if not found:
        raise TypeError(
            f"a webhook for {kind.kind} is a Validator, a Defaulter, or a function in Validating() or Mutating(); "
            f"not {type(handler).__name__}"
        )
    if len(found) > 1 and (given := options.keys() & {"name", "path", "operations", "rules"}):
        raise ValueError(
            f"{', '.join(sorted(given))}: for one webhook only; declare validator and defaulter apart"
        )
    return [_declared(kind, sort, handle, operations, options) for sort, handle, operations in found]


def _declared(
    kind: Kind, sort: Kind, handle: AdmissionHandler, operations: Sequence[str], options: WebhookOptions
) -> Declared:
    verb = "mutate" if sort is MUTATING else "validate"
    rule: JsonObject = {
        "apiGroups": [kind.group],
        "apiVersions": [kind.version],
        "operations": list(options.get("operations", operations)),
        "resources": [kind.plural],
        "scope": "Namespaced" if kind.namespaced else "Cluster",
    }
    return Declared(
        sort,
        options.get("name") or f"{verb}.{kind.version}.{kind.group_resource}",
        options.get("path") or f"/{verb}-{kind.group.replace('.', '-')}-{kind.version}-{kind.kind.lower()}",
        handle,
        list(options.get("rules", [rule])),
        options,
        options.get("timeout_seconds", TIMEOUT_SECONDS),
    )


def _check(kind: Kind, options: WebhookOptions) -> None:
    begin = f"webhook for {kind.kind}"
    unknown = sorted(options.keys() - WebhookOptions.__annotations__.keys())
    if unknown:
        known = ", ".join(WebhookOptions.__annotations__)
        raise TypeError(f"{begin}: unknown {', '.join(unknown)}; known are {known}")
    for option, allowed in _CHOICES.items():
        if (given := options.get(option, allowed[0])) not in allowed:
            raise ValueError(f"{begin}: {option} is {given!r}; use {' or '.join(allowed)}")
    if not 1 <= (seconds := options.get("timeout_seconds", TIMEOUT_SECONDS)) <= TIMEOUT_SECONDS_MAX:
        raise ValueError(f"{begin}: timeout_seconds is {seconds}; use 1 to {TIMEOUT_SECONDS_MAX}")
    if "path" in options and not _is_path(options["path"]):
        raise ValueError(f"{begin}: path is {options['path']!r}; write it as /letters-digits-and-dashes")
    if "name" in options and not _is_name(options["name"]):
        raise ValueError(
            f"{begin}: name is {options['name']!r}; use three names or more with dots between, in lower case"
        )


def configuration(
    declared: Declared, client_config: JsonObject, labels: dict[str, str], annotations: dict[str, str]
) -> JsonObject:
    """The Validating- or MutatingWebhookConfiguration of one webhook, as it is applied."""
    options = declared.options
    webhook: JsonObject = {
        "name": declared.name,
        "admissionReviewVersions": ["v1"],
        "clientConfig": client_config,
        "failurePolicy": options.get("failure_policy", "Fail"),
        "rules": list(declared.rules),
        "sideEffects": options.get("side_effects", "None"),
        "timeoutSeconds": declared.timeout_seconds,
    }
    given: JsonObject = dict(options)
    for option, member in _PLAIN.items():
        if option in given and (declared.is_mutating or option != "reinvocation_policy"):
            webhook[member] = given[option]
    return {
        "apiVersion": declared.kind.api_version,
        "kind": declared.kind.kind,
        "metadata": {"name": declared.name, "labels": labels, "annotations": annotations},
        "webhooks": [webhook],
    }


def conversion(
    kind: Kind, client_config: JsonObject, labels: dict[str, str], annotations: dict[str, str]
) -> JsonObject:
    """What is applied to the CustomResourceDefinition of a kind that is converted by a webhook."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.group_resource, "labels": labels, "annotations": annotations},
        "spec": {
            "conversion": {
                "strategy": "Webhook",
                "webhook": {"clientConfig": client_config, "conversionReviewVersions": ["v1"]},
            }
        },
    }
