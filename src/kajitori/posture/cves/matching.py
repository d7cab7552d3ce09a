"""Advisories matched to what runs.

Promises
    M1  of a CVE the block of OSV counts, else the shipped table, else the text
    M2  from a text alone nothing is ever called not affected, and whatever is concluded is called uncertain
    M3  a version is affected when one of the ranges of its component has it
    M4  a component of the core that was not seen is unknown, never absent
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from kajitori.posture.cves.advisories import Advisory, Affected
from kajitori.posture.cves.components import CORE, Component, known_as
from kajitori.posture.cves.versions import Version, fixed_in, parse_version

__all__ = ["AFFECTED", "FIXED", "NOT_AFFECTED", "UNKNOWN", "Match", "Scene", "match"]

_OF_NODES = ("kubelet", "kube-proxy")

AFFECTED, FIXED, NOT_AFFECTED, UNKNOWN = "affected", "fixed", "not_affected", "unknown"


class Match(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What one CVE means for one component in one version."""

    cve: str
    summary: str = ""
    severity: str = ""
    component: str
    version: str = ""
    result: str
    """`affected`, `fixed`, `not_affected` or `unknown`."""
    certain: bool
    """Whether the announcement says exactly what is affected, for machines or by the shipped table."""
    source: str
    evidence: str
    fixed_in: str = ""
    seen: tuple[str, ...] = ()
    link: str = ""


class Scene(msgspec.Struct, frozen=True):
    """What runs, and what else advisories ask for."""

    components: tuple[Component, ...]
    node_systems: frozenset[str] | None
    """`linux`, `windows`, empty for a node that does not say it; None when nodes are not known."""
    volumes: frozenset[str]
    """Of the types of volumes that advisories ask for, those that somebody has."""
    whole: bool
    """Whether what is not seen does not run, as far as add-ons go."""


def match(advisories: Iterable[Advisory], scene: Scene) -> Iterator[Match]:
    """What each advisory means for everything that runs."""
    for advisory in advisories:
        if not advisory.affected:
            yield _made(advisory, "", None, UNKNOWN, advisory.problem or "it does not say what is affected")
            continue
        for affected in advisory.affected:
            for name in known_as(affected.component):
                yield from _of_component(advisory, affected, name, scene)


def _of_component(advisory: Advisory, affected: Affected, name: str, scene: Scene) -> Iterator[Match]:
    running = [each for each in scene.components if each.name == name]
    if running:
        for each in running:
            yield _judged(advisory, affected, name, each, scene)
        return
    if name in _OF_NODES and scene.node_systems == frozenset() and advisory.certain:
        yield _made(advisory, name, None, NOT_AFFECTED, "there is no node")
        return
    if name in CORE or not scene.whole or not advisory.certain:
        yield _made(advisory, name, None, UNKNOWN, f"{name} was not seen, so its version is not known")
    else:
        yield _made(advisory, name, None, NOT_AFFECTED, f"nothing that runs is {name}")


def _judged(advisory: Advisory, affected: Affected, name: str, running: Component, scene: Scene) -> Match:
    version = parse_version(running.version)
    if version is None:
        told = (
            f"{running.version!r} is no version"
            if running.version
            else "its image has no tag that is a version"
        )
        return _made(advisory, name, running, UNKNOWN, told)
    ranges = ", ".join(map(str, affected.ranges))
    inside = any(version in each for each in affected.ranges)
    better = fixed_in(version, affected.ranges, affected.fixed)
    if not advisory.certain:
        return _by_text(advisory, affected, name, running, version, better)
    if inside:
        missing = _missing(advisory, scene)
        if missing:
            return _made(advisory, name, running, NOT_AFFECTED, missing)
        return _made(advisory, name, running, AFFECTED, f"{version} is in {ranges}", better)
    fixes = [each.fixed for each in affected.ranges if each.fixed is not None and each.fixed <= version]
    if fixes:
        return _made(advisory, name, running, FIXED, f"fixed in {max(fixes)}")
    return _made(advisory, name, running, NOT_AFFECTED, f"{version} is not in {ranges}")


def _by_text(
    advisory: Advisory,
    affected: Affected,
    name: str,
    running: Component,
    version: Version,
    better: Version | None,
) -> Match:
    """What a text suggests (M2)."""
    ranges = ", ".join(map(str, affected.ranges))
    said = f"its text says that {ranges} are affected"
    inside = any(version in each for each in affected.ranges)
    fixes = [each for each in affected.fixed if each.line == version.line]
    if inside and any(each == version for each in fixes):
        told = f"its text says of {version} that it is affected, and that it is fixed"
        return _made(advisory, name, running, UNKNOWN, told)
    if inside:
        return _made(advisory, name, running, AFFECTED, said, better)
    if any(each <= version for each in fixes):
        return _made(advisory, name, running, FIXED, f"its text says that {min(fixes)} is fixed")
    return _made(advisory, name, running, UNKNOWN, f"{said}, which nobody has checked")


def _missing(advisory: Advisory, scene: Scene) -> str:
    """What the CVE needs besides, where it is certain that it is not there."""
    system = advisory.requires.get("nodeOS")
    systems = scene.node_systems
    if system is not None and systems is not None and systems.isdisjoint((system, "")):
        return f"no node runs {system}"
    volume = advisory.requires.get("volume")
    if volume is not None and scene.whole and volume not in scene.volumes:
        return f"no Pod has a {volume} volume"
    return ""


def _made(
    advisory: Advisory,
    name: str,
    running: Component | None,
    result: str,
    evidence: str,
    better: Version | None = None,
) -> Match:
    seen: Sequence[str] = () if running is None else running.seen
    return Match(
        cve=advisory.id,
        summary=advisory.summary,
        severity=advisory.severity,
        component=name,
        version="" if running is None else running.version,
        result=result,
        certain=advisory.certain,
        source=advisory.source,
        evidence=evidence,
        fixed_in="" if better is None else str(better),
        seen=tuple(seen),
        link=advisory.link,
    )
