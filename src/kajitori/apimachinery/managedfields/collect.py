"""The fields of a value: every leaf, every item, every member that a set can own.

Each `Type` gets closures compiled once, because this runs on every create: `added_fields` gives what a value
adds where nothing was, `whole_fields` what a configuration names. `created_fields` compiles for one kind what
its creator owns, without what is never owned.

Promises
    C1  added_fields(type)(value) is what comparing nothing with the value calls added
    C2  created_fields(...)(value) is what comparing the zero object with the value calls added or modified,
        without the fields left out
    C3  results have Kubernetes' order at every level; they share parts and are never changed

Source: structured-merge-diff's ToFieldSet and Compare.
"""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from kajitori.apimachinery.managedfields.elements import SELF, order
from kajitori.apimachinery.managedfields.sets import LEAF, FieldSet
from kajitori.apimachinery.managedfields.types import ListType, MapType, Type

__all__ = ["added_fields", "created_fields", "whole_fields", "with_self"]

Added = Callable[[Any], FieldSet]
Whole = Callable[[Any], FieldSet | None]
Created = Callable[[Any], FieldSet | None]

Collect = TypeVar("Collect", Added, Created)

SHAPES_MAX = 256
"""Plans remembered per type of map. Labels and data have names of the users' choice."""

_ABSENT: Any = object()


def with_self(below: FieldSet | None) -> FieldSet:
    """The node of a member with these fields below it."""
    return {SELF: LEAF, **below} if below else LEAF


def added_fields(of: Type) -> Added:
    """A function from a value to the node of a member that was not there before."""
    if of.added is None:
        of.added = _compile_added(of)
    return of.added


def _leaf(value: Any) -> FieldSet:
    return LEAF


def _compile_added(of: Type) -> Added:
    members = _added_members(of.map) if of.map is not None and not of.map.atomic else None
    items = _added_items(of.list) if of.list is not None and not of.list.atomic else None
    if members is None and items is None:
        return _leaf

    def added(value: Any) -> FieldSet:
        if value:
            kind = type(value)
            if kind is dict and members is not None:
                return members(value)
            if kind is list and items is not None:
                return items(value)
        return LEAF

    return added


Plan = tuple[FieldSet, list[tuple[str, str, Collect]]]
"""A result with every member as a leaf, and the members to fill in: element, name, how."""


def _planner(
    resolve: Callable[[str], tuple[str, Collect | None]], head: FieldSet
) -> Callable[[tuple[str, ...]], Plan[Collect]]:
    """A function from the names in a map to what to do for such a map.

    Most objects of a kind have the same few shapes, so plans are remembered. A result with nothing to fill in is
    shared by all objects of that shape.
    """
    known: dict[tuple[str, ...], Plan[Collect]] = {}

    def plan_of(names: tuple[str, ...]) -> Plan[Collect]:
        plan = known.get(names)
        if plan is not None:
            return plan
        template = dict(head)
        inner: list[tuple[str, str, Collect]] = []
        for name in sorted(names):
            element, collect = resolve(name)
            if element:
                template[element] = LEAF
                if collect is not None:
                    inner.append((element, name, collect))
        if len(known) >= SHAPES_MAX:
            known.clear()
        known[names] = template, inner
        return template, inner

    return plan_of


def _added_members(of: MapType) -> Added:
    def resolve(name: str) -> tuple[str, Added | None]:
        collect = added_fields(of.member(name))
        return "f:" + name, None if collect is _leaf else collect

    plan_of = _planner(resolve, {SELF: LEAF})

    def added(value: dict[str, Any]) -> FieldSet:
        template, inner = plan_of(tuple(value))
        if not inner:
            return template
        result = template.copy()
        for element, name, collect in inner:
            result[element] = collect(value[name])
        return result

    return added


def _added_items(of: ListType) -> Added:
    element_of = of.element
    collect: Added | None = None

    def added(value: list[Any]) -> FieldSet:
        nonlocal collect
        if collect is None:
            collect = added_fields(of.items)
        result: FieldSet = {SELF: LEAF}
        for item in value:
            element = element_of(item)
            # Of repeated items only the item as a whole is owned.
            result[element] = LEAF if element in result else collect(item)
        return result if len(result) < 3 else _in_order(result)

    return added


def _in_order(fields: FieldSet) -> FieldSet:
    elements = sorted(fields, key=order)
    return fields if elements == list(fields) else {element: fields[element] for element in elements}


def whole_fields(of: Type) -> Whole:
    """A function from a value to the fields below it that it names; LEAF when it is one itself."""
    if of.whole is None:
        of.whole = _compile_whole(of)
    return of.whole


def _whole_leaf(value: Any) -> FieldSet | None:
    return LEAF


def _compile_whole(of: Type) -> Whole:
    if of.is_scalar_only:
        return _whole_leaf
    atomic_map = of.map is not None and of.map.atomic
    members = _whole_members(of.map) if of.map is not None and not of.map.atomic else None
    items = _whole_items(of.list) if of.list is not None and not of.list.atomic else None

    def whole(value: Any) -> FieldSet | None:
        kind = type(value)
        if kind is dict and of.map is not None:
            return LEAF if members is None else members(value)
        if kind is list and of.list is not None:
            return LEAF if items is None else items(value)
        if of.map is not None and (value is None or not of.scalar):
            # Null stands for an empty map here; the caller decides whether it is owned.
            return LEAF if atomic_map else None
        return LEAF if of.scalar or items is None else None

    return whole


def _whole_members(of: MapType) -> Whole:
    def whole(value: dict[str, Any]) -> FieldSet | None:
        result: FieldSet = {}
        for name in sorted(value):
            member = value[name]
            below = whole_fields(of.member(name))(member)
            if member is None or member == {} or not of.declares(name):
                result["f:" + name] = with_self(below)
            elif below is not None:
                result["f:" + name] = below
        return result or None

    return whole


def _whole_items(of: ListType) -> Whole:
    def whole(value: list[Any]) -> FieldSet | None:
        collect = whole_fields(of.items)
        result: FieldSet = {}
        for item in value:
            element = of.element(item)
            result[element] = LEAF if element in result else with_self(collect(item))
        return _in_order(result) or None

    return whole


def created_fields(
    of: MapType, zero: dict[str, Any], left_out: Collection[str], left_out_of_metadata: Collection[str]
) -> Callable[[dict[str, Any]], FieldSet]:
    """A function from a new object to the fields its creator owns.

    `zero` is what an object without any fields is written as; the names in `left_out`, and in
    `left_out_of_metadata` those below `metadata`, are never owned.
    """
    top = _created_members(of, zero, frozenset(left_out), frozenset(left_out_of_metadata))

    def created(value: dict[str, Any]) -> FieldSet:
        return top(value) or {}

    return created


def _created_members(
    of: MapType,
    zero: dict[str, Any],
    left_out: frozenset[str],
    metadata_left_out: frozenset[str] | None = None,
) -> Created:
    def resolve(name: str) -> tuple[str, Created | None]:
        if name in left_out:
            return "", None
        if name == "metadata" and metadata_left_out is not None:
            return "f:metadata", _created_metadata(of.member(name), metadata_left_out)
        return "f:" + name, _compile_created(of.member(name), zero.get(name, _ABSENT))

    plan_of = _planner(resolve, {})

    def created(value: dict[str, Any]) -> FieldSet | None:
        template, inner = plan_of(tuple(value))
        if not inner:
            return template or None
        result = template.copy()
        for element, name, collect in inner:
            below = collect(value[name])
            if below is None:
                del result[element]
            else:
                result[element] = below
        return result or None

    return created


def _created_metadata(of: Type, left_out: frozenset[str]) -> Created:
    assert of.map is not None, "metadata is a struct"
    members = _created_members(of.map, {}, left_out)

    def created(value: Any) -> FieldSet | None:
        return members(value) if type(value) is dict else None

    return created


def _compile_created(of: Type, zero: Any) -> Created | None:
    """None: the member is owned as a leaf."""
    if zero is _ABSENT:
        added = added_fields(of)
        return None if added is _leaf else added
    added = added_fields(of)
    if isinstance(zero, dict) and zero and of.map is not None and not of.map.atomic:
        return _created_struct(_created_members(of.map, zero, frozenset()), zero)
    was_empty = zero is None or zero == {}

    def created(value: Any) -> FieldSet | None:
        if value == zero:
            return None
        node = added(value)
        # A member that was there as null or empty is not added, only what is in it.
        return {element: each for element, each in node.items() if element != SELF} if was_empty else LEAF

    return created


def _created_struct(members: Created, zero: dict[str, Any]) -> Created:
    def created(value: Any) -> FieldSet | None:
        # An empty value only takes away what the zero object writes: nothing is owned.
        return members(value) if value != zero and value and type(value) is dict else None

    return created
