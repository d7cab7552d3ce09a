"""The checker on trees made by hand: names, selections, overloads, comprehensions and literals."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest

from kajitori.apimachinery.cel.checker import Checked, check
from kajitori.apimachinery.cel.declarations import Callable, Container, Name, Reference
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.functions import Overload, function
from kajitori.apimachinery.cel.inference import has_variables
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.tree import (
    Call,
    Comprehension,
    Expression,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    Select,
    StructLiteral,
    Tree,
)
from kajitori.apimachinery.cel.tree import Field as Assignment
from kajitori.apimachinery.cel.types import (
    BOOL,
    DYN,
    INT,
    STRING,
    Type,
    list_of,
    map_of,
    object_type,
    optional_of,
    type_of,
    type_parameter,
)

A = type_parameter("A")
POD = object_type("Pod", {"name": STRING, "labels": map_of(STRING, STRING), "__namespace__": STRING})


def overload(id: str, parameters: list[Type], result: Type, *, member: bool = False) -> Overload:
    return Overload(id, tuple(parameters), result, lambda *_: None, member=member)


FUNCTIONS = [
    function("_+_", overload("add_int64", [INT, INT], INT), overload("add_string", [STRING, STRING], STRING)),
    function("_==_", overload("equals", [A, A], BOOL)),
    function("_&&_", overload("logical_and", [BOOL, BOOL], BOOL)),
    function("_?._", overload("select_optional_field", [DYN, STRING], optional_of(A))),
    function(
        "size",
        overload("size_list", [list_of(A)], INT),
        overload("list_size", [list_of(A)], INT, member=True),
    ),
    function("math.least", overload("math_least", [list_of(A)], A)),
    function("ns.name", overload("ns_name", [], STRING)),
]


class Known:
    """Declarations as the checker wants them."""

    def __init__(self, **variables: Type) -> None:
        self.container = Container()
        self.names: Mapping[str, Name] = {
            **{name: Name(one, Reference(name, value)) for name, (one, value) in STANDARD.constants.items()},
            **{
                name.replace("__", "."): Name(one, Reference(name.replace("__", ".")))
                for name, one in variables.items()
            },
        }
        self.callables = {each.name: Callable(each) for each in FUNCTIONS}
        self.callables_in_loops = self.callables
        self.dotted = frozenset(
            name.partition(".")[0] for name in [*self.names, *self.callables] if "." in name
        )
        self.keywords_are_fields = True

    def find_type(self, name: str) -> Type | None:
        return POD if name == "Pod" else None


class Trees:
    """Nodes with ids and, as offsets, their ids."""

    def __init__(self) -> None:
        self.ids = count(1)

    def of(self, what: Any) -> Expression:
        """`("_+_", 1, "x")` is a call, `"x"` a name, `["x", 1]` a list, `".f"` ends a selection."""
        number = next(self.ids)
        match what:
            case str() if "." in what:
                operand, _, field = what.rpartition(".")
                if field.endswith("?"):
                    return Select(number, number, self.of(operand), field[:-1], test_only=True)
                return Select(number, number, self.of(operand), field)
            case str():
                return Ident(number, number, what)
            case (("of", target, str() as function), *args):
                return Call(number, number, function, self.of(target), tuple(self.of(arg) for arg in args))
            case (str() as function, *args) if isinstance(what, tuple):
                return Call(number, number, function, None, tuple(self.of(arg) for arg in args))
            case list():
                return ListLiteral(number, number, tuple(self.of(each) for each in what))
            case {"text": text}:
                return Literal(number, number, text)
            case _:
                return Literal(number, number, what)


def checked(what: Any, **variables: Type) -> Checked:
    return check(Tree("", Trees().of(what), {}), Known(**variables))


def refused(what: Any, **variables: Type) -> list[str]:
    with pytest.raises(CompileError) as caught:
        checked(what, **variables)
    return [issue.message for issue in caught.value.issues]


@pytest.mark.parametrize(
    ("what", "variables", "expected"),
    [
        (("_+_", 1, 2), {}, INT),
        (("_+_", "x", 2), {"x": DYN}, INT),
        (("_+_", "x", "y"), {"x": DYN, "y": DYN}, DYN),
        ([], {}, list_of(DYN)),
        ([1, 2], {}, list_of(INT)),
        ([1, {"text": "a"}], {}, list_of(DYN)),
        (("size", [1]), {}, INT),
        ((("of", "x", "size"),), {"x": list_of(STRING)}, INT),
        ("pod.name", {"pod": POD}, STRING),
        ("pod.name?", {"pod": POD}, BOOL),
        ("pod.labels.app", {"pod": POD}, STRING),
        ("pod.namespace", {"pod": POD}, STRING),
        ("pod.name", {"pod": optional_of(POD)}, optional_of(STRING)),
        (("_?._", "pod", {"text": "name"}), {"pod": POD}, optional_of(STRING)),
        ("x.y.z", {"x": DYN}, DYN),
        ("x.y.z", {"x__y": POD, "x": INT}, None),
        ("int", {}, type_of(INT)),
        ("Pod", {}, type_of(POD)),
        ((("of", "math", "least"), [1]), {}, INT),
        ((("of", "ns", "name"),), {}, STRING),
    ],
)
def test_what_type_an_expression_has(what: Any, variables: dict[str, Type], expected: Type | None) -> None:
    if expected is None:
        assert refused(what, **variables) == ["undefined field 'z'"]
    else:
        assert checked(what, **variables).type == expected


def test_every_node_has_a_type_and_every_name_a_reference() -> None:  # C1
    environment = Environment([STANDARD]).extend(variables={"x": DYN, "names": list_of(STRING)})
    found = environment.check(
        "names.map(n, [n, n + 'a'])[0].size() > 0 ? {'a': []} : {'b': [x.y[1] == null]}"
    )
    nodes = nodes_of(found.tree.root)
    assert {node.id for node in nodes} == set(found.types)
    assert not any(has_variables(one) for one in found.types.values())
    named = [node for node in nodes if isinstance(node, Call | Ident)]
    assert all(node.id in found.references for node in named)


def nodes_of(node: Expression) -> list[Expression]:
    """It and all below it."""
    match node:
        case Call():
            below = [*node.args, *([node.target] if node.target is not None else [])]
        case Select():
            below = [node.operand]
        case ListLiteral():
            below = list(node.elements)
        case MapLiteral():
            below = [one for entry in node.entries for one in (entry.key, entry.value)]
        case Comprehension():
            below = [node.iter_range, node.accu_init, node.condition, node.step, node.result]
        case _:
            below = []
    return [node, *(one for each in below for one in nodes_of(each))]


def test_a_call_that_types_decide_has_one_overload() -> None:  # C4
    certain = checked(("_+_", 1, 2))
    assert [each.id for each in certain.references[1].overloads] == ["add_int64"]
    open_one = checked(("_+_", "x", "x"), x=DYN)
    assert [each.id for each in open_one.references[1].overloads] == ["add_int64", "add_string"]


def test_a_dotted_name_is_looked_up_whole_first() -> None:  # C3
    found = checked("a.b.name", a__b=POD, a=DYN)
    assert found.type == STRING
    assert found.references[2].name == "a.b"
    assert checked("a.b", a=map_of(STRING, INT)).type == INT


def test_a_container_is_searched_from_the_inside() -> None:
    known = Known(a__x=INT, x=STRING)
    known.container = Container("a.b")
    found = check(Tree("", Ident(1, 0, "x"), {}), known)
    assert found.type == INT and found.references[1].name == "a.x"
    tree = Tree("", Ident(1, 0, ".x"), {})
    assert check(tree, known).type == STRING


@pytest.mark.parametrize(
    ("what", "messages"),
    [
        ("nothing", ["undeclared reference to 'nothing' (in container '')"]),
        (("f", 1), ["undeclared reference to 'f' (in container '')"]),
        (("_+_", 1, {"text": ""}), ["found no matching overload for '_+_' applied to '(int, string)'"]),
        ((("of", "n", "size"),), ["found no matching overload for 'size' applied to 'int.()'"]),
        ("n.x", ["type 'int' does not support field selection"]),
        ("pod.x", ["undefined field 'x'"]),
        (
            ("_&&_", 1, {"text": ""}),
            ["expected type 'bool' but found 'int'", "expected type 'bool' but found 'string'"],
        ),
        (
            ("_==_", "x", "y"),
            [
                "undeclared reference to 'x' (in container '')",
                "undeclared reference to 'y' (in container '')",
            ],
        ),
    ],
)
def test_what_is_wrong_is_said_in_order(what: Any, messages: list[str]) -> None:  # C2
    assert refused(what, n=INT, pod=POD) == messages


def test_a_comprehension_binds_its_variables() -> None:
    def loop(over: Expression, step: Expression) -> Tree:
        comprehension = Comprehension(
            90, 0, over, "i", None, "@r", Literal(91, 0, True), Literal(92, 0, True), step, Ident(93, 0, "@r")
        )
        return Tree("", comprehension, {})

    step = Call(80, 0, "_==_", None, (Ident(81, 1, "i"), Literal(82, 2, 1)))
    found = check(loop(Ident(70, 0, "x"), step), Known(x=list_of(INT)))
    assert found.type == BOOL and found.types[81] == INT
    with pytest.raises(CompileError, match="expression of type 'int' cannot be range of a comprehension"):
        check(loop(Literal(70, 0, 1), step), Known())
    with pytest.raises(CompileError, match="expected type 'bool' but found 'int'"):
        check(loop(Ident(70, 0, "x"), Ident(80, 0, "i")), Known(x=list_of(INT)))


def test_a_struct_literal_is_checked_field_by_field() -> None:
    def pod(**fields: object) -> Tree:
        listed = tuple(
            Assignment(10 + n, n, name, Literal(20 + n, n, value))
            for n, (name, value) in enumerate(fields.items())
        )
        return Tree("", StructLiteral(1, 0, "Pod", listed), {})

    assert check(pod(name="a"), Known()).type == POD
    with pytest.raises(CompileError) as caught:
        check(pod(name=1, other=2), Known())
    assert [issue.message for issue in caught.value.issues] == [
        "expected type of field 'name' is 'string' but provided type is 'int'",
        "undefined field 'other'",
    ]


@pytest.mark.parametrize("links", [100, 5_000])
def test_long_chains_need_no_recursion(links: int) -> None:  # C5
    trees = Trees()
    sums: Expression = trees.of(1)
    for _ in range(links):
        sums = Call(next(trees.ids), 0, "_+_", None, (sums, trees.of(1)))
    assert check(Tree("", sums, {}), Known()).type == INT
    fields: Expression = trees.of("x")
    for _ in range(links):
        fields = Select(next(trees.ids), 0, fields, "y")
    assert check(Tree("", fields, {}), Known(x=DYN)).type == DYN
    calls: Expression = trees.of("x")
    for _ in range(links):
        calls = Select(next(trees.ids), 0, Call(next(trees.ids), 0, "size", calls, ()), "y")
    with pytest.raises(CompileError) as caught:
        check(Tree("", calls, {}), Known(x=list_of(INT)))
    assert len(caught.value.issues) == 100 and caught.value.truncated == links - 100
