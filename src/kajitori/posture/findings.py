"""What the judges say: findings by severity, in sections.

Promises
    F1  a finding says what it is about, what is open, and what would close it
    F2  findings come with the most severe first, then in the order of what they are about
    F3  what could not be read is said, and a section that is not whole says so (`Section.missing`)
"""

from collections.abc import Iterable

import msgspec

__all__ = ["SEVERITIES", "Finding", "Section", "at_least", "worst"]

SEVERITIES = ("critical", "high", "medium", "low", "info")
"""From what gives the cluster away to what is only worth knowing."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One thing that is open."""

    check: str
    """What was looked for: `escalation`, `fails-open`."""
    severity: str
    about: str
    """`ServiceAccount shop/web`, `Namespace shop`."""
    message: str
    advice: str = ""
    """What to do, often a command."""
    evidence: tuple[str, ...] = ()


class Section(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one judge says."""

    name: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    """What one should know when reading it: how far a log reaches back, how old a feed is."""
    missing: tuple[str, ...] = ()
    """What was to be read and could not be: a sentence each, and while there is one the section is not whole."""
    judged: tuple[msgspec.Struct, ...] = ()
    """What was looked at, one by one: namespaces, bindings, webhooks."""

    @classmethod
    def of(
        cls,
        name: str,
        findings: Iterable[Finding],
        *,
        judged: Iterable[msgspec.Struct] = (),
        notes: Iterable[str] = (),
        missing: Iterable[str] = (),
    ) -> "Section":
        """A section with its findings in order (F2)."""
        ordered = sorted(findings, key=lambda each: (SEVERITIES.index(each.severity), each.about, each.check))
        return cls(
            name=name,
            findings=tuple(ordered),
            judged=tuple(judged),
            notes=tuple(notes),
            missing=tuple(missing),
        )


def at_least(findings: Iterable[Finding], severity: str) -> list[Finding]:
    """Those that are as severe as that, or more."""
    bound = SEVERITIES.index(severity)
    return [each for each in findings if SEVERITIES.index(each.severity) <= bound]


def worst(severities: Iterable[str]) -> str:
    """The most severe of them, `info` when there are none."""
    return min(severities, key=SEVERITIES.index, default="info")
