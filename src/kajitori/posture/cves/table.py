"""The table that is shipped: what public announcements say exactly of some CVEs, read by people.

Promises
    T1  every line names the announcement that it was read in
    T2  a branch of which an announcement says nothing is not in it: `last` stands where no fixed version is said
"""

from functools import cache
from pathlib import Path

import msgspec

from kajitori.posture.cves.advisories import Advisory, Affected
from kajitori.posture.cves.versions import range_of

__all__ = ["shipped"]


class _Range(msgspec.Struct, forbid_unknown_fields=True):
    introduced: str = ""
    fixed: str = ""
    last: str = ""


class _Affected(msgspec.Struct, forbid_unknown_fields=True):
    component: str
    ranges: tuple[_Range, ...]


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    summary: str
    severity: str
    source: str
    affected: tuple[_Affected, ...]
    requires: dict[str, str] = {}


@cache
def shipped() -> dict[str, Advisory]:
    """The advisories of the table, by their names."""
    lines = msgspec.json.decode(Path(__file__).with_name("table.json").read_bytes(), type=list[_Line])
    return {
        each.id: Advisory(
            id=each.id,
            summary=each.summary,
            severity=each.severity,
            source="table",
            link=each.source,
            requires=each.requires,
            affected=tuple(
                Affected(one.component, tuple(range_of(r.introduced, r.fixed, r.last) for r in one.ranges))
                for one in each.affected
            ),
        )
        for each in lines
    }
