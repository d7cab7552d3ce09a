"""What strict decoding complains about: fields that a definition does not know, and fields that are told twice.

Only walked when `typed` has noticed something, or the text repeats a key: this goes member by member, in the order
of the document, with the path that Go tells.

Promises
    X1  complaints come in document order, each once, at most STRICT_ERRORS_MAX
    X2  nothing is said about the inside of unknown fields, nor of values that decode themselves

Source: sigs.k8s.io/json, kubernetes_patch.go.
"""

from functools import cache
from typing import Any

from kajitori.apimachinery.decode import STRICT_ERRORS_MAX, Pairs, go_quote, parse_pairs
from kajitori.apis import facts

__all__ = ["problems", "unknown_fields"]


def unknown_fields(definition: str, value: Any) -> list[str]:
    """`unknown field "spec.foo"` for each field of a decoded document that its definition does not know."""
    return _complaints(definition, value)


def problems(definition: str, data: bytes | bytearray | memoryview) -> list[str]:
    """Unknown and repeated fields of a JSON text, in document order."""
    return _complaints(definition, parse_pairs(data))


def _complaints(definition: str, value: Any) -> list[str]:
    found: dict[str, None] = {}
    _struct(definition, value, "", found)
    return list(found)[:STRICT_ERRORS_MAX]


@cache
def _types(definition: str) -> dict[str, str] | None:
    """The type of each field; None for definitions that decode themselves."""
    fields = facts.definition(definition).fields
    return None if fields is None else {each.name: each.type.removeprefix("*") for each in fields}


def _struct(definition: str, value: Any, path: str, found: dict[str, None]) -> None:
    types = _types(definition)
    if types is None:
        return
    seen: set[str] = set()
    for name, member in _members(value):
        inner = f"{path}.{name}" if path else name
        if name not in types:
            found[f"unknown field {go_quote(inner)}"] = None
            continue
        if name in seen:
            found[f"duplicate field {go_quote(inner)}"] = None
        seen.add(name)
        _value(types[name], member, inner, found)


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Pairs):
        return value
    return list(value.items()) if isinstance(value, dict) else []


def _value(word: str, value: Any, path: str, found: dict[str, None]) -> None:
    if word.startswith("[]"):
        if isinstance(value, list) and not isinstance(value, Pairs):
            for index, item in enumerate(value):
                _value(word[2:].removeprefix("*"), item, f"{path}[{index}]", found)
    elif word.startswith("{}"):
        _map(word[2:].removeprefix("*"), value, path, found)
    elif word.startswith("io."):
        _struct(word, value, path, found)


def _map(word: str, value: Any, path: str, found: dict[str, None]) -> None:
    seen: set[str] = set()
    for name, member in _members(value):
        inner = f"{path}.{name}"
        if name in seen:
            found[f"duplicate field {go_quote(inner)}"] = None
        seen.add(name)
        _value(word, member, inner, found)
