"""ValidatingAdmissionPolicy: writes are judged by expressions.

Sits at the end of validating admission. Policies are compiled when they are first needed after a change of theirs.

Promises
    V1  a policy judges what it and one of its bindings match, once for each parameter, each time with a whole budget
    V2  what has no value counts by the failure policy; what is false is denied, warned of or audited, as the
        binding says
    V3  of several refusals the first is answered, with its reason and code
    V4  what all policies say of a write can be had without anything being done about it

Source: apiserver's pkg/admission/plugin/policy/validating (plugin.go, validator.go, dispatcher.go).
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.cel.expression import Expression, compile_expression
from kajitori.apimachinery.cel.kubernetes import (
    MATCH_CONDITIONS_COST_BUDGET,
    MESSAGE_BYTES_MAX,
    RUNTIME_COST_BUDGET,
)
from kajitori.apimachinery.cel.types import BOOL, NULL, STRING
from kajitori.apimachinery.errors import ApiError, error_from_status, qualified
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.admission.figures import AdmissionFigures
from kajitori.apiserver.admission.policies.bound import Binding, BoundPolicies, Misfit, Policy
from kajitori.apiserver.admission.policies.conditions import ConditionError, holds
from kajitori.apiserver.admission.policies.expressions import Account, ExpressionError, OutOfBudget
from kajitori.apiserver.admission.policies.inputs import Asking, inputs_of, namespace_seen
from kajitori.apiserver.admission.views import Views
from kajitori.apiserver.authorization import Authorizer, Undecided, settled
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Store

if TYPE_CHECKING:
    from kajitori.apiserver.admission.manifests import ManifestDirectory

__all__ = ["SATISFIED", "Judgement", "ValidatingPolicies", "ValidatingPolicy", "Verdict"]

ANNOTATION_BYTES_MAX = 10 * 1024
"""How long an audit annotation may be; the rest is cut off."""

_POLICIES = "validatingadmissionpolicies"
_BINDINGS = "validatingadmissionpolicybindings"
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


class ValidatingPolicy(Policy):
    """One policy, compiled."""

    def __init__(self, name: str, spec: Mapping[str, Any]) -> None:
        super().__init__(name, spec)
        telling = self.environment(authorizer=False)  # a message asks nobody
        self.validations = [
            _Validation(
                compile_expression(each["expression"], self.judging, (BOOL,)),
                each.get("message") or "",
                compile_expression(text, telling, (STRING,))
                if (text := each.get("messageExpression"))
                else None,
                each.get("reason") or "Invalid",
            )
            for each in spec.get("validations") or ()
        ]
        self.annotations = [
            (each["key"], compile_expression(each["valueExpression"], self.judging, (STRING, NULL)))
            for each in spec.get("auditAnnotations") or ()
        ]
        told = any(each.message_expression is not None for each in self.validations)
        self.is_plain = not (self.conditions or told or self.annotations)
        """Whether there is nothing to compute but what it demands."""

    def expressions(self) -> list[Expression]:
        told = [each.message_expression for each in self.validations if each.message_expression is not None]
        judging = [each.condition for each in self.validations]
        return [*super().expressions(), *judging, *told, *(each for _, each in self.annotations)]


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
class Judgement:
    """What one run of a policy came to."""

    failures: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])
    """Position, message and reason of what was denied."""
    annotations: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    broken: list[str] = field(default_factory=list[str])
    """Annotations that have no value, where that is a refusal."""
    passed_over: list[str] = field(default_factory=list[str])
    """What could not be told, where that does not count."""
    misfit: str = ""
    """Why the configuration cannot be used, where that is a refusal."""
    seconds: float = 0.0


SATISFIED = Judgement()
"""Nothing to say."""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """One policy, run with one binding and one parameter; or why it cannot be run."""

    policy: ValidatingPolicy
    binding: Binding | None
    """None where the policy itself is at fault."""
    param: JsonObject | None
    judgement: Judgement
    misfit: str
    """Why it cannot be run, whatever that means for the write."""
    account: Account | None
    """What it was run on."""


class ValidatingPolicies:
    """Asks all policies that have a binding."""

    def __init__(
        self,
        store: Store,
        registry: Callable[[], Registry],
        authorizer: Authorizer,
        figures: AdmissionFigures,
        manifests: "ManifestDirectory | None" = None,
    ) -> None:
        self._store = store
        self._figures = figures
        self._registry = registry
        self._authorizer = authorizer
        self._bound = BoundPolicies(store, _POLICIES, _BINDINGS, ValidatingPolicy, manifests)

    def validate(self, attributes: Attributes) -> Awaitable[None] | None:
        if not self._bound.may_match(attributes, self._registry()):
            return None
        return self._validate(attributes)

    async def _validate(self, attributes: Attributes) -> None:
        refusals: list[_Refusal] = []
        told: dict[tuple[str, str], list[str]] = {}
        for verdict in await self.verdicts(attributes):
            judged = verdict.judgement
            if judged is SATISFIED:
                continue
            if verdict.binding is not None:
                self._count(verdict.policy, verdict.binding, judged)
            refusals += _acted(verdict.policy, verdict.binding, judged, attributes)
            for key, value in judged.annotations:
                values = told.setdefault((verdict.policy.name, key), [])
                if value not in values:
                    values.append(value)
        if attributes.call is not None:
            for (name, key), values in told.items():
                attributes.call.annotate(f"{name}/{key}", ", ".join(values))
        if refusals:
            raise refusals[0].error(attributes)

    async def verdicts(self, attributes: Attributes, accounts: type[Account] = Account) -> list["Verdict"]:
        """What all policies say that a write is about, without doing anything about it.

        They are run on `accounts`, which may write down more than others do.
        """
        verdicts: list[Verdict] = []
        views = Views(attributes)
        asking = Asking(self._authorizer, attributes.user)
        seen: dict[Resource, Mapping[str, Any]] = {}
        for each in await self._bound.matching(attributes, self._registry()):
            policy = each.policy
            if isinstance(each, Misfit):
                judged = Judgement(misfit="" if policy.fails_open else each.message)
                verdicts.append(Verdict(policy, each.binding, None, judged, each.message, None))
                continue
            inputs = seen.get(each.resource)
            if inputs is None:  # the same for all bindings
                namespace = namespace_seen(self._store, attributes)
                inputs = await inputs_of(attributes, each.resource, views, asking, namespace)
                seen[each.resource] = inputs

            def judge(
                policy: ValidatingPolicy = policy,
                inputs: Mapping[str, Any] = inputs,
                param: JsonObject | None = each.param,
            ) -> tuple[Judgement, Account]:
                account = accounts(inputs, policy.variables, RUNTIME_COST_BUDGET, param)
                return _judged(policy, account, self._figures, attributes.operation), account

            try:
                judged, account = judge()
            except Undecided as pending:
                judged, account = await settled(judge, pending)
            verdicts.append(Verdict(policy, each.binding, each.param, judged, "", account))
        return verdicts

    def bound(self, resource: Resource) -> "Sequence[tuple[ValidatingPolicy, Sequence[Binding]]]":
        """The policies that may be asked about writes of a resource, with their bindings."""
        return self._bound.asked(resource)

    def _count(self, policy: ValidatingPolicy, binding: Binding, judged: Judgement) -> None:
        """Counts what a policy did, where it did something."""
        actions: Sequence[str] = binding.spec.get("validationActions") or ()
        counted = [(text, action.lower()) for _, text, _ in judged.failures for action in actions]
        counted += [(text, "allow") for text in judged.passed_over]
        counted += [(text, "deny") for text in judged.broken]
        for text, action in counted:
            self._figures.judged(policy.name, binding.name, seconds=judged.seconds, action=action, error=text)


def _judged(
    policy: ValidatingPolicy, account: Account, figures: AdmissionFigures, operation: str
) -> Judgement:
    """Runs a policy once."""
    if policy.is_plain and _all_true(policy, account):  # as nearly always
        return SATISFIED
    began = figures.monotonic()
    account.again(MATCH_CONDITIONS_COST_BUDGET)

    def told(errors: int) -> None:
        seconds = figures.monotonic() - began
        figures.conditions(policy.name, "policy", "validate", operation, seconds=seconds, errors=errors)

    try:
        if not holds(policy.conditions, account, fails_open=policy.fails_open, told=told):
            return SATISFIED
    except ConditionError as error:
        return Judgement(failures=[(0, str(error), "")])
    judgement = _by_validations(policy, account)
    judgement.seconds = figures.monotonic() - began
    return judgement


def _by_validations(policy: ValidatingPolicy, account: Account) -> Judgement:
    judgement = Judgement()

    def failed(position: int, text: str) -> None:
        if policy.fails_open:
            judgement.passed_over.append(text)
        else:
            judgement.failures.append((position, text, ""))

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


def _all_true(policy: ValidatingPolicy, account: Account) -> bool:
    try:
        return all(account.evaluate(each.condition) is True for each in policy.validations)
    except (ExpressionError, OutOfBudget):
        return False


def _messages(policy: ValidatingPolicy, account: Account) -> "list[str] | OutOfBudget":
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


def _annotate(policy: ValidatingPolicy, account: Account, judgement: Judgement) -> None:
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
    policy: ValidatingPolicy, binding: Binding | None, judgement: Judgement, attributes: Attributes
) -> Iterator[_Refusal]:
    """Does with a judgement what the binding wants; gives what is refused."""
    if judgement.misfit:
        yield _Refusal(policy.name, None if binding is None else binding.name, judgement.misfit)
    if binding is None:
        return
    call = attributes.call
    actions: Sequence[str] = binding.spec.get("validationActions") or ()
    for position, message, reason in judgement.failures:
        for action in actions:
            if action == "Deny":
                yield _Refusal(policy.name, binding.name, message, reason)
            elif call is not None and action == "Audit":
                failure = {
                    "message": message,
                    "policy": policy.name,
                    "binding": binding.name,
                    "expressionIndex": position,
                    "validationActions": actions,
                }
                call.annotate(_FAILURE_KEY, _encode([failure]).decode())
            elif call is not None and action == "Warn":
                told = f"Validation failed for ValidatingAdmissionPolicy '{policy.name}'"
                call.warn(f"{told} with binding '{binding.name}': {message}")
    for message in judgement.broken:
        yield _Refusal(policy.name, binding.name, message)
