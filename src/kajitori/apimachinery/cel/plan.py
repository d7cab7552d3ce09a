"""What an expression does when it runs, step by step: the form between checked trees and Python.

A plan has the steps that cel-go has, no more and no fewer, since costs are counted by them: selections and indexings
are gathered into the value they start from, constants are folded, `in` a list of constants is a look-up.

Sits between the planner, which makes plans, and those who run them: the interpreter step by step, the emitter as
generated Python.

Source: cel-go's interpreter/interpretable.go and attributes.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kajitori.apimachinery.cel.functions import Overload
from kajitori.apimachinery.cel.types import Type

__all__ = [
    "Attribute",
    "Computed",
    "Conditional",
    "Const",
    "Fold",
    "Invocation",
    "Key",
    "ListOf",
    "Logic",
    "MapOf",
    "Membership",
    "OptionalOr",
    "Qualifier",
    "Step",
    "StructOf",
    "Variable",
]


@dataclass(slots=True)
class Const:
    """A value known before the run; it costs nothing."""

    id: int
    type: Type
    value: Any

    @property
    def identity(self) -> int:
        """By which its value is found again; of most steps, the node's id."""
        return self.id


@dataclass(slots=True)
class Variable:
    """Where an attribute starts: a name."""

    id: int
    name: str


@dataclass(slots=True)
class Conditional:
    """Where an attribute starts: one of two others. Their own names and selections count, their ends do not."""

    id: int
    condition: "Step"
    true: "Attribute"
    false: "Attribute"


@dataclass(slots=True)
class Key:
    """`.name` or `[constant]`."""

    id: int
    value: Any
    """What to look for: of an object, the property that the identifier stands for; `None` when it stands for none."""
    written: Any
    """As it is in the expression, for messages."""
    of: Type
    """The type of what it is looked for in."""
    type: Type
    from_optional: bool = False
    """Whether what it is looked for in may be there or not."""
    optional: bool = False
    test_only: bool = False

    @property
    def declared(self) -> bool:
        """Whether the operand is an object with properties: there, null is as good as absent."""
        return self.of.fields is not None


@dataclass(slots=True)
class Computed:
    """`[expression]`."""

    id: int
    attribute: "Attribute"
    of: Type
    type: Type
    from_optional: bool = False
    optional: bool = False

    @property
    def relative(self) -> bool:
        """Whether the key is computed by more than names and selections."""
        return isinstance(self.attribute.base, RELATIVE)


Qualifier = Key | Computed


@dataclass(slots=True)
class Attribute:
    """A value and what is selected from it, `a.b[0].c`; at least a name."""

    id: int
    type: Type
    base: "Variable | Conditional | Step"
    qualifiers: list[Qualifier] = field(default_factory=list)
    test_only: bool = False

    @property
    def identity(self) -> int:
        """The last selection's id."""
        if self.test_only:
            return self.id
        if isinstance(self.base, Conditional):
            one, other = self.base.true.identity, self.base.false.identity
            return one if one == other else self.base.id
        if self.qualifiers:
            return self.qualifiers[-1].id
        return self.base.id if isinstance(self.base, Variable) else self.base.identity

    def select(self, qualifier: Qualifier) -> None:
        """Select further; from a conditional, from both of its ends."""
        if isinstance(self.base, Conditional):
            self.base.true.select(qualifier)
            self.base.false.select(qualifier)
        else:
            self.qualifiers.append(qualifier)
        self.type = qualifier.type


@dataclass(slots=True)
class Logic:
    """`left && right`, or `left || right` when `stop` is true: the value that decides alone."""

    id: int
    type: Type
    left: "Step"
    right: "Step"
    stop: bool

    @property
    def identity(self) -> int:
        return self.id


@dataclass(slots=True)
class Invocation:
    """A call of a function."""

    id: int
    type: Type
    name: str
    overloads: tuple[Overload, ...]
    arguments: tuple["Step", ...]
    cost: Callable[[Sequence[Any], Any], int] | None
    """What it did cost, by its arguments and result; `None`: one unit."""
    eager: bool
    """Whether all arguments are computed even when the first is an error."""

    @property
    def identity(self) -> int:
        return self.id


@dataclass(slots=True)
class Membership:
    """`value in [constants]`; the look-up costs nothing."""

    id: int
    type: Type
    value: "Step"
    members: tuple[Any, ...]

    @property
    def identity(self) -> int:
        return self.id


@dataclass(slots=True)
class OptionalOr:
    """`left.or(right)`, or `left.orValue(right)` when `unwraps`; costs nothing itself."""

    id: int
    type: Type
    left: "Step"
    right: "Step"
    unwraps: bool

    @property
    def identity(self) -> int:
        return self.id


@dataclass(slots=True)
class ListOf:
    """`[a, ?b]`."""

    id: int
    type: Type
    elements: tuple["Step", ...]
    optional: frozenset[int]

    @property
    def identity(self) -> int:
        return self.id


@dataclass(slots=True)
class MapOf:
    """`{key: value, ?key: value}`."""

    id: int
    type: Type
    entries: tuple[tuple["Step", "Step", bool], ...]
    """Keys, values, and whether they are optional."""

    @property
    def identity(self) -> int:
        return self.id


@dataclass(slots=True)
class StructOf:
    """`Name{field: value}`."""

    id: int
    type: Type
    fields: tuple[tuple[str, "Step", bool], ...]
    make: Callable[[dict[str, Any]], Any] | None = None
    """What makes the value, where it is none with fields: a message that stands for another value."""

    @property
    def identity(self) -> int:
        return self.id


@dataclass(slots=True)
class Fold:
    """A comprehension. `initial` is computed when `accumulator` is first asked for, perhaps never."""

    id: int
    type: Type
    over: "Step"
    first: str
    second: str | None
    accumulator: str
    initial: "Step"
    condition: "Step"
    step: "Step"
    result: "Step"

    @property
    def identity(self) -> int:
        return self.id


Step = Const | Attribute | Logic | Invocation | Membership | OptionalOr | ListOf | MapOf | StructOf | Fold
RELATIVE = (Const, Attribute, Logic, Invocation, Membership, OptionalOr, ListOf, MapOf, StructOf, Fold)
"""What an attribute may start from that is no name and no conditional."""
