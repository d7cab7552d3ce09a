"""Which type goes where, and what the variables of a signature stand for: unification with `dyn` as a joker.

Used by the checker alone. A signature's parameters (`A`, `B`) are replaced by fresh variables (`_var0` …) for every
call; comparing the arguments with them binds the variables, and `substitute` writes what they stand for into a type.

Promises
    I1  a comparison that fails leaves no variable bound
    I2  no variable is ever bound to a type that contains it
    I3  types are shown in messages as cel-go's checker shows them, which differs from `str()` (`null`, `timestamp`)

Source: cel-go's checker/types.go, mapping.go and format.go; cel-spec's doc/langdef.md, "Gradual Type Checking".
"""

from collections.abc import Iterable, Mapping, Sequence

from kajitori.apimachinery.cel.types import DYN, Kind, Type

__all__ = [
    "Inference",
    "format_signature",
    "format_type",
    "has_variables",
    "is_dynamic",
    "most_general",
    "unwrapped",
]

_ANY, _DYN, _ERROR, _NULL = Kind.ANY, Kind.DYN, Kind.ERROR, Kind.NULL
_OPAQUE, _LIST, _MAP, _TYPE, _PARAMETER = Kind.OPAQUE, Kind.LIST, Kind.MAP, Kind.TYPE, Kind.PARAMETER
_OBJECT, _DURATION, _TIMESTAMP = Kind.OBJECT, Kind.DURATION, Kind.TIMESTAMP

_SHOWN = {
    "google.protobuf.Duration": "duration",
    "google.protobuf.Timestamp": "timestamp",
    "*error*": "!error!",
    "null_type": "null",
}


def format_type(one: Type) -> str:
    """The type as messages of the checker name it."""
    if not one.parameters:
        shown = _SHOWN.get(one.name, one.name)
        return f"wrapper({shown})" if one.nullable else shown
    return f"{one.name}({', '.join(format_type(each) for each in one.parameters)})"


def format_signature(arguments: Sequence[Type], *, member: bool) -> str:
    """What a function was applied to: `(int, string)`, or `list(int).(string)` for a call on a receiver."""
    receiver = f"{format_type(arguments[0])}." if member else ""
    rest = arguments[1:] if member else arguments
    return f"{receiver}({', '.join(format_type(each) for each in rest)})"


def is_dynamic(one: Type) -> bool:
    """Whether it is `dyn` or `any`, so that only running the expression can tell."""
    return one.kind is _DYN or one.kind is _ANY


def unwrapped(one: Type) -> tuple[Type, bool]:
    """What an optional may hold, and whether it was one."""
    if one.kind is _OPAQUE and one.name == "optional_type":
        return one.parameters[0], True
    return one, False


def has_variables(one: Type) -> bool:
    """Whether a type parameter or variable occurs in it."""
    if one.parameters:
        return any(has_variables(each) for each in one.parameters)
    return one.kind is _PARAMETER


class Inference:
    """The variables of one check, and what they are bound to so far."""

    __slots__ = ("_bound", "_next", "_undo")

    def __init__(self) -> None:
        self._bound: dict[str, Type] = {}
        self._undo: list[tuple[str, Type | None]] = []
        """What to restore when the comparison under way fails."""
        self._next = 0

    def fresh(self) -> Type:
        """A variable that nothing is known of."""
        name = f"_var{self._next}"
        self._next += 1
        return Type(_PARAMETER, name)

    @property
    def variables(self) -> int:
        """How many have been made."""
        return self._next

    def skip(self, variables: int) -> None:
        """Count variables without making them, for a call whose outcome is known: they number the next ones."""
        self._next += variables

    def renamed(self, signature: Sequence[Type], names: Iterable[str]) -> list[Type]:
        """A signature with fresh variables in the place of its parameters."""
        fresh = {name: self.fresh() for name in names}
        return [_replaced(one, fresh) for one in signature]

    def assignable(self, one: Type, other: Type) -> bool:
        """Whether `one` is assignable to `other`; binds variables when it is."""
        if one is other and not one.parameters:
            return True
        self._undo.clear()
        return self._assignable(one, other) or self._undone()

    def all_assignable(self, ones: Sequence[Type], others: Sequence[Type]) -> bool:
        """Whether each of `ones` is assignable to its partner among `others`, with the same variables."""
        if len(ones) != len(others):
            return False
        self._undo.clear()
        for one, other in zip(ones, others, strict=True):
            if not self._assignable(one, other):
                return self._undone()
        return True

    def substitute(self, one: Type, *, free_to_dyn: bool = False) -> Type:
        """The type with variables replaced by what they stand for, unbound ones by `dyn` when `free_to_dyn`."""
        if one.parameters:
            parameters = one.parameters
            replaced = tuple([self.substitute(each, free_to_dyn=free_to_dyn) for each in parameters])
            for new, old in zip(replaced, parameters, strict=True):
                if new is not old:
                    return Type(one.kind, one.name, replaced, None, one.size, one.key_size)
            return one
        if one.kind is not _PARAMETER:
            return one
        bound = self._bound.get(one.name)
        if bound is not None:
            return self.substitute(bound, free_to_dyn=free_to_dyn)
        return DYN if free_to_dyn else one

    def _undone(self) -> bool:
        """Forget what the failed comparison has bound."""
        for name, before in reversed(self._undo):
            if before is None:
                del self._bound[name]
            else:
                self._bound[name] = before
        return False

    def _bind(self, name: str, to: Type) -> None:
        self._undo.append((name, self._bound.get(name)))
        self._bound[name] = to

    def _assignable(self, one: Type, other: Type) -> bool:
        kind, other_kind = one.kind, other.kind
        if other_kind is _PARAMETER:
            fits, known = self._fits(one, other)
            if fits:
                return True
            if known:
                return False
        if kind is _PARAMETER:
            return self._fits(other, one)[0]
        if (
            kind is _DYN
            or other_kind is _DYN
            or kind is _ERROR
            or other_kind is _ERROR
            or kind is _ANY
            or other_kind is _ANY
        ):
            return True
        if kind is _NULL:
            return _takes_null(other)
        if other_kind is _NULL:
            return _takes_null(one)
        if kind is not other_kind:
            return False
        if kind is _LIST or kind is _MAP or kind is _OPAQUE:
            if one.name != other.name or len(one.parameters) != len(other.parameters):
                return False
            for mine, theirs in zip(one.parameters, other.parameters, strict=True):
                if not self._assignable(mine, theirs):
                    return False
            return True
        return kind is _TYPE or one.name == other.name

    def _fits(self, one: Type, variable: Type) -> tuple[bool, bool]:
        """Whether the variable can stand for `one`, and whether it already stands for something."""
        if one.kind is _PARAMETER and one.name == variable.name:
            return True, True
        bound = self._bound.get(variable.name)
        if bound is None:
            if self._occurs(variable, one):
                return False, False
            self._bind(variable.name, one)
            return True, False
        if one is bound or one == bound:
            return True, True
        if not self._assignable(one, bound):
            return False, True
        general = most_general(one, bound)
        if not self._occurs(variable, general):
            self._bind(variable.name, general)
        return True, True

    def _occurs(self, variable: Type, within: Type) -> bool:
        """Whether the variable is part of the type, or of what a part of it stands for."""
        if within.parameters:
            return any(self._occurs(variable, each) for each in within.parameters)
        if within.kind is not _PARAMETER:
            return False
        if within.name == variable.name:
            return True
        bound = self._bound.get(within.name)
        return bound is not None and self._occurs(variable, bound)


def _replaced(one: Type, by: Mapping[str, Type]) -> Type:
    if one.parameters:
        return Type(one.kind, one.name, tuple([_replaced(each, by) for each in one.parameters]))
    return by.get(one.name, one) if one.kind is _PARAMETER else one


def _takes_null(one: Type) -> bool:
    kind = one.kind
    return (
        kind is _NULL
        or kind is _OPAQUE
        or kind is _OBJECT
        or kind is _DURATION
        or kind is _TIMESTAMP
        or one.nullable
    )


def most_general(one: Type, other: Type) -> Type:
    """The less specific of two types that unify."""
    return one if _less_specific(one, other) else other


def _less_specific(one: Type, other: Type) -> bool:
    """Whether `one` says the same as `other` or less, with `dyn` or a variable in some place."""
    kind, other_kind = one.kind, other.kind
    if kind is _DYN or kind is _ANY or kind is _PARAMETER:
        return True
    if other_kind is _DYN or other_kind is _ANY or other_kind is _PARAMETER or kind is not other_kind:
        return False
    if kind is _TYPE:
        return True
    if kind is _OPAQUE or kind is _LIST or kind is _MAP:
        return (
            one.name == other.name
            and len(one.parameters) == len(other.parameters)
            and all(
                _less_specific(mine, theirs)
                for mine, theirs in zip(one.parameters, other.parameters, strict=True)
            )
        )
    return one == other
