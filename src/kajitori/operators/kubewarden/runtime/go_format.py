"""Go's `fmt.Sprintf`, for values that Rego has. No I/O.

Promises
    F1  what Rego policies print is what OPA prints: verbs with flags, width and precision; mistakes as Go shows them

Source: https://pkg.go.dev/fmt, and how OPA gives values to it.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

__all__ = ["sprintf"]

WIDTH_MAX = 10_000
"""A wider field than anybody reads is a way to eat memory."""

_VERB = re.compile(r"%([-+# 0]*)(\d+)?(?:\.(\d*))?(.)", re.S)


def sprintf(text: str, values: Sequence[Any]) -> str:
    """The text with the values in it. Raises: ValueError where a field would be wider than WIDTH_MAX."""
    waiting = list(values)
    used = 0

    def written(match: re.Match[str]) -> str:
        nonlocal used
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if max(int(width or 0), int(precision or 0)) > WIDTH_MAX:
            raise ValueError("a field is too wide")
        if used >= len(waiting):
            return f"%!{verb}(MISSING)"
        used += 1
        return _padded(_written(waiting[used - 1], verb, flags, precision), flags, width)

    done = _VERB.sub(written, text)
    if done.endswith("%") and not text.endswith("%%"):
        done = f"{done[:-1]}%!(NOVERB)"
    extra = ", ".join(f"{_type(each)}={_plain(each)}" for each in waiting[used:])
    return f"{done}%!(EXTRA {extra})" if extra else done


def _written(value: Any, verb: str, flags: str, precision: str | None) -> str:
    if verb == "T":
        return _type(value)
    sign = "+" if "+" in flags else " " if " " in flags else ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _of_text(_plain(value), verb, precision)
    if isinstance(value, int) and verb in "vdxXobc":
        return _of_whole(value, verb, sign, "#" in flags)
    if isinstance(value, float) and verb in "vfFeEgG":
        if verb == "v":
            return f"{value:{sign}}" if precision is None else f"{value:{sign}.{int(precision or 0)}g}"
        return f"{value:{sign}.{int(precision or 0) if precision is not None else 6}{verb}}"
    return f"%!{verb}({_type(value)}={_plain(value)})"


def _of_text(text: str, verb: str, precision: str | None) -> str:
    if verb in "vs":
        return text if precision is None else text[: int(precision or 0)]
    if verb == "q":
        return msgspec.json.encode(text).decode()
    if verb in "xX":
        shown = text.encode().hex()
        return shown.upper() if verb == "X" else shown
    return f"%!{verb}(string={text})"


def _of_whole(value: int, verb: str, sign: str, alternate: bool) -> str:
    if verb == "c":
        return chr(value) if 0 <= value < 0x110000 else "\ufffd"
    kind = "d" if verb == "v" else verb
    prefix = "#" if alternate and kind in "xXob" else ""
    return f"{value:{sign}{prefix}{kind}}"


def _padded(text: str, flags: str, width: str | None) -> str:
    size = int(width or 0)
    if "-" in flags:
        return text.ljust(size)
    if "0" in flags:
        return text.zfill(size)
    return text.rjust(size)


def _plain(value: Any) -> str:
    """A value as Rego writes it; a text without quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(_quoted(each) for each in value)}]"
    if isinstance(value, dict):
        pairs = sorted(value.items())
        return f"{{{', '.join(f'{_quoted(key)}: {_quoted(each)}' for key, each in pairs)}}}"
    return _quoted(value)


def _quoted(value: Any) -> str:
    if isinstance(value, list | dict):
        return _plain(value)
    return msgspec.json.encode(value).decode()


def _type(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "string"
    return "int" if isinstance(value, int) else "float64"
