"""What a tree stands for when nobody checks it: names and functions are looked up, all types are left to run time.

Takes the checker's place where an expression is to run as it was parsed. Kubernetes never does that; others do, and
`1 == 1.0` or `[1, 'a']` have a meaning for them.

Promises
    U1  every node has the type `dyn`, every call all the overloads of its name
    U2  what is not declared is an error of the run, which `&&`, `||` and `?:` may absorb, not of the text

Source: cel-go's evaluation of parsed expressions: interpreter/planner.go, resolveFunction and maybe attributes.
"""

from collections.abc import Iterator

from kajitori.apimachinery.cel.checker import Checked
from kajitori.apimachinery.cel.declarations import Callable, Declarations, Reference
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Overload
from kajitori.apimachinery.cel.tree import (
    Call,
    Comprehension,
    Expression,
    Ident,
    ListLiteral,
    MapLiteral,
    Select,
    StructLiteral,
    Tree,
)
from kajitori.apimachinery.cel.types import DYN, Type

__all__ = ["assume"]

_Scope = frozenset[str]
"""The variables of the macros around."""


def assume(tree: Tree, declarations: Declarations) -> Checked:
    """The tree as if everything in it were dynamic."""
    assumption = _Assumption(declarations)
    waiting: list[tuple[Expression, _Scope]] = [(tree.root, frozenset())]
    while waiting:
        node, scope = waiting.pop()
        waiting += assumption.visit(node, scope)
    return Checked(tree, assumption.types, assumption.references)


class _Assumption:
    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations
        self.types: dict[int, Type] = {}
        self.references: dict[int, Reference] = {}

    def visit(self, node: Expression, scope: _Scope) -> Iterator[tuple[Expression, _Scope]]:
        """Look up what the node names; gives the nodes below it that are to be visited."""
        self.types[node.id] = DYN
        match node:
            case Ident():
                self.references[node.id] = self._name(node.name, scope) or Reference(node.name.lstrip("."))
            case Select():
                dotted = None if node.test_only else _dotted(node)
                reference = self._name(dotted, scope) if dotted is not None else None
                if reference is not None:
                    self.references[node.id] = reference
                else:
                    yield node.operand, scope
            case Call():
                yield from self._call(node, scope)
            case ListLiteral():
                yield from ((element, scope) for element in node.elements)
            case MapLiteral():
                for entry in node.entries:
                    yield from ((entry.key, scope), (entry.value, scope))
            case StructLiteral():
                self.references[node.id] = Reference(node.type_name)
                yield from ((field.value, scope) for field in node.fields)
            case Comprehension():
                around = scope | {node.accu_var}
                inside = around | {node.iter_var} | ({node.iter_var2} if node.iter_var2 else frozenset())
                yield from ((node.iter_range, scope), (node.accu_init, scope), (node.result, around))
                yield from ((node.condition, inside), (node.step, inside))
            case _:
                pass

    def _name(self, name: str, scope: _Scope) -> Reference | None:
        """What a name, possibly dotted, stands for; `None` when it is not declared."""
        head = name.partition(".")[0]
        if head in scope:
            return Reference(name) if head == name else None
        for candidate in self._declarations.container.candidates(name):
            found = self._declarations.names.get(candidate)
            if found is not None:
                return found.reference
        return None

    def _function(self, name: str) -> Callable | None:
        for candidate in self._declarations.container.candidates(name):
            found = self._declarations.callables_in_loops.get(candidate)
            if found is not None:
                return found
        return None

    def _call(self, node: Call, scope: _Scope) -> Iterator[tuple[Expression, _Scope]]:
        yield from ((argument, scope) for argument in node.args)
        found, member = None, node.target is not None
        if node.target is not None:
            dotted = _dotted(node.target)
            if dotted is not None and dotted.partition(".")[0] not in scope:
                found = self._function(f"{dotted}.{node.function}")
            member = found is None
        if member and node.target is not None:
            yield node.target, scope
        found = found or self._function(node.function)
        candidates = () if found is None else found.members if member else found.functions
        overloads = tuple(each.overload for each in candidates)
        if found is None or not overloads:
            overloads = (_unbound(node.function, member=member),)
            self.references[node.id] = Reference(node.function, overloads=overloads)
        else:
            self.references[node.id] = Reference(found.name, overloads=overloads, function=found.function)


def _dotted(node: Expression) -> str | None:
    """The dotted name that the node looks like."""
    fields: list[str] = []
    while isinstance(node, Select) and not node.test_only:
        fields.append(node.field)
        node = node.operand
    return ".".join((node.name, *reversed(fields))) if isinstance(node, Ident) else None


def _unbound(name: str, *, member: bool) -> Overload:
    """Stands for a function that there is not."""

    def fail(*_: object) -> object:
        raise EvaluationError(f"no such overload: {name}")

    return Overload(name, (), DYN, fail, member=member, guarded=False)
