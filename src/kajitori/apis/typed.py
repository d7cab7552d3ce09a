"""Built-in kinds as Go would have them: what a client sent, decoded into a struct and written again.

Sits between the JSON of a request and defaulting. A definition becomes a tree of closures when it is first
decoded; a struct remembers, for each set of keys it has met, which fields to copy in which order, so that the
common object costs one look-up and one pass over the keys that are there.

Promises
    T1  fields stand in Go's order, map keys sorted; unknown fields and nulls are gone
    T2  what omitempty leaves out when zero is gone; what is always written is there, zero or null if need be
    T3  quantities and times are in their canonical form, numbers within their type's range
    T4  a value of the wrong type raises DecodeError with Go's words and the field's path
    T5  unknown fields are noticed at no cost; they are told by `strict.unknown_fields`, which walks again

The result shares the parts of its input that need no change. Source: sigs.k8s.io/json; encoding/json.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import facts
from kajitori.apis.definitions import is_written_when_zero
from kajitori.apis.scalars import OMIT, Converter, WrongType, go_type, scalar_converter

__all__ = ["decode", "decoder"]

SHAPES_MAX = 64
"""Sets of keys remembered per struct. A cluster's manifests have a handful; more come from probing."""

_STRING_OR_NOTHING, _POINTER, _CONVERTED, _STRING, _CONSTANT, _ZERO_STRUCT = range(6)

_Entry = tuple[str, int, Any]
_Shape = tuple[tuple[_Entry, ...], bool]
_KEEPS_EMPTY_LISTS = ("io.k8s.apiextensions-apiserver.", "io.k8s.kube-aggregator.")
"""Groups that are stored as JSON. All others are stored as protobuf, which does not know an empty list."""


class _Shapes:
    """What to do for each set of keys that a struct comes with."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.known: dict[tuple[str, ...], _Shape] = {}
        self._entries: dict[str, _Entry] | None = None
        self._always: dict[str, _Entry] = {}

    def _fields(self) -> dict[str, _Entry]:
        """Every field's entry in Go's order. Built late, because a struct may contain itself."""
        if self._entries is None:
            fields = facts.definition(self._name).fields or []
            keeps_empty = self._name.startswith(_KEEPS_EMPTY_LISTS)
            self._always = {each.name: _absent(each) for each in fields if is_written_when_zero(each)}
            self._entries = {each.name: _entry(each, keeps_empty=keeps_empty) for each in fields}
        return self._entries

    def embedded(self, field: str) -> str:
        """The Go struct inside this one that a field stands in; only messages show it."""
        fields = facts.definition(self._name).fields or []
        return next((each.embedded for each in fields if each.name == field), "")

    def learn(self, keys: tuple[str, ...]) -> _Shape:
        fields = self._fields()
        present = frozenset(keys)
        entries = tuple(
            entry if name in present else self._always[name]
            for name, entry in fields.items()
            if name in present or name in self._always
        )
        shape = entries, not present <= fields.keys()
        if len(self.known) >= SHAPES_MAX:
            self.known.clear()
        self.known[keys] = shape
        return shape


@cache
def _struct(name: str) -> Converter:
    """The decoder of one struct. A closure: calling an object would cost a tenth more."""
    shapes = _Shapes(name)
    known, learn = shapes.known.get, shapes.learn

    def struct(value: Any, unknown: list[bool]) -> JsonObject:
        if value.__class__ is not dict:
            if value is not None:
                raise WrongType(value, go_type(name), "struct")
            value = {}
        keys = tuple(value)
        entries, has_unknown = known(keys) or learn(keys)
        if has_unknown:
            unknown.append(True)
        result: JsonObject = {}
        field = ""
        try:
            for field, action, convert in entries:
                if action == _STRING_OR_NOTHING:
                    item = value[field]
                    if item.__class__ is str:
                        if item:
                            result[field] = item
                    elif item is not None:
                        raise WrongType(item, convert, "string")
                elif action == _POINTER:
                    item = value[field]
                    if item is not None:
                        result[field] = convert(item, unknown)
                elif action == _CONVERTED:
                    item = convert(value[field], unknown)
                    if item is not OMIT:
                        result[field] = item
                elif action == _STRING:
                    item = value[field]
                    if item.__class__ is str:
                        result[field] = item
                    elif item is None:
                        result[field] = ""
                    else:
                        raise WrongType(item, convert, "string")
                elif action == _CONSTANT:
                    result[field] = convert
                else:
                    result[field] = convert({}, unknown)
        except WrongType as error:
            embedded = shapes.embedded(field)
            error.path.append(f"{embedded}.{field}" if embedded else field)
            if not error.struct:
                error.struct = name.rpartition(".")[2]
            raise
        return result

    return struct


def _entry(field: facts.GoField, *, keeps_empty: bool) -> _Entry:
    """What to do with the field when it is there."""
    if field.type == _OWNERSHIP:
        return field.name, _CONVERTED, _owners
    basic, _, named = field.type.partition("=")
    if basic == "string":
        return field.name, _STRING_OR_NOTHING if field.flags else _STRING, named or basic
    if basic.startswith("*") and field.flags:
        return field.name, _POINTER, _converter(field.type[1:], False, keeps_empty)
    # Omitempty leaves no struct out, not even one that writes itself.
    omits = "z" in field.flags or (bool(field.flags) and not field.type.startswith("io."))
    return field.name, _CONVERTED, _converter(field.type, omits, keeps_empty)


_OWNERSHIP = "[]io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry"


def _owners(value: Any, unknown: list[bool]) -> Any:
    """`metadata.managedFields`, of which an empty list means something: it asks to forget all of them."""
    return value if value == [] else _converter(_OWNERSHIP, True, False)(value, unknown)


def _absent(field: facts.GoField) -> _Entry:
    """What to write when the field is not there, for those that are always written."""
    convert = _converter(field.type, False, False)
    if field.type.startswith("io.") and scalar_converter(field.type, False) is None:
        return field.name, _ZERO_STRUCT, convert
    return field.name, _CONSTANT, convert(None, [])


@cache
def _converter(word: str, omits: bool, keeps_empty: bool) -> Converter:
    """The converter of a type; `omits` when its zero is left out, as omitempty asks for."""
    if word.startswith("*"):
        return _pointer(_converter(word[1:], False, keeps_empty), omits)
    if word.startswith("[]"):
        return _list(word, omits=omits, keeps_empty=keeps_empty)
    if word.startswith("{}"):
        return _map(word, omits=omits, keeps_empty=keeps_empty)
    scalar = scalar_converter(word, omits)
    if scalar is not None:
        return scalar
    if word in _SCHEMA_OR:
        return _SCHEMA_OR[word]
    return _struct(word)


def _pointer(convert: Converter, omits: bool) -> Converter:
    nothing = OMIT if omits else None

    def pointer(value: Any, unknown: list[bool]) -> Any:
        return nothing if value is None else convert(value, unknown)

    return pointer


def _list(word: str, *, omits: bool, keeps_empty: bool) -> Converter:
    element = word[2:]
    nothing = OMIT if omits else None
    if element.partition("=")[0] == "string":
        return _list_of_strings(word, nothing, keeps_empty and not omits)
    convert = _converter(element, False, keeps_empty)
    kept = [] if keeps_empty and not omits else nothing

    def items(value: Any, unknown: list[bool]) -> Any:
        if value.__class__ is list:
            # A fresh list each time, also of the empty one.
            return [convert(each, unknown) for each in value] if value or kept == [] else nothing
        if value is None:
            return nothing
        raise WrongType(value, go_type(word), "slice")

    return items


def _list_of_strings(word: str, nothing: Any, keeps_empty: bool) -> Converter:
    only_strings = {str}

    def strings(value: Any, unknown: list[bool]) -> Any:
        if value.__class__ is list:
            if not value:
                return value if keeps_empty else nothing
            if {*map(type, value)} == only_strings:
                return value
            for each in value:
                if not isinstance(each, str) and each is not None:
                    raise WrongType(each, go_type(word[2:]), "string")
            return [each or "" for each in value]
        if value is None:
            return nothing
        raise WrongType(value, go_type(word), "slice")

    return strings


def _map(word: str, *, omits: bool, keeps_empty: bool) -> Converter:
    nothing = OMIT if omits else None
    only_strings = {str}
    is_text = word[2:].partition("=")[0] == "string"
    convert = _converter(word[2:], False, keeps_empty)
    # What is there in a map is there, if only empty.
    empty: Any = [] if word.startswith("{}[]") else "" if word == "{}bytes" else None

    def members(value: Any, unknown: list[bool]) -> Any:
        if value.__class__ is dict:
            if not value:
                return {} if keeps_empty and not omits else nothing
            if is_text and {*map(type, value.values())} == only_strings:
                return dict(sorted(value.items())) if len(value) > 1 else value
            converted = {key: convert(value[key], unknown) for key in sorted(value)}
            if empty is not None:
                return {key: empty if each is None else each for key, each in converted.items()}
            return converted
        if value is None:
            return nothing
        raise WrongType(value, go_type(word), "map")

    return members


# The types of apiextensions.k8s.io that are one thing or another.

_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"


def _schema_or_bool(value: Any, unknown: list[bool]) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return _struct(_SCHEMA)(value, unknown)
    raise DecodeError("boolean or JSON schema expected")


def _schema_or_list(word: str) -> Converter:
    def either(value: Any, unknown: list[bool]) -> Any:
        if isinstance(value, dict):
            return _struct(_SCHEMA)(value, unknown)
        if isinstance(value, list):
            return _list(word, omits=False, keeps_empty=False)(value, unknown)
        return None

    return either


_SCHEMA_OR: dict[str, Converter] = {
    f"{_SCHEMA}OrBool": _schema_or_bool,
    f"{_SCHEMA}OrArray": _schema_or_list(f"[]{_SCHEMA}"),
    f"{_SCHEMA}OrStringArray": _schema_or_list("[]string"),
}


def decoder(definition: str) -> Callable[[Any, list[bool]], JsonObject]:
    """What decodes objects of a definition, e.g. `io.k8s.api.core.v1.Pod`; see `decode`.

    The second argument gets an element for every struct with an unknown field.
    """
    return _struct(definition)


def decode(definition: str, value: Any) -> tuple[JsonObject, bool]:
    """The object as Go would have it, and whether it had a field that the definition does not know.

    Raises: DecodeError.
    """
    unknown: list[bool] = []
    return _struct(definition)(value, unknown), bool(unknown)
