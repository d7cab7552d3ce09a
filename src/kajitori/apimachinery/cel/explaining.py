"""An expression with what each of its parts came to: for people who want to know why.

Sits beside the compiler, whose observations this puts where they belong. Parts are shown as they were written, macros
as calls; names, constants and the steps inside of a selection are not parts of their own.

Promises
    X1  every part that was evaluated has its last value or error, and what all its evaluations cost
    X2  a part that was not needed is there without either
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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
from kajitori.apimachinery.cel.unparse import unparse

__all__ = ["Explained", "explain"]

_LOGICAL = ("_&&_", "_||_")
_INDEXING = ("_[_]", "_[?_]", "_?._")


@dataclass(frozen=True, slots=True)
class Explained:
    """One part of an expression."""

    text: str
    evaluated: bool
    value: Any
    """The last one, of a part that is in a loop."""
    error: str | None
    cost: int
    in_loop: bool
    """Whether it may have been evaluated several times."""
    parts: tuple["Explained", ...]


def explain(tree: Tree, observations: Mapping[int, Any]) -> Explained:
    """The whole with all its parts. `observations` are those of `Program.observe`."""
    return _Explaining(tree, observations).explained(tree.root, in_loop=False)


class _Explaining:
    def __init__(self, tree: Tree, observations: Mapping[int, Any]) -> None:
        self._tree = tree
        self._observations = observations

    def explained(self, node: Expression, *, in_loop: bool) -> Explained:
        seen = self._observations.get(node.id)
        return Explained(
            text=" ".join(unparse(self._tree, node).split("\n")).replace("  ", " "),
            evaluated=seen is not None,
            value=seen.value if seen is not None else None,
            error=seen.error if seen is not None else None,
            cost=seen.cost if seen is not None else 0,
            in_loop=in_loop,
            parts=tuple(self._below(node, in_loop=in_loop)),
        )

    def _below(self, node: Expression, *, in_loop: bool) -> Iterator[Explained]:
        told: set[str] = set()
        for part, looped in self._parts(node):
            if not self._is_plain(part):
                below = self.explained(part, in_loop=in_loop or looped)
                if below.text not in told:
                    told.add(below.text)
                    yield below

    def _parts(self, node: Expression) -> Iterator[tuple[Expression, bool]]:
        """What it is made of, and whether that is computed once for every element."""
        written = self._tree.macro_calls.get(node.id)
        if written is not None and written.function != "has":
            if written.target is not None:
                yield written.target, False
            yield from ((one, True) for one in written.args if not isinstance(one, Ident))
            return
        match node:
            case Call(function=function) if function in _LOGICAL:
                yield from ((one, False) for one in self._chain(node, function))
            case Call(function=function, args=(operand, key)) if function in _INDEXING:
                yield from self._selected(operand)
                yield key, False
            case Call():
                if node.target is not None:
                    yield node.target, False
                yield from ((one, False) for one in node.args)
            case Select():
                yield from self._selected(node.operand)
            case ListLiteral():
                yield from ((one, False) for one in node.elements)
            case MapLiteral():
                for entry in node.entries:
                    yield entry.key, False
                    yield entry.value, False
            case StructLiteral():
                yield from ((field.value, False) for field in node.fields)
            case Comprehension():
                yield node.iter_range, False
                yield node.step, True
                yield node.result, False
            case Ident() | Literal():
                return

    def _selected(self, operand: Expression) -> Iterator[tuple[Expression, bool]]:
        """What is selected from: not itself when it is but another selection."""
        if operand.id not in self._tree.macro_calls and (
            isinstance(operand, Select) or (isinstance(operand, Call) and operand.function in _INDEXING)
        ):
            yield from self._parts(operand)
        elif not isinstance(operand, Ident):
            yield operand, False

    def _chain(self, node: Expression, function: str) -> Iterator[Expression]:
        """The terms of a chain of one operator, which is a balanced tree, in their order."""
        if isinstance(node, Call) and node.function == function and node.id not in self._tree.macro_calls:
            for one in node.args:
                yield from self._chain(one, function)
        else:
            yield node

    def _is_plain(self, node: Expression) -> bool:
        """Whether its text says its value: a constant, also one that is computed before anything runs."""
        seen = self._observations.get(node.id)
        return not _has_names(node) and (seen is None or seen.error is None)


def _has_names(node: Expression) -> bool:
    match node:
        case Literal():
            return False
        case Call():
            return node.target is not None or any(map(_has_names, node.args))
        case ListLiteral():
            return any(map(_has_names, node.elements))
        case MapLiteral():
            return any(_has_names(one.key) or _has_names(one.value) for one in node.entries)
        case _:
            return True
