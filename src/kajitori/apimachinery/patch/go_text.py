"""JSON values as Go's fmt prints them: `%v`, `%#v` and `%T` of decoded JSON.

Kubernetes puts such text in messages that clients see; these functions say the same. A `GoValue` is what JSON has no
value for.

Source: https://pkg.go.dev/fmt
"""

import re
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.decode import go_quote

__all__ = ["GoValue", "go_name", "go_syntax", "go_text"]

_EXPONENT = re.compile(r"e([+-])(\d)$")


@dataclass(frozen=True, slots=True)
class GoValue:
    """A value of a Go type that no JSON value has, as it is printed."""

    text: str
    syntax: str
    name: str
    value: Any = None
    """What it is here."""

    def __str__(self) -> str:
        return self.text


def go_text(value: Any) -> str:
    """`%v`: `map[a:1 b:[x y]]`, keys sorted, texts unquoted, null as `<nil>`."""
    if value is None:
        return "<nil>"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_text(each) for each in value) + "]"
    return _scalar(value)


def go_syntax(value: Any) -> str:
    """`%#v`: the value as a Go expression, `map[string]interface {}{"a":1}`."""
    if value is None:
        return "interface {}(nil)"
    if isinstance(value, str):
        return go_quote(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{go_quote(key)}:{go_syntax(value[key])}" for key in sorted(value))
        return "map[string]interface {}{" + inner + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(go_syntax(each) for each in value) + "}"
    if isinstance(value, GoValue):
        return value.syntax
    return _scalar(value)


def go_name(value: Any) -> str:
    """`%T`: the Go type a decoded JSON value has."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "int64"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, GoValue):
        return value.name
    return "map[string]interface {}" if isinstance(value, dict) else "[]interface {}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float(value) if isinstance(value, float) else str(value)


def _float(value: float) -> str:
    """The shortest digits that read back the same; an exponent below -4 and from 21 on."""
    digits = repr(value)
    if "e" not in digits and digits.endswith(".0"):
        digits = digits[:-2]
    magnitude = abs(value)
    if magnitude >= 1e21 or (magnitude and magnitude < 1e-4):
        if "e" not in digits:
            digits = f"{value:.17g}"
        return _EXPONENT.sub(r"e\g<1>0\2", digits)
    return f"{value:.0f}" if "e" in digits else digits
