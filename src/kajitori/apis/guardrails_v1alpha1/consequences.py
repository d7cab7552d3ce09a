"""What goes when objects go: dependents, data, budgets and services.

A plain function of what there is: the same for the server, which knows everything, and for a client, which has asked.

Promises
    C1  a dependent goes with its owners as the garbage collector has it: when all of them go, and not before
    C2  what is in a Namespace goes with it, and what is of a CustomResourceDefinition's kind with that
    C3  a volume's data goes with its claim where the reclaim policy is Delete
    C4  a Service is emptied when it has ready Pods now and none that stay
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import selector_from_labels, selector_from_object

__all__ = ["Consequences", "consequences_of", "told"]

LINES_MAX = 12
"""Of each sort of loss this many are named, the others counted."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What goes beside the objects themselves. Names are `kind namespace/name`, as people read them."""

    dependents: Sequence[JsonObject] = ()
    """In the order in which they were found."""
    lost: Sequence[str] = ()
    """Volumes whose data is deleted."""
    kept: Sequence[str] = ()
    """Volumes that stay behind with their data."""
    budgets: Sequence[str] = ()
    """PodDisruptionBudgets whose Pods go."""
    emptied: Sequence[str] = ()
    """Services without a ready Pod afterwards."""

    def counted(self) -> Sequence[tuple[str, int]]:
        """How many dependents of which kind, the most first."""
        return Counter(str(each.get("kind", "")) for each in self.dependents).most_common()


def consequences_of(
    going: Sequence[JsonObject], around: Iterable[JsonObject], *, cascades: bool = True
) -> Consequences:
    """What goes with `going`; `around` is everything that could be touched, `going` may be among it."""
    everything = list({_uid(each): each for each in (*around, *going) if _uid(each)}.values())
    dependents = _dependents(going, everything) if cascades else []
    all_going = {_uid(each) for each in (*going, *dependents)}
    gone = [each for each in everything if _uid(each) in all_going]
    lost, kept = _volumes(gone, everything)
    return Consequences(dependents, lost, kept, _budgets(gone, everything), _emptied(all_going, everything))


def told(obj: JsonObject) -> str:
    """An object as people read it: `Pod prod/web-0`."""
    metadata = obj.get("metadata") or {}
    where = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{obj.get('kind', '')} {where}{metadata.get('name', '')}"


def _uid(obj: JsonObject) -> str:
    return str((obj.get("metadata") or {}).get("uid") or "")


def _namespace(obj: JsonObject) -> str:
    return str((obj.get("metadata") or {}).get("namespace") or "")


def _labels(obj: JsonObject) -> Mapping[str, str]:
    found: Mapping[str, str] = (obj.get("metadata") or {}).get("labels") or {}
    return found


def _dependents(going: Sequence[JsonObject], everything: Sequence[JsonObject]) -> list[JsonObject]:
    owned: dict[str, list[JsonObject]] = defaultdict(list)
    for each in everything:
        for reference in (each.get("metadata") or {}).get("ownerReferences") or ():
            owned[str(reference.get("uid") or "")].append(each)
    there = {_uid(each) for each in everything}
    gone = {_uid(each) for each in going}
    found: list[JsonObject] = []
    waiting = list(going)

    def take(obj: JsonObject) -> None:
        if _uid(obj) not in gone:
            gone.add(_uid(obj))
            found.append(obj)
            waiting.append(obj)

    while waiting:
        owner = waiting.pop()
        for each in _contents(owner, everything):
            take(each)
        for each in owned.get(_uid(owner), ()):
            references = each["metadata"]["ownerReferences"]
            if not any(_stays(str(reference.get("uid") or ""), gone, there) for reference in references):
                take(each)
    return found


def _stays(uid: str, gone: set[str], there: set[str]) -> bool:
    return uid not in gone and uid in there


def _contents(owner: JsonObject, everything: Sequence[JsonObject]) -> list[JsonObject]:
    if owner.get("kind") == "Namespace" and owner.get("apiVersion", "v1") == "v1":
        name = owner["metadata"]["name"]
        return [each for each in everything if _namespace(each) == name]
    if owner.get("kind") == "CustomResourceDefinition":
        spec = owner.get("spec") or {}
        kind = (spec.get("names") or {}).get("kind")
        return [
            each
            for each in everything
            if each.get("kind") == kind and str(each.get("apiVersion")).startswith(f"{spec.get('group')}/")
        ]
    return []


def _volumes(gone: Sequence[JsonObject], everything: Sequence[JsonObject]) -> tuple[list[str], list[str]]:
    volumes = {
        each["metadata"]["name"]: each for each in everything if each.get("kind") == "PersistentVolume"
    }
    lost: list[str] = []
    kept: list[str] = []
    for claim in gone:
        name = (claim.get("spec") or {}).get("volumeName")
        if claim.get("kind") != "PersistentVolumeClaim" or not name:
            continue
        policy = ((volumes.get(name) or {}).get("spec") or {}).get("persistentVolumeReclaimPolicy")
        line = f"PersistentVolume {name} of {told(claim)}"
        if policy == "Delete":
            lost.append(line)
        else:
            kept.append(f"{line} ({policy or 'its reclaim policy could not be read'})")
    return lost, kept


def _pods(objects: Iterable[JsonObject]) -> list[JsonObject]:
    return [each for each in objects if each.get("kind") == "Pod" and each.get("apiVersion", "v1") == "v1"]


def _budgets(gone: Sequence[JsonObject], everything: Sequence[JsonObject]) -> list[str]:
    pods = _pods(gone)
    found: list[str] = []
    for budget in everything:
        if budget.get("kind") != "PodDisruptionBudget":
            continue
        selector = selector_from_object((budget.get("spec") or {}).get("selector"))
        touched = [
            each
            for each in pods
            if _namespace(each) == _namespace(budget) and selector.matches(_labels(each))
        ]
        if touched:
            allowed = (budget.get("status") or {}).get("disruptionsAllowed", 0)
            found.append(f"{told(budget)}: {len(touched)} of its Pods, of which {allowed} may go now")
    return found


def _is_ready(pod: Mapping[str, Any]) -> bool:
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _emptied(gone: set[str], everything: Sequence[JsonObject]) -> list[str]:
    ready = [each for each in _pods(everything) if _is_ready(each)]
    found: list[str] = []
    for service in everything:
        labels = (service.get("spec") or {}).get("selector")
        if service.get("kind") != "Service" or not labels or _uid(service) in gone:
            continue
        selector = selector_from_labels(labels)
        behind = [
            each
            for each in ready
            if _namespace(each) == _namespace(service) and selector.matches(_labels(each))
        ]
        if behind and all(_uid(each) in gone for each in behind):
            found.append(told(service))
    return found
