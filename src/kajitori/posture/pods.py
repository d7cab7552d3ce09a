"""Which Pod Security level each namespace could have, and what stands in the way of a stricter one.

The judge is the evaluator of the API server's own admission. Judged are the Pods that run, or wait to, and the
templates that will make further ones.

Promises
    P1  the level that a namespace could have is the strictest that all its Pods and templates keep to
    P2  every Pod in the way of the next level is told, with the checks it fails
    P3  the command that is told sets that level, and would refuse none of these Pods
"""

from collections.abc import Iterator

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.podsecurity import (
    LABEL_PREFIX,
    LATEST,
    LEVELS,
    WORKLOADS,
    Grade,
    Policy,
    failed_checks,
    pod_of,
    policy_of,
)
from kajitori.posture.findings import Finding, Section
from kajitori.posture.inventory import KINDS, Inventory, bucket_of, name_of, namespace_of

__all__ = ["NamespaceLevel", "Obstacle", "judge_pods"]

_SYSTEM = ("kube-system", "kube-public", "kube-node-lease")
_KINDS = {bucket_of(each): each.kind for each in KINDS}
_ENDED = ("Succeeded", "Failed")


class Obstacle(msgspec.Struct, frozen=True, rename="camel"):
    """A check that keeps a namespace from the next level."""

    check: str
    """Its name: `hostNamespaces`."""
    reason: str
    who: tuple[str, ...]
    """`Pod web-1: hostPort (container "web" uses hostPort 80)`."""


class NamespaceLevel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One namespace."""

    namespace: str
    enforces: str
    """`baseline:latest`; empty where it says nothing, which is privileged."""
    could: str
    pods: int
    templates: int
    next: str
    """The level above `could`, empty when there is none."""
    obstacles: tuple[Obstacle, ...]
    """What stands in the way of `next`."""
    violated: tuple[str, ...]
    """Who would not be let in again, by what is enforced now."""
    command: str
    """Sets `could`, where that is stricter than what is enforced."""


_Judged = tuple[str, JsonObject, JsonObject]
"""What it is called, its metadata, its spec."""


def judge_pods(inventory: Inventory, *, version: int = LATEST) -> Section:
    """The section of all namespaces, by the checks of a minor version of Kubernetes."""
    if version == LATEST:
        version = _minor_of(inventory.version)
    subjects: dict[str, list[_Judged]] = {name: [] for name in inventory.namespaces}
    templates: dict[str, int] = {}
    levels: list[NamespaceLevel] = []
    findings: list[Finding] = []
    for pod in inventory["/pods"]:
        if (pod.get("status") or {}).get("phase") not in _ENDED:
            subjects.setdefault(namespace_of(pod), []).append(_pod(pod))
    for namespace, judged in _templates(inventory):
        subjects.setdefault(namespace, []).append(judged)
        templates[namespace] = templates.get(namespace, 0) + 1
    for name, obj in inventory.namespaces.items():
        labels = (obj.get("metadata") or {}).get("labels") or {}
        level = _level(name, labels, subjects[name], templates.get(name, 0), version)
        levels.append(level)
        findings += _findings(level, labels)
    needed = ("/namespaces", "/pods", *sorted(WORKLOADS))
    missing = inventory.missing(*needed)
    notes = [f"judged by the standards of {_shown(version)}"]
    return Section.of("pods", findings, judged=levels, notes=notes, missing=missing)


def _shown(version: int) -> str:
    return "the newest version" if version == LATEST else f"v1.{version}"


def _minor_of(version: str) -> int:
    """What `latest` means to a server of this version."""
    parts = version.lstrip("v").split(".")
    return int(parts[1]) if len(parts) > 1 and parts[0] == "1" and parts[1].isdigit() else LATEST


def _pod(pod: JsonObject) -> _Judged:
    return f"Pod {name_of(pod)}", pod.get("metadata") or {}, pod.get("spec") or {}


def _templates(inventory: Inventory) -> Iterator[tuple[str, _Judged]]:
    """The templates of what nothing else makes: those of a Deployment stand for its ReplicaSets'."""
    for bucket in sorted(WORKLOADS):
        for each in inventory[bucket]:
            owners = (each.get("metadata") or {}).get("ownerReferences") or ()
            found = pod_of(bucket, each)
            if found is not None and not any(owner.get("controller") for owner in owners):
                yield namespace_of(each), (f"{_KINDS[bucket]} {name_of(each)}", *found)


def _level(
    name: str, labels: dict[str, str], subjects: list[_Judged], templates: int, version: int
) -> NamespaceLevel:
    policy, _ = policy_of(labels, Policy())
    obstacles: dict[str, dict[str, Obstacle]] = {}
    for level in LEVELS[1:]:
        obstacles[level] = _obstacles(Grade(level, version), subjects)
    kept = [level for level in LEVELS[1:] if not obstacles[level]]
    could = kept[-1] if kept else LEVELS[0]
    above = LEVELS[LEVELS.index(could) + 1 :][:1]
    enforced = policy.enforce
    enforced_minor = version if enforced.minor == LATEST else enforced.minor
    violating = _obstacles(Grade(enforced.level, enforced_minor), subjects)
    stricter = LEVELS.index(could) > LEVELS.index(enforced.level)
    command = f"kubectl label --overwrite namespace {name} {LABEL_PREFIX}enforce={could}"
    return NamespaceLevel(
        namespace=name,
        enforces=str(enforced) if f"{LABEL_PREFIX}enforce" in labels else "",
        could=could,
        pods=len(subjects) - templates,
        templates=templates,
        next=above[0] if above else "",
        obstacles=tuple(obstacles[above[0]].values()) if above else (),
        violated=tuple(sorted({who for each in violating.values() for who in each.who})),
        command=command if stricter else "",
    )


def _obstacles(grade: Grade, subjects: list[_Judged]) -> dict[str, Obstacle]:
    found: dict[str, list[tuple[str, str]]] = {}
    for name, metadata, spec in subjects:
        for check, (reason, detail) in failed_checks(grade, metadata, spec).items():
            found.setdefault(check, []).append((reason, f"{name}: {detail or reason}"))
    return {
        check: Obstacle(check, several[0][0], tuple(sorted(who for _, who in several)))
        for check, several in found.items()
    }


def _findings(level: NamespaceLevel, labels: dict[str, str]) -> Iterator[Finding]:
    about = f"Namespace {level.namespace}"
    system = level.namespace in _SYSTEM
    judged = _counted(level)
    _, wrong = policy_of(labels, Policy())
    for each in wrong:
        yield Finding(
            check="label-wrong",
            severity="high",
            about=about,
            message=f"{each}; what enforces counts as restricted, what warns as nothing",
            advice=f"kubectl label --overwrite namespace {level.namespace} {LABEL_PREFIX}enforce={level.could}",
        )
    if level.violated:
        yield Finding(
            check="level-violated",
            severity="medium",
            about=about,
            message=f"it enforces {level.enforces}, and {len(level.violated)} of what runs there would be refused",
            advice="what was there before the label stays until it is made again",
            evidence=level.violated,
        )
    empty = not level.pods and not level.templates
    if level.command and not level.violated and not (system and empty):
        unset = not level.enforces
        told = "it enforces no level" if unset else f"it enforces {level.enforces}"
        yield Finding(
            check="level-unset" if unset else "level-too-low",
            severity="info" if system else "medium" if unset and not empty else "low",
            about=about,
            message=f"{told}, and could {level.could}: {judged}",
            advice=level.command,
        )
    if level.could == LEVELS[0]:
        checks = ", ".join(each.check for each in level.obstacles)
        yield Finding(
            check="privileged",
            severity="info" if system else "medium",
            about=about,
            message=f"what runs there needs more than baseline: {checks}",
            evidence=tuple(who for each in level.obstacles for who in each.who),
        )


def _counted(level: NamespaceLevel) -> str:
    if not level.pods and not level.templates:
        return "nothing runs there"
    told = [f"{level.pods} Pod{'s' if level.pods != 1 else ''}"] if level.pods else []
    if level.templates:
        told.append(f"{level.templates} template{'s' if level.templates != 1 else ''}")
    return (
        f"{' and '.join(told)} keep to it" if level.pods + level.templates > 1 else f"{told[0]} keeps to it"
    )
