"""Field sets: which fields of an object are meant, and the algebra on them.

A set is its own fieldsV1 JSON: a dict by path element (`elements`), each with the set below it. An empty dict
is a member with nothing below; `"."` marks an inner node as a member, and without it an inner node is none.
Sets are never changed once made, and share parts freely.

Promises
    S1  union, intersection and difference obey the laws of sets on the members
    S2  parse(ordered(set)) == set; what parse gives is canonical: one set, one dict
    S3  ordered(set) has Kubernetes' order at every level, so that its JSON is Kubernetes' bytes

Source: structured-merge-diff's fieldpath.Set and its fieldsV1 serialisation.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kajitori.apimachinery.managedfields.elements import SELF, canonical, element_text, order

__all__ = [
    "EMPTY",
    "LEAF",
    "FieldSet",
    "FieldsError",
    "difference",
    "from_elements",
    "from_paths",
    "has",
    "intersection",
    "is_member",
    "leaves",
    "ordered",
    "parse",
    "path_text",
    "paths",
    "recursive_difference",
    "union",
]

FieldSet = dict[str, Any]
"""A set, or a node of one: values are nodes again."""

EMPTY: FieldSet = {}
"""The empty set. Never changed, like every set."""

LEAF: FieldSet = {}
"""A member with nothing below it; one dict for all of them."""


class FieldsError(ValueError):
    """A fieldsV1 value that means no set."""


def is_member(node: FieldSet) -> bool:
    """Whether an inner node (not a whole set) is itself a member."""
    return not node or SELF in node


def from_paths(*wanted: str) -> FieldSet:
    """The set of some members of structs: `from_paths("status", "metadata.labels")`."""
    return from_elements(tuple("f:" + step for step in path.split(".")) for path in wanted)


def from_elements(wanted: Iterable[tuple[str, ...]]) -> FieldSet:
    """The set with these paths of canonical elements as its members."""
    result: FieldSet = {}
    for *steps, last in wanted:
        at = result
        for step in steps:
            if step not in at:
                at[step] = {}
            elif not at[step]:
                at[step] = {SELF: LEAF}
            at = at[step]
        at[last] = {SELF: LEAF, **at[last]} if at.get(last) else LEAF
    return result


def has(fields: FieldSet, path: Iterable[str]) -> bool:
    """Whether the field that a path of elements leads to is a member."""
    node = fields
    at_root = True
    for element in path:
        if element not in node:
            return False
        node = node[element]
        at_root = False
    return not at_root and is_member(node)


def paths(fields: FieldSet) -> Iterator[tuple[str, ...]]:
    """The paths of all members, members of a level before what is below them, in Kubernetes' order."""
    yield from _paths(fields, ())


def _paths(node: FieldSet, prefix: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    elements = sorted((each for each in node if each != SELF), key=order)
    for element in elements:
        if is_member(node[element]):
            yield (*prefix, element)
    for element in elements:
        if node[element]:
            yield from _paths(node[element], (*prefix, element))


def path_text(path: Iterable[str]) -> str:
    """A path as messages show it: `.spec.containers[name="c"].image`."""
    return "".join(map(element_text, path))


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    """What is in either."""
    if not other or one is other:
        return one
    if not one:
        return other
    return _joined(one, other)


def _joined(one: FieldSet, other: FieldSet) -> FieldSet:
    result = dict(one)
    for element, theirs in other.items():
        ours = one.get(element)
        result[element] = theirs if ours is None else _union(ours, theirs)
    return result


def _union(one: FieldSet, other: FieldSet) -> FieldSet:
    if one is other:
        return one
    if one and other:
        return _joined(one, other)
    # One is a bare member, the other may have fields below: a member with those fields.
    larger = one or other
    return larger if not larger or SELF in larger else {SELF: LEAF, **larger}


def intersection(one: FieldSet, other: FieldSet) -> FieldSet:
    """What is in both."""
    if one is other:
        return one
    return _common(one, other)


def _common(one: FieldSet, other: FieldSet) -> FieldSet:
    result: FieldSet = {}
    for element, ours in one.items():
        theirs = other.get(element)
        if theirs is not None and element != SELF:
            both = _intersection(ours, theirs)
            if both is not None:
                result[element] = both
    return result


def _intersection(one: FieldSet, other: FieldSet) -> FieldSet | None:
    if one is other:
        return one
    result = _common(one, other)
    if is_member(one) and is_member(other):
        return {SELF: LEAF, **result} if result else LEAF
    return result or None


def difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """What is in `one` and not in `other`; fields below a member of `other` stay."""
    if not other or not one:
        return one
    return _less(one, other)


def _less(one: FieldSet, other: FieldSet) -> FieldSet:
    result: FieldSet = {}
    for element, ours in one.items():
        if element == SELF:
            continue
        theirs = other.get(element)
        rest = ours if theirs is None else _difference(ours, theirs)
        if rest is not None:
            result[element] = rest
    return result


def _difference(one: FieldSet, other: FieldSet) -> FieldSet | None:
    result = _less(one, other)
    if is_member(one) and not is_member(other):
        return {SELF: LEAF, **result} if result else LEAF
    return result or None


def recursive_difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """What is in `one` and neither in `other` nor below a member of it."""
    if not other or not one:
        return one
    return _without(one, other)


def _without(one: FieldSet, other: FieldSet) -> FieldSet:
    result: FieldSet = {}
    for element, ours in one.items():
        theirs = other.get(element)
        if element == SELF:
            continue
        if theirs is None:
            result[element] = ours
        elif not is_member(theirs):
            rest = _without(ours, theirs)
            if is_member(ours):
                result[element] = {SELF: LEAF, **rest} if rest else LEAF
            elif rest:
                result[element] = rest
    return result


def leaves(fields: FieldSet) -> FieldSet:
    """The members with no fields below them."""
    return {element: leaves(below) if below else LEAF for element, below in fields.items() if element != SELF}


def parse(fields: Any) -> FieldSet:
    """The set a fieldsV1 value means; the value itself when it is canonical.

    Raises: FieldsError.
    """
    if fields is None:
        return EMPTY
    return _parse_root(fields)


def _parse_root(fields: Any) -> FieldSet:
    node = _parse(fields)
    return {element: below for element, below in node.items() if element != SELF} if SELF in node else node


def _parse(node: Any) -> FieldSet:
    if not isinstance(node, Mapping):
        raise FieldsError(f"expected a JSON object, found {node!r}")
    changed = False
    result: FieldSet = {}
    for text, below in node.items():
        if text == SELF:
            if below != {}:
                changed = True
            result[SELF] = LEAF
            continue
        try:
            element = canonical(text)
        except ValueError as error:
            raise FieldsError(str(error)) from None
        if element is None:
            changed = True
            continue
        if below == {} or below is None:
            parsed = LEAF
            changed = changed or below is None or element != text
        else:
            parsed = _parse(below)
            changed = changed or parsed is not below or element != text
        earlier = result.get(element)
        result[element] = parsed if earlier is None else _union(earlier, parsed)
    if result.keys() == {SELF}:
        return LEAF
    return result if changed or not isinstance(node, dict) else node


def ordered(fields: FieldSet) -> FieldSet:
    """The same set with its elements in Kubernetes' order, ready to be written."""
    elements = sorted(fields)
    if elements and not elements[-1] < "g":
        elements.sort(key=order)
    return {element: ordered(fields[element]) if fields[element] else LEAF for element in elements}
