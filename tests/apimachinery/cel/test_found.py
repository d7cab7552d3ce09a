"""What comparing random expressions with cel-go found: value, or error, and cost as it has them."""

import warnings
from typing import Any

import pytest
from tests.apimachinery.cel.environments import everything

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.kubernetes import environments
from kajitori.apimachinery.cel.types import BOOL, DYN, INT, STRING, list_of, map_of

ENVIRONMENT = environments().new.extend(
    variables={"b": BOOL, "i": INT, "s": STRING, "x": DYN, "li": list_of(INT), "ms": map_of(STRING, STRING)}
)
VALUES = {"b": True, "i": 3, "s": "abc", "x": {"a": 1}, "li": [1, 2], "ms": {"a": "b"}}


@pytest.mark.parametrize(
    ("text", "expected", "cost"),
    [
        # A conditional inside of has() costs one less, also where it is a part of && or ||.
        ("has((b ? ms : ms).a)", True, 1),
        ("has((b ? ms : ms).absent) || b", True, 2),
        ("b && has((b ? x : x).a)", True, 2),
        ("li.all(e, has((b ? ms : ms).a))", True, 10),
        # An optional selection whose key fails costs nothing of its own.
        ("ms[?ms.absent].hasValue()", "no such key: absent", 3),
        ("li[?li[i]].hasValue()", "index out of bounds: 3", 3),
        ("has(optional.of(dyn([i])).absent)", "unsupported index type 'string' in list", 13),
        # A none takes away what an entry before it had put in.
        ("{'a': s, ?'a': ms[?'absent']}.size()", 0, 33),
        # Integers are compared with doubles as doubles.
        ("9007199254740993 == dyn(9007199254740992.0)", True, 1),
        ("9007199254740993 > 9007199254740992.0", False, 1),
    ],
)
def test_as_cel_go(text: str, expected: Any, cost: int) -> None:
    program = ENVIRONMENT.compile(text)
    if isinstance(expected, str):
        with pytest.raises(EvaluationError) as failed:
            program.run(VALUES)
        assert (str(failed.value), failed.value.cost) == (expected, cost)
    else:
        run = program.run(VALUES)
        assert (run.value, run.cost) == (expected, cost)


def test_generated_code_takes_no_map_for_a_key() -> None:
    program = ENVIRONMENT.compile("{optional.of({b: 1}).value(): s}")
    for run in (program.run, lambda variables: program.observe(variables)[1]):
        try:
            found = run(VALUES)
        except EvaluationError as error:
            found = error
        assert str(found) == "unsupported key type"


def test_python_has_nothing_to_say_of_what_is_generated() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)
        program = everything().compile("type('a') != cel.bind(v, 'b', dyn(0))")
        assert program.evaluate({}) is True and program.source_code
