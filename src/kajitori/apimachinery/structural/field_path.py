"""Paths such as `.spec.color` or `.labels['a/b']`, followed through a schema.

Sits under the validation of selectable fields and of the `fieldPath` of rules.

Source: apiextensions' pkg/apiserver/schema/cel (ValidFieldPath).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["FieldPathError", "resolve_field_path"]


class FieldPathError(ValueError):
    """A path that does not lead to a field; the text is Kubernetes'."""


_TOKEN = re.compile(r"'(?:.*?(?<!\\)'|.*\Z)|[.\[\]]|[^.\[\]]+", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


def resolve_field_path(
    path: str, schema: Mapping[str, Any], *, allows_brackets: bool = True
) -> tuple[tuple[str, ...], Mapping[str, Any]]:
    """The names along the path, and the schema of the field at its end.

    Raises: FieldPathError when the path is malformed or leads nowhere.
    """
    names: list[str] = []
    current: Mapping[str, Any] = schema
    tokens = (found.group() for found in _TOKEN.finditer(path))
    for token in tokens:
        if token == "[":
            if not allows_brackets:
                raise FieldPathError("array notation is not allowed")
            name = _unquoted(_next(tokens))
            current = _member(current, name)
            closing = _next(tokens)
            if closing != "]":
                raise FieldPathError(f"expected ] but got {closing}")
        elif token == ".":
            name = _next(tokens)
            current = _member(current, name)
        else:
            raise FieldPathError(f"expected [ or . but got: {token}")
        names.append(name)
    return tuple(names), current


def _next(tokens: Iterator[str]) -> str:
    for token in tokens:
        return token
    raise FieldPathError("unexpected end of JSON path")


def _unquoted(token: str) -> str:
    if len(token) < 2 or token[0] != "'" or token[-1] != "'":
        raise FieldPathError(f"expected single quoted string but got {token}")

    def unescape(found: re.Match[str]) -> str:
        if found[1] not in _ESCAPED:
            raise FieldPathError(f"invalid string literal: invalid escape char {found[0]}")
        return _ESCAPED[found[1]]

    return _ESCAPE.sub(unescape, token[1:-1])


def _member(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    properties = schema.get("properties")
    found = properties.get(name) if properties else schema.get("additionalProperties")
    if not isinstance(found, Mapping):
        raise FieldPathError("does not refer to a valid field")
    return found
