"""How `kajitori audit` shows what it found: tables for people, JSON and YAML for programs.

Sits below the command, which judges.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import yaml

from kajitori.posture.admission.judging import Gate
from kajitori.posture.cves.matching import Match
from kajitori.posture.cves.vex import vex_document
from kajitori.posture.findings import SEVERITIES, Finding, Section, at_least
from kajitori.posture.inventory import Inventory
from kajitori.posture.pods import NamespaceLevel
from kajitori.posture.rbac.usage import BindingUse
from kajitori.posture.secrets import NamespaceSecrets, Reader

__all__ = ["print_proposals", "print_sections", "print_vex"]

EVIDENCE_MAX = 20
"""Lines of evidence that a table shows of one finding; JSON and YAML have them all."""

_MOST_SEVERE_MAX = 12
"""Findings that fit on the screen of the summary."""

Row = Sequence[str]


def print_sections(inventory: Inventory, sections: Sequence[Section], output: str, *, summary: bool) -> None:
    """The sections, to standard output."""
    if output in ("json", "yaml"):
        told = _document(inventory, sections)
        if output == "json":
            print(msgspec.json.format(msgspec.json.encode(told)).decode())
        else:
            print(yaml.safe_dump(told, sort_keys=False, allow_unicode=True), end="")
        return
    lines = [inventory.source + (f", {inventory.version}" if inventory.version else "")]
    lines += [f"note: {each}" for each in inventory.notes[:EVIDENCE_MAX]]
    lines += (
        _summary(inventory, sections) if summary else [line for each in sections for line in _detailed(each)]
    )
    print("\n".join(map(_shown, lines)))


def _shown(line: str) -> str:
    """One line, whatever the names in it are made of: none moves a terminal's cursor, or ends a comment."""
    if line.isprintable():
        return line
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in line
    )


def print_proposals(section: Section) -> None:
    """The objects that would be enough, as one YAML stream; comments tell what to delete afterwards."""
    documents: list[str] = []
    deletions: list[str] = []
    for use in section.judged:
        if isinstance(use, BindingUse):
            documents += (
                yaml.safe_dump(dict(each), sort_keys=False, allow_unicode=True) for each in use.proposal
            )
            if use.deletion:
                why = "instead of it" if use.proposal else "nobody used it"
                deletions.append(_shown(f"# {use.deletion}   # {use.binding}: {why}") + "\n")
    print("---\n".join(documents), end="")
    if deletions:
        print("# To be deleted, once what is above is applied:", *deletions, sep="\n", end="")


def print_vex(inventory: Inventory, section: Section, now: datetime) -> None:
    """The matches of CVEs as OpenVEX."""
    matches = [each for each in section.judged if isinstance(each, Match)]
    told = vex_document(matches, inventory.source, now)
    print(msgspec.json.format(msgspec.json.encode(told)).decode())


def _document(inventory: Inventory, sections: Sequence[Section]) -> dict[str, Any]:
    told: dict[str, Any] = {"source": inventory.source}
    if inventory.version:
        told["version"] = inventory.version
    if inventory.notes:
        told["notes"] = list(inventory.notes)
    told["sections"] = [msgspec.to_builtins(each) for each in sections]
    return told


# One screen.


def _summary(inventory: Inventory, sections: Sequence[Section]) -> Iterator[str]:
    rows = [("SECTION", *(each.upper() for each in SEVERITIES))]
    for section in sections:
        counts = [sum(each.severity == severity for each in section.findings) for severity in SEVERITIES]
        rows.append((section.name, *(str(each) if each else "-" for each in counts)))
    yield ""
    yield from _table(rows)
    severe = [(section.name, each) for section in sections for each in at_least(section.findings, "medium")]
    severe.sort(key=lambda each: SEVERITIES.index(each[1].severity))
    if severe:
        yield ""
        shown = severe[:_MOST_SEVERE_MAX]
        yield from _table(
            [("SEVERITY", "SECTION", "WHAT")]
            + [(each.severity, name, f"{each.about}: {each.message}") for name, each in shown]
        )
        if len(severe) > len(shown):
            yield f"... and {len(severe) - len(shown)} more"
    missing = list(_missing(inventory, sections))
    if missing:
        yield ""
        yield from (f"not whole: {each}" for each in missing)
    told = [each.name for each in sections if each.findings]
    yield ""
    if told:
        yield f"details: {', '.join(f'kajitori audit {name}' for name in told)}"
    else:
        yield "nothing is open that was looked for"


def _missing(inventory: Inventory, sections: Sequence[Section]) -> Iterator[str]:
    """What could not be read: of the cluster once, however many sections miss it."""
    if inventory.unread:
        kinds = [each.rpartition("/")[2] for each in inventory.unread]
        yield f"{', '.join(kinds)} could not be read: {next(iter(inventory.unread.values()))}"
    of_cluster = set(inventory.missing(*inventory.unread))
    for section in sections:
        yield from (f"{section.name}: {each}" for each in section.missing if each not in of_cluster)


# One section.


def _detailed(section: Section) -> Iterator[str]:
    yield from (f"not whole: {each}" for each in section.missing)
    yield from (f"note: {each}" for each in section.notes)
    tabled = _TABLES.get(section.name)
    rows = list(tabled(section.judged)) if tabled is not None else []
    if len(rows) > 1:
        yield ""
        yield from _table(rows)
    if section.findings:
        yield ""
        width = max(len(each.severity) for each in section.findings)
        for each in section.findings:
            yield from _finding(each, width)
    else:
        yield ""
        yield "nothing is open that was looked for"


def _finding(finding: Finding, width: int) -> Iterator[str]:
    indent = " " * (width + 2)
    yield f"{finding.severity.ljust(width)}  {finding.about}: {_joined(finding.message)} [{finding.check}]"
    yield from (f"{indent}- {each}" for each in finding.evidence[:EVIDENCE_MAX])
    if len(finding.evidence) > EVIDENCE_MAX:
        yield f"{indent}- ... and {len(finding.evidence) - EVIDENCE_MAX} more; -o json has all"
    if finding.advice:
        yield f"{indent}> {finding.advice}"


def _joined(message: str) -> str:
    return " ".join(message.split())


def _pods(judged: Iterable[msgspec.Struct]) -> Iterator[Row]:
    yield "NAMESPACE", "ENFORCES", "COULD", "PODS", "TEMPLATES", "IN THE WAY OF MORE"
    for each in judged:
        assert isinstance(each, NamespaceLevel)
        obstacles = ", ".join(f"{one.check} ({len(one.who)})" for one in each.obstacles)
        way = f"{each.next}: {obstacles}" if obstacles else ""
        yield each.namespace, each.enforces, each.could, str(each.pods), str(each.templates), way


def _secrets(judged: Iterable[msgspec.Struct]) -> Iterator[Row]:
    """Who can read in every namespace comes first, and once."""
    yield "NAMESPACE", "SECRETS", "WHO", "CAN READ", "HOW"
    namespaces = [each for each in judged if isinstance(each, NamespaceSecrets)]
    everywhere = {(one, how): None for each in namespaces for one, how in _readers(each) if one.everywhere}
    blocks = [("(every one)", str(sum(len(each.secrets) for each in namespaces)), list(everywhere))]
    for each in namespaces:
        own = [(one, how) for one, how in _readers(each) if not one.everywhere]
        blocks.append((each.namespace, str(len(each.secrets)), own))
    for name, count, rows in blocks:
        if not rows:
            yield name, count, "", "", ""
        for index, (one, how) in enumerate(rows):
            yield *((name, count) if not index else (" ", " ")), one.who, ", ".join(one.names) or "all", how


def _readers(judged: NamespaceSecrets) -> Iterator[tuple[Reader, str]]:
    yield from ((each, _by_right(each)) for each in judged.readers)
    yield from ((each, each.way) for each in judged.indirectly)


def _by_right(reader: Reader) -> str:
    return f"{','.join(reader.verbs)} ({'; '.join(reader.via)})"


def _rbac(judged: Iterable[msgspec.Struct]) -> Iterator[Row]:
    yield "BINDING", "ROLE", "REQUESTS", "RULES USED", "ENOUGH"
    for each in judged:
        assert isinstance(each, BindingUse)
        used = f"{sum(rule.used for rule in each.rules)} of {len(each.rules)}"
        enough = "as it is" if not each.wider else "less" if each.requests else "nothing"
        yield each.binding, each.role, str(each.requests), used, enough


def _webhooks(judged: Iterable[msgspec.Struct]) -> Iterator[Row]:
    yield "WEBHOOK OR POLICY", "FAILS", "SECONDS", "ASKS", "WHILE IT CANNOT BE ASKED"
    for each in judged:
        assert isinstance(each, Gate)
        yield each.name, each.fails, str(each.timeout_seconds or "-"), each.asks, each.if_down


def _cves(judged: Iterable[msgspec.Struct]) -> Iterator[Row]:
    """What is affected or not known of what was seen: the rest is counted in the notes, and in the JSON."""
    yield "CVE", "COMPONENT", "VERSION", "RESULT", "FIXED IN", "WHY"
    for each in judged:
        assert isinstance(each, Match)
        if each.result == "affected" or (each.result == "unknown" and (each.seen or not each.component)):
            sure = each.result if each.certain or each.result == "unknown" else f"{each.result}?"
            yield each.cve, each.component, each.version, sure, each.fixed_in, each.evidence


_TABLES: dict[str, Callable[[Iterable[msgspec.Struct]], Iterator[Row]]] = {
    "cves": _cves,
    "pods": _pods,
    "rbac": _rbac,
    "secrets": _secrets,
    "webhooks": _webhooks,
}


def _table(rows: Sequence[Row]) -> Iterator[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        cells = (cell or "-" for cell in row) if row is not rows[0] else row
        yield "   ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
