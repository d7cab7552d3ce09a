"""Making a cluster's volumes grow: the part of the decision about claims and the StatefulSet's templates.

Kubernetes lets a claim ask for more only once it is bound, and only if its StorageClass allows expansion; an
unbound claim cannot be changed at all, and the templates of a StatefulSet never. So:

    a bound claim     is patched;
    an unbound claim  is deleted and created again under its name, after the StatefulSet has the new templates
    (the
                      StatefulSet's controller creates missing claims from whatever templates it sees);
    the StatefulSet   is deleted, leaving its Pods, and created again. The new one adopts them.

Invariants (numbered on from `decide`)
    I11  a claim is deleted only when it has no volume: it is unbound, no PersistentVolume names it, no
         provisioner works on it, and no Pod that uses it has been given a node
    I12  if one bound claim may not grow, none is touched and the templates stay as they are
    I13  a claim never shrinks; where a template asks for less, claims stay as they are
    I14  the StatefulSet is created again only when its templates differ in what the user wrote, and what the
         API server adds to a template is no difference

MOCO waits with growing until all Pods are ready and no roll-out is under way. Growing disturbs neither, and a
full volume is just what may keep a Pod from becoming ready, so here it waits for nothing.

Source: ValidatePersistentVolumeClaimUpdate in Kubernetes 1.36;
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.apis import JsonObject
from kajitori.apis.mysql_v1beta2.quantities import quantity_or_none
from kajitori.apis.mysql_v1beta2.validation import allows_expansion
from kajitori.operators.mysql.objects.base import Rendering
from kajitori.operators.mysql.objects.statefulset import claim_for, claim_templates
from kajitori.operators.mysql.plan import Action, Create, Event, GrowClaim, Problem, ReplaceClaim
from kajitori.operators.mysql.seen import VOLUME_CLAIM, ClusterSeen

__all__ = ["VolumeDecision", "decide_volumes", "templates_differ"]

_BEING_PROVISIONED = (
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "pv.kubernetes.io/bind-completed",
)
"""Annotations of a claim for which somebody is making or has found a volume."""


@dataclass(frozen=True, slots=True)
class VolumeDecision:
    """What becomes of the claims, and which templates the StatefulSet gets."""

    templates: tuple[JsonObject, ...]
    recreate: bool = False
    changes: str = ""
    """What differs between the templates, for people."""
    before: tuple[Action, ...] = ()
    """To do before the StatefulSet is touched."""
    after: tuple[Action, ...] = ()
    """To do once the StatefulSet has these templates."""
    problems: tuple[Problem, ...] = ()


def decide_volumes(seen: ClusterSeen, rendering: Rendering, sts: JsonObject | None) -> VolumeDecision:
    """`sts` is the live StatefulSet, None when there is none or it is on its way out."""
    wanted = claim_templates(rendering)
    live: Sequence[JsonObject] = (sts or {}).get("spec", {}).get("volumeClaimTemplates") or ()
    grow: list[Action] = []
    replace: list[Action] = []
    refused: list[str] = []
    for template in wanted:
        for claim in _claims_of(seen, rendering, template):
            if not _is_smaller(claim, template):
                continue
            if _is_bound(claim):
                if _may_grow(seen, claim):
                    grow.append(_grow(rendering, claim, template))
                else:
                    refused.append(_refusal(claim))
            elif _has_no_volume(seen, claim):
                replace.append(_replace(rendering, claim, template))
    if refused:
        problem = Problem("VolumeExpansionForbidden", "; ".join(refused) + "; nothing was changed")
        return VolumeDecision(tuple(live or wanted), problems=(problem,))
    recreate = bool(sts) and templates_differ(wanted, live)
    # What the server added to the live templates stays: they cannot be changed, only be sent as they are.
    templates = wanted if recreate or not sts else live
    return VolumeDecision(
        templates=tuple(templates),
        recreate=recreate,
        changes=_changes(wanted, live) if recreate else "",
        before=tuple(grow),
        after=(*replace, *_missing_claims(seen, rendering, wanted)),
    )


def _claims_of(seen: ClusterSeen, rendering: Rendering, template: JsonObject) -> list[JsonObject]:
    """The claims made from a template, by ordinal, except those that are being deleted."""
    pattern = re.compile(re.escape(f"{template['metadata']['name']}-{rendering.names.prefixed}-") + r"(\d+)")
    found: list[tuple[int, JsonObject]] = []
    for claim in seen.claims:
        match = pattern.fullmatch(claim["metadata"]["name"])
        if match and not claim["metadata"].get("deletionTimestamp"):
            found.append((int(match[1]), claim))
    return [claim for _, claim in sorted(found, key=lambda each: each[0])]


def _storage(holder: Mapping[str, Any]) -> Any:
    return ((holder.get("spec") or {}).get("resources") or {}).get("requests", {}).get("storage")


def _is_smaller(claim: JsonObject, template: JsonObject) -> bool:
    have, want = quantity_or_none(_storage(claim)), quantity_or_none(_storage(template))
    return have is not None and want is not None and have < want


def _is_bound(claim: JsonObject) -> bool:
    return (claim.get("status") or {}).get("phase") == "Bound"


def _may_grow(seen: ClusterSeen, claim: JsonObject) -> bool:
    name = claim["spec"].get("storageClassName")
    return any(each["metadata"]["name"] == name and allows_expansion(each) for each in seen.storage_classes)


def _refusal(claim: JsonObject) -> str:
    name = claim["spec"].get("storageClassName")
    why = f'StorageClass "{name}" does not allow expansion' if name else "it has no StorageClass"
    return f"claim {claim['metadata']['name']} cannot grow from {_storage(claim)}: {why}"


def _has_no_volume(seen: ClusterSeen, claim: JsonObject) -> bool:
    """I11. In doubt the claim stays: once it is bound, it grows in place."""
    metadata = claim["metadata"]
    phase = (claim.get("status") or {}).get("phase", "Pending")
    if phase != "Pending" or claim["spec"].get("volumeName"):
        return False
    if any(key in (metadata.get("annotations") or {}) for key in _BEING_PROVISIONED):
        return False
    for volume in seen.volumes:
        reference = volume["spec"].get("claimRef") or {}
        if (reference.get("namespace"), reference.get("name")) == (metadata["namespace"], metadata["name"]):
            return False
    return not any(pod["spec"].get("nodeName") and metadata["name"] in _claim_names(pod) for pod in seen.pods)


def _claim_names(pod: JsonObject) -> set[str]:
    volumes = pod["spec"].get("volumes") or ()
    return {
        each["persistentVolumeClaim"]["claimName"] for each in volumes if each.get("persistentVolumeClaim")
    }


def _growth_event(claim: JsonObject, template: JsonObject) -> Event:
    name = claim["metadata"]["name"]
    return Event(
        "Normal", "VolumeGrown", f"Claim {name} grows from {_storage(claim)} to {_storage(template)}"
    )


def _grow(rendering: Rendering, claim: JsonObject, template: JsonObject) -> GrowClaim:
    return GrowClaim(
        kind=VOLUME_CLAIM,
        namespace=rendering.namespace,
        name=claim["metadata"]["name"],
        uid=claim["metadata"]["uid"],
        storage=_storage(template),
        why=f"the template asks for {_storage(template)}, the claim has {_storage(claim)}",
        event=_growth_event(claim, template),
    )


def _replace(rendering: Rendering, claim: JsonObject, template: JsonObject) -> ReplaceClaim:
    return ReplaceClaim(
        kind=VOLUME_CLAIM,
        obj=claim_for(rendering, template, claim["metadata"]["name"]),
        uid=claim["metadata"]["uid"],
        resource_version=claim["metadata"]["resourceVersion"],
        why=f"the template asks for {_storage(template)}, and a claim without a volume cannot be changed",
        event=_growth_event(claim, template),
    )


def _missing_claims(seen: ClusterSeen, rendering: Rendering, wanted: Sequence[JsonObject]) -> list[Create]:
    """Claims that Pods wait for: a replacement that was interrupted between deleting and creating."""
    present = {claim["metadata"]["name"] for claim in seen.claims}
    missing: dict[str, JsonObject] = {}
    for pod in seen.pods:
        if pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            continue
        for template in wanted:
            name = f"{template['metadata']['name']}-{pod['metadata']['name']}"
            if name in _claim_names(pod) and name not in present:
                missing[name] = claim_for(rendering, template, name)
    why = "a Pod waits for it"
    return [Create(kind=VOLUME_CLAIM, obj=missing[name], why=why, may_exist=True) for name in sorted(missing)]


def templates_differ(wanted: Sequence[JsonObject], live: Sequence[JsonObject]) -> bool:
    """Whether a StatefulSet's volume claim templates say something else than the user does (I14)."""
    if len(wanted) != len(live):
        return True
    return any(_template_differs(mine, theirs) for mine, theirs in zip(wanted, live, strict=True))


_ADDED_BY_SERVER = frozenset(("volumeMode", "dataSource", "dataSourceRef"))
"""Members of a claim's spec that the API server fills in, the last two from one another."""


def _template_differs(wanted: JsonObject, live: JsonObject) -> bool:
    for key in ("name", "labels", "annotations"):
        if (wanted["metadata"].get(key) or {}) != (live["metadata"].get(key) or {}):
            return True
    mine, theirs = wanted["spec"], live.get("spec") or {}
    added = {key for key in _ADDED_BY_SERVER if key not in mine}
    # Inside a data source the server adds members too; what the user wrote must be there.
    completed = {
        key: mine[key] for key in ("dataSource", "dataSourceRef") if _contains(theirs.get(key), mine.get(key))
    }
    theirs = {**theirs, **completed}
    return _value_differs(mine, {key: value for key, value in theirs.items() if key not in added})


def _contains(theirs: Any, mine: Any) -> bool:
    if not isinstance(mine, dict) or not isinstance(theirs, dict):
        return False
    return all(theirs.get(key) == value for key, value in mine.items())


def _value_differs(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return any(_value_differs(mine.get(key), theirs.get(key)) for key in mine.keys() | theirs.keys())
    if mine == theirs or (not mine and not theirs):
        return False
    amount = quantity_or_none(mine)
    return amount is None or amount != quantity_or_none(theirs)


def _changes(wanted: Sequence[JsonObject], live: Sequence[JsonObject]) -> str:
    """`mysql-data 1Gi → 2Gi, added logs`."""
    before = {each["metadata"]["name"]: each for each in live}
    after = {each["metadata"]["name"]: each for each in wanted}
    told = [f"added {name}" for name in after if name not in before]
    told += [f"removed {name}" for name in before if name not in after]
    for name in after.keys() & before.keys():
        old, new = _storage(before[name]), _storage(after[name])
        if _value_differs(old, new):
            told.append(f"{name} {old} → {new}")
        elif _template_differs(after[name], before[name]):
            told.append(f"{name} changed")
    return ", ".join(sorted(told)) or "their order"
