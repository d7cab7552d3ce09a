"""Environments: what extending adds, what it leaves alone, and how names are found in them."""

import pytest

from kajitori.apimachinery.cel.declarations import Container
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.functions import Library, Overload, function
from kajitori.apimachinery.cel.macros import Macro
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.types import (
    BOOL,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    Type,
    list_of,
    map_of,
    object_type,
    type_of,
)

BASE = Environment([STANDARD])
SPEC = object_type("Pod.spec", {"__namespace__": STRING, "args": list_of(STRING)})
POD = object_type("Pod", {"spec": SPEC, "specs": list_of(SPEC), "by": map_of(STRING, SPEC)})


def test_extending_changes_nothing_but_the_new_one() -> None:  # N1
    wider = BASE.extend(variables={"x": INT})
    assert wider.check("x + 1").type == INT
    with pytest.raises(CompileError, match=r"undeclared reference to 'x' \(in container ''\)"):
        BASE.check("x + 1")


def test_the_later_declaration_counts() -> None:  # N1
    assert BASE.extend(variables={"x": INT}).extend(variables={"x": STRING}).check("x").type == STRING


def test_functions_are_shared_when_variables_are_added() -> None:  # N2
    assert BASE.extend(variables={"x": INT}).callables is BASE.callables


def test_a_library_adds_overloads_macros_and_constants() -> None:
    doubled = function(
        "size", Overload("size_int", (INT,), INT, lambda value: value), cost=lambda values, result: 7
    )
    library = Library(
        "more",
        (doubled,),
        (Macro("twice", 1, False, lambda make, target, args: make.call("_+_", args[0], args[0])),),
        {"more.ANSWER": (INT, 42)},
    )
    wider = BASE.extend(libraries=[library])
    assert wider.check("size(1) + size('a') + more.ANSWER + twice(3)").type == INT
    assert wider.callables["size"].function.cost is doubled.cost
    with pytest.raises(CompileError, match="found no matching overload for 'size' applied to"):
        BASE.check("size(1)")


def test_an_overload_with_a_known_id_takes_its_place() -> None:
    (before,) = [each for each in BASE.callables["size"].function.overloads if each.id == "size_string"]
    after = Overload("size_string", before.parameters, before.result, lambda text: -1)
    wider = BASE.extend(libraries=[Library("other", (function("size", after),))])
    overloads = wider.callables["size"].function.overloads
    assert after in overloads and before not in overloads
    assert len(overloads) == len(BASE.callables["size"].function.overloads)


def test_types_are_known_by_name_with_those_inside() -> None:  # N3
    pods = BASE.extend(variables={"pod": POD}, types=[POD])
    assert pods.check("Pod.spec").type == type_of(SPEC)
    assert pods.check("type(pod.spec) == Pod.spec").type == BOOL
    assert pods.check("pod.specs").type == list_of(SPEC)
    assert pods.check("Pod.specs").type == type_of(list_of(SPEC))
    assert pods.check("duration").type == type_of(DURATION)
    assert pods.check("Pod.spec{args: ['a']}").type == SPEC
    with pytest.raises(CompileError, match="undeclared reference to 'Pod'"):
        BASE.check("Pod")


def test_a_keyword_may_be_a_field_where_the_version_allows_it() -> None:
    assert BASE.extend(variables={"pod": POD}).check("pod.spec.namespace").type == STRING
    older = Environment([STANDARD], keywords_are_fields=False).extend(variables={"pod": POD})
    assert older.check("pod.spec.__namespace__").type == STRING
    with pytest.raises(CompileError, match="undefined field 'namespace'"):
        older.check("pod.spec.namespace")


def test_a_resolver_makes_types_when_they_are_named() -> None:
    class Made:
        heads = frozenset(["Made"])

        def __call__(self, name: str) -> Type | None:
            return object_type(name, {"x": DYN}) if name.startswith("Made") else None

    made = BASE.extend(resolver=Made())
    assert made.check("Made.of.gold{x: 1}").type.name == "Made.of.gold"
    assert made.check("Made{x: Made.y{x: 2}}.x").type == DYN


def test_a_container_and_its_aliases() -> None:
    inside = BASE.extend(variables={"a.b.x": INT, "a.x": STRING, "x": DOUBLE, "far.away.y": BOOL})
    assert inside.check("x").type == DOUBLE
    assert inside.extend(container="a.b").check("x").type == INT
    assert inside.extend(container="a.c").check("x").type == STRING
    assert inside.extend(container="a.b").check(".x").type == DOUBLE
    assert inside.extend(container=Container("", {"z": "far.away"})).check("z.y").type == BOOL
    with pytest.raises(CompileError, match=r"undeclared reference to 'nothing' \(in container 'a.b'\)"):
        inside.extend(container="a.b").check("nothing")


def test_numbers_of_different_types_are_compared_only_where_that_is_allowed() -> None:
    assert BASE.check("1 < 2.0").type == BOOL
    older = Environment([STANDARD], cross_type_comparisons=False)
    with pytest.raises(
        CompileError, match=r"found no matching overload for '_<_' applied to '\(int, double\)'"
    ):
        older.check("1 < 2.0")
    # cel-go forgets the restriction in loops, and so does Kubernetes.
    assert older.check("[1].all(x, x < 2.0)").type == BOOL


def test_dotted_variables_win_over_fields() -> None:
    both = BASE.extend(variables={"authorizer": map_of(STRING, INT), "authorizer.requestResource": STRING})
    assert both.check("authorizer.requestResource").type == STRING
    assert both.check("authorizer.other").type == INT


def test_what_the_text_says_is_shown_where_it_is_wrong() -> None:
    with pytest.raises(CompileError) as caught:
        BASE.check("1 +\n  'a' + b")
    assert str(caught.value) == (
        "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'\n"
        " | 1 +\n"
        " | ..^\n"
        "ERROR: <input>:2:9: undeclared reference to 'b' (in container '')\n"
        " |   'a' + b\n"
        " | ........^"
    )
