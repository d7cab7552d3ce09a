"""Expressions that run as they were parsed."""

from typing import Any

import pytest
from tests.apimachinery.cel.environments import everything

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.types import BOOL, STRING


def run(text: str, **variables: Any) -> Any:
    return everything().compile(text, checked=False).evaluate(variables)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 == 1.0", True),
        ("[1, 'a']", [1, "a"]),
        ("true ? 'cows' : 17", "cows"),
        ("'horses' || true", True),
        ("[1, 2, 3].filter(i, i > 1).map(i, i * 2)", [4, 6]),
        ("{'a': 1}.transformMap(k, v, k + string(v))", {"a": "a1"}),
        ("math.greatest(1, 2.5)", 2.5),
        ("optional.of(1).hasValue()", True),
        ("[optional].map(optional, optional.of(1).hasValue()) == [] || true", True),
        ("google.protobuf.Duration == type(duration('1s'))", True),
        ("x.y.z", 1),
    ],
)
def test_types_are_left_to_the_run(text: str, value: Any) -> None:  # U1
    assert everything().compile(text, checked=False).type.name == "dyn"
    assert run(text, x={"y": {"z": 1}}) == value


@pytest.mark.parametrize(
    "text", ["nothing", "nothing()", "1.nothing()", "x.nothing()", "1 + 'a'", "-true", "math.nothing(1)"]
)
def test_what_there_is_not_is_an_error_of_the_run(text: str) -> None:  # U2
    with pytest.raises(EvaluationError):
        run(text, x=1)
    assert run(f"true || {text} == 1", x=1) is True


def test_names_are_looked_up_in_the_container() -> None:
    inside = everything().extend(container="a.b", variables={"a.b.c": BOOL, "c": STRING})
    assert inside.compile("c", checked=False).evaluate({"a.b.c": True, "c": "outside"}) is True
    assert inside.compile("[1].map(c, c)", checked=False).evaluate({"a.b.c": True, "c": "outside"}) == [1]


def test_long_chains_run() -> None:
    assert run(" + ".join(["1"] * 200)) == 200
