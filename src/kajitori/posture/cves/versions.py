"""Versions, and ranges of them.

Promises
    V1  versions are ordered as https://semver.org orders them; what a vendor adds (`-gke.100`, `+k3s1`, `-eks-1a2b`)
        is told and does not count: only alpha, beta and rc come before a release
    V2  a version is in several ranges when it is in one of them
    V3  the version that fixes is the nearest of the same minor version, else the nearest beyond it
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

__all__ = ["Range", "Version", "fixed_in", "parse_version", "range_of"]

_VERSION = re.compile(
    r"v?(?P<major>\d{1,9})\.(?P<minor>\d{1,9})(?:\.(?P<patch>\d{1,9}))?"
    r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+(?P<build>[0-9A-Za-z.-]+))?"
)
_BEFORE_RELEASE = re.compile(r"(alpha|beta|rc)[.-]?(\d*)")


class Version(msgspec.Struct, frozen=True, order=True):
    """A version. `stage` orders what comes before the release."""

    major: int
    minor: int
    patch: int = 0
    stage: tuple[str, int] = ("~", 0)
    """`("beta", 2)`; `~` sorts after all words and is the release itself."""

    def __str__(self) -> str:
        pre = "" if self.stage[0] in ("", "~") else f"-{self.stage[0]}.{self.stage[1]}"
        return f"{self.major}.{self.minor}.{self.patch}{pre}"

    @property
    def line(self) -> tuple[int, int]:
        """The minor version: patches are made for it."""
        return self.major, self.minor


def parse_version(text: str) -> Version | None:
    """The version that a text is; None when it is none."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    stage = ("~", 0)
    before = _BEFORE_RELEASE.match(match["pre"] or "")
    if before is not None:
        stage = before[1], int(before[2] or 0)
    return Version(int(match["major"]), int(match["minor"]), int(match["patch"] or 0), stage)


class Range(msgspec.Struct, frozen=True):
    """From `introduced` on, up to what is `fixed` (without it) or the `last` affected (with it); None: no bound."""

    introduced: Version | None = None
    fixed: Version | None = None
    last: Version | None = None

    def __contains__(self, version: Version) -> bool:
        return (
            (self.introduced is None or version >= self.introduced)
            and (self.fixed is None or version < self.fixed)
            and (self.last is None or version <= self.last)
        )

    def __str__(self) -> str:
        since = f">= {self.introduced}" if self.introduced is not None else ""
        until = (
            f"< {self.fixed}"
            if self.fixed is not None
            else f"<= {self.last}"
            if self.last is not None
            else ""
        )
        return " ".join(filter(None, (since, until))) or "all versions"


def range_of(introduced: str = "", fixed: str = "", last: str = "") -> Range:
    """A range from texts; `0` and nothing are no bound.

    Raises: ValueError.
    """

    def bound(text: str) -> Version | None:
        if text in ("", "0"):
            return None
        found = parse_version(text)
        if found is None:
            raise ValueError(f"{text!r} is no version")
        return found

    return Range(bound(introduced), bound(fixed), bound(last))


def fixed_in(version: Version, ranges: Sequence[Range], further: Iterable[Version] = ()) -> Version | None:
    """The version to go to (V3); None when none is known."""
    known = [each.fixed for each in ranges if each.fixed is not None]
    later = sorted(each for each in (*known, *further) if each > version)
    same = [each for each in later if each.line == version.line]
    return same[0] if same else later[0] if later else None
