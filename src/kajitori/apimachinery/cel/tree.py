"""The syntax tree of CEL after its macros are expanded: what the parser gives and everything else walks.

Each node has an `id`, by which the checker's and the cost estimator's tables speak of it, and an `offset`, the
code point in the text where an error about it points.

Source: cel-spec's proto cel.expr.Expr, whose shapes these are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = [
    "Call",
    "Comprehension",
    "Entry",
    "Expression",
    "Field",
    "Ident",
    "ListLiteral",
    "Literal",
    "MapLiteral",
    "Select",
    "StructLiteral",
    "Tree",
]


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: `None`, `bool`, `int`, `values.UInt`, `float`, `str` or `bytes`."""

    id: int
    offset: int
    value: object


@dataclass(frozen=True, slots=True)
class Ident:
    """A name. A leading dot, which means the root container, is part of it."""

    id: int
    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `has(operand.field)` when `test_only`."""

    id: int
    offset: int
    operand: "Expression"
    field: str
    test_only: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator; operators are named as in cel-go: `_&&_`, `_?_:_`, `_[_]`, `_[?_]`, `_?._`, `@in`."""

    id: int
    offset: int
    function: str
    target: "Expression | None"
    args: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, ?b]`; `optional` has the positions of elements written with a question mark."""

    id: int
    offset: int
    elements: tuple["Expression", ...]
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a map."""

    id: int
    offset: int
    key: "Expression"
    value: "Expression"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`{key: value, ?key: value}`."""

    id: int
    offset: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One `name: value` of a message."""

    id: int
    offset: int
    name: str
    value: "Expression"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class StructLiteral:
    """`Type.Name{field: value}`."""

    id: int
    offset: int
    type_name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Comprehension:
    """A fold over a list or a map: what macros such as `all` become.

    With `accu` set to `accu_init`, each element (and with two variables its index or key first) is bound while
    `condition` holds, `accu` becomes `step`, and at last `result` is the value.
    """

    id: int
    offset: int
    iter_range: "Expression"
    iter_var: str
    iter_var2: str | None
    accu_var: str
    accu_init: "Expression"
    condition: "Expression"
    step: "Expression"
    result: "Expression"


Expression = Literal | Ident | Select | Call | ListLiteral | MapLiteral | StructLiteral | Comprehension


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed text."""

    text: str
    root: Expression
    macro_calls: Mapping[int, Call]
    """By the id of what a macro became, the call as it was written, to show it to people."""
