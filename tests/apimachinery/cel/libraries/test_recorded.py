"""Expressions with the libraries' functions: types, values, errors, costs and estimates as Kubernetes 1.36 gave them.

`recorded.jsonl` has one expression a line, with what the real thing answered: in Kubernetes' environment; in one with
all of cel-go's extensions, where costs were not recorded, for Kubernetes counts otherwise; and, for estimates alone,
with a variable `self` of the schema in the first line.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.apimachinery.cel.tagged import comparable, value_of

from kajitori.apimachinery import cel
from kajitori.apimachinery.cel.cost import Size
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.estimator import Sizes, no_sizes, sizes_below
from kajitori.apimachinery.cel.libraries.bindings import bindings
from kajitori.apimachinery.cel.libraries.encoders import encoders
from kajitori.apimachinery.cel.libraries.lists import lists
from kajitori.apimachinery.cel.libraries.math import math
from kajitori.apimachinery.cel.libraries.optionals import optionals
from kajitori.apimachinery.cel.libraries.regex import regex
from kajitori.apimachinery.cel.libraries.sets import sets
from kajitori.apimachinery.cel.libraries.strings import strings
from kajitori.apimachinery.cel.libraries.two_variables import two_variables
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.types import Type

HEAD, *LINES = (Path(__file__).parent / "recorded.jsonl").read_text().rstrip("\n").split("\n")
EXTENSIONS = (
    lists(3),
    strings(4),
    math(2),
    sets,
    encoders,
    bindings,
    two_variables,
    optionals(2),
    regex,
)
COST_LIMIT = 1_000_000
CHUNK = 40
"""Expressions a test; one each would take pytest longer than they take."""

Row = dict[str, Any]


@cache
def described() -> Type:
    found = cel.declared_type(json.loads(HEAD)["schema"], "selfType.self")
    assert found is not None
    return found


@cache
def environment(name: str) -> Environment:
    match name:
        case "kubernetes":
            return cel.environments().new
        case "schema":
            return cel.environments().new.extend(variables={"self": described()}, types=[described()])
        case _:
            return Environment([STANDARD, *EXTENSIONS])


def sizes(name: str) -> Sizes:
    """What is known of variables; what begins with no variable is unknown."""
    if name != "schema":
        return no_sizes
    known = sizes_below(described())

    def size(path: Any) -> Size | None:
        return known(path) if path and path[0] == "self" else None

    return size


def expected(tagged: dict[str, Any]) -> Any:
    """As `comparable` makes it of the value."""
    ((tag, content),) = tagged.items()
    match tag:
        case "opaque":
            return ("opaque", *content)
        case "optional":
            return ("optional", content and expected(content))
        case "list":
            return ("list", tuple(map(expected, content)))
        case "map":
            return ("map", frozenset((expected(key), expected(value)) for key, value in content))
    return comparable(value_of(tagged))


def outcome(row: Row) -> Row:
    """The same expression's row, as ours answers it; values as `expected` has them."""
    name = row["in"]
    found: Row = {"in": name, "of": row["of"]}
    try:
        checked = environment(name).check(row["of"])
        found["type"] = str(checked.type)
        if "estimate" in row:
            cost = cel.estimate(checked, sizes(name))
            found["estimate"] = [cost.min, cost.max]
        if "value" not in row and "error" not in row and "problem" not in row:
            return found
        program = cel.Program(checked)
    except (cel.CompileError, cel.ProgramError) as problem:
        return {"in": name, "of": row["of"], "problem": str(problem)}
    try:
        run = program.run({}, COST_LIMIT)
    except (cel.EvaluationError, cel.CostLimitExceeded) as problem:
        return found | {"error": str(problem)} | ({"cost": problem.cost} if "cost" in row else {})
    return found | {"value": comparable(run.value)} | ({"cost": run.cost} if "cost" in row else {})


@pytest.mark.parametrize("first", range(0, len(LINES), CHUNK))
def test_expressions_give_what_they_give_in_kubernetes(first: int) -> None:
    for line in LINES[first : first + CHUNK]:
        row: Row = json.loads(line)
        if "value" in row:
            row["value"] = expected(row["value"])
        assert outcome(row) == row
