"""What the libraries declare is what cel-go and Kubernetes 1.36 declare, signature by signature."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from kajitori.apimachinery.cel.functions import Library
from kajitori.apimachinery.cel.libraries.bindings import bindings
from kajitori.apimachinery.cel.libraries.encoders import encoders
from kajitori.apimachinery.cel.libraries.jsonpatch import jsonpatch
from kajitori.apimachinery.cel.libraries.kubernetes import kubernetes_libraries
from kajitori.apimachinery.cel.libraries.lists import lists
from kajitori.apimachinery.cel.libraries.math import math
from kajitori.apimachinery.cel.libraries.optionals import optionals
from kajitori.apimachinery.cel.libraries.regex import regex
from kajitori.apimachinery.cel.libraries.semver import semver
from kajitori.apimachinery.cel.libraries.sets import sets
from kajitori.apimachinery.cel.libraries.strings import strings
from kajitori.apimachinery.cel.libraries.two_variables import two_variables
from kajitori.apimachinery.cel.types import Kind, Type

RECORDED = json.loads((Path(__file__).parent / "declarations.json").read_text())

Declared = dict[str, list[list[object]]]


def shown(one: Type) -> str:
    if one.kind is Kind.PARAMETER:
        return f"<{one.name}>"
    return f"{one.name}({', '.join(map(shown, one.parameters))})" if one.parameters else one.name


def declared(libraries: Sequence[Library]) -> Declared:
    found: Declared = {}
    for library in libraries:
        for function in library.functions:
            for each in function.overloads:
                parameters = [shown(one) for one in each.parameters]
                row = [each.id, each.member, parameters, shown(each.result)]
                found.setdefault(function.name, []).append(row)
    return found


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


@pytest.mark.parametrize(
    ("recorded", "libraries"),
    [
        ("kubernetes", kubernetes_libraries(36)),
        ("mutation", (jsonpatch,)),
        ("cel-go", EXTENSIONS),
    ],
)
def test_every_overload_is_declared_as_there_and_in_that_order(
    recorded: str, libraries: Sequence[Library]
) -> None:
    assert declared(libraries) == RECORDED[recorded]


@pytest.mark.parametrize(
    ("minor", "name", "there"),
    [
        (26, "authorizer", False),
        (27, "path", True),
        (27, "optional.of", False),
        (28, "optional.of", True),
        (28, "format", False),
        (28, "join", True),
        (29, "format", True),
        (29, "sets.contains", True),
        (29, "ip", False),
        (30, "cidr", True),
        (31, "format.named", True),
        (31, "fieldSelector", True),
        (31, "cel.@mapInsert", False),
        (32, "cel.@mapInsert", True),
        (33, "semver", True),
        (33, "sort", False),
        (34, "sort", True),
        (36, "reverse", True),
        (36, "math.@max", False),
    ],
)
def test_a_version_has_what_came_with_it_and_before(minor: int, name: str, there: bool) -> None:
    assert (name in declared(kubernetes_libraries(minor))) is there


@pytest.mark.parametrize(
    ("older", "newer", "added"),
    [
        (strings(0), strings(1), {"format", "strings.quote"}),
        (strings(2), strings(3), {"reverse"}),
        (lists(0), lists(1), {"flatten"}),
        (lists(1), lists(2), {"sort", "@sortByAssociatedKeys", "lists.range", "reverse", "distinct"}),
        (optionals(1), optionals(2), {"first", "last", "optional.unwrap", "unwrapOpt"}),
        (math(1), math(2), {"math.sqrt"}),
    ],
)
def test_a_later_version_of_a_library_adds_to_it(older: Library, newer: Library, added: set[str]) -> None:
    assert set(declared((newer,))) - set(declared((older,))) == added


def test_a_later_version_of_a_library_may_add_overloads_and_macros() -> None:
    assert len(declared((semver(1),))["semver"]) == len(declared((semver(0),))["semver"]) + 1
    assert {one.name for one in optionals(0).macros} == {"optMap"}
    assert {one.name for one in optionals(1).macros} == {"optMap", "optFlatMap"}
    assert [one.name for one in lists(2).macros] == ["sortBy"]


def test_lists_cost_more_than_a_unit_only_from_version_3_on() -> None:
    assert all(each.cost is None for one in lists(2).functions for each in one.overloads)
    assert all(each.cost is not None for one in lists(3).functions for each in one.overloads)
