"""ValidatingAdmissionPolicy: writes are judged by expressions.

Sits at the end of validating admission. Policies are compiled when they are first needed after a change of theirs.

Promises
    V1  a policy judges what it and one of its bindings match, once for each parameter, each time with a whole budget
    V2  what has no value counts by the failure policy; what is false is denied, warned of or audited, as the
        binding says
    V3  of several refusals the first is answered, with its reason and code

Source: apiserver's pkg/admission/plugin/policy/validating (plugin.go, validator.go, dispatcher.go).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kajitori.apimachinery.cel import AdmissionVariables
from kajitori.apimachinery.cel.admission import admission_environment, with_variables
from kajitori.apimachinery.cel.expression import Expression, compile_expression
from kajitori.apimachinery.cel.kubernetes import (
    MATCH_CONDITIONS_COST_BUDGET,
    MESSAGE_BYTES_MAX,
    RUNTIME_COST_BUDGET,
)
from kajitori.apimachinery.cel.types import BOOL, NULL, STRING, Type
from kajitori.apimachinery.errors import ApiError, error_from_status, qualified
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.admission.matching import Matching, is_of_namespaces
from kajitori.apiserver.admission.policies.conditions import ConditionError, compile_conditions, holds
from kajitori.apiserver.admission.policies.expressions import Account, ExpressionError, OutOfBudget
from kajitori.apiserver.admission.policies.inputs import Asking, inputs_of, namespace_seen
from kajitori.apiserver.admission.policies.params import ConfigurationError, params_of, resource_of
from kajitori.apiserver.admission.views import Views
from kajitori.apiserver.authorization.rbac import Authorizer
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.registry.registry import Registry
from kajitori.storage import Store

__all__ = ["ValidatingPolicies"]

ANNOTATION_BYTES_MAX = 10 * 1024
"""How long an audit annotation may be; the rest is cut off."""

_POLICIES = "admissionregistration.k8s.io/validatingadmissionpolicies"
_BINDINGS = "admissionregistration.k8s.io/validatingadmissionpolicybindings"
_FAILURE_KEY = "validation.policy.admission.k8s.io/validation_failure"
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413}
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class _Validation:
    condition: Expression
    message: str
    message_expression: Expression | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Binding:
    name: str
    spec: JsonObject
    matching: Matching | None
    actions: Sequence[str]


class _Policy:
    """One policy, compiled."""

    def __init__(self, name: str, spec: Mapping[str, Any]) -> None:
        self.name = name
        self.param_kind: Mapping[str, str] | None = spec.get("paramKind")
        self.fails_open = spec.get("failurePolicy") == "Ignore"
        self.matching = matching_of(spec.get("matchConstraints") or {})
        params = self.param_kind is not None
        judging = admission_environment(AdmissionVariables(params=params, authorizer=True), stored=True)
        telling = admission_environment(AdmissionVariables(params=params), stored=True)  # it asks nobody
        self.variables: dict[str, Expression] = {}
        types: dict[str, Type] = {}
        for variable in spec.get("variables") or ():
            expression = compile_expression(variable["expression"], with_variables(judging, types), None)
            self.variables[variable["name"]] = expression
            types[variable["name"]] = expression.type
        judging, telling = with_variables(judging, types), with_variables(telling, types)
        self.conditions = compile_conditions(spec.get("matchConditions") or (), judging)
        self.validations = [
            _Validation(
                compile_expression(each["expression"], judging, (BOOL,)),
                each.get("message") or "",
                compile_expression(text, telling, (STRING,))
                if (text := each.get("messageExpression"))
                else None,
                each.get("reason") or "Invalid",
            )
            for each in spec.get("validations") or ()
        ]
        self.annotations = [
            (each["key"], compile_expression(each["valueExpression"], judging, (STRING, NULL)))
            for each in spec.get("auditAnnotations") or ()
        ]


def matching_of(resources: Mapping[str, Any]) -> Matching:
    """What `matchConstraints` or `matchResources` select."""
    return Matching(
        resources.get("resourceRules") or (),
        excluded=resources.get("excludeResourceRules") or (),
        namespaces=resources.get("namespaceSelector"),
        objects=resources.get("objectSelector"),
        policy=resources.get("matchPolicy"),
        everything=not resources.get("resourceRules"),
    )


@dataclass(slots=True)
class _Refusal:
    policy: str
    binding: str | None
    message: str
    reason: str = ""

    def error(self, attributes: Attributes) -> ApiError:
        with_binding = "" if self.binding is None else f" with binding '{self.binding}'"
        told = f"ValidatingAdmissionPolicy '{self.policy}'{with_binding} denied request: {self.message}"
        kind = attributes.resource.kind
        metadata = (attributes.obj or {}).get("metadata") or {}
        name = attributes.name or metadata.get("generateName") or "Unknown"
        reason = self.reason or "Invalid"
        details = {"name": name, "group": kind.group, "kind": kind.plural}
        return error_from_status(
            {
                "message": f'{qualified(kind.plural, kind.group)} "{name}" is forbidden: {told}',
                "reason": reason,
                "code": _CODES.get(reason, 422),
                "details": {key: text for key, text in details.items() if text}
                | {"causes": [{"message": told}]},
            }
        )


@dataclass(slots=True)
class _Judgement:
    """What one run of a policy came to."""

    failures: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])
    """Position, message and reason of what was denied."""
    annotations: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    broken: list[str] = field(default_factory=list[str])
    """Annotations that have no value, where that is a refusal."""


class ValidatingPolicies:
    """Asks all policies that have a binding."""

    def __init__(self, store: Store, registry: Callable[[], Registry], authorizer: Authorizer) -> None:
        self._store = store
        self._registry = registry
        self._authorizer = authorizer
        self._compiled: dict[str, tuple[bytes, _Policy]] = {}
        self._active: list[tuple[_Policy, list[_Binding]]] | None = None
        for bucket in (_POLICIES, _BINDINGS):
            store.subscribe(bucket, lambda event: self._forget())

    def _forget(self) -> None:
        self._active = None

    def validate(self, attributes: Attributes) -> Awaitable[None] | None:
        active = self._active if self._active is not None else self._load()
        registry = self._registry()
        if not any(policy.matching.may_match(attributes, registry) for policy, _ in active):
            return None
        return self._validate(active, attributes)

    def _load(self) -> list[tuple[_Policy, list[_Binding]]]:
        """Every policy that has a binding, with its bindings, by name."""
        bindings: dict[str, list[_Binding]] = {}
        for item in self._store.range(_BINDINGS):
            found = _decode(item.value)
            spec = found["spec"]
            resources = spec.get("matchResources")
            bindings.setdefault(spec["policyName"], []).append(
                _Binding(
                    found["metadata"]["name"],
                    spec,
                    None if resources is None else matching_of(resources),
                    spec.get("validationActions") or (),
                )
            )
        compiled: dict[str, tuple[bytes, _Policy]] = {}
        for item in self._store.range(_POLICIES):
            known = self._compiled.get(item.name)
            if item.name in bindings:
                if known is None or known[0] != item.value:
                    known = (item.value, _Policy(item.name, _decode(item.value)["spec"]))
                compiled[item.name] = known
        self._compiled = compiled
        self._active = [(policy, bindings[name]) for name, (_, policy) in compiled.items()]
        return self._active

    async def _validate(
        self, active: Sequence[tuple[_Policy, list[_Binding]]], attributes: Attributes
    ) -> None:
        refusals: list[_Refusal] = []
        views = Views(attributes)
        asking = Asking(self._authorizer, attributes.user)
        for policy, bindings in active:
            refusals += [each async for each in self._by_policy(policy, bindings, attributes, views, asking)]
        if refusals:
            raise refusals[0].error(attributes)

    async def _by_policy(
        self,
        policy: _Policy,
        bindings: Sequence[_Binding],
        attributes: Attributes,
        views: Views,
        asking: Asking,
    ) -> AsyncIterator[_Refusal]:
        registry = self._registry()
        try:
            resource = policy.matching.matched(attributes, registry)
            if resource is None:
                return
            params_in = resource_of(policy.param_kind, registry)
        except (ApiError, ConfigurationError) as error:
            if not policy.fails_open:
                yield _Refusal(policy.name, None, f"failed to configure policy: {error}")
            return
        told: dict[str, list[str]] = {}
        inputs: dict[str, Any] = {}
        for binding in bindings:
            try:
                if binding.matching is not None and binding.matching.matched(attributes, registry) is None:
                    continue
                namespace = attributes.name if is_of_namespaces(attributes.resource) else attributes.namespace
                params = await params_of(params_in, binding.spec.get("paramRef"), namespace, registry)
            except (ApiError, ConfigurationError) as error:
                if not policy.fails_open:
                    yield _Refusal(policy.name, binding.name, f"failed to configure binding: {error}")
                continue
            if not params:
                continue
            if not inputs:  # the same for all bindings
                seen = namespace_seen(self._store, attributes)
                inputs = await inputs_of(attributes, resource, views, asking, seen)
            for param in params:
                judged = _judged(policy, inputs | {"params": param})
                for refusal in _acted(policy, binding, judged, attributes):
                    yield refusal
                for key, value in judged.annotations:
                    values = told.setdefault(key, [])
                    if value not in values:
                        values.append(value)
        if attributes.call is not None:
            for key, values in told.items():
                attributes.call.annotate(f"{policy.name}/{key}", ", ".join(values))


def _judged(policy: _Policy, inputs: Mapping[str, Any]) -> _Judgement:
    """Runs a policy once."""
    judgement = _Judgement()

    def failed(position: int, text: str) -> None:
        if not policy.fails_open:
            judgement.failures.append((position, text, ""))

    account = Account(inputs, policy.variables, MATCH_CONDITIONS_COST_BUDGET)
    try:
        if not holds(policy.conditions, account, fails_open=policy.fails_open):
            return judgement
    except ConditionError as error:
        failed(0, str(error))
        return judgement
    account.again(RUNTIME_COST_BUDGET)
    outcomes: list[Any] = []
    try:
        for validation in policy.validations:
            try:
                outcomes.append(account.evaluate(validation.condition))
            except ExpressionError as error:
                outcomes.append(error)
        messages = _messages(policy, account)
    except OutOfBudget as error:
        failed(0, str(error))
        return judgement
    for position, (validation, outcome) in enumerate(zip(policy.validations, outcomes, strict=True)):
        if isinstance(outcome, ExpressionError):
            failed(position, str(outcome))
        elif isinstance(messages, OutOfBudget):
            failed(position, f"failed messageExpression: {messages}")
        elif outcome is not True:
            text = messages[position] or validation.message.strip()
            text = text or f"failed expression: {validation.condition.text.strip()}"
            judgement.failures.append((position, text, validation.reason))
    account.again(RUNTIME_COST_BUDGET)
    try:
        _annotate(policy, account, judgement)
    except OutOfBudget as error:
        judgement.failures.clear()
        failed(0, str(error))
    return judgement


def _messages(policy: _Policy, account: Account) -> "list[str] | OutOfBudget":
    """What the message expressions say, from what is left of the budget; empty where they say nothing usable."""
    if not any(each.message_expression for each in policy.validations):
        return [""] * len(policy.validations)
    account.again(account.budget)
    found: list[str] = []
    for validation in policy.validations:
        text = ""
        if validation.message_expression is not None:
            try:
                value = account.evaluate(validation.message_expression)
            except ExpressionError:
                value = None
            except OutOfBudget as error:
                return error
            if isinstance(value, str):
                text = value.strip()
                if len(text.encode()) > MESSAGE_BYTES_MAX or "\n" in text:
                    text = ""
        found.append(text)
    return found


def _annotate(policy: _Policy, account: Account, judgement: _Judgement) -> None:
    for key, expression in policy.annotations:
        try:
            value = account.evaluate(expression)
        except ExpressionError as error:
            if not policy.fails_open:
                judgement.broken.append(str(error))
            continue
        if isinstance(value, str) and value.strip():
            cut = value.strip().encode()[:ANNOTATION_BYTES_MAX].decode(errors="ignore")
            judgement.annotations.append((key, cut))


def _acted(
    policy: _Policy, binding: _Binding, judgement: _Judgement, attributes: Attributes
) -> Iterator[_Refusal]:
    """Does with a judgement what the binding wants; gives what is refused."""
    call = attributes.call
    for position, message, reason in judgement.failures:
        for action in binding.actions:
            if action == "Deny":
                yield _Refusal(policy.name, binding.name, message, reason)
            elif call is not None and action == "Audit":
                failure = {
                    "message": message,
                    "policy": policy.name,
                    "binding": binding.name,
                    "expressionIndex": position,
                    "validationActions": list(binding.actions),
                }
                call.annotate(_FAILURE_KEY, _encode([failure]).decode())
            elif call is not None and action == "Warn":
                told = f"Validation failed for ValidatingAdmissionPolicy '{policy.name}'"
                call.warn(f"{told} with binding '{binding.name}': {message}")
    for message in judgement.broken:
        yield _Refusal(policy.name, binding.name, message)
