"""Findings, in their order."""

from kajitori.posture.findings import SEVERITIES, Finding, Section, at_least, worst


def finding(severity: str, about: str, check: str = "c") -> Finding:
    return Finding(check=check, severity=severity, about=about, message="m")


def test_the_most_severe_come_first() -> None:  # F2
    section = Section.of(
        "x",
        [finding("low", "a"), finding("critical", "z"), finding("low", "A", "d"), finding("low", "A", "c")],
    )
    assert [(each.severity, each.about, each.check) for each in section.findings] == [
        ("critical", "z", "c"),
        ("low", "A", "c"),
        ("low", "A", "d"),
        ("low", "a", "c"),
    ]


def test_severities() -> None:
    found = [finding(each, "a") for each in SEVERITIES]
    assert [each.severity for each in at_least(found, "high")] == ["critical", "high"]
    assert worst(["low", "high"]) == "high" and worst([]) == "info"
