"""Unification: what fits, what is bound, and how types are written in messages."""

import pytest

from kajitori.apimachinery.cel.inference import Inference, format_signature, format_type, has_variables
from kajitori.apimachinery.cel.types import (
    ANY,
    BOOL,
    DURATION,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    Type,
    list_of,
    map_of,
    object_type,
    opaque,
    optional_of,
    type_of,
    type_parameter,
    wrapper_of,
)

A = type_parameter("A")
POD = object_type("Pod", {"name": STRING})


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        (INT, INT, True),
        (INT, STRING, False),
        (INT, DYN, True),
        (ANY, INT, True),
        (ERROR, INT, True),
        (list_of(INT), list_of(DYN), True),
        (list_of(INT), list_of(STRING), False),
        (map_of(STRING, INT), map_of(STRING, DYN), True),
        (list_of(INT), map_of(INT, INT), False),
        (NULL, INT, False),
        (NULL, NULL, True),
        (NULL, POD, True),
        (POD, NULL, True),
        (NULL, DURATION, True),
        (NULL, TIMESTAMP, True),
        (NULL, opaque("net.IP"), True),
        (NULL, list_of(INT), False),
        (NULL, wrapper_of(INT), True),
        (INT, wrapper_of(INT), True),
        (wrapper_of(INT), INT, True),
        (POD, object_type("Pod", {}), True),
        (POD, object_type("Node", {}), False),
        (type_of(INT), type_of(STRING), True),
        (opaque("net.IP"), opaque("net.CIDR"), False),
        (optional_of(INT), optional_of(STRING), False),
    ],
)
def test_what_is_assignable(one: Type, other: Type, fits: bool) -> None:
    assert Inference().assignable(one, other) is fits


def test_a_variable_stands_for_what_it_was_compared_with() -> None:
    inference = Inference()
    variable = inference.fresh()
    assert inference.assignable(list_of(INT), list_of(variable))
    assert inference.substitute(map_of(STRING, variable)) == map_of(STRING, INT)
    assert not inference.assignable(STRING, variable)


def test_a_variable_widens_to_dyn_and_never_narrows() -> None:
    inference = Inference()
    variable = inference.fresh()
    assert inference.assignable(INT, variable)
    assert inference.assignable(DYN, variable)
    assert inference.substitute(variable) == DYN
    assert inference.assignable(STRING, variable)


def test_a_comparison_that_fails_binds_nothing() -> None:  # I1
    inference = Inference()
    variable = inference.fresh()
    assert not inference.all_assignable([INT, STRING], [variable, INT])
    assert inference.substitute(variable, free_to_dyn=True) == DYN
    assert inference.assignable(STRING, variable)
    assert not inference.all_assignable([DYN, BOOL], [variable, INT])
    assert inference.substitute(variable) == STRING


def test_no_variable_contains_itself() -> None:  # I2
    inference = Inference()
    variable = inference.fresh()
    assert not inference.assignable(list_of(variable), variable)
    other = inference.fresh()
    assert inference.assignable(variable, other)
    assert not inference.assignable(list_of(variable), other)


def test_signatures_are_renamed_apart() -> None:
    inference = Inference()
    result, argument = inference.renamed([list_of(A), A], ["A"])
    assert has_variables(result)
    assert inference.assignable(INT, argument)
    assert inference.substitute(result) == list_of(INT)
    again, _ = inference.renamed([list_of(A), A], ["A"])
    assert inference.substitute(again, free_to_dyn=True) == list_of(DYN)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (NULL, "null"),
        (DURATION, "duration"),
        (list_of(TIMESTAMP), "list(timestamp)"),
        (ERROR, "!error!"),
        (wrapper_of(INT), "wrapper(int)"),
        (optional_of(map_of(STRING, NULL)), "optional_type(map(string, null))"),
        (POD, "Pod"),
    ],
)
def test_types_as_messages_write_them(one: Type, text: str) -> None:  # I3
    assert format_type(one) == text


def test_signatures_as_messages_write_them() -> None:
    assert format_signature([INT, STRING], member=False) == "(int, string)"
    assert format_signature([list_of(INT), STRING], member=True) == "list(int).(string)"
