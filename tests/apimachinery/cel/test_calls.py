"""Calls at run time: the overload that the values choose, and what is said when none does."""

from typing import Any

import pytest

from kajitori.apimachinery.cel.calls import invoke, takes
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Overload, function
from kajitori.apimachinery.cel.types import DYN, INT, STRING, list_of, map_of, optional_of, type_parameter
from kajitori.apimachinery.cel.values import MapValue, Optional, UInt


def overload(*parameters: Any, call: Any = lambda *arguments: arguments, id: str = "one") -> Overload:
    return Overload(id, parameters, DYN, call)


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [
        (INT, 1, True),
        (INT, UInt(1), False),
        (INT, True, False),
        (DYN, object, True),
        (type_parameter("A"), None, True),
        (list_of(INT), [], True),
        (list_of(INT), [1, "a"], True),
        (list_of(INT), ["a", 1], False),
        (map_of(STRING, INT), {"a": 1}, True),
        (map_of(STRING, INT), MapValue([(1, 1)]), False),
        (optional_of(INT), Optional("a"), True),
    ],
)
def test_types_are_compared_as_far_as_values_know_them(parameter: Any, value: Any, fits: bool) -> None:  # R1
    assert takes(overload(parameter), [value]) is fits


def test_the_first_overload_that_takes_the_values_is_called() -> None:  # R1
    several = [
        overload(INT, call=lambda one: ("int", one), id="int"),
        overload(STRING, call=lambda one: ("string", one), id="string"),
    ]
    assert invoke("f", several, ["a"]) == ("string", "a")
    with pytest.raises(EvaluationError) as error:
        invoke("f", several, [[]])
    assert str(error.value) == "no such overload: f(list)"


def test_what_guards_itself_takes_anything() -> None:
    (free,) = function("f", overload(INT), guarded=False).overloads
    assert invoke("f", [free], ["a"]) == ("a",)
    with pytest.raises(EvaluationError, match=r"no such overload: f\(string\)"):
        invoke("f", [overload(INT)], ["a"])


@pytest.mark.parametrize("wrong", [TypeError, KeyError, AttributeError, OverflowError, ValueError])
def test_whatever_goes_wrong_is_an_error_of_cel(wrong: type[Exception]) -> None:  # R2
    def fail(*_: Any) -> Any:
        raise wrong("inside")

    with pytest.raises(EvaluationError, match="no such overload"):
        invoke("f", [overload(INT, call=fail)], [1])
