"""JSON as values of CEL, as far as a schema says that a value is more than its JSON.

    number written as an integer             double
    string of format byte, date(-time), …    bytes, timestamp, duration
    array with x-kubernetes-list-type set    a list that is compared and joined as a set
    array with x-kubernetes-list-type map    a list whose elements are known by their keys
    anything else                            itself, the very same object

What to convert is worked out once for a schema; values are copied only where something in them is converted.

Promises
    V1  a value in which nothing needs converting is given back as it is, not walked through
    V2  what does not fit its schema is an error where an expression comes to it, in Kubernetes' words, not before

Known difference: in Kubernetes the elements that a list gets by `+` are read by the schema once more, and those that
are no JSON then, such as moments, cannot be had; here they can.

Source: apiserver's pkg/cel/common/valuesunstructured.go, kube-openapi's pkg/validation/strfmt.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.escaping import escape
from kajitori.apimachinery.cel.schema_values import FaultyList, FaultyMap, KeyedList, PartialObject, SetList
from kajitori.apimachinery.cel.schemas import Resolve, is_int_or_string, resolved, with_object_meta
from kajitori.apimachinery.cel.string_formats import read_bytes, read_date, read_date_time, read_duration

__all__ = ["Converter", "converter"]

Converter = Callable[[Any], Any]
"""Gives the value of some JSON.

Raises:
    EvaluationError: it does not fit the schema.
"""

_FAULTY = frozenset((FaultyMap, FaultyList))
_GO_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    dict: "map[string]interface {}",
    list: "[]interface {}",
}
_READERS: Mapping[str, Converter] = {
    "duration": read_duration,
    "date": read_date,
    "date-time": read_date_time,
    "byte": read_bytes,
}


def converter(
    schema: Mapping[str, Any], *, root: bool = False, checked: bool = False, resolve: Resolve | None = None
) -> Converter:
    """What makes values of the JSON that a schema describes.

    Without `checked` the JSON has been validated against the schema before, and is not looked at where the schema
    asks for no conversion. With it every part is compared with its schema: for objects stored under another one.
    """
    made = _Maker(resolve, checked=checked).make(schema, frozenset(), root=root)
    return made or _same


class _Hiding:
    """What an object may have that expressions do not see."""

    __slots__ = ("_known", "_nullable")

    def __init__(self, nullable: tuple[str, ...], known: frozenset[str] | None) -> None:
        self._nullable = nullable
        self._known = known
        """The properties; `None` when objects have no others."""

    def applied(self, members: dict[str, Any]) -> dict[str, Any]:
        """The members, told apart if any is hidden."""
        known = self._known
        if known is not None and not known.issuperset(members):
            return PartialObject(members, frozenset(members) - known)
        for name in self._nullable:
            if name in members and members[name] is None:
                return PartialObject(members, frozenset())
        return members


class _Maker:
    """Makes the converters of one schema and all in it; `None` stands for nothing to do."""

    __slots__ = ("_checked", "_resolve")

    def __init__(self, resolve: Resolve | None, *, checked: bool) -> None:
        self._resolve = resolve
        self._checked = checked

    def make(
        self, schema: Mapping[str, Any], inside: frozenset[str], *, root: bool = False
    ) -> Converter | None:
        """The converter for values of a schema, within these definitions."""
        schema, inside = resolved(schema, inside, self._resolve)
        root = root or bool(schema.get("x-kubernetes-embedded-resource"))
        made = self._of_value(schema, inside, root=root)
        return made if made is None else _but_null(made, bool(schema.get("nullable")))

    def _of_value(self, schema: Mapping[str, Any], inside: frozenset[str], *, root: bool) -> Converter | None:
        checked = self._checked
        if is_int_or_string(schema):
            return _int_or_string if checked else None
        kind = schema.get("type")
        if kind == "object":
            return self._object(with_object_meta(schema, self._resolve) if root else schema, inside)
        if kind == "array":
            return self._array(schema, inside)
        if kind == "string":
            read = _READERS.get(schema.get("format") or "")
            return _text(read) if read is not None else _text(_same) if checked else None
        if kind == "number":
            return _number
        if not checked or schema.get("x-kubernetes-preserve-unknown-fields"):
            return None
        return {"integer": _integer, "boolean": _boolean}.get(kind or "") or _untyped(kind or "")

    def _object(self, schema: Mapping[str, Any], inside: frozenset[str]) -> Converter | None:
        properties = schema.get("properties")
        if properties:
            members = {name: self.make(each, inside) for name, each in properties.items()}
            needed = [(name, each) for name, each in members.items() if each is not None]
            hiding = self._hiding(schema, properties)
            return _members(needed, hiding) if needed or hiding or self._checked else None
        additional = schema.get("additionalProperties")
        if isinstance(additional, Mapping):
            value = self.make(additional, inside)
            return _entries(value) if value is not None else None
        return _a_map if self._checked else None

    def _hiding(self, schema: Mapping[str, Any], properties: Mapping[str, Any]) -> "_Hiding | None":
        """How values of the schema may come to have members that expressions do not see."""
        preserving = bool(schema.get("x-kubernetes-preserve-unknown-fields")) or self._checked
        nullable = [
            name
            for name, each in properties.items()
            if self._checked or resolved(each, frozenset(), self._resolve)[0].get("nullable")
        ]
        known = frozenset(properties) if preserving else None
        return _Hiding(tuple(nullable), known) if nullable or preserving else None

    def _array(self, schema: Mapping[str, Any], inside: frozenset[str]) -> Converter | None:
        items = schema.get("items")
        if not isinstance(items, Mapping):
            return None
        element = self.make(items, inside)
        list_type = schema.get("x-kubernetes-list-type")
        wrap: Converter | None = None
        if list_type == "set":
            wrap = SetList
        elif list_type == "map":
            keys = tuple([escape(key) or key for key in schema.get("x-kubernetes-list-map-keys") or ()])
            wrap = _keyed(keys)
        if element is None and wrap is None and not self._checked:
            return None
        return _elements(element, wrap)


def _same(value: Any) -> Any:
    return value


def _but_null(convert: Converter, nullable: bool) -> Converter:
    def converted(value: Any) -> Any:
        if value is not None:
            return convert(value)
        if not nullable:
            raise EvaluationError("invalid data, got null for schema with nullable=false")
        return None

    return converted


def _members(needed: Sequence[tuple[str, Converter]], hiding: _Hiding | None) -> Converter:
    """Converts the properties of an object; null is left alone, for it is as good as absent there."""

    def converted(value: Any) -> Any:
        members = _a_map(value)
        whole = members
        faults: dict[str, str] = {}
        faulty = False
        for name, convert in needed:
            before = members.get(name)
            if before is None:
                continue
            try:
                after = convert(before)
            except EvaluationError as error:
                faults[name] = str(error)
                continue
            if after is not before:
                if whole is members:
                    whole = dict(members)
                whole[name] = after
                faulty = faulty or type(after) in _FAULTY
        if faults or faulty:
            return FaultyMap(whole, faults)
        return whole if hiding is None else hiding.applied(whole)

    return converted


def _entries(convert: Converter) -> Converter:
    """Converts the values of a map."""

    def converted(value: Any) -> Any:
        copy: dict[str, Any] | None = None
        faults: dict[str, str] = {}
        faulty = False
        for name, before in _a_map(value).items():
            try:
                after = convert(before)
            except EvaluationError as error:
                faults[name] = str(error)
                continue
            if after is not before:
                if copy is None:
                    copy = dict(value)
                copy[name] = after
                faulty = faulty or type(after) in _FAULTY
        whole = value if copy is None else copy
        return FaultyMap(whole, faults) if faults or faulty else whole

    return converted


def _elements(convert: Converter | None, wrap: Converter | None) -> Converter:
    """Converts the elements of an array, and makes of it the kind of list that it is."""

    def converted(value: Any) -> Any:
        if not isinstance(value, list):
            raise EvaluationError("invalid data, expected an array for the provided schema with type=array")
        if convert is None:
            return value if wrap is None else wrap(value)
        copy: list[Any] | None = None
        faults: dict[int, str] = {}
        faulty = False
        for place, before in enumerate(value):
            try:
                after = convert(before)
            except EvaluationError as error:
                faults[place] = str(error)
                continue
            if after is not before:
                if copy is None:
                    copy = list(value)
                copy[place] = after
                faulty = faulty or type(after) in _FAULTY
        whole = value if copy is None else copy
        if faults or faulty:
            return FaultyList(whole, faults)
        return whole if wrap is None else wrap(whole)

    return converted


def _keyed(keys: tuple[str, ...]) -> Converter:
    return lambda elements: KeyedList(elements, keys)


def _a_map(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EvaluationError("invalid data, expected a map for the provided schema with type=object")
    return value


def _int_or_string(value: Any) -> Any:
    if isinstance(value, str) or type(value) is int:
        return value
    raise EvaluationError("invalid data, expected XIntOrString value to be either a string or integer")


def _number(value: Any) -> float:
    kind = type(value)
    if kind is float:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return float(value)
    raise EvaluationError(f"invalid data, expected float, got {_go_type(value)}")


def _integer(value: Any) -> Any:
    if type(value) is int:
        return value
    raise EvaluationError(f"invalid data, expected int, got {_go_type(value)}")


def _boolean(value: Any) -> Any:
    if value is True or value is False:
        return value
    raise EvaluationError(f"invalid data, expected bool, got {_go_type(value)}")


def _untyped(kind: str) -> Converter:
    expected = (
        "expected object, array, number, integer, boolean or string, or no type with x-kubernetes-int-or-string or "
        "x-kubernetes-preserve-unknown-fields is true"
    )

    def converted(value: Any) -> Any:
        raise EvaluationError(f"invalid type, {expected}, got {kind}")

    return converted


def _go_type(value: Any) -> str:
    return _GO_TYPES.get(type(value), type(value).__name__)


def _text(read: Converter) -> Converter:
    def converted(value: Any) -> Any:
        if isinstance(value, str):
            return read(value)
        raise EvaluationError(f"invalid data, expected string, got {_go_type(value)}")

    return converted
