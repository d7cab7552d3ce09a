"""The functions of Rego that a compiled policy leaves to its host.

Promises
    B1  a function gives what OPA's gives; where OPA's has no value, neither has this
    B2  which functions there are can be told before a policy runs: one that needs another is refused

Source: https://www.openpolicyagent.org/docs/latest/policy-reference/#built-in-functions
"""

import base64
import binascii
import datetime
import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote_plus, unquote_plus
from zoneinfo import ZoneInfo

import msgspec

from kajitori.apis import PatternError, apply_json_patch, compile_regex
from kajitori.client import ApiError
from kajitori.operators.kubewarden.runtime.go_format import sprintf
from kajitori.wire.go_time import parse_rfc3339
from kajitori.wire.wasm.opa import Builtins, Undefined

__all__ = ["builtins_at"]

_SECOND_NS = 10**9
_BYTE_UNITS = {
    "": 1,
    "b": 1,
    **{f"{unit}{b}": 1000**power for power, unit in enumerate("kmgtpe", 1) for b in ("", "b")},
    **{f"{unit}i{b}": 1024**power for power, unit in enumerate("kmgtpe", 1) for b in ("", "b")},
}
_UNITS = {
    **{"": 1.0, "m": 0.001, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18},
    **{f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)},
}
_DURATIONS = {
    **{"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": _SECOND_NS},
    **{"m": 60 * _SECOND_NS, "h": 3600 * _SECOND_NS},
}


def builtins_at(now_ns: int) -> Builtins:
    """The functions; all of an evaluation happens at one moment."""
    return {**_FUNCTIONS, "time.now_ns": lambda: now_ns}


def _total(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, undefined for values that it is not for."""

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (ValueError, TypeError, KeyError, LookupError, AttributeError, OverflowError, ApiError):
            raise Undefined from None

    return call


def _is_valid(function: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def call(text: Any) -> bool:
        try:
            function(text)
        except (ValueError, TypeError, AttributeError):
            return False
        return True

    return call


# Encodings.


def _yaml(text: str) -> Any:
    import yaml

    try:
        return msgspec.json.decode(msgspec.json.encode(yaml.safe_load(text)))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _yaml_text(value: Any) -> str:
    import yaml

    return yaml.safe_dump(value, default_flow_style=False, allow_unicode=True)


def _query(values: dict[str, Any]) -> str:
    pairs = [
        (key, each)
        for key, one in sorted(values.items())
        for each in ([one] if isinstance(one, str) else one)
    ]
    return "&".join(f"{quote_plus(key)}={quote_plus(each)}" for key, each in pairs)


def _base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _unhex(text: str) -> str:
    try:
        return binascii.unhexlify(text).decode()
    except binascii.Error as error:
        raise ValueError(str(error)) from None


# Regular expressions.


def _split(pattern: str, text: str) -> list[str]:
    parts, position = list[str](), 0
    for spans in _matches(pattern, text):
        start, end = spans
        if end == 0 and start == 0:
            continue
        parts.append(text[position:start])
        position = end
    return [*parts, text[position:]]


def _find_n(pattern: str, text: str, count: int) -> list[str]:
    found = [text[start:end] for start, end in _matches(pattern, text)]
    return found if count < 0 else found[:count]


def _replaced(text: str, pattern: str, value: str) -> str:
    import re

    made, position = list[str](), 0
    for spans in compile_regex(pattern).finditer(text):
        start, end = spans[0]

        def group(match: "re.Match[str]", spans: Any = spans) -> str:
            number = int(match.group(1) or match.group(2))
            if number >= len(spans) or spans[number][0] < 0:
                return ""
            return text[spans[number][0] : spans[number][1]]

        made += [text[position:start], re.sub(r"\$(?:(\d+)|\{(\d+)\})", group, value)]
        position = end
    return "".join([*made, text[position:]])


def _template_match(template: str, text: str, start: str, end: str) -> bool:
    pattern, rest = "", template
    while True:
        literal, opened, rest = rest.partition(start)
        pattern += compile_escaped(literal)
        if not opened:
            return next(iter(_matches(f"^{pattern}$", text)), None) is not None
        inner, closed, rest = rest.partition(end)
        if not closed:
            raise ValueError("the template is not closed")
        pattern += f"({inner})"


def compile_escaped(text: str) -> str:
    """The text as a pattern that matches it alone."""
    return "".join(f"\\{each}" if each in r"\.+*?()|[]{}^$" else each for each in text)


def _matches(pattern: str, text: str) -> list[tuple[int, int]]:
    try:
        return [spans[0] for spans in compile_regex(pattern).finditer(text)]
    except PatternError as error:
        raise ValueError(str(error)) from None


def _quote_meta(pattern: str) -> str:
    return "".join(f"\\{each}" if each in r"*?\[]{}" else each for each in pattern)


# Versions.


def _version(text: str) -> tuple[Any, ...]:
    number, _, _ = text.partition("+")
    number, dash, before = number.partition("-")
    major, minor, patch = number.split(".")
    if not all(part.isdigit() for part in (major, minor, patch)) or (dash and not before):
        raise ValueError(f"{text} is no version")
    marks = [(0, int(each), "") if each.isdigit() else (1, 0, each) for each in before.split(".") if each]
    # A version without a mark comes after all that have one.
    return int(major), int(minor), int(patch), not marks, marks


def _compared(one: str, other: str) -> int:
    first, second = _version(one), _version(other)
    return (first > second) - (first < second)


# Numbers.


def _unit(text: str) -> float | int:
    number, suffix = _number_and_suffix(text)
    value = number * _UNITS[suffix]
    return int(value) if value == int(value) else value


def _bytes(text: str) -> int:
    number, suffix = _number_and_suffix(text)
    return int(number * _BYTE_UNITS[suffix.lower()])


def _number_and_suffix(text: str) -> tuple[float, str]:
    text = text.strip('"')
    if not text or " " in text:
        raise ValueError("there is no amount")
    end = next((place for place, each in enumerate(text) if not (each.isdigit() or each in ".-")), len(text))
    return float(text[:end]), text[end:]


# Time.


def _parse_time(text: str) -> int:
    seconds, nanos = parse_rfc3339(text)
    return seconds * _SECOND_NS + nanos


def _moment(value: Any) -> datetime.datetime:
    nanos, zone = value if isinstance(value, list) else (value, "UTC")
    place = datetime.UTC if zone in ("", "UTC") else ZoneInfo(zone)
    return datetime.datetime.fromtimestamp(nanos // _SECOND_NS, place)


def _clock(value: Any) -> list[int]:
    moment = _moment(value)
    return [moment.hour, moment.minute, moment.second]


def _date(value: Any) -> list[int]:
    moment = _moment(value)
    return [moment.year, moment.month, moment.day]


def _duration(text: str) -> int:
    import re

    sign = -1 if text.startswith("-") else 1
    parts = re.findall(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", text)
    if not text or "".join(number + unit for number, unit in parts) != text.lstrip("+-"):
        raise ValueError(f"{text} is no duration")
    return sign * sum(int(float(number) * _DURATIONS[unit]) for number, unit in parts)


_PARTIAL: dict[str, Callable[..., Any]] = {
    "base64url.encode_no_pad": _base64url,
    "crypto.hmac.sha256": lambda text, key: hmac.new(key.encode(), text.encode(), "sha256").hexdigest(),
    "crypto.md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "crypto.sha1": lambda text: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    "crypto.sha256": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "glob.quote_meta": _quote_meta,
    "hex.decode": _unhex,
    "hex.encode": lambda text: text.encode().hex(),
    "json.is_valid": _is_valid(lambda text: msgspec.json.decode(text)),
    "json.patch": lambda document, operations: apply_json_patch(document, operations),
    "regex.find_n": _find_n,
    "regex.replace": _replaced,
    "regex.split": _split,
    "regex.template_match": _template_match,
    "semver.compare": _compared,
    "semver.is_valid": _is_valid(_version),
    "sprintf": sprintf,
    "strings.any_prefix_match": lambda texts, starts: _any(texts, starts, str.startswith),
    "strings.any_suffix_match": lambda texts, ends: _any(texts, ends, str.endswith),
    "strings.count": lambda text, part: text.count(part),
    "strings.replace_n": lambda pairs, text: _replaced_all(pairs, text),
    "time.clock": _clock,
    "time.date": _date,
    "time.parse_duration_ns": _duration,
    "time.parse_rfc3339_ns": _parse_time,
    "time.weekday": lambda value: _moment(value).strftime("%A"),
    "trace": lambda note: True,
    "units.parse": _unit,
    "units.parse_bytes": _bytes,
    "urlquery.decode": unquote_plus,
    "urlquery.decode_object": lambda text: parse_qs(text, keep_blank_values=True, strict_parsing=True),
    "urlquery.encode": quote_plus,
    "urlquery.encode_object": _query,
    "yaml.is_valid": _is_valid(_yaml),
    "yaml.marshal": _yaml_text,
    "yaml.unmarshal": _yaml,
}
_FUNCTIONS = {name: _total(function) for name, function in _PARTIAL.items()}
# The names that the first compilers had for them.
_FUNCTIONS["parse_rfc3339_ns"] = _FUNCTIONS["time.parse_rfc3339_ns"]
_FUNCTIONS["date"] = _FUNCTIONS["time.date"]


def _any(texts: Any, parts: Any, test: Callable[[str, str], bool]) -> bool:
    return any(
        test(text, part)
        for text in ([texts] if isinstance(texts, str) else texts)
        for part in ([parts] if isinstance(parts, str) else parts)
    )


def _replaced_all(pairs: dict[str, str], text: str) -> str:
    for old, new in sorted(pairs.items()):
        text = text.replace(old, new)
    return text
