"""The section about known vulnerabilities.

Promises
    J1  a feed's item is judged by its own block of OSV, else by the shipped table, else by its text
    J2  what the shipped table has and the feed has not is judged as well
    J3  uncertain matches count as one step less severe, and say that they are uncertain
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from kajitori.apimachinery.kind import JsonObject
from kajitori.posture.cves.advisories import Advisory
from kajitori.posture.cves.components import components_of, uses_volume
from kajitori.posture.cves.feed import Feed
from kajitori.posture.cves.matching import AFFECTED, FIXED, NOT_AFFECTED, UNKNOWN, Match, Scene, match
from kajitori.posture.cves.table import shipped
from kajitori.posture.findings import SEVERITIES, Finding, Section
from kajitori.posture.inventory import Inventory

__all__ = ["advisories_of", "judge_cves", "scene_of"]

_UNRATED = "medium"
_PLACES_MAX = 3


def advisories_of(feed: Feed | None) -> list[Advisory]:
    """What to judge by (J1, J2)."""
    table = shipped()
    found: dict[str, Advisory] = {}
    for each in feed.advisories if feed is not None else ():
        known = table.get(each.id)
        found[each.id] = known if known is not None and not each.certain else each
    return list({**table, **found}.values())


def scene_of(inventory: Inventory, programs: Iterable[tuple[str, str]] = ()) -> Scene:
    """What runs; `programs` are those that an audit log names."""
    asked = {each.requires["volume"] for each in shipped().values() if "volume" in each.requires}
    known = inventory.whole and "/nodes" not in inventory.unread
    return Scene(
        tuple(components_of(inventory, programs)),
        frozenset(map(_system, inventory["/nodes"])) if known else None,
        frozenset(each for each in asked if uses_volume(inventory, each)),
        inventory.whole and not inventory.only and "/pods" not in inventory.unread,
    )


def _system(node: JsonObject) -> str:
    info: JsonObject = (node.get("status") or {}).get("nodeInfo") or {}
    labels = (node.get("metadata") or {}).get("labels") or {}
    return str(info.get("operatingSystem") or labels.get("kubernetes.io/os") or "")


def judge_cves(
    inventory: Inventory,
    feed: Feed | None,
    *,
    programs: Iterable[tuple[str, str]] = (),
    notes: Iterable[str] = (),
    missing: Iterable[str] = (),
) -> Section:
    """The section, by a feed and the shipped table, or by the table alone. `notes` tell where the feed is from."""
    matches = list(match(advisories_of(feed), scene_of(inventory, programs)))
    order = {result: index for index, result in enumerate((AFFECTED, UNKNOWN, FIXED, NOT_AFFECTED))}
    matches.sort(key=lambda each: (order[each.result], each.component, each.cve))
    unread = [*missing, *inventory.missing("/nodes", "/pods")]
    told = [*notes, _counted(matches), *_not_seen(matches)]
    if feed is not None and feed.problems:
        unread.append(
            f"{len(feed.problems)} items of the feed are not understood: {'; '.join(feed.problems[:3])}"
        )
    if inventory.lookalike:
        told.append(
            "the API server is not built from kube-apiserver's code (kajitori): what is said of it is by version alone"
        )
    return Section.of("cves", _findings(matches), judged=matches, notes=told, missing=unread)


def _counted(matches: list[Match]) -> str:
    results = Counter(each.result for each in matches)
    cves = len({each.cve for each in matches})
    return (
        f"{cves} CVEs: {results[AFFECTED]} affected, {results[UNKNOWN]} unknown, {results[FIXED]} fixed, "
        f"{results[NOT_AFFECTED]} not affected"
    )


def _not_seen(matches: list[Match]) -> Iterator[str]:
    unseen = Counter(
        each.component for each in matches if each.result == UNKNOWN and each.component and not each.seen
    )
    if unseen:
        listed = ", ".join(
            f"{name} ({count} CVEs)" if count > 1 else name for name, count in sorted(unseen.items())
        )
        yield f"not seen, so nothing is known of it: {listed}"


def _findings(matches: list[Match]) -> Iterator[Finding]:
    for each in matches:
        if each.result != AFFECTED:
            continue
        severity = each.severity or _UNRATED
        if not each.certain:
            severity = SEVERITIES[min(SEVERITIES.index(severity) + 1, SEVERITIES.index("low"))]
        doubt = "" if each.certain else " (uncertain: read from its text)"
        seen = each.seen[:_PLACES_MAX]
        more = f" and {len(each.seen) - len(seen)} more" if len(each.seen) > len(seen) else ""
        go_to = f"upgrade {each.component} to {each.fixed_in} or later; " if each.fixed_in else ""
        yield Finding(
            check=each.cve,
            severity=severity,
            about=f"{each.component} {each.version}",
            message=f"{each.cve}{doubt}: {each.summary or 'no summary'}",
            advice=f"{go_to}{each.link}".rstrip("; "),
            evidence=(each.evidence, f"seen: {', '.join(seen)}{more}"),
        )
