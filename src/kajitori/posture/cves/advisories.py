"""What is known of one CVE, whatever says it.

Source: https://ossf.github.io/osv-schema/ for OSV, https://www.first.org/cvss/v3-1/specification-document for scores.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from kajitori.posture.cves.versions import Range, Version, range_of

__all__ = ["Advisory", "Affected", "osv_affected", "osv_blocks", "severity_of", "severity_of_vector"]

_BLOCK = re.compile(r"```json[ \t]+osv[ \t]*\r?\n(.*?)```", re.DOTALL)
_VECTOR = re.compile(r"CVSS:3\.[01](?:/[A-Za-z]{1,2}:[A-Za-z])+")
_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES = {"U": {"N": 0.85, "L": 0.62, "H": 0.27}, "C": {"N": 0.85, "L": 0.68, "H": 0.5}}
_BOUNDS = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.1, "low"))


class Affected(msgspec.Struct, frozen=True):
    """What of one component is affected."""

    component: str
    ranges: tuple[Range, ...]
    fixed: tuple[Version, ...] = ()
    """Versions said to be fixed, where ranges do not say it."""


class Advisory(msgspec.Struct, frozen=True, kw_only=True):
    """One CVE."""

    id: str
    summary: str = ""
    severity: str = ""
    source: str
    """`osv`, `table` or `text`."""
    affected: tuple[Affected, ...] = ()
    link: str = ""
    """Where it is announced, and how it is mitigated."""
    requires: Mapping[str, str] = {}
    """What else must be so: `{"nodeOS": "windows"}`."""
    problem: str = ""
    """What could not be understood."""
    status: str = ""
    """Of the announcement: open, fixed, unknown."""

    @property
    def certain(self) -> bool:
        """Whether it says exactly what is affected."""
        return self.source != "text"


def osv_blocks(text: str) -> list[str]:
    """The blocks of OSV in an announcement."""
    return [match[1] for match in _BLOCK.finditer(text)]


def osv_affected(osv: Mapping[str, Any]) -> tuple[Affected, ...]:
    """What an OSV record says is affected, by component.

    Raises: ValueError, TypeError, AttributeError, KeyError when it is no such record.
    """
    found: list[Affected] = []
    for each in osv["affected"]:
        name = str((each.get("package") or {})["name"])
        ranges: list[Range] = []
        for one in each.get("ranges") or ():
            if one.get("type") == "SEMVER":
                ranges += _events(one.get("events") or ())
        for version in each.get("versions") or ():
            ranges.append(range_of(introduced=str(version), last=str(version)))
        if not ranges:
            raise ValueError(f"{name}: it says no versions")
        found.append(Affected(name, tuple(ranges)))
    if not found:
        raise ValueError("it says nothing is affected")
    return tuple(found)


def _events(events: Sequence[Mapping[str, Any]]) -> Iterator[Range]:
    """Events in their order: each `introduced` begins a range, what comes next ends it."""
    since: str | None = None
    for event in events:
        if "introduced" in event:
            if since is not None:
                yield range_of(introduced=since)
            since = str(event["introduced"])
        elif "fixed" in event or "last_affected" in event:
            last = str(event.get("last_affected") or "")
            yield range_of(introduced=since or "", fixed=str(event.get("fixed") or ""), last=last)
            since = None
    if since is not None:
        yield range_of(introduced=since)


def severity_of(text: str) -> str:
    """What a text with a CVSS vector, or a rating in words, says; empty when it says nothing."""
    vector = _VECTOR.search(text)
    if vector is not None:
        return severity_of_vector(vector[0])
    rated = re.search(
        r"\*\*(critical|high|medium|low)\*\*|\((critical|high|medium|low)\)", text, re.IGNORECASE
    )
    return (rated[1] or rated[2]).lower() if rated else ""


def severity_of_vector(vector: str) -> str:
    """The rating of a CVSS 3 base vector; empty when it is none."""
    metrics = dict(part.upper().split(":", 1) for part in vector.split("/")[1:])
    try:
        changed = metrics["S"] == "C"
        weights = {name: values[metrics[name]] for name, values in _WEIGHTS.items()}
        privileges = _PRIVILEGES[metrics["S"]][metrics["PR"]]
    except KeyError:
        return ""
    lost = 1 - (1 - weights["C"]) * (1 - weights["I"]) * (1 - weights["A"])
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if changed else 6.42 * lost
    if impact <= 0:
        return "low"
    ease = 8.22 * weights["AV"] * weights["AC"] * privileges * weights["UI"]
    score = math.ceil(round(min((1.08 if changed else 1.0) * (impact + ease), 10) * 100_000) / 10_000) / 10
    return next((name for bound, name in _BOUNDS if score >= bound), "low")
