"""Path elements: one step from a value to a part of it, as fieldsV1 spells it.

    f:name                a member of a struct or map
    k:{"name":"c"}        the item of an associative list with these keys
    v:"text"              the item of a set that has this value
    i:0                   the item of a list at this index

An element is its canonical text, so equal elements are equal texts: keys sorted, no spaces, Go's JSON.

Promises
    E1  canonical(text) of a canonical text is that text; texts that mean the same get the same one
    E2  sorting by `order` is Kubernetes' order: members, then keys, then values, then indexes

Source: structured-merge-diff's fieldpath (PathElement, its serialisation and order).
"""

import re
from typing import Any

import msgspec

from kajitori.apimachinery.decode import DecodeError, decode_json, go_quote, untyped_numbers
from kajitori.apimachinery.patch.go_text import go_text

__all__ = [
    "REMEMBERED_MAX",
    "SELF",
    "canonical",
    "element_text",
    "html_escaped",
    "key_element",
    "order",
    "value_element",
]

SELF = "."
"""What stands for the parent itself in fieldsV1."""

REMEMBERED_MAX = 4096
"""Elements of list items that are remembered: the names of a cluster's containers, ports, conditions."""

_encode = msgspec.json.Encoder().encode
_INDEX = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_HTML = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
_canonical: dict[str, str | None] = {}
_orders: dict[str, tuple[Any, ...]] = {}


def _json(value: Any) -> str:
    return html_escaped(_encode(value).decode())


def html_escaped(text: str) -> str:
    """JSON text as Go writes it: `<`, `>` and `&` as escapes."""
    return text.translate(_HTML)


def value_element(value: Any) -> str:
    """The element of a set's item."""
    return "v:" + _json(value)


def key_element(keys: dict[str, Any]) -> str:
    """The element of an associative list's item; `keys` in the order of their names."""
    return "k:" + _json(keys)


def canonical(text: str) -> str | None:
    """The canonical text of an element; None when its kind is unknown, which fieldsV1 ignores.

    Raises: ValueError when it is no element.
    """
    prefix = text[:2]
    if prefix == "f:":
        return text
    known = _canonical.get(text, text)
    if known is not text:
        return known
    result = _canonicalise(prefix, text)
    if len(_canonical) >= REMEMBERED_MAX:
        _canonical.clear()
    _canonical[text] = result
    return result


def _canonicalise(prefix: str, text: str) -> str | None:
    if len(text) < 2:
        raise ValueError("key must be 2 characters long:")
    if prefix[1] != ":":
        raise ValueError(f"missing colon: {text}")
    match prefix[0]:
        case "v":
            return value_element(_parsed(text[2:]))
        case "k":
            keys = _parsed(text[2:])
            if not isinstance(keys, dict):
                raise ValueError(f"expected a JSON object: {text}")
            return key_element({name: keys[name] for name in sorted(keys)})
        case "i":
            if _INDEX.fullmatch(text[2:]) is None:
                raise ValueError(f'strconv.Atoi: parsing "{text[2:]}": invalid syntax')
            return f"i:{int(text[2:])}"
        case _:
            return None


def _parsed(text: str) -> Any:
    try:
        return untyped_numbers(decode_json(text.encode()))
    except DecodeError as error:
        raise ValueError(str(error)) from None


def order(text: str) -> tuple[Any, ...]:
    """The sort key of a canonical element or SELF."""
    prefix = text[:2]
    if prefix == "f:":
        return (1, text)
    if text == SELF:
        return (0,)
    known = _orders.get(text)
    if known is None:
        known = _order_of(prefix, text)
        if len(_orders) >= REMEMBERED_MAX:
            _orders.clear()
        _orders[text] = known
    return known


def _order_of(prefix: str, text: str) -> tuple[Any, ...]:
    if prefix == "i:":
        return (4, int(text[2:]))
    value = _parsed(text[2:])
    if prefix == "v:":
        return (3, _value_order(value))
    return (2, tuple((name, _value_order(each)) for name, each in value.items()))


def _value_order(value: Any) -> tuple[Any, ...]:
    """Numbers, texts, booleans, lists, maps, null: Kubernetes' order of values."""
    if isinstance(value, bool):
        return (2, value)
    if isinstance(value, int | float):
        return (0, value)
    if isinstance(value, str):
        return (1, value)
    if isinstance(value, list):
        return (3, tuple(_value_order(each) for each in value))
    if isinstance(value, dict):
        return (4, tuple((name, _value_order(value[name])) for name in sorted(value)))
    return (5,)


def element_text(text: str) -> str:
    """The element as messages show it: `.spec`, `[name="c"]`, `[="x"]`, `[0]`."""
    prefix = text[:2]
    if prefix == "f:":
        return "." + text[2:]
    if prefix == "i:":
        return f"[{text[2:]}]"
    value = _parsed(text[2:])
    if prefix == "v:":
        return f"[={_shown(value)}]"
    return "[" + ",".join(f"{name}={_shown(each)}" for name, each in value.items()) + "]"


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return go_quote(value)
    if isinstance(value, list):
        return "[" + ",".join(_shown(each) for each in value) + "]"
    if isinstance(value, dict):
        return "".join(f"{name}={_shown(each)}" for name, each in value.items())
    return go_text(value)
