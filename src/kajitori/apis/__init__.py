"""The kinds of Kubernetes: what they are called, how they are shaped, what fills them and what may change.

Operators take from here what objects are made of: `Kind`, `ObjectMeta`, what a declared kind may say, times,
quantities, patches. Each group and version is a module or package beside it: `core_v1`, `apps_v1`, `mysql_v1beta2`.

Built-in kinds are data (`facts`), read through `resources` (names and paths), `definitions` (shapes) and
`typed` (decoding). What Kubernetes does in code is in `defaults`, `strategies` and `conversion`.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from kajitori.apimachinery.declare import (
        AtLeastOneOf,
        AtMostOneOf,
        Atomic,
        BuiltinSchema,
        Column,
        DeclarationError,
        Default,
        Duration,
        EmbeddedResource,
        ExactlyOneOf,
        Float32,
        Float64,
        Format,
        Int32,
        Int64,
        IntOrString,
        ListMap,
        ListSet,
        MicroTime,
        NoDefault,
        Nullable,
        Partial,
        PreserveUnknown,
        Quantity,
        Rule,
        Scale,
        Time,
        kind,
        schema_markers,
    )
    from kajitori.apimachinery.errors import FieldError, FieldErrorType, Invalid, invalid
    from kajitori.apimachinery.frozen import FrozenDict, FrozenList, Unstructured, freeze, thaw
    from kajitori.apimachinery.intstr import scaled_value
    from kajitori.apimachinery.kind import JsonObject, Kind, NamespacedName
    from kajitori.apimachinery.labels import LabelSelector, parse_label_selector, selector_from_object
    from kajitori.apimachinery.objectmeta import ObjectMeta, OwnerReference
    from kajitori.apimachinery.patch.json_diff import json_diff
    from kajitori.apimachinery.patch.json_patch import apply_json_patch
    from kajitori.apimachinery.quantity import QuantityError, parse_quantity
    from kajitori.apimachinery.regex import PatternError, compile_regex
    from kajitori.apimachinery.time import format_time, parse_duration, parse_time
    from kajitori.apimachinery.versions import ConversionFailed, Spoke, Versions, webhook_conversion
    from kajitori.apis.declared import crd_for
    from kajitori.apis.meta_v1 import Condition

__all__ = [
    "AtLeastOneOf",
    "AtMostOneOf",
    "Atomic",
    "BuiltinSchema",
    "Column",
    "Condition",
    "ConversionFailed",
    "DeclarationError",
    "Default",
    "Duration",
    "EmbeddedResource",
    "ExactlyOneOf",
    "FieldError",
    "FieldErrorType",
    "Float32",
    "Float64",
    "Format",
    "FrozenDict",
    "FrozenList",
    "Int32",
    "Int64",
    "IntOrString",
    "Invalid",
    "JsonObject",
    "Kind",
    "LabelSelector",
    "ListMap",
    "ListSet",
    "MicroTime",
    "NamespacedName",
    "NoDefault",
    "Nullable",
    "ObjectMeta",
    "OwnerReference",
    "Partial",
    "PatternError",
    "PreserveUnknown",
    "Quantity",
    "QuantityError",
    "Rule",
    "Scale",
    "Spoke",
    "Time",
    "Unstructured",
    "Versions",
    "apply_json_patch",
    "compile_regex",
    "crd_for",
    "format_time",
    "freeze",
    "invalid",
    "json_diff",
    "kind",
    "parse_duration",
    "parse_label_selector",
    "parse_quantity",
    "parse_time",
    "scaled_value",
    "schema_markers",
    "selector_from_object",
    "thaw",
    "webhook_conversion",
]

_HOMES = {
    "apimachinery.declare": (
        "AtLeastOneOf AtMostOneOf Atomic BuiltinSchema Column DeclarationError Default Duration EmbeddedResource "
        "ExactlyOneOf Float32 Float64 Format Int32 Int64 IntOrString ListMap ListSet MicroTime NoDefault Nullable "
        "Partial PreserveUnknown Quantity Rule "
        "Scale Time kind schema_markers"
    ),
    "apimachinery.errors": "FieldError FieldErrorType Invalid invalid",
    "apimachinery.frozen": "FrozenDict FrozenList Unstructured freeze thaw",
    "apimachinery.intstr": "scaled_value",
    "apimachinery.kind": "JsonObject Kind NamespacedName",
    "apimachinery.labels": "LabelSelector parse_label_selector selector_from_object",
    "apimachinery.objectmeta": "ObjectMeta OwnerReference",
    "apimachinery.patch.json_diff": "json_diff",
    "apimachinery.patch.json_patch": "apply_json_patch",
    "apimachinery.quantity": "QuantityError parse_quantity",
    "apimachinery.regex": "PatternError compile_regex",
    "apimachinery.time": "format_time parse_duration parse_time",
    "apimachinery.versions": "ConversionFailed Spoke Versions webhook_conversion",
    "apis.declared": "crd_for",
    "apis.meta_v1": "Condition",
}
"""What is to be found where: loaded when it is asked for, since much that imports a kind needs none of it."""

_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> typing.Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"kajitori.{home}"), name)
    return found
