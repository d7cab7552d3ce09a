"""Match conditions: whether a webhook or a policy is about a write at all.

Promises
    C1  one condition that is false is enough for no; an error counts only when none is false, and then by the
        failure policy
    C2  conditions see no namespace: in them `namespaceObject` is null, as it is in Kubernetes

Source: apiserver's pkg/admission/plugin/webhook/matchconditions/matcher.go.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.cel import AdmissionVariables, Environment
from kajitori.apimachinery.cel.admission import admission_environment
from kajitori.apimachinery.cel.expression import Expression, compile_expression
from kajitori.apimachinery.cel.kubernetes import MATCH_CONDITIONS_COST_BUDGET
from kajitori.apimachinery.cel.types import BOOL
from kajitori.apiserver.admission.policies.expressions import Account, ExpressionError, OutOfBudget

__all__ = [
    "ConditionError",
    "compile_conditions",
    "compile_webhook_conditions",
    "holds",
    "webhook_conditions_hold",
]


class ConditionError(Exception):
    """No condition is false, and some have no value."""


def compile_conditions(conditions: Iterable[Mapping[str, str]], environment: Environment) -> list[Expression]:
    """The expressions of `matchConditions`."""
    return [compile_expression(each["expression"], environment, (BOOL,)) for each in conditions]


Told = Callable[[int], None]


def holds(
    conditions: Sequence[Expression], account: Account, *, fails_open: bool, told: Told | None = None
) -> bool:
    """Whether all are true. `told` gets to know how many had no value. Raises: ConditionError."""
    if not conditions:
        return True
    with account.without_namespace():
        errors = _errors(conditions, account)
    if told is not None:
        told(len(errors or ()))
    if errors is None or (errors and fails_open):
        return False
    if not errors:
        return True
    said = list(dict.fromkeys(errors))
    raise ConditionError(said[0] if len(said) == 1 else f"[{', '.join(said)}]")


def _errors(conditions: Sequence[Expression], account: Account) -> list[str] | None:
    """What is said of those that have no value; None when one is false."""
    errors: list[str] = []
    try:
        for condition in conditions:
            try:
                if account.evaluate(condition) is not True:
                    return None
            except ExpressionError as error:
                errors.append(str(error))
    except OutOfBudget as error:
        return [str(error)]
    return errors


def compile_webhook_conditions(conditions: Iterable[Mapping[str, str]]) -> list[Expression]:
    """The match conditions of a webhook, which has no variables and no parameters."""
    environment = admission_environment(AdmissionVariables(authorizer=True), stored=True)
    return compile_conditions(conditions, environment)


def webhook_conditions_hold(
    conditions: Sequence[Expression], inputs: Mapping[str, Any], *, fails_open: bool, told: Told | None = None
) -> bool:
    """Whether a webhook is about a write. Raises: ConditionError."""
    account = Account(inputs, None, MATCH_CONDITIONS_COST_BUDGET)
    return holds(conditions, account, fails_open=fails_open, told=told)
