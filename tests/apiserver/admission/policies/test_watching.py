"""Accounts that write down what expressions came to."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.cel import AdmissionVariables
from kajitori.apimachinery.cel.admission import admission_environment, with_variables
from kajitori.apimachinery.cel.expression import Expression, compile_expression
from kajitori.apiserver.admission.policies.expressions import Account, ExpressionError, OutOfBudget
from kajitori.apiserver.admission.policies.watching import NotingAccount, WatchedAccount

PLAIN = admission_environment(AdmissionVariables(), stored=True)
SUM = compile_expression("object.a + object.b", PLAIN, None)
SEEING = with_variables(PLAIN, {"sum": SUM.type})
EXPRESSIONS = [
    compile_expression(text, SEEING, None)
    for text in (
        "object.a < 3",
        "variables.sum < 4 && object.b > 1",
        "has(object.c) || object.a == object.b",
        "object.c == 1",
        "[object.a, object.b].exists(x, x == variables.sum)",
    )
]


def outcome(account: Account, expression: Expression) -> tuple[Any, str, int]:
    try:
        return account.evaluate(expression), "", account.budget
    except (ExpressionError, OutOfBudget) as error:
        return None, str(error), account.budget


numbers = st.integers(0, 4)


@given(
    st.fixed_dictionaries({"a": numbers, "b": numbers}, optional={"c": numbers}),
    st.lists(st.sampled_from(EXPRESSIONS), max_size=6),
    st.integers(0, 80),
)
def test_watching_changes_nothing(obj: Mapping[str, int], ran: list[Expression], budget: int) -> None:  # W1
    inputs = {"object": obj, "oldObject": None, "request": {}, "namespaceObject": None}
    several = [kind(inputs, {"sum": SUM}, budget) for kind in (Account, NotingAccount, WatchedAccount)]
    for expression in ran:
        plain, noted, watched = (outcome(each, expression) for each in several)
        assert plain == noted == watched


def test_what_is_kept() -> None:  # W2
    inputs = {"object": {"a": 1, "b": 2}}
    watched = WatchedAccount(inputs, {"sum": SUM}, 1000)
    assert watched.ran(EXPRESSIONS[1]) is None
    assert watched.evaluate(EXPRESSIONS[1]) is True
    ran, of_variable = watched.ran(EXPRESSIONS[1]), watched.ran(SUM)
    assert ran is not None and of_variable is not None
    assert (ran.value, of_variable.value, ran.charged) == (True, 3, ran.cost + of_variable.cost)
    assert [each.text for each in ran.explained.parts] == ["variables.sum < 4", "object.b > 1"]
    with pytest.raises(ExpressionError):
        watched.evaluate(EXPRESSIONS[3])
    failed = watched.ran(EXPRESSIONS[3])
    assert failed is not None and failed.error == "no such key: c"


def test_what_is_noted() -> None:
    noted = NotingAccount({"object": {"a": 1, "b": 2}}, {"sum": SUM}, 1000)
    noted.evaluate(EXPRESSIONS[0])
    for _ in range(2):
        with pytest.raises(ExpressionError):
            noted.evaluate(EXPRESSIONS[3])
    assert noted.errors == ["expression 'object.c == 1' resulted in error: no such key: c"]
    assert noted.spent == 1000 - noted.budget
    noted.again(500)
    noted.evaluate(EXPRESSIONS[0])
    assert noted.spent > 500 - noted.budget
