"""E1 and E2 of `expressions`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apis.policies_v1 import ExpressionProblem, check_expression, evaluate_expression

MEMBERS = ("a", "b", "c")


@pytest.mark.parametrize("text", ["a()", "a() && (b() || !c())", "a() == b()", "a() != true", "true"])
def test_expressions_of_groups(text: str) -> None:
    check_expression(text, MEMBERS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a(", "Syntax error"),
        ("d()", "undeclared reference to 'd'"),
        ("a", "undeclared reference to 'a'"),
        ("a() > b()", "undeclared reference to '_>_'"),
        ("a() ? b() : c()", "undeclared reference"),
        ("1", "must evaluate to bool but got int"),
        ("[a()] == [b()]", "only calls"),
        ("[1].all(i, a())", "undeclared reference"),
    ],
)
def test_what_is_none(text: str, told: str) -> None:
    with pytest.raises(ExpressionProblem, match=told.replace("(", r"\(").replace(")", r"\)")):
        check_expression(text, MEMBERS)


def test_policies_whose_answers_cannot_matter_are_not_asked() -> None:
    asked: list[str] = []

    def ask(name: str) -> bool:
        asked.append(name)
        return name != "c"

    assert evaluate_expression("(a() || c()) && (b() || c()) && a()", MEMBERS, ask) is True
    assert asked == ["a", "b"]


texts = st.recursive(
    st.sampled_from([f"{name}()" for name in MEMBERS] + ["true", "false"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["&&", "||", "==", "!="]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        )
        | inner.map(lambda text: f"!({text})")
    ),
    max_leaves=8,
)


@given(texts, st.fixed_dictionaries({name: st.booleans() for name in MEMBERS}))
def test_the_value_is_the_one_of_logic(text: str, answers: dict[str, bool]) -> None:
    functions = {name: (lambda value=value: value) for name, value in answers.items()}
    asked: list[str] = []

    def ask(name: str) -> bool:
        asked.append(name)
        return answers[name]

    expected = eval(_python(text), functions)
    assert evaluate_expression(text, MEMBERS, ask) is expected
    assert len(asked) == len(set(asked))


def _python(text: str) -> str:
    """The expression in Python, whose `not` is a function here: it would bind looser than `==`."""
    text = text.replace("!=", "<>").replace("!", "(lambda value: not value)").replace("<>", "!=")
    return text.replace("&&", "and").replace("||", "or").replace("true", "True").replace("false", "False")
