"""What the text of an announcement says is affected: read tolerantly, and never taken for certain.

Announcements have headings "Affected Versions" and "Fixed Versions" over lines such as

    - kubelet v1.29.0 - v1.29.3        - kube-apiserver <= v1.27.12        - < v1.11.0
    - v1.31.0 to v1.31.4               - kubelet >= v1.8.0                  - All versions

Promises
    P1  an upper bound alone is about its own minor version where other lines are about earlier ones
    P2  a line that is not understood makes the whole uncertain beyond use: it is said, and nothing is concluded from it
    P3  a version that is said to be affected and to be fixed is neither
"""

import re
from collections.abc import Iterator

from kajitori.posture.cves.advisories import Affected
from kajitori.posture.cves.components import component_in, components_in
from kajitori.posture.cves.versions import Range, Version, parse_version

__all__ = ["read_prose"]

_TITLES = re.compile(
    r"^(?:affected versions?|affected components?.*|fixed versions?|how do i .*|how to .*|mitigations?|detection|"
    r"acknowledge?ments?|am i vulnerable.*|issue details|additional details|timeline)[:?]?$",
    re.IGNORECASE,
)
_V = r"v?\d+\.\d+(?:\.(?:\d+|x\b))?(?:-(?:alpha|beta|rc)[.\d]*)?"
_SPAN = re.compile(rf"({_V})\s*(?:-|–|—|to|through)\s*({_V})", re.IGNORECASE)
_BOUND = re.compile(rf"(<=|>=|<|>|≤|≥)\s*({_V})")
_BEFORE = re.compile(rf"(?:prior to|before|earlier than)\s+(?:the\s+)?({_V})", re.IGNORECASE)
_ALL = re.compile(r"\ball (?:\w+ )?versions\b", re.IGNORECASE)
_ONE = re.compile(rf"(?<![\w.#]){_V}(?![\w.]*\.\d)")
_NOISE = re.compile(r"\[([^\]]*)\]\([^)]*\)|\b(?:fixed|resolved|patched) (?:by|in|via)\b.*|#\d+|\\")
_MASTER = re.compile(r"^(?:[\w-]+:?\s+)?(?:master|main)\b", re.IGNORECASE)


def read_prose(title: str, text: str) -> tuple[tuple[Affected, ...], str]:
    """What is affected, by component; and what was not understood, empty when all was."""
    sections = _sections(text)
    lines = sections.get("affected", [])
    if not lines:
        return (), "its text has no heading Affected Versions"
    named = components_in(" ".join(sections.get("components", []))) or components_in(title)
    ranges: dict[str, list[Range]] = {}
    for line in lines:
        found = list(_ranges(line))
        component = component_in(line) or (named[0] if len(named) == 1 else None)
        if not found:
            if _tells_nothing(line):
                continue
            return (), f"its text has a line that is not understood: {line!r}"
        if component is None:
            return (), f"its text does not say of which component it is true: {line!r}"
        ranges.setdefault(component, []).extend(found)
    fixed: dict[str, list[Version]] = {}
    for line in sections.get("fixed", []):
        component = component_in(line) or (named[0] if len(named) == 1 else next(iter(ranges), None))
        for each in _ONE.findall(line):
            version = parse_version(each)
            if version is not None and component is not None:
                fixed.setdefault(component, []).append(version)
    if not ranges:
        return (), "its text says no versions"
    return tuple(
        Affected(component, tuple(_within_minors(several)), tuple(fixed.get(component, ())))
        for component, several in ranges.items()
    ), ""


def _sections(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    current = ""
    for raw in text.splitlines():
        heading = re.sub(r"[#*_`]", "", raw).strip()
        if raw.lstrip().startswith("#") or _TITLES.match(heading):
            lowered = heading.lower()
            current = (
                "affected"
                if lowered.startswith("affected version")
                else "fixed"
                if lowered.startswith("fixed version")
                else "components"
                if lowered.startswith("affected component")
                else ""
            )
            continue
        line = _NOISE.sub(r"\1", raw).strip().lstrip("-*• ").strip()
        if current and line:
            found.setdefault(current, []).append(line)
    return found


def _tells_nothing(line: str) -> bool:
    """A line of words, or about the branch of development."""
    return bool(_MASTER.match(line)) or not re.search(r"\d+\.\d+|versions?\b", line)


def _ranges(line: str) -> Iterator[Range]:
    rest = line
    for first, last in _SPAN.findall(line):
        yield _spanned(first, last)
    rest = _SPAN.sub(" ", rest)
    bounds = _BOUND.findall(rest)
    if bounds:
        yield _bounded(bounds)
    rest = _BOUND.sub(" ", rest)
    for each in _BEFORE.findall(rest):
        yield Range(fixed=_patched(each))
    rest = _BEFORE.sub(" ", rest)
    for each in _ONE.findall(rest):
        yield _spanned(each, each)
    if _ALL.search(rest) and rest == line:
        yield Range()


def _spanned(first: str, last: str) -> Range:
    """From one to the other; what names no patch, or `x`, means all patches of its minor version."""
    since, until = _patched(first), _patched(last)
    if since is None or until is None:
        return Range()
    if not re.search(r"\d+\.\d+\.\d", last):
        return Range(since, fixed=Version(until.major, until.minor + 1, 0, ("", 0)))
    return Range(since, last=until)


def _patched(text: str) -> Version | None:
    return parse_version(text.removesuffix(".x"))


def _bounded(bounds: list[tuple[str, str]]) -> Range:
    """`>= v1.8.0 < v1.9.2`, one range."""
    introduced = fixed = last = None
    for sign, text in bounds:
        version = _patched(text)
        if sign in ("<=", "≤") and version is not None and not re.search(r"\d+\.\d+\.\d", text):
            fixed = Version(version.major, version.minor + 1, 0, ("", 0))
        elif sign in ("<=", "≤"):
            last = version
        elif sign == "<":
            fixed = version
        else:
            introduced = version
    return Range(introduced, fixed, last)


def _within_minors(ranges: list[Range]) -> Iterator[Range]:
    """Bounds of several minor versions each about its own, the earliest about all before it too (P1)."""
    lines = sorted({_end(each).line for each in ranges if _end(each) is not None})  # type: ignore[union-attr]
    for each in ranges:
        end = _end(each)
        if each.introduced is None and end is not None and end.line != lines[0]:
            yield Range(Version(*end.line, 0, ("", 0)), each.fixed, each.last)
        else:
            yield each


def _end(one: Range) -> Version | None:
    return one.fixed if one.fixed is not None else one.last
