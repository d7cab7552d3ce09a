"""JSON into structs that declare a kind, as Go would read it: a null is a member that is not there.

Sits under the client's codecs. The common object is decoded by msgspec alone, in one pass.

Promises
    D1  a null where the class takes none is left out, so that the member has its default; Kubernetes' API servers
        write nulls for empty lists that Go does not leave out (`rules` of a Role, `endpoints` of an EndpointSlice)
    D2  what stays wrong raises msgspec.ValidationError with the path of the member
    D3  values that a class leaves open (`Any`) keep their nulls

Source: encoding/json, where null sets nothing.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from kajitori.apimachinery.kind import JsonObject

__all__ = ["choices_of", "struct_decoder", "undeclared", "without_nulls"]

T = TypeVar("T")


def struct_decoder(struct: type[T]) -> Callable[[bytes | msgspec.Raw], T]:
    """What decodes the JSON of one object.

    The decoder raises: msgspec.ValidationError for another shape than the class declares, DecodeError for no JSON.
    """
    fast = msgspec.json.Decoder(struct).decode

    def decode(body: bytes | msgspec.Raw) -> T:
        try:
            return fast(body)
        except msgspec.ValidationError:
            plain = msgspec.json.decode(body)
            cleaned = without_nulls(plain, struct)
            # Encoded once more, since only from JSON is text read as bytes, times and the like.
            return fast(msgspec.json.encode(cleaned))

    return decode


def without_nulls(value: Any, struct: Any) -> Any:
    """A JSON value without the nulls that the type takes none of."""
    return _cleaned(value, _type_info(struct))


def undeclared(value: JsonObject, struct: Any) -> dict[tuple[str, ...], Any]:
    """The members of a JSON object that its class does not declare, by their paths; not those inside lists and maps."""
    return dict(_undeclared(value, _type_info(struct), ()))


def _undeclared(
    value: Any, info: inspect.Type, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    struct = _struct_for(value, info) if isinstance(value, dict) else None
    if struct is not None:
        types = {field.encode_name: field.type for field in struct.fields}
        for name, member in value.items():
            if name in types:
                yield from _undeclared(member, types[name], (*path, name))
            elif name != struct.tag_field:
                yield (*path, name), member


@cache
def _type_info(struct: Any) -> inspect.Type:
    return inspect.type_info(struct)


def _cleaned(value: Any, info: inspect.Type) -> Any:
    if isinstance(value, dict):
        struct = _struct_for(value, info)
        if struct is not None:
            types = {field.encode_name: field.type for field in struct.fields}
            return {
                name: _cleaned(member, types[name]) if name in types else member
                for name, member in value.items()
                if member is not None or name not in types or _takes_null(types[name])
            }
        for choice in choices_of(info):
            if isinstance(choice, inspect.DictType):
                inner = choice.value_type
                return {
                    key: _cleaned(member, inner)
                    for key, member in value.items()
                    if member is not None or _takes_null(inner)
                }
    if isinstance(value, list):
        for choice in choices_of(info):
            if isinstance(choice, inspect.ListType | inspect.VarTupleType):
                return [_cleaned(each, choice.item_type) for each in value]
    return value


def _struct_for(value: dict[str, Any], info: inspect.Type) -> inspect.StructType | None:
    for choice in choices_of(info):
        if isinstance(choice, inspect.StructType) and (
            choice.tag_field is None or value.get(choice.tag_field) == choice.tag
        ):
            return choice
    return None


def _takes_null(info: inspect.Type) -> bool:
    return any(isinstance(each, inspect.NoneType | inspect.AnyType) for each in choices_of(info))


def choices_of(info: inspect.Type) -> Iterator[inspect.Type]:
    """The types that a union is of, without what is only said about them."""
    while isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.UnionType):
        for each in info.types:
            yield from choices_of(each)
    else:
        yield info
