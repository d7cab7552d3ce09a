"""Decoded structs that nobody can change: the maps, lists and sets in their members are replaced by frozen ones.

A frozen `msgspec.Struct` keeps its attributes, not what they hold: a `dict` member of a shared object could be changed
by anybody. Sits beside `frozen`, below the cache, which freezes each object before it hands it out.

Promises
    Z1  nothing inside a frozen struct can be changed: maps are FrozenDict, lists FrozenList, sets frozenset, all the
        way down
    Z2  it equals what it was made of, and `encodable` gives what is encoded to the same bytes: empty members that are
        defaults are left out
    Z3  with a `Shared`, small maps of texts that are equal are one object, and so are texts that many objects have:
        labels, resources and namespaces are the same in hundreds of Pods
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import attrgetter, is_
from sys import intern
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec.structs import force_setattr

from kajitori.apimachinery.frozen import EMPTY, FrozenDict, FrozenList
from kajitori.apimachinery.objectmeta import ObjectMeta, OwnerReference

__all__ = ["Shared", "changeable_class", "encodable", "freeze_struct"]

SHARED_MAPS_MAX = 2_048
"""Different maps that are remembered to be shared. When there are more, few are alike, and all are forgotten."""

SHARED_TEXT_MAX = 63
"""Characters of a text in a shared map, as long as a label: longer ones are data, and hardly ever alike."""

SHARED_MEMBERS_MAX = 16

_SHARED_TEXTS: dict[type, tuple[str, ...]] = {
    ObjectMeta: ("namespace", "creation_timestamp"),
    OwnerReference: ("api_version", "kind", "name", "uid"),
}

T = TypeVar("T")


class Shared:
    """Small maps met so far, to be used again; of one cache of one kind."""

    __slots__ = ("_maps",)

    def __init__(self) -> None:
        self._maps: dict[tuple[tuple[str, Any], ...], FrozenDict] = {}

    def frozen(self, members: dict[str, Any]) -> FrozenDict:
        """The frozen form of a map of texts."""
        if len(members) > SHARED_MEMBERS_MAX:
            return FrozenDict(members)
        for text in members.values():
            if type(text) is not str or len(text) > SHARED_TEXT_MAX:
                return FrozenDict(members)
        key = tuple(members.items())
        known = self._maps.get(key)
        if known is None:
            if len(self._maps) >= SHARED_MAPS_MAX:
                self._maps.clear()
            known = self._maps[key] = FrozenDict(members)
        return known


class _Member(NamedTuple):
    """A member that may hold something to freeze."""

    name: str
    is_flat: bool
    """Nothing to freeze inside: a map of texts, a list of numbers."""
    empty: dict[str, Any]
    """What an empty map becomes: the default of the class where that is frozen, so that it is left out of the encoded
    form as any default is.
    """
    is_left_out: bool
    """Whether `empty` is that default."""
    factory: Callable[[], Any] | None
    """What the class makes its default with; only what that makes is left out of the encoded form."""

    def encodable_empty(self, held: Any) -> Any:
        """An empty value as it is left out, where empty is the default."""
        if self.factory is not None:
            return self.factory() if type(held) in _FROZEN else held
        return self.empty if self.is_left_out else held


class _Plan(NamedTuple):
    """What is to be done to instances of a class."""

    values: Callable[[Any], tuple[Any, ...]]
    members: tuple[_Member, ...]
    texts: tuple[str, ...]
    """Members that are texts which many objects have."""


_FROZEN = (FrozenDict, FrozenList, frozenset)


def freeze_struct(value: T, shared: Shared | None = None) -> T:
    """The same struct, with everything inside it frozen in place: nobody else may go on changing what it holds."""
    _freeze(value, _plan_of(type(value)), shared)
    return value


def _freeze(value: Any, plan: _Plan, shared: Shared | None) -> None:
    for (name, is_flat, empty, *_), held in zip(plan.members, plan.values(value), strict=False):
        kind = type(held)
        if kind is dict:
            if not held:
                frozen: Any = empty
            elif is_flat:
                frozen = FrozenDict(held) if shared is None else shared.frozen(held)
            else:
                frozen = _frozen_dict(held, shared)
        elif isinstance(held, msgspec.Struct):
            _freeze(held, _plan_of(kind), shared)
            continue
        elif held is None or held == ():
            continue
        else:
            frozen = _frozen(held, shared)
            if frozen is held:
                continue
        force_setattr(value, name, frozen)
    if shared is not None:
        for name in plan.texts:
            text = getattr(value, name)
            if text:
                force_setattr(value, name, intern(text))


def _frozen(held: Any, shared: Shared | None) -> Any:
    kind = type(held)
    if kind is dict:
        return _frozen_dict(held, shared) if held else EMPTY
    if kind is list:
        return FrozenList([_frozen(item, shared) for item in held])
    if kind is tuple:
        frozen = tuple([_frozen(item, shared) for item in held])
        # Structs are frozen where they are: mostly it is the same tuple.
        return held if all(map(is_, frozen, held)) else frozen
    if kind is set:
        return frozenset(held)
    if kind is bytearray:
        return bytes(held)
    if isinstance(held, msgspec.Struct):
        return freeze_struct(held, shared)
    return held


def _frozen_dict(held: dict[str, Any], shared: Shared | None) -> FrozenDict:
    return FrozenDict({name: _frozen(member, shared) for name, member in held.items()})


def encodable(value: Any) -> Any:
    """What to encode of a struct, frozen or not: the same, but that empty maps and lists which are defaults are such as
    are left out.
    """
    if isinstance(value, msgspec.Struct):
        plan = _plan_of(type(value))
        changed: dict[str, Any] = {}
        for member, held in zip(plan.members, plan.values(value), strict=True):
            if held is None or (held and member.is_flat):
                continue
            plain = encodable(held) if held else member.encodable_empty(held)
            if plain is not held:
                changed[member.name] = plain
        return msgspec.structs.replace(value, **changed) if changed else value
    if isinstance(value, (tuple, list)):
        items = [encodable(item) for item in cast(Any, value)]
        return value if all(map(is_, items, cast(Any, value))) else items
    if isinstance(value, dict):
        members = {name: encodable(member) for name, member in value.items()}
        return value if all(map(is_, members.values(), value.values())) else members
    return value


def changeable_class(cls: type[Any]) -> type[Any] | None:
    """The first class among this one and those of its members whose instances could be changed, not being declared
    `frozen=True`; None when there is none.
    """
    met = set[type[Any]]()
    todo: list[Any] = [cls]
    while todo:
        found = todo.pop()
        if isinstance(found, type) and issubclass(found, msgspec.Struct):
            if found in met:
                continue
            met.add(found)
            if not found.__struct_config__.frozen:
                return found
            todo += [field.type for field in reversed(msgspec.structs.fields(found))]
        else:
            todo += reversed(get_args(found))
    return None


# What a class may hold, found once.

_FIXED = (str, int, float, bool, bytes, NoneType, msgspec.Raw)


def _new_plan(cls: type[Any]) -> _Plan:
    members: list[_Member] = []
    for field in msgspec.structs.fields(cls):
        if not _holds_changeable(field.type, (cls,)):
            continue
        is_left_out = isinstance(field.default, FrozenDict)
        members.append(
            _Member(
                field.name,
                _is_flat(field.type, (cls,)),
                cast(FrozenDict, field.default) if is_left_out else EMPTY,
                is_left_out,
                field.default_factory if field.default_factory in (dict, list, set) else None,
            )
        )
    names = [member.name for member in members]
    values = attrgetter(*names) if len(names) > 1 else _one_value(names[0]) if names else _no_values
    return _Plan(values, tuple(members), _SHARED_TEXTS.get(cls, ()))


_plan_of = cast(Callable[[Any], _Plan], lru_cache(maxsize=4096)(_new_plan))


def _one_value(name: str) -> Callable[[Any], tuple[Any, ...]]:
    value = attrgetter(name)
    return lambda struct: (value(struct),)


def _no_values(struct: Any) -> tuple[Any, ...]:
    return ()


def _holds_changeable(annotation: Any, within: tuple[type[Any], ...]) -> bool:
    """Whether a value of this type may be, or hold, what `_frozen` replaces or looks into."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _holds_changeable(get_args(annotation)[0], within)
    if origin is Literal:
        return False
    if origin in (Union, UnionType, tuple):
        return any(_holds_changeable(each, within) for each in get_args(annotation) if each is not ...)
    if isinstance(annotation, type):
        if issubclass(annotation, msgspec.Struct):
            if annotation in within:
                return True  # It holds itself: what it holds besides is found when it is looked into.
            fields = msgspec.structs.fields(annotation)
            inside = (*within, annotation)
            return annotation in _SHARED_TEXTS or any(_holds_changeable(each.type, inside) for each in fields)
        return not issubclass(annotation, _FIXED)  # Enums of texts and numbers are such too.
    return True


def _is_flat(annotation: Any, within: tuple[type[Any], ...]) -> bool:
    """Whether it is a map or list whose members need no freezing (or nothing at all)."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_flat(get_args(annotation)[0], within)
    if origin in (Union, UnionType):
        return all(_is_flat(each, within) for each in get_args(annotation))
    if origin in (dict, list, set, frozenset, Mapping):
        return not any(_holds_changeable(each, within) for each in get_args(annotation))
    return annotation is NoneType or (isinstance(annotation, type) and issubclass(annotation, _FIXED))
