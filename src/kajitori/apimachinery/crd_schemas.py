"""OpenAPI schemas from Python annotations.

Sits under `crdgen`. What an annotation cannot say, a marker of `declare` does; whatever is said twice, the
marker nearest to the field wins.

Promises
    H1  a field without a default is required; `T | None` without a default is required and may be null
    H2  a default that is not a zero ("", 0, false, None, empty) is given to the API server, a zero is not:
        Go leaves zeros out, and so must objects that Go programs write; `Default` and `NoDefault` overrule
    H3  the result is structural; a struct that contains itself is refused, unless a field on the way there is marked
        PreserveUnknown: there it is cut off, and what lies below is not checked
    H4  a union of tagged structs is one object with all their members, and rules say which tag goes with which
    H5  what would only fail later fails here: patterns that Go cannot read, defaults outside their own bounds, keys
        that items do not have, nulls that would be sent where none is allowed

Source: controller-gen's markers, whose results these follow.
"""

import datetime
import decimal
import enum
import types
import typing
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union

import msgspec

from kajitori.apimachinery.attribute_docs import attribute_docs, class_doc, one_paragraph
from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.crd_builtin import DefinitionLoader, expand_definition, int_or_string_schema
from kajitori.apimachinery.crd_unions import member_rules, tag_schema, united
from kajitori.apimachinery.declare import (
    AtLeastOneOf,
    AtMostOneOf,
    Atomic,
    BuiltinSchema,
    DeclarationError,
    Default,
    EmbeddedResource,
    ExactlyOneOf,
    Format,
    ListMap,
    ListSet,
    NoDefault,
    Nullable,
    Partial,
    PreserveUnknown,
    Rule,
    markers_of,
)
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.regex import PatternError, compile_regex

__all__ = ["DeclarationError", "SchemaWriter"]

_META_FIELDS = ("apiVersion", "kind", "metadata")
_SCALARS: dict[Any, JsonObject] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string", "format": "byte"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    uuid.UUID: {"type": "string", "format": "uuid"},
}
_INSTEAD: dict[Any, str] = {
    datetime.timedelta: "kajitori.apis.Duration, which is written as Kubernetes writes it",
    datetime.time: "str",
    decimal.Decimal: "kajitori.apis.Quantity, or str",
    complex: "two numbers",
    msgspec.UnsetType: "a type beside it",
}
_LISTS = (list, tuple, set, frozenset)
_META_BOUNDS = (
    ("ge", "minimum", ""),
    ("gt", "minimum", "exclusiveMinimum"),
    ("le", "maximum", ""),
    ("lt", "maximum", "exclusiveMaximum"),
)
_LENGTHS = {"string": "Length", "array": "Items", "object": "Properties"}


class _ContainsItself(DeclarationError):
    pass


class SchemaWriter:
    """Writes the schemas of structs; `load` finds the definitions that `BuiltinSchema` names."""

    def __init__(self, load: DefinitionLoader | None = None) -> None:
        self._load = load
        self._open: list[type] = []

    def root(self, struct: type[msgspec.Struct], rules: tuple[Rule, ...]) -> JsonObject:
        """The schema of a whole kind: its own members beside `apiVersion`, `kind` and `metadata`."""
        schema = self._struct(struct, skipped=_META_FIELDS)
        own: JsonObject = {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
        }
        schema["properties"] = {**schema.get("properties", {}), **own}
        self._apply(schema, rules, struct.__qualname__)
        return schema

    def _struct(
        self, struct: type[msgspec.Struct], where: str = "", *, skipped: tuple[str, ...] = ()
    ) -> JsonObject:
        if struct in self._open:
            raise _ContainsItself(
                f"{where}: {struct.__name__} contains itself, which no schema of a definition can say; mark a field "
                "on the way `Annotated[..., PreserveUnknown]`: what is below it is kept unchecked"
            )
        if struct.__struct_config__.array_like:
            raise DeclarationError(
                f"{where}: {struct.__name__} is array_like; Kubernetes has no arrays with fields"
            )
        self._open.append(struct)
        try:
            return self._members(struct, skipped)
        finally:
            self._open.pop()

    def _members(self, struct: type[msgspec.Struct], skipped: tuple[str, ...]) -> JsonObject:
        docs = attribute_docs(struct)
        schema: JsonObject = {"type": "object"}
        if text := class_doc(struct):
            schema["description"] = text
        properties, required = tag_schema(struct)
        for field in msgspec.structs.fields(struct):
            if field.encode_name in skipped:
                continue
            where = f"{struct.__qualname__}.{field.name}"
            member = self._annotation(field.type, where)
            if field.name in docs:
                member["description"] = docs[field.name]
            if field.required:
                required.append(field.encode_name)
            self._add_default(member, field, where)
            if (
                field.default is None
                and "nullable" not in member
                and not struct.__struct_config__.omit_defaults
            ):
                raise DeclarationError(
                    f"{where}: None would be sent as null, which an API server refuses here; declare "
                    f"{struct.__name__} with omit_defaults=True, or mark the field Nullable"
                )
            properties[field.encode_name] = member
        if properties:
            schema["properties"] = properties
        if required:
            schema["required"] = sorted(required)
        self._apply(schema, markers_of(struct), struct.__qualname__)
        return schema

    def _add_default(self, schema: JsonObject, field: msgspec.structs.FieldInfo, where: str) -> None:
        """Also settles whether `None` is a value or only a way to say "missing" (H1)."""
        markers = _markers(field.type)
        optional_by_none = schema.pop("x-none", False)
        if optional_by_none and field.required:
            schema["nullable"] = True
        for marker in markers:
            if isinstance(marker, Default):
                schema["default"] = msgspec.to_builtins(marker.value)
                return
            if isinstance(marker, NoDefault) or marker is NoDefault:
                return
        default = field.default
        if default is msgspec.NODEFAULT or default is msgspec.UNSET or isinstance(default, msgspec.Struct):
            return
        plain = msgspec.to_builtins(default)
        if plain:
            try:
                msgspec.convert(plain, field.type)
            except msgspec.ValidationError as error:
                raise DeclarationError(f"{where}: its default {plain!r} does not fit: {error}") from None
            schema["default"] = plain

    def _annotation(self, annotation: Any, where: str) -> JsonObject:
        """The schema of a type; the key `x-none` tells that the type allows None."""
        base, markers = _unwrapped(annotation)
        builtin = next((each for each in markers if isinstance(each, BuiltinSchema)), None)
        if any(each is Partial or isinstance(each, Partial) for each in markers):
            builtin = _partial(base, where)
        try:
            schema = self._builtin(builtin, where) if builtin is not None else self._base(base, where)
        except _ContainsItself:
            if not any(each is PreserveUnknown or isinstance(each, PreserveUnknown) for each in markers):
                raise
            schema = _shallow(base)
        if builtin is not None and _allows_none(base):
            schema["x-none"] = True
        _check_keys(base, markers, where)
        self._apply(schema, markers, where)
        return schema

    def _builtin(self, marker: BuiltinSchema, where: str) -> JsonObject:
        if self._load is None:
            raise DeclarationError(f"{where}: {marker.definition} needs a loader of definitions")
        try:
            return expand_definition(
                marker.definition, self._load, every_field_optional=marker.every_field_optional
            )
        except KeyError as missing:
            raise DeclarationError(f"{where}: there is no definition {missing.args[0]}") from None

    def _base(self, base: Any, where: str) -> JsonObject:
        if base in _SCALARS:
            return dict(_SCALARS[base])
        if base in (Any, object, msgspec.Raw):
            return {"x-kubernetes-preserve-unknown-fields": True}
        origin, arguments = typing.get_origin(base), typing.get_args(base)
        if origin in (Union, types.UnionType):
            return self._union(arguments, where)
        if origin is Literal:
            return _enumeration(list(arguments), where)
        if isinstance(base, type) and issubclass(base, enum.Enum):
            return _enumeration([each.value for each in base], where)
        if isinstance(base, type) and issubclass(base, BuiltIn):
            return self._builtin(BuiltinSchema(base.__definition__), where)
        if isinstance(base, type) and issubclass(base, msgspec.Struct):
            return self._struct(base, where)
        if origin in _LISTS or base in _LISTS:
            is_set = (origin or base) in (set, frozenset)
            return self._list(arguments, where, is_set=is_set)
        if origin in (dict, Mapping) or base is dict:
            return self._map(arguments, where)
        instead = _INSTEAD.get(base) or ("a msgspec.Struct" if isinstance(base, type) else "")
        remedy = f"; use {instead}" if instead else ""
        raise DeclarationError(f"{where}: no schema can be made for {_name(base)}{remedy}")

    def _union(self, arguments: tuple[Any, ...], where: str) -> JsonObject:
        choices = [each for each in arguments if each not in (type(None), msgspec.UnsetType)]
        if set(choices) == {int, str}:
            schema: JsonObject = int_or_string_schema()
        elif set(choices) == {int, float}:
            schema = {"type": "number"}
        elif len(choices) == 1:
            schema = self._annotation(choices[0], where)
        elif all(_is_tagged(each) for each in choices):
            schema = united([(each, self._struct(each, where)) for each in choices], where)
        else:
            told = " | ".join(_name(each) for each in choices)
            raise DeclarationError(
                f"{where}: a field has one type, or int | str, or is a union of structs with tags (tag=...); not {told}"
            )
        if type(None) in arguments:
            # Beside "missing", which UNSET already stands for, None is a value of its own.
            key = "nullable" if msgspec.UnsetType in arguments else "x-none"
            schema[key] = True
        return schema

    def _list(self, arguments: tuple[Any, ...], where: str, *, is_set: bool) -> JsonObject:
        items = [each for each in arguments if each is not Ellipsis]
        if len(items) > 1:
            raise DeclarationError(f"{where}: a list has items of one type; use tuple[T, ...]")
        schema: JsonObject = {"type": "array", "items": self._member(items[0] if items else Any, where)}
        if is_set:
            schema["x-kubernetes-list-type"] = "set"
        return schema

    def _map(self, arguments: tuple[Any, ...], where: str) -> JsonObject:
        key, value = arguments if len(arguments) == 2 else (str, Any)
        if _unwrapped(key)[0] is not str:
            raise DeclarationError(f"{where}: the keys of a map are strings")
        if value in (Any, object):
            return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        return {"type": "object", "additionalProperties": self._member(value, where)}

    def _member(self, annotation: Any, where: str) -> JsonObject:
        schema = self._annotation(annotation, where)
        if schema.pop("x-none", False):
            schema["nullable"] = True
        return schema

    def _apply(self, schema: JsonObject, markers: tuple[Any, ...], where: str) -> None:
        for marker in markers:
            match marker:
                case msgspec.Meta():
                    _apply_meta(schema, marker, where)
                case Format(name):
                    schema["format"] = name
                case Rule():
                    schema.setdefault("x-kubernetes-validations", []).append(_rule(marker))
                case ListMap():
                    _demand_list(schema, "ListMap", where)
                    schema["x-kubernetes-list-type"] = "map"
                    schema["x-kubernetes-list-map-keys"] = list(marker.keys)
                case ExactlyOneOf() | AtMostOneOf() | AtLeastOneOf():
                    rules = member_rules(marker, schema, where)
                    schema.setdefault("x-kubernetes-validations", []).extend(rules)
                case _:
                    _apply_flag(schema, marker if isinstance(marker, type) else type(marker), where)


def _demand_list(schema: JsonObject, marker: str, where: str) -> None:
    if schema.get("type") != "array":
        raise DeclarationError(
            f"{where}: {marker} is for lists; the field is {schema.get('type', 'anything')}"
        )


def _apply_flag(schema: JsonObject, marker: type, where: str) -> None:
    if marker is ListSet:
        _demand_list(schema, "ListSet", where)
        schema["x-kubernetes-list-type"] = "set"
    elif marker is Atomic:
        kind = "list" if schema.get("type") == "array" else "map"
        schema[f"x-kubernetes-{kind}-type"] = "atomic"
    elif marker is Nullable:
        schema["nullable"] = True
    elif marker is PreserveUnknown:
        # Of a list it speaks about the items: only objects have members to keep.
        kept: JsonObject = schema["items"] if schema.get("type") == "array" else schema
        kept["x-kubernetes-preserve-unknown-fields"] = True
    elif marker is EmbeddedResource:
        schema["x-kubernetes-embedded-resource"] = True
        schema["x-kubernetes-preserve-unknown-fields"] = True
        schema["type"] = "object"
    elif marker is ListMap:
        raise DeclarationError(f"{where}: ListMap needs the names of its keys")


def _apply_meta(schema: JsonObject, meta: msgspec.Meta, where: str) -> None:
    for name, bound, exclusive in _META_BOUNDS:
        value = getattr(meta, name)
        if value is not None:
            schema[bound] = value
            if exclusive:
                schema[exclusive] = True
    if meta.multiple_of is not None:
        schema["multipleOf"] = meta.multiple_of
    if meta.pattern is not None:
        try:
            compile_regex(meta.pattern)
        except PatternError as error:
            raise DeclarationError(
                f"{where}: the pattern {meta.pattern!r} is none that Go can read: {error}"
            ) from None
        schema["pattern"] = meta.pattern
    unit = _LENGTHS.get(schema.get("type", "string"), "Length")
    if meta.min_length is not None:
        schema[f"min{unit}"] = meta.min_length
    if meta.max_length is not None:
        schema[f"max{unit}"] = meta.max_length
    if meta.title is not None:
        schema["title"] = meta.title
    if meta.description is not None:
        schema["description"] = one_paragraph(meta.description)
    if meta.examples:
        schema["example"] = msgspec.to_builtins(meta.examples[0])
    schema.update(meta.extra_json_schema or {})


def _rule(marker: Rule) -> JsonObject:
    pairs = (
        ("rule", marker.rule),
        ("message", marker.message),
        ("messageExpression", marker.message_expression),
        ("reason", marker.reason),
        ("fieldPath", marker.field_path),
        ("optionalOldSelf", marker.optional_old_self),
    )
    return {name: value for name, value in pairs if value}


def _enumeration(values: list[Any], where: str) -> JsonObject:
    kinds = {type(each) for each in values}
    if kinds == {str}:
        return {"type": "string", "enum": values}
    if kinds == {int}:
        return {"type": "integer", "enum": values}
    raise DeclarationError(f"{where}: the values of an enumeration are all strings or all integers")


def _unwrapped(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type inside `Annotated[...]` and its markers, the innermost first."""
    markers: tuple[Any, ...] = ()
    while typing.get_origin(annotation) is Annotated:
        markers = (*annotation.__metadata__, *markers)
        annotation = annotation.__origin__
    alias = getattr(annotation, "__value__", None)  # of `type X = …`, which Python has since 3.12
    if alias is not None and not isinstance(annotation, type):
        base, inner = _unwrapped(alias)
        return base, (*inner, *markers)
    return annotation, markers


def _markers(annotation: Any) -> tuple[Any, ...]:
    """The markers of a field, also those inside `T | None`."""
    base, markers = _unwrapped(annotation)
    if typing.get_origin(base) in (Union, types.UnionType):
        for each in typing.get_args(base):
            markers += _unwrapped(each)[1]
    return markers


def _allows_none(base: Any) -> bool:
    return typing.get_origin(base) in (Union, types.UnionType) and type(None) in typing.get_args(base)


def _is_tagged(choice: Any) -> bool:
    base = _unwrapped(choice)[0]
    return (
        isinstance(base, type) and issubclass(base, msgspec.Struct) and base.__struct_config__.tag is not None
    )


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _shallow(base: Any) -> JsonObject:
    """The schema of a value below which nothing is checked."""
    if typing.get_origin(base) in (Union, types.UnionType):
        inner = [each for each in typing.get_args(base) if each is not type(None)]
        return {**_shallow(inner[0]), "x-none": True}
    if typing.get_origin(base) in _LISTS:
        items = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        return {"type": "array", "items": items}
    return {"type": "object"}


def _partial(base: Any, where: str) -> BuiltinSchema:
    choices = typing.get_args(base) if typing.get_origin(base) in (Union, types.UnionType) else (base,)
    for each in choices:
        if isinstance(each, type) and issubclass(each, BuiltIn):
            return BuiltinSchema(each.__definition__, every_field_optional=True)
    raise DeclarationError(
        f"{where}: Partial is for structs of built-in kinds, such as core_v1.PodTemplateSpec"
    )


def _check_keys(base: Any, markers: tuple[Any, ...], where: str) -> None:
    """That the items of a list have the keys of a ListMap."""
    items = [
        each for each in typing.get_args(base) if isinstance(each, type) and issubclass(each, msgspec.Struct)
    ]
    for marker in markers:
        if isinstance(marker, ListMap) and items:
            known = [field.encode_name for field in msgspec.structs.fields(items[0])]
            for key in marker.keys:
                if key not in known:
                    raise DeclarationError(
                        f"{where}: ListMap: {items[0].__name__} has no {key}; it has {', '.join(known)}"
                    )
