"""Plans: what is folded before the run, and what is told then."""

import pytest

from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import ProgramError
from kajitori.apimachinery.cel.libraries.kubernetes import kubernetes_libraries
from kajitori.apimachinery.cel.plan import (
    Attribute,
    Const,
    Fold,
    Invocation,
    Key,
    Membership,
    OptionalOr,
    Step,
)
from kajitori.apimachinery.cel.planner import plan
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.types import DYN, INT, STRING, object_type

ENVIRONMENT = Environment([STANDARD, *kubernetes_libraries(36)]).extend(
    variables={"d": DYN, "n": INT, "o": object_type("O", {"a__dash__b": INT}), "s": STRING}
)


def planned(text: str) -> Step:
    return plan(ENVIRONMENT.check(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, [2], {'a': 3}]", [1, [2], {"a": 3}]),
        ("{1: 'a'}.size() == 1 ? [] : []", None),
        ("int('12')", 12),
        ("string(int('12'))", "12"),
        ("dyn([1])", [1]),
        ("n in []", False),
        ("[optional.of(1)]", None),
    ],
)
def test_constants_are_folded(text: str, value: object) -> None:  # F1
    step = planned(text)
    if value is None:
        assert not isinstance(step, Const)
    else:
        assert isinstance(step, Const) and step.value == value


def test_membership_in_constants_is_a_look_up() -> None:  # F1
    assert isinstance(planned("n in [1, 2]"), Membership)
    assert isinstance(planned("n in [1, n]"), Invocation)
    assert isinstance(planned("d in [null, 1]"), Invocation)


def test_selections_are_gathered_into_what_they_start_from() -> None:  # F1
    step = planned("d.a[0].b[n].?c")
    assert isinstance(step, Attribute)
    assert [getattr(one, "value", None) for one in step.qualifiers] == ["a", 0, "b", None, "c"]
    assert [one.optional for one in step.qualifiers] == [False] * 4 + [True]
    assert step.identity == step.qualifiers[-1].id


def test_properties_are_looked_for_by_their_own_names() -> None:
    step = planned("has(o.a__dash__b)")
    assert isinstance(step, Attribute) and step.test_only
    (key,) = step.qualifiers
    assert isinstance(key, Key) and (key.value, key.written, key.declared) == ("a-b", "a__dash__b", True)


def test_alternatives_of_optionals_are_steps_of_their_own() -> None:  # F1
    assert isinstance(planned("d.?a.orValue(1)"), OptionalOr)
    assert isinstance(planned("d.?a.or(d.?b)"), OptionalOr)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("int('x') + 1", "type conversion error from 'string' to 'int'"),
        ("duration('1 day')", "type conversion error from 'string' to 'google.protobuf.Duration'"),
        ("s.matches('a(')", "error parsing regexp: missing closing ): `a(`"),
        ("s.find('[')", "error parsing regexp: missing closing ]: `[`"),
        ("d[dyn(null)]", "invalid qualifier type: types.Null"),
    ],
)
def test_a_constant_without_value_is_told_before_the_run(text: str, message: str) -> None:  # F2
    with pytest.raises(ProgramError) as error:
        planned(text)
    assert str(error.value) == message


def test_long_chains_need_no_recursion() -> None:  # F3
    step = planned(" + ".join(["n"] * 240))
    depth = 0
    while isinstance(step, Invocation):
        step = step.arguments[0]
        depth += 1
    assert depth == 239
    assert isinstance(planned("d" + ".a" * 240), Attribute)


def test_comprehensions_keep_their_parts() -> None:
    step = planned("[n].map(i, i + 1)")
    assert isinstance(step, Fold) and (step.first, step.second) == ("i", None)
