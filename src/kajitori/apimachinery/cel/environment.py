"""What an expression may use: functions, macros, variables, types; and the road from its text to a program.

An environment is made once from libraries and never changes. `extend` gives another with more in it and shares all
it can, so an environment for one more variable costs microseconds.

Promises
    N1  an environment never changes; what extends it has everything it has, and the later declaration counts
    N2  extending by variables neither copies nor lays out the functions again
    N3  the types of variables are known by their names, with all the object types inside them

Source: cel-go's cel/env.go.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from kajitori.apimachinery.cel.checker import Checked, check
from kajitori.apimachinery.cel.compiler import Program, compile_program
from kajitori.apimachinery.cel.declarations import (
    Callable,
    Container,
    Name,
    Reference,
    callables,
    without_cross_type_comparisons,
)
from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.functions import Library
from kajitori.apimachinery.cel.macros import STANDARD_MACROS, Macro, MacroTable, macro_table
from kajitori.apimachinery.cel.parser import parse
from kajitori.apimachinery.cel.tree import Tree
from kajitori.apimachinery.cel.types import DURATION, INT, TIMESTAMP, Kind, Type
from kajitori.apimachinery.cel.unchecked import assume
from kajitori.apimachinery.cel.validators import Validator
from kajitori.apimachinery.cel.well_known import MESSAGES, NULL_VALUE

__all__ = ["Environment", "TypeResolver"]


class TypeResolver(Protocol):
    """Object types that are made when somebody names them, such as `Object.spec`."""

    @property
    def heads(self) -> frozenset[str]:
        """The first segments of the names that it knows."""
        ...

    def __call__(self, name: str) -> Type | None:
        """The type of this name."""
        ...


class Environment:
    """Everything that expressions of one sort may use."""

    __slots__ = (
        "_object_types",
        "_resolver",
        "callables",
        "callables_in_loops",
        "container",
        "dotted",
        "keywords_are_fields",
        "macros",
        "names",
        "optional_syntax",
        "quoted_fields",
        "types",
        "validators",
    )

    container: Container
    names: Mapping[str, Name]
    """Variables, constants and types by their full names."""
    callables: Mapping[str, Callable]
    callables_in_loops: Mapping[str, Callable]
    """The same with the comparisons of different number types, which cel-go forgets to withhold there."""
    dotted: frozenset[str]
    """The first segments of all dotted names; others need not be looked up whole."""
    macros: MacroTable
    types: tuple[Type, ...]
    """Object types that expressions may name, and whose fields lead to others."""
    validators: tuple[Validator, ...]
    keywords_are_fields: bool
    optional_syntax: bool
    quoted_fields: bool
    _object_types: Mapping[str, Type] | None
    _resolver: TypeResolver | None

    def __init__(
        self,
        libraries: Sequence[Library],
        *,
        macros: Sequence[Macro] = STANDARD_MACROS,
        validators: Sequence[Validator] = (),
        cross_type_comparisons: bool = True,
        keywords_are_fields: bool = True,
        optional_syntax: bool = True,
        quoted_fields: bool = False,
    ) -> None:
        """An environment with these libraries and nothing else; the standard library is one.

        `keywords_are_fields` lets `self.namespace` be written for `self.__namespace__`, `quoted_fields` back-quoted
        names of fields.
        """
        self.container = Container()
        self.types = ()
        self._object_types = {}
        self._resolver = None
        self.validators = tuple(validators)
        self.keywords_are_fields = keywords_are_fields
        self.optional_syntax = optional_syntax
        self.quoted_fields = quoted_fields
        self.macros = macro_table([*macros, *(each for library in libraries for each in library.macros)])
        self.callables_in_loops = callables(libraries)
        self.callables = (
            self.callables_in_loops
            if cross_type_comparisons
            else without_cross_type_comparisons(self.callables_in_loops)
        )
        self.names = {NULL_VALUE: Name(INT, Reference(NULL_VALUE, 0)), **_constants(libraries)}
        self.dotted = _heads((*self.callables, *self.names))

    def extend(
        self,
        *,
        variables: Mapping[str, Type] | None = None,
        types: Iterable[Type] = (),
        libraries: Sequence[Library] = (),
        container: str | Container | None = None,
        resolver: TypeResolver | None = None,
        validators: Sequence[Validator] = (),
    ) -> "Environment":
        """This environment with more in it. `types` are object types; `resolver` makes more of them by name."""
        new: Environment = object.__new__(Environment)
        for name in Environment.__slots__:
            setattr(new, name, getattr(self, name))
        if container is not None:
            new.container = container if isinstance(container, Container) else Container(container)
        if libraries:
            new._add_libraries(libraries)
        if variables:
            new.names = {**new.names, **{name: Name(one, Reference(name)) for name, one in variables.items()}}
            if any("." in name for name in variables):
                new.dotted |= _heads(variables)
        if validators:
            new.validators = (*self.validators, *validators)
        types = tuple(types)
        if types:
            new.types = (*self.types, *types)
            new._object_types = None
            new.dotted |= _heads([f"{one.name}." for one in types])
        if resolver is not None:
            new._resolver = resolver
            new.dotted |= frozenset(resolver.heads)
        return new

    def _add_libraries(self, libraries: Sequence[Library]) -> None:
        """Lay out what the libraries add to functions, macros and names."""
        in_loops = callables(libraries, self.callables_in_loops)
        if self.callables is self.callables_in_loops:
            self.callables = self.callables_in_loops = {**self.callables_in_loops, **in_loops}
        else:
            self.callables_in_loops = {**self.callables_in_loops, **in_loops}
            self.callables = {**self.callables, **without_cross_type_comparisons(in_loops)}
        constants = _constants(libraries)
        self.macros = {
            **self.macros,
            **macro_table([each for library in libraries for each in library.macros]),
        }
        self.names = {**self.names, **constants}
        self.dotted |= _heads((*in_loops, *constants))

    def find_type(self, name: str) -> Type | None:
        """The object type of this full name, when there is one."""
        if self._resolver is not None:
            found = self._resolver(name)
            if found is not None:
                return found
        known = self._object_types
        if known is None:
            known = self._object_types = _object_types(self.types)
        found = known.get(name)
        if found is not None:
            return found
        message = MESSAGES.get(name)
        return message.type if message is not None else None

    def parse(self, text: str) -> Tree:
        """The tree of a text.

        Raises:
            CompileError: it is no expression.
        """
        return parse(
            text, self.macros, optional_syntax=self.optional_syntax, quoted_fields=self.quoted_fields
        )

    def check(self, text: str | Tree) -> Checked:
        """The tree with its types.

        Raises:
            CompileError: it is no expression, its types do not go together, or a validator finds fault with it.
        """
        tree = self.parse(text) if isinstance(text, str) else text
        checked = check(tree, self)
        if self.validators:
            issues = [issue for validator in self.validators for issue in validator(checked)]
            if issues:
                raise CompileError(tree.text, sorted(issues, key=lambda issue: issue.offset))
        return checked

    def compile(self, text: str | Tree, *, checked: bool = True) -> Program:
        """The expression ready to run; not `checked`, its types are left to the run, as are names that there are not.

        Raises:
            CompileError: it is no expression, its types do not go together, or one of its constants has no value.
        """
        if checked:
            return compile_program(self.check(text))
        return compile_program(assume(self.parse(text) if isinstance(text, str) else text, self))


def _constants(libraries: Iterable[Library]) -> dict[str, Name]:
    return {
        name: Name(one, Reference(name, value))
        for library in libraries
        for name, (one, value) in library.constants.items()
    }


def _heads(names: Iterable[str]) -> frozenset[str]:
    """The first segments of the dotted ones among names; operators such as `_?._` are none."""
    return frozenset(name.partition(".")[0] for name in names if "." in name and name[0].isalpha())


def _object_types(roots: Iterable[Type]) -> dict[str, Type]:
    """All object types in these, by name; lists and maps in them by the path that leads there."""
    found: dict[str, Type] = {"duration": DURATION, "timestamp": TIMESTAMP}
    waiting: list[tuple[str, Type]] = [(one.name, one) for one in roots]
    while waiting:
        path, one = waiting.pop()
        if one.kind is Kind.OBJECT:
            if one.name in found or one.fields is None:
                continue
            found[one.name] = one
            waiting += [(f"{path}.{name}", each) for name, each in one.fields.items()]
        elif one.kind is Kind.LIST and path not in found:
            found[path] = one
            waiting.append((f"{path}.@idx", one.parameters[0]))
        elif one.kind is Kind.MAP and path not in found:
            found[path] = one
            waiting.append((f"{path}.@elem", one.parameters[1]))
    return found
