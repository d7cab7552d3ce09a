"""What a mutation makes of an object: its value applied as a configuration, or as a JSON patch.

Promises
    P1  the object given is never changed
    P2  values become JSON as in Kubernetes; what it cannot write fails, and so does an object of another field's type
    P3  a patch whose `test` fails changes nothing

Source: apiserver's pkg/admission/plugin/policy/mutating/patch and pkg/cel/mutation.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.cel import EvaluationError
from kajitori.apimachinery.cel.as_json import as_json
from kajitori.apimachinery.cel.libraries.mutation import misplaced_types
from kajitori.apimachinery.cel.values import Struct
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.managed import type_text
from kajitori.apimachinery.managedfields.overlaying import OverlayError, overlay
from kajitori.apimachinery.managedfields.types import Type
from kajitori.apimachinery.patch.go_text import GoValue, go_name
from kajitori.apimachinery.patch.json_patch import PatchError, TestFailed, patched
from kajitori.apiserver.admission.policies.native import Natives, NotNative

__all__ = ["MutationError", "configured", "json_patched", "unconvertible"]

_FRACTION = re.compile(r"json: cannot unmarshal number -?[0-9]+\.[0-9]+ into .* of type (\w+)")
_NOT_JSON = "JSONPath valueExpression evaluated to a type that could not marshal to JSON"


class MutationError(Exception):
    """Why a mutation cannot be made, in Kubernetes' words."""


def configured(seen: JsonObject, value: Struct, of: Type, inputs: Iterable[Any], *, fits: bool) -> JsonObject:
    """The object with an `Object{…}` applied, which was made of `inputs`.

    `fits`: what is seen is known to be of the type. Raises: MutationError.
    """
    _check_names(value)
    try:
        native = Natives(inputs).fields(value)
    except NotNative:
        raise MutationError("invalid return type: *dynamic.ObjectVal") from None
    config = {**native, "apiVersion": seen["apiVersion"], "kind": seen["kind"]}
    try:
        return overlay(seen, config, of, live_fits=fits)
    except OverlayError as error:
        raise MutationError(f"error applying patch: {error}") from None


def json_patched(seen: JsonObject, operations: Sequence[Struct], inputs: Iterable[Any]) -> JsonObject:
    """The object after a list of `JSONPatch{…}`.

    Raises: MutationError; EvaluationError where one of them is none.
    """
    natives = Natives(inputs)
    try:
        changed: JsonObject = patched(seen, [_operation(each, natives) for each in operations])
    except TestFailed:
        return seen
    except (PatchError, RecursionError) as error:
        raise MutationError(f"JSON Patch: {error}") from None
    return changed


_NULL: Any = object()
"""What a `test` for null compares with: in Kubernetes nothing is equal to it."""


def _operation(patch: Mapping[str, Any], natives: Natives) -> JsonObject:
    for name, value in patch.items():
        if name not in ("op", "path", "from", "value"):
            raise EvaluationError(f"unexpected JSONPatchType field: {name}")
        if name != "value" and not isinstance(value, str):
            told = go_name(natives.value(value))
            raise EvaluationError(f"unexpected type {told} for JSONPatchType '{name}' field")
    operation: JsonObject = {"op": patch.get("op", ""), "path": patch.get("path", "")}
    if patch.get("from"):
        operation["from"] = patch["from"]
    if "value" in patch:
        operation["value"] = _json(patch["value"], natives)
        if operation["op"] == "test" and operation["value"] is None:
            operation["value"] = _NULL
    return operation


def _json(value: Any, natives: Natives) -> Any:
    """What a patch writes. Raises: MutationError."""
    if isinstance(value, Struct):
        if value.cel_type.name == "JSONPatch":
            raise MutationError(f"{_NOT_JSON}: cannot convert to native type: *structpb.Value")
        _check_names(value)
        try:
            return _of_native(natives.fields(value))
        except NotNative as error:
            raise MutationError(f"{_NOT_JSON}: {error}") from None
    try:
        return as_json(value)
    except EvaluationError as error:
        raise MutationError(f"{_NOT_JSON}: {error}") from None


def _of_native(value: Any) -> Any:
    """JSON by way of a protobuf Struct, whose numbers are doubles. Raises: MutationError."""
    if isinstance(value, dict):
        return {name: _of_native(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_of_native(item) for item in value]
    if isinstance(value, GoValue):
        if value.name not in ("uint64", "[]uint8"):
            raise MutationError(f"{_NOT_JSON}: proto:\u00a0invalid type: {value.name}")
        value = value.value
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    try:
        return as_json(value)
    except EvaluationError as error:
        raise MutationError(f"{_NOT_JSON}: {error}") from None


def unconvertible(seen: JsonObject, why: str) -> str:
    """What is said of a configured object that is none of its kind; `why` is what the decoder says."""
    if found := _FRACTION.fullmatch(why):
        why = f"cannot convert float64 to {found[1]}"
    elif why.startswith("illegal base64"):
        why = f"error decoding from json: {why}"
    return f"unable to convert unstructured object to {type_text(seen['apiVersion'], seen['kind'])}: {why}"


def _check_names(value: Struct) -> None:
    if problems := misplaced_types(value):
        raise MutationError("type mismatch: " + "\n".join(problems))
