"""Whether two classes read the same out of the same JSON: what makes a class of reloaded code as good as the old one.

Promises
    H1  classes of the same shape decode equal values from any JSON, and refuse the same
    H2  in doubt two classes differ: code of the class's own that runs when it is decoded is never compared
"""

from enum import Enum
from typing import Any

import msgspec
from msgspec import inspect

__all__ = ["same_shape"]


def same_shape(one: type[Any], other: type[Any]) -> bool:
    """Whether objects of one class can be read as the other, with nothing missing and nothing otherwise."""
    if one is other:
        return True
    try:
        return _Comparison().types(inspect.type_info(one), inspect.type_info(other))
    except (TypeError, ValueError):
        return False  # msgspec cannot say what they are


class _Comparison:
    def __init__(self) -> None:
        self._compared: set[tuple[type, type]] = set()
        """Pairs that are being compared, or have been: a class may contain itself."""

    def types(self, one: Any, other: Any) -> bool:
        if type(one) is not type(other):
            return False
        mine, others = getattr(one, "cls", None), getattr(other, "cls", None)
        if mine is not others:
            assert mine is not None and others is not None, (mine, others)
            if isinstance(one, inspect.EnumType):
                return _members(mine) == _members(others)
            if isinstance(one, inspect.CustomType) or _runs_code(mine) or _runs_code(others):
                return False
            if (mine, others) in self._compared:
                return True
            self._compared.add((mine, others))
        elif mine is not None:
            return True
        names = (each.name for each in msgspec.structs.fields(one) if each.name != "cls")
        return all(self._values(getattr(one, name), getattr(other, name)) for name in names)

    def _values(self, one: Any, other: Any) -> bool:
        if isinstance(one, inspect.Type):
            return self.types(one, other)
        if isinstance(one, inspect.Field):
            return isinstance(other, inspect.Field) and self._fields(one, other)
        if isinstance(one, tuple):
            return isinstance(other, tuple) and len(one) == len(other) and all(map(self._values, one, other))
        return type(one) is type(other) and bool(one == other)

    def _fields(self, one: inspect.Field, other: inspect.Field) -> bool:
        return (
            (one.name, one.encode_name, one.required) == (other.name, other.encode_name, other.required)
            and self.types(one.type, other.type)
            and _plain(one.default) == _plain(other.default)
            and self._factories(one.default_factory, other.default_factory)
        )

    def _factories(self, one: Any, other: Any) -> bool:
        if isinstance(one, type) and isinstance(other, type) and one is not other:
            return self.types(inspect.type_info(one), inspect.type_info(other))
        return one is other


def _members(enum: type[Enum]) -> list[tuple[str, Any]]:
    return [(each.name, each.value) for each in enum]


def _runs_code(model: type) -> bool:
    return hasattr(model, "__post_init__")


def _plain(value: Any) -> Any:
    return value if value is msgspec.NODEFAULT else msgspec.to_builtins(value)
