"""Values that are no structs, as Go decodes them and writes them again: numbers, texts, times, quantities.

Below `typed`, which makes structs of them. A converter takes a JSON value (None for null) and gives what Go
would write, or OMIT where omitempty leaves it out.

Source: sigs.k8s.io/json; meta/v1 Time, MicroTime; util/intstr; api/resource.
"""

import binascii
import re
from collections.abc import Callable
from typing import Any

from kajitori.apimachinery.decode import DecodeError, json_type
from kajitori.apimachinery.quantity import QuantityError, normal_quantity
from kajitori.apimachinery.time import normal_micro_time, normal_time

__all__ = ["OMIT", "Converter", "WrongType", "go_type", "scalar_converter"]

Converter = Callable[[Any, list[bool]], Any]
"""Value, and where to note that a struct had an unknown field."""


class _Omit:
    def __repr__(self) -> str:
        return "OMIT"


OMIT: Any = _Omit()
"""Given back for a field that is not written."""


class WrongType(DecodeError):
    """A JSON value that its Go type cannot take. `path` grows from the inside out while it is raised.

    `into` is Go's word for what the type is (`map`, `int32`); empty for types that read themselves.
    """

    def __init__(self, value: Any, wanted: str, into: str = "", *, digits: bool = False) -> None:
        """`digits`: the number itself is what is wrong, and is told."""
        super().__init__()
        self.value = value
        self.found = f"number {value!r}" if digits and json_type(value) == "number" else json_type(value)
        self.wanted = wanted
        self.into = into
        self.struct = ""
        self.path: list[str] = []

    def __str__(self) -> str:
        if not self.struct:
            return f"json: cannot unmarshal {self.found} into Go value of type {self.wanted}"
        field = ".".join(reversed(self.path))
        place = f"Go struct field {self.struct}.{field}"
        return f"json: cannot unmarshal {self.found} into {place} of type {self.wanted}"

    def of_patch(self) -> str:
        """The same where Go makes the object of a map, as it does after a strategic merge patch.

        Source: apimachinery's runtime/converter.go.
        """
        if not self.into:
            return f"json: cannot unmarshal {self.found} into Go value of type {self.wanted}"
        source = _GO_KINDS[type(self.value)]
        if self.into in ("map", "slice"):
            return f"cannot restore {self.into} from {source}"
        if self.into == "struct":
            return f"cannot restore struct from: {source}"
        numeric = source in ("int64", "float64") and self.into in ("int32", "int64", "float64")
        # Go has a text for every integer, if hardly the one that is meant.
        if numeric or (source, self.into) == ("int64", "string"):
            return f"cannot convert {source} to {self.wanted}"
        return f"unrecognized type: {self.into}"


_GO_KINDS = {bool: "bool", dict: "map", float: "float64", int: "int64", list: "slice", str: "string"}

_RESOURCE_LIST = "{}io.k8s.apimachinery.pkg.api.resource.Quantity"


def go_type(word: str) -> str:
    """What Go calls the type of a field, `[]v1.Container` (see `facts.GoField`)."""
    if word.startswith("*"):
        return go_type(word[1:])
    if word.startswith("[]"):
        return "[]" + go_type(word[2:])
    if word == _RESOURCE_LIST:
        return "v1.ResourceList"
    if word.startswith("{}"):
        return "map[string]" + go_type(word[2:])
    basic, _, named = word.partition("=")
    if basic == "bytes":
        return "[]uint8"
    return named or ".".join(basic.rsplit(".", 2)[-2:])


def _integer(bits: int, name: str, omits: bool) -> Converter:
    into = f"int{bits}"
    least, most = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    zero = OMIT if omits else 0

    def integer(value: Any, unknown: list[bool]) -> Any:
        if value.__class__ is int:
            if value and least <= value <= most:
                return value
            if not value:
                return zero
            raise WrongType(value, name, into, digits=True)
        if value is None:
            return zero
        raise WrongType(value, name, into, digits=isinstance(value, float))

    return integer


def _boolean(omits: bool) -> Converter:
    zero = OMIT if omits else False

    def boolean(value: Any, unknown: list[bool]) -> Any:
        if value is True:
            return True
        if value is False or value is None:
            return zero
        raise WrongType(value, "bool", "bool")

    return boolean


def _floating(omits: bool) -> Converter:
    zero = OMIT if omits else 0

    def floating(value: Any, unknown: list[bool]) -> Any:
        if value is None:
            return zero
        if isinstance(value, float):
            whole = value.is_integer() and abs(value) < 1e21
            return (int(value) if whole else value) or zero
        if value.__class__ is int:
            return value or zero
        raise WrongType(value, "float64", "float64")

    return floating


def _string(omits: bool, name: str) -> Converter:
    zero = OMIT if omits else ""

    def string(value: Any, unknown: list[bool]) -> Any:
        if value.__class__ is str:
            return value or zero
        if value is None:
            return zero
        raise WrongType(value, name, "string")

    return string


_NOT_BASE64 = re.compile("[^A-Za-z0-9+/]")


def _base64(omits: bool) -> Converter:
    zero = OMIT if omits else None

    def base64(value: Any, unknown: list[bool]) -> Any:
        if value.__class__ is str:
            if not value:
                return OMIT if omits else ""
            text = value.replace("\n", "").replace("\r", "")
            try:
                # Written again, because bits that no byte needs may be set and are lost.
                return binascii.b2a_base64(
                    binascii.a2b_base64(text, strict_mode=True), newline=False
                ).decode()
            except (binascii.Error, ValueError):
                raise DecodeError(f"illegal base64 data at input byte {_bad_base64(text)}") from None
        if value is None:
            return zero
        if value.__class__ is list:
            return _bytes_of(value) or zero
        raise WrongType(value, "[]uint8", "slice")

    return base64


def _bytes_of(numbers: list[Any]) -> str:
    """Go also takes a list of numbers for bytes."""
    for number in numbers:
        if number.__class__ is not int or not 0 <= number <= 255:
            raise WrongType(number, "uint8", digits=number.__class__ is int)
    return binascii.b2a_base64(bytes(numbers), newline=False).decode()


def _bad_base64(text: str) -> int:
    """Where Go stops reading."""
    found = _NOT_BASE64.search(text)
    if found is None:
        return len(text) - len(text) % 4
    at = found.start()
    if text[at] != "=" or at % 4 < 2:
        return at
    padding = 4 - at % 4
    if text[at : at + padding] != "=" * padding:
        return at + 1 if at + 1 < len(text) else len(text)
    return at + padding


def _time(normal: Callable[[str], str | None], omits: bool) -> Converter:
    zero = OMIT if omits else None

    def time(value: Any, unknown: list[bool]) -> Any:
        if value.__class__ is str:
            try:
                return normal(value) or zero
            except ValueError as error:
                raise DecodeError(str(error)) from None
        if value is None:
            return zero
        raise WrongType(value, "string")

    return time


def _quantity(value: Any, unknown: list[bool]) -> Any:
    if value is None:
        return "0"
    try:
        return normal_quantity(value)
    except QuantityError as error:
        raise DecodeError(str(error)) from None


_int32 = _integer(32, "int32", False)


def _int_or_string(value: Any, unknown: list[bool]) -> Any:
    if value.__class__ is str:
        return value
    try:
        return _int32(value, unknown)
    except WrongType as error:
        error.into = ""
        raise


def _as_is(value: Any, unknown: list[bool]) -> Any:
    return value


_SELF_WRITTEN: dict[str, Callable[[bool], Converter]] = {
    "bool": _boolean,
    "float64": _floating,
    "bytes": _base64,
    "any": lambda omits: _as_is,
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": lambda omits: _time(normal_time, omits),
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": lambda omits: _time(normal_micro_time, omits),
    "io.k8s.apimachinery.pkg.api.resource.Quantity": lambda omits: _quantity,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": lambda omits: _int_or_string,
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": lambda omits: _as_is,
    "io.k8s.apimachinery.pkg.runtime.RawExtension": lambda omits: _as_is,
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": lambda omits: _as_is,
}


def scalar_converter(word: str, omits: bool) -> Converter | None:
    """The converter of a type that is no pointer, list, map or struct; None when it is one of these."""
    basic, _, named = word.partition("=")
    if basic == "string":
        return _string(omits, named or basic)
    if basic in ("int32", "int64"):
        return _integer(int(basic[3:]), named or basic, omits)
    make = _SELF_WRITTEN.get(word)
    return make(omits) if make else None
