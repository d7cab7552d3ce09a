"""Lists by field from the cache: `spec.nodeName=n1`, answered by an index of that field.

Only exact values can be asked for: of everything else an index knows nothing.

Source: controller-runtime's client.FieldIndexer; there too the index of a field is called `field:` and its path.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from kajitori.apimachinery.fields import parse_field_selector

__all__ = ["FIELD_INDEX", "field_values", "required_fields"]

FIELD_INDEX = "field:"
"""What the names of such indexes begin with."""


def required_fields(text: str) -> dict[str, str]:
    """The value that each field must have.

    Raises: ValueError for a selector that asks for anything but exact values, or for two values of one field.
    """
    required: dict[str, str] = {}
    for each in parse_field_selector(text).requirements:
        if not each.equals or required.setdefault(each.field, each.value) != each.value:
            raise ValueError(
                f"field selector {text!r}: a cache finds objects by exact values of fields only, as in a=b,c=d"
            )
    return required


def field_values(path: str) -> Callable[[Any], Iterable[str]]:
    """An index function: the value at a wire path such as `spec.nodeName`, as field selectors write it."""
    names = tuple(path.removeprefix(".").split("."))

    def values(value: Any) -> Iterable[str]:
        for name in names:
            if isinstance(value, Mapping):
                value = value.get(name)
            elif isinstance(value, msgspec.Struct):
                value = getattr(value, _attributes(type(value))[name])
            else:
                break
        return (_text(value),)

    return values


@lru_cache(maxsize=1024)
def _attributes(cls: type[msgspec.Struct]) -> Mapping[str, str]:
    return {field.encode_name: field.name for field in msgspec.structs.fields(cls)}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    raise ValueError(f"{value!r} is no text, number or boolean; give index_field a function of your own")
