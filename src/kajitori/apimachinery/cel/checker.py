"""Gradual type checking: what type every node of a tree has, and what its names and calls stand for.

Sits between the parser, whose trees it reads, and the compiler and the estimator, which read its tables. Types are
known where declarations tell them; `dyn` goes with everything and leaves the question to run time.

Promises
    C1  every node of a checked tree has a type without variables; every identifier and every call a reference
    C2  all issues are reported together, in the order of the text, in cel-go's words and at cel-go's places
    C3  a dotted name is looked up whole before it is read as selections: `net.IP` is a type, not a field of `net`
    C4  a call has exactly one overload where the types decide it, else all that fit, and then its type is what they
        agree on or `dyn`
    C5  text may be as long as it likes: chains of selections and operators are walked, not recursed into

Source: cel-go's checker/checker.go; cel-spec's doc/langdef.md, "Gradual Type Checking" and "Name Resolution".
"""

from collections.abc import Callable as Function
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.cel.declarations import Callable, Candidate, Declarations, Name, Reference
from kajitori.apimachinery.cel.errors import CompileError, Issue
from kajitori.apimachinery.cel.escaping import RESERVED
from kajitori.apimachinery.cel.inference import (
    Inference,
    format_signature,
    format_type,
    has_variables,
    is_dynamic,
    most_general,
    unwrapped,
)
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
from kajitori.apimachinery.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    UINT,
    Kind,
    Type,
    list_of,
    map_of,
    optional_of,
    type_of,
)
from kajitori.apimachinery.cel.values import UInt
from kajitori.apimachinery.cel.well_known import MESSAGES

__all__ = ["Checked", "check"]

SPINE_MIN = 60
"""How deep a chain of operators may go before it is walked without recursion."""

_LITERALS: dict[type, Type] = {
    bool: BOOL,
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    type(None): NULL,
}
_SELECT_OPTIONAL = "_?._"
_OBJECT, _PARAMETER, _MAP, _LIST, _DYN, _ERROR, _TYPE = (
    Kind.OBJECT,
    Kind.PARAMETER,
    Kind.MAP,
    Kind.LIST,
    Kind.DYN,
    Kind.ERROR,
    Kind.TYPE,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A tree, and what the checker found out about its nodes, by their ids."""

    tree: Tree
    types: dict[int, Type]
    references: dict[int, Reference]
    """Of identifiers, of selections that are dotted names, of calls, and of struct literals (their type's name)."""

    @property
    def type(self) -> Type:
        """What the whole expression gives."""
        return self.types[self.tree.root.id]


def check(tree: Tree, declarations: Declarations) -> Checked:
    """The tree with its types and references.

    Raises:
        CompileError: the expression names what is not there or puts things together that do not go together.
    """
    checker = _Checker(declarations)
    checker.visit(tree.root)
    if checker.issues:
        raise CompileError(tree.text, checker.issues)
    types = checker.types
    substitute = checker.inference.substitute
    for node, one in types.items():
        if one.parameters or one.kind is _PARAMETER:
            types[node] = substitute(one, free_to_dyn=True)
    return Checked(tree, types, checker.references)


class _Checker:
    """One run over one tree."""

    __slots__ = (
        "_callables",
        "_container",
        "_declarations",
        "_depth",
        "_locals",
        "_visits",
        "inference",
        "issues",
        "references",
        "types",
    )

    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations
        self._callables = declarations.callables
        container = declarations.container
        self._container = container if container.name or container.aliases else None
        self._locals: dict[str, Name] = {}
        """The variables of the comprehensions around."""
        self._depth = 0
        self.inference = Inference()
        self.issues: list[Issue] = []
        self.types: dict[int, Type] = {}
        self.references: dict[int, Reference] = {}
        self._visits: dict[type, Function[[Any], None]] = {
            Literal: self._literal,
            Ident: self._ident,
            Select: self._select,
            Call: self._call,
            ListLiteral: self._list,
            MapLiteral: self._map,
            StructLiteral: self._struct,
            Comprehension: self._comprehension,
        }

    def visit(self, node: Expression) -> None:
        """Find out the type of a node and all below."""
        self._visits[type(node)](node)

    def _report(self, node: Any, message: str) -> None:
        self.issues.append(Issue(node.offset, message))

    def _undeclared(self, node: Any, name: str) -> None:
        self.types[node.id] = ERROR
        self._report(
            node, f"undeclared reference to '{name}' (in container '{self._declarations.container.name}')"
        )

    def _mismatch(self, node: Any, expected: Type, found: Type) -> None:
        self._report(node, f"expected type '{format_type(expected)}' but found '{format_type(found)}'")

    # Names

    def _name(self, name: str) -> Name | None:
        """What an identifier, possibly dotted, stands for."""
        if self._container is None:
            candidates: Sequence[str] = (name[1:] if name.startswith(".") else name,)
        else:
            candidates = self._container.candidates(name)
        for candidate in candidates:
            found = self._locals.get(candidate) or self._declarations.names.get(candidate)
            if found is not None:
                return found
            one = self._declarations.find_type(candidate)
            if one is not None:
                return Name(type_of(one), Reference(candidate, one))
        return None

    def _function(self, name: str) -> Callable | None:
        """What a function's name, possibly dotted, stands for."""
        if self._container is None:
            return self._callables.get(name[1:] if name.startswith(".") else name)
        for candidate in self._container.candidates(name):
            found = self._callables.get(candidate)
            if found is not None:
                return found
        return None

    def _may_be_dotted(self, ident: Ident) -> bool:
        """Whether a dotted name could begin with this identifier."""
        return self._container is not None or ident.name.lstrip(".") in self._declarations.dotted

    # Nodes

    def _literal(self, node: Literal) -> None:
        self.types[node.id] = _LITERALS[type(node.value)]

    def _ident(self, node: Ident) -> None:
        found = self._name(node.name)
        if found is None:
            self._undeclared(node, node.name)
            return
        self.types[node.id] = found.type
        self.references[node.id] = found.reference

    def _select(self, node: Select) -> None:
        chain = [node]
        base = node.operand
        while type(base) is Select:
            chain.append(base)
            base = base.operand
        chain.reverse()
        start = self._dotted(base, chain) if type(base) is Ident and self._may_be_dotted(base) else 0
        types = self.types
        if not start and base.id not in types:
            self._visits[type(base)](base)
        for select in chain[start:]:
            found = self._field(select, types[select.operand.id], select.field)
            types[select.id] = BOOL if select.test_only else self.inference.substitute(found)

    def _dotted(self, base: Ident, chain: Sequence[Select]) -> int:
        """Resolve the longest beginning of the chain that is a declared name; gives how many selections it took."""
        names: list[str] = []
        whole = base.name
        for select in chain:
            if select.test_only:
                break
            whole = f"{whole}.{select.field}"
            names.append(whole)
        for count in range(len(names), 0, -1):
            found = self._name(names[count - 1])
            if found is not None:
                node = chain[count - 1]
                self.types[node.id] = found.type
                self.references[node.id] = found.reference
                return count
        return 0

    def _field(self, node: Expression, operand: Type, field: str, *, optional: bool = False) -> Type:
        """The type of a field of something of the operand's type."""
        target, was_optional = unwrapped(self.inference.substitute(operand))
        kind = target.kind
        found = DYN
        if kind is _OBJECT:
            if target.fields is None:
                # A library's type, such as a quantity: only functions look into it.
                self._report(node, f"unexpected failed resolution of '{target.name}'")
                found = ERROR
            else:
                found = self._declared_field(node, target.fields, field) or ERROR
        elif kind is _MAP:
            found = target.parameters[1]
        elif kind is _PARAMETER:
            # Whatever it turns out to be, nothing can be said of its fields: it is dynamic from here on.
            self.inference.assignable(DYN, target)
        elif kind is not _DYN and kind is not _ERROR and not is_dynamic(target):
            self._report(node, f"type '{format_type(target)}' does not support field selection")
        return optional_of(found) if optional or was_optional else found

    def _declared_field(self, node: Any, fields: Mapping[str, Type], field: str) -> Type | None:
        """The type of a field of an object type; `None`, and an issue, when it has no such field."""
        found = fields.get(field)
        if found is None and field in RESERVED and self._declarations.keywords_are_fields:
            found = fields.get(f"__{field}__")
        if found is None:
            self._report(node, f"undefined field '{field}'")
        return found

    def _call(self, node: Call) -> None:
        types, visits = self.types, self._visits
        self._depth += 1
        if self._depth > SPINE_MIN:
            self._walk_spine(node)
        if node.function == _SELECT_OPTIONAL:
            self._select_optional(node)
            self._depth -= 1
            return
        args, target = node.args, node.target
        for arg in args:
            if arg.id not in types:
                visits[type(arg)](arg)
        name = node.function
        if target is not None:
            qualified = self._qualified(target)
            if qualified is not None and self._function(f"{qualified}.{name}") is not None:
                name, target = f"{qualified}.{name}", None
            elif target.id not in types:
                visits[type(target)](target)
        self._depth -= 1
        found = self._function(name)
        if found is None:
            self._undeclared(node, name)
        elif target is None:
            self._resolve(node, found, args)
        else:
            self._resolve(node, found, (target, *args), member=True)

    def _walk_spine(self, node: Call) -> None:
        """Check the leftmost operands of a deep chain from the innermost outwards, so that no recursion is needed."""
        types = self.types
        spine: list[Call] = []
        left = _leftmost(node)
        while left is not None and left.id not in types:
            spine.append(left)
            left = _leftmost(left)
        self._depth = 0
        for call in reversed(spine):
            self._visits[Call](call)
        self._depth = SPINE_MIN + 1

    def _qualified(self, target: Expression) -> str | None:
        """The target of a call as a dotted name, when a function's name could begin with it."""
        fields: list[str] = []
        while type(target) is Select:
            if target.test_only:
                return None
            fields.append(target.field)
            target = target.operand
        if type(target) is not Ident or not self._may_be_dotted(target):
            return None
        return ".".join((target.name, *reversed(fields)))

    def _select_optional(self, node: Call) -> None:
        operand, field = node.args
        assert isinstance(field, Literal) and isinstance(field.value, str), node
        self.types[field.id] = STRING
        if operand.id not in self.types:
            self._visits[type(operand)](operand)
        found = self._field(node, self.types[operand.id], field.value, optional=True)
        self.types[node.id] = self.inference.substitute(found)
        known = self._callables.get(_SELECT_OPTIONAL)
        self.references[node.id] = known.reference if known is not None else Reference(_SELECT_OPTIONAL)

    def _resolve(
        self, node: Call, called: Callable, args: Sequence[Expression], *, member: bool = False
    ) -> None:
        """Choose the overloads that a call may mean, and so its type."""
        types = self.types
        arguments = [types[arg.id] for arg in args]
        if called.is_logical:
            self._logical(node, called, args, arguments)
            return
        key: tuple[bool | str, ...] | None = (member, *[one.name for one in arguments])
        for one in arguments:
            if one.parameters or one.kind is _OBJECT or one.kind is _PARAMETER or one.nullable:
                key = None
                break
        if key is not None:
            known = called.remembered.get(key)
            if known is not None:
                types[node.id], self.references[node.id], variables = known
                self.inference.skip(variables)
                return
        before = self.inference.variables
        result, matching = self._matching(called.members if member else called.functions, arguments)
        if result is None:
            types[node.id] = ERROR
            shown = [self.inference.substitute(one, free_to_dyn=True) for one in arguments]
            signature = format_signature(shown, member=member)
            self._report(node, f"found no matching overload for '{called.name}' applied to '{signature}'")
            return
        overloads = tuple([each.overload for each in matching])
        reference = Reference(called.name, overloads=overloads, function=called.function)
        types[node.id] = result
        self.references[node.id] = reference
        if key is not None and not has_variables(result):
            called.remember(key, (result, reference, self.inference.variables - before))

    def _matching(
        self, candidates: Sequence[Candidate], arguments: Sequence[Type]
    ) -> tuple[Type | None, list[Candidate]]:
        """The overloads that take such arguments, and the type they give or agree on."""
        inference = self.inference
        result: Type | None = None
        matching: list[Candidate] = []
        parameters: Sequence[Type]
        for candidate in candidates:
            if candidate.names:
                given, *parameters = inference.renamed(candidate.signature, candidate.names)
            else:
                given, parameters = candidate.result, candidate.parameters
            if not inference.all_assignable(arguments, parameters):
                continue
            matching.append(candidate)
            given = inference.substitute(given)
            if result is None:
                result = given
            elif not is_dynamic(result) and given != result:
                result = DYN
        return result, matching

    def _logical(
        self, node: Call, called: Callable, args: Sequence[Expression], arguments: Sequence[Type]
    ) -> None:
        """`&&` and `||`: each operand for itself, so that each wrong one is told."""
        right = True
        for arg, one in zip(args, arguments, strict=True):
            if one is not BOOL and not self.inference.assignable(one, BOOL):
                self._mismatch(arg, BOOL, one)
                right = False
        if right:
            self.types[node.id] = BOOL
            self.references[node.id] = called.reference
        else:
            self.types[node.id] = ERROR

    def _list(self, node: ListLiteral) -> None:
        joined: Type | None = None
        for position, element in enumerate(node.elements):
            self._visits[type(element)](element)
            one = self.types[element.id]
            if position in node.optional:
                one = self._held(element, one)
            joined = self._joined(joined, one)
        self.types[node.id] = list_of(joined if joined is not None else self.inference.fresh())

    def _map(self, node: MapLiteral) -> None:
        keys: Type | None = None
        values: Type | None = None
        for entry in node.entries:
            self._visits[type(entry.key)](entry.key)
            keys = self._joined(keys, self.types[entry.key.id])
            self._visits[type(entry.value)](entry.value)
            one = self.types[entry.value.id]
            if entry.optional:
                one = self._held(entry.value, one)
            values = self._joined(values, one)
        if keys is None or values is None:
            keys, values = self.inference.fresh(), self.inference.fresh()
        self.types[node.id] = map_of(keys, values)

    def _held(self, node: Expression, one: Type) -> Type:
        """What an optional element holds; an issue when it is no optional."""
        held, was_optional = unwrapped(one)
        if not was_optional and not is_dynamic(held):
            self._mismatch(node, optional_of(held), held)
        return held

    def _joined(self, before: Type | None, one: Type) -> Type:
        """The type of elements that are of both; `dyn` when the two do not go together."""
        if before is None or before is one:
            return one
        return most_general(before, one) if self.inference.assignable(before, one) else DYN

    def _struct(self, node: StructLiteral) -> None:
        found = self._name(node.type_name)
        if found is None:
            self._undeclared(node, node.type_name)
            return
        name = found.reference.name
        self.references[node.id] = Reference(name)
        result, fields = ERROR, None
        message = MESSAGES.get(name)
        if message is not None:
            result, fields = message.type, message.fields
        elif found.type.kind is _ERROR:
            pass  # What is wrong with it has been told where it was declared.
        elif found.type.kind is not _TYPE:
            self._report(node, f"'{_declared_name(found.type)}' is not a type")
        elif found.type.parameters and found.type.parameters[0].fields is not None:
            result = found.type.parameters[0]
            fields = result.fields
        else:
            self._report(node, f"'{_declared_name(found.type.parameters[0])}' is not a message type")
        self.types[node.id] = result
        for field in node.fields:
            if field.value.id not in self.types:
                self._visits[type(field.value)](field.value)
            expected = ERROR
            if fields is None:
                self._report(field, f"unexpected failed resolution of '{name}'")
            else:
                expected = self._declared_field(field, fields, field.name) or ERROR
            one = self.types[field.value.id]
            if field.optional:
                one = self._held(field.value, one)
            if not self.inference.assignable(expected, one):
                wanted = f"expected type of field '{field.name}' is '{format_type(expected)}'"
                self._report(field, f"{wanted} but provided type is '{format_type(one)}'")

    def _comprehension(self, node: Comprehension) -> None:
        visits, types = self._visits, self.types
        visits[type(node.iter_range)](node.iter_range)
        visits[type(node.accu_init)](node.accu_init)
        first, second = self._iterated(node)
        accumulated = types[node.accu_init.id]
        outside = self._locals
        around = self._locals = {**outside, node.accu_var: _local(node.accu_var, accumulated)}
        inside = self._locals = {**around, node.iter_var: _local(node.iter_var, first)}
        if node.iter_var2 is not None:
            inside[node.iter_var2] = _local(node.iter_var2, second)
        self._callables = self._declarations.callables_in_loops
        visits[type(node.condition)](node.condition)
        self._assert(node.condition, BOOL)
        visits[type(node.step)](node.step)
        self._assert(node.step, accumulated)
        self._locals = around
        visits[type(node.result)](node.result)
        self._locals = outside
        types[node.id] = self.inference.substitute(types[node.result.id])

    def _iterated(self, node: Comprehension) -> tuple[Type, Type]:
        """The types of the variables that a comprehension binds; the second is unused when it binds one."""
        over = self.inference.substitute(self.types[node.iter_range.id])
        kind = over.kind
        if kind is _LIST:
            return (over.parameters[0], DYN) if node.iter_var2 is None else (INT, over.parameters[0])
        if kind is _MAP:
            return over.parameters[0], over.parameters[1]
        if kind is _DYN or kind is _ERROR or kind is _PARAMETER:
            self.inference.assignable(DYN, over)
            return DYN, DYN
        shown = format_type(over)
        self._report(
            node.iter_range,
            f"expression of type '{shown}' cannot be range of a comprehension (must be list, map, or dynamic)",
        )
        return ERROR, ERROR

    def _assert(self, node: Expression, expected: Type) -> None:
        if not self.inference.assignable(expected, self.types[node.id]):
            self._mismatch(node, expected, self.types[node.id])


def _declared_name(one: Type) -> str:
    """The type's name without its parameters."""
    return f"wrapper({one.name})" if one.nullable else one.name


def _local(name: str, one: Type) -> Name:
    return Name(one, Reference(name))


def _leftmost(node: Expression) -> Call | None:
    """The call that is the first operand of a call, through selections that are no dotted name."""
    if type(node) is not Call:
        return None
    left = node.target if node.target is not None else node.args[0] if node.args else None
    while type(left) is Select:
        left = left.operand
    return left if type(left) is Call else None
