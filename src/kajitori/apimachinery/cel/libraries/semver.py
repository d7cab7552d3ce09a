"""Semantic versions: since Kubernetes 1.33.

Source: apiserver's pkg/cel/library/semverlib.go and pkg/cel/semver.go; github.com/blang/semver, whose messages
these are; https://semver.org for precedence.
"""

import re
from typing import ClassVar

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Library, Overload, function
from kajitori.apimachinery.cel.libraries.opaque import OpaqueValue
from kajitori.apimachinery.cel.prices import by_size, priced
from kajitori.apimachinery.cel.types import BOOL, INT, STRING, Kind, Type
from kajitori.apimachinery.decode import go_quote

__all__ = ["SEMVER", "SemverValue", "semver"]

SEMVER = Type(Kind.OBJECT, "kubernetes.Semver")

_PART_MAX = (1 << 64) - 1

_digits_match = re.compile("[0-9]*").fullmatch
_word_matches = re.compile("[0-9A-Za-z-]*").fullmatch

_Precedence = tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]


class SemverValue(OpaqueValue):
    """A version. What follows a plus sign is kept but does not count when versions are compared."""

    __slots__ = ("build", "major", "minor", "patch", "prerelease")

    cel_type: ClassVar[Type] = SEMVER

    def __init__(
        self,
        numbers: tuple[int, int, int],
        prerelease: tuple[int | str, ...] = (),
        build: tuple[str, ...] = (),
    ) -> None:
        self.major, self.minor, self.patch = numbers
        self.prerelease = prerelease
        self.build = build

    def precedence(self) -> _Precedence:
        """What versions are ordered by: those before a release come before it, and numbers before words."""
        steps = [(True, 0, one) if isinstance(one, str) else (False, one, "") for one in self.prerelease]
        return self.major, self.minor, self.patch, not self.prerelease, tuple(steps)

    def compared(self, other: "SemverValue") -> int:
        """-1, 0 or 1."""
        mine, theirs = self.precedence(), other.precedence()
        return (mine > theirs) - (mine < theirs)

    def _identity(self) -> _Precedence:
        return self.precedence()

    def __str__(self) -> str:
        prerelease = f"-{'.'.join(map(str, self.prerelease))}" if self.prerelease else ""
        build = f"+{'.'.join(self.build)}" if self.build else ""
        return f"{self.major}.{self.minor}.{self.patch}{prerelease}{build}"


def _parsed(text: str) -> SemverValue:
    if not text:
        raise EvaluationError("Version string empty")
    parts = text.split(".", 2)
    if len(parts) < 3:
        raise EvaluationError("No Major.Minor.Patch elements found")
    major, minor = _number(parts[0], "major"), _number(parts[1], "minor")
    rest, plus, build = parts[2].partition("+")
    rest, dash, prerelease = rest.partition("-")
    patch = _number(rest, "patch")
    return SemverValue(
        (major, minor, patch),
        tuple(map(_prerelease, prerelease.split("."))) if dash else (),
        tuple(map(_build, build.split("."))) if plus else (),
    )


def _number(text: str, which: str) -> int:
    if not _digits_match(text):
        raise EvaluationError(f"Invalid character(s) found in {which} number {go_quote(text)}")
    if len(text) > 1 and text[0] == "0":
        raise EvaluationError(f"{which.capitalize()} number must not contain leading zeroes {go_quote(text)}")
    return _uint(text)


def _uint(text: str) -> int:
    if not text:
        raise EvaluationError('strconv.ParseUint: parsing "": invalid syntax')
    if len(text) > 20 or int(text) > _PART_MAX:
        raise EvaluationError(f"strconv.ParseUint: parsing {go_quote(text)}: value out of range")
    return int(text)


def _prerelease(text: str) -> int | str:
    if not text:
        raise EvaluationError("Prerelease is empty")
    if not _digits_match(text):
        if not _word_matches(text):
            raise EvaluationError(f"Invalid character(s) found in prerelease {go_quote(text)}")
        return text
    if len(text) > 1 and text[0] == "0":
        raise EvaluationError(f"Numeric PreRelease version must not contain leading zeroes {go_quote(text)}")
    return _uint(text)


def _build(text: str) -> str:
    if not text:
        raise EvaluationError("Build meta data is empty")
    if not _word_matches(text):
        raise EvaluationError(f"Invalid character(s) found in build meta data {go_quote(text)}")
    return text


def _normalized(text: str) -> str:
    """Without a leading `v` and leading zeros, and with all three numbers."""
    parts = [_without_zeros(part) for part in text.removeprefix("v").split(".", 2)]
    if len(parts) < 3:
        if "+" in parts[-1] or "-" in parts[-1]:
            raise EvaluationError("short version cannot contain PreRelease/Build meta data")
        parts += ["0"] * (3 - len(parts))
    return ".".join(parts)


def _without_zeros(part: str) -> str:
    if part.isascii() and len(part) < 2:  # counted in bytes
        return part
    rest = part.lstrip("0")
    return rest if rest and rest[0] in "0123456789" else f"0{rest}"


def _semver(text: str, normalize: bool = False) -> SemverValue:
    return _parsed(_normalized(text) if normalize else text)


def _is_semver(text: str, normalize: bool = False) -> bool:
    try:
        _semver(text, normalize)
    except EvaluationError:
        return False
    return True


def _as_int(part: int) -> int:
    """A part as an int of 64 bits; what is too large wraps around, as in Kubernetes."""
    return part if part < 1 << 63 else part - (1 << 64)


_PARSE = Overload("string_to_semver", (STRING,), SEMVER, call=_semver)
_PARSE_NORMALIZED = Overload("string_bool_to_semver", (STRING, BOOL), SEMVER, call=_semver)
_CHECK = Overload("is_semver_string", (STRING,), BOOL, call=_is_semver)
_CHECK_NORMALIZED = Overload("is_semver_string_bool", (STRING, BOOL), BOOL, call=_is_semver)


def _compare(value: SemverValue, other: SemverValue) -> int:
    return value.compared(other)


def semver(version: int) -> Library:
    """Version 1 can normalize."""
    parse = (_PARSE, _PARSE_NORMALIZED) if version >= 1 else (_PARSE,)
    check = (_CHECK, _CHECK_NORMALIZED) if version >= 1 else (_CHECK,)
    pair = (SEMVER, SEMVER)
    return Library(
        "kubernetes.Semver",
        functions=(
            priced("semver", by_size(), *parse),
            priced("isSemver", by_size(), *check),
            function(
                "isGreaterThan",
                Overload(
                    "semver_is_greater_than",
                    pair,
                    BOOL,
                    call=lambda value, other: value.compared(other) > 0,
                    member=True,
                ),
            ),
            function(
                "isLessThan",
                Overload(
                    "semver_is_less_than",
                    pair,
                    BOOL,
                    call=lambda value, other: value.compared(other) < 0,
                    member=True,
                ),
            ),
            function("compareTo", Overload("semver_compare_to", pair, INT, call=_compare, member=True)),
            function(
                "major",
                Overload(
                    "semver_major", (SEMVER,), INT, call=lambda value: _as_int(value.major), member=True
                ),
            ),
            function(
                "minor",
                Overload(
                    "semver_minor", (SEMVER,), INT, call=lambda value: _as_int(value.minor), member=True
                ),
            ),
            function(
                "patch",
                Overload(
                    "semver_patch", (SEMVER,), INT, call=lambda value: _as_int(value.patch), member=True
                ),
            ),
        ),
    )
