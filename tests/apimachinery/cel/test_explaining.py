"""Expressions with what their parts came to. X cites `cel.explaining`."""

from typing import Any

from kajitori.apimachinery.cel.compiler import compile_program
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.explaining import Explained, explain
from kajitori.apimachinery.cel.libraries.optionals import optionals
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.types import DYN

ENVIRONMENT = Environment([STANDARD, optionals(2)]).extend(variables={"a": DYN})


def explained(text: str, a: Any) -> Explained:
    program = compile_program(ENVIRONMENT.check(text))
    observations, _ = program.observe({"a": a})
    return explain(program.checked.tree, observations)


def told(part: Explained, depth: int = 0) -> list[str]:
    """Its lines, with value and cost."""
    value = part.error if part.error is not None else part.value if part.evaluated else "-"
    line = f"{'  ' * depth}{part.text} = {value}, {part.cost}{' *' if part.in_loop else ''}"
    return [line, *(below for each in part.parts for below in told(each, depth + 1))]


def test_what_was_not_needed_has_no_value() -> None:  # X1, X2
    assert told(explained("a.b.c > 5 && a.d == 'x' && true", {"b": {"c": 3}, "d": "x"})) == [
        'a.b.c > 5 && a.d == "x" && true = False, 4',
        "  a.b.c > 5 = False, 4",
        "    a.b.c = 3, 3",
        '  a.d == "x" = -, 0',
        "    a.d = -, 0",
    ]


def test_errors_stand_where_they_came_up() -> None:  # X1
    assert told(explained("a.b == 1 || a.c[0] == 2", {"c": [2]})) == [
        "a.b == 1 || a.c[0] == 2 = True, 7",
        "  a.b == 1 = no such key: b, 3",
        "    a.b = no such key: b, 2",
        "  a.c[0] == 2 = True, 4",
        "    a.c[0] = 2, 3",
    ]


def test_loops_show_their_last_turn_and_all_their_costs() -> None:  # X1
    assert told(explained("a.all(x, x.n + 1 > 0 || has(x.m))", [{"n": 1}, {"n": -5, "m": 2}])) == [
        "a.all(x, x.n + 1 > 0 || has(x.m)) = True, 17",
        "  a = [{'n': 1}, {'n': -5, 'm': 2}], 1",
        "  x.n + 1 > 0 || has(x.m) = True, 9 *",
        "    x.n + 1 > 0 = False, 8 *",
        "      x.n + 1 = -4, 6 *",
        "        x.n = -5, 4 *",
        "    has(x.m) = True, 1 *",
    ]


def test_selections_and_constants_are_no_parts() -> None:
    assert told(explained("a[a[1] + 0].b[[1, 2].map(y, y)[0]]", [{"b": [5, 6]}, 0])) == [
        "a[a[1] + 0].b[[1, 2].map(y, y)[0]] = 6, 35",
        "  a[1] + 0 = 0, 3",
        "    a[1] = 0, 2",
        "  [1, 2].map(y, y)[0] = 1, 28",
        "    [1, 2].map(y, y) = [1, 2], 27",
    ]


def test_what_is_said_twice_is_told_once() -> None:
    assert [each.text for each in explained("a * a + a", 2).parts] == ["a * a", "a"]
    assert [each.text for each in explained("a * a", 2).parts] == ["a"]
