"""Match conditions: whether a webhook or a policy is about a write at all.

Promises
    C1  one condition that is false is enough for no; an error counts only when none is false, and then by the
        failure policy

Source: apiserver's pkg/admission/plugin/webhook/matchconditions/matcher.go.
"""

from collections.abc import Iterable, Mapping, Sequence
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


def holds(conditions: Sequence[Expression], account: Account, *, fails_open: bool) -> bool:
    """Whether all are true. Raises: ConditionError."""
    errors: list[str] = []
    try:
        for condition in conditions:
            try:
                if account.evaluate(condition) is not True:
                    return False
            except ExpressionError as error:
                errors.append(str(error))
    except OutOfBudget as error:
        errors = [str(error)]
    if not errors:
        return True
    if fails_open:
        return False
    told = list(dict.fromkeys(errors))
    raise ConditionError(told[0] if len(told) == 1 else f"[{', '.join(told)}]")


def compile_webhook_conditions(conditions: Iterable[Mapping[str, str]]) -> list[Expression]:
    """The match conditions of a webhook, which has no variables and no parameters."""
    environment = admission_environment(AdmissionVariables(authorizer=True), stored=True)
    return compile_conditions(conditions, environment)


def webhook_conditions_hold(
    conditions: Sequence[Expression], inputs: Mapping[str, Any], *, fails_open: bool
) -> bool:
    """Whether a webhook is about a write. Raises: ConditionError."""
    return holds(conditions, Account(inputs, None, MATCH_CONDITIONS_COST_BUDGET), fails_open=fails_open)
