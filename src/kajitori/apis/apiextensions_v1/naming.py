"""The status of a definition: which names it got, whether it is established, what is odd about it.

In Kubernetes five controllers write it; here each of them is a function from definitions to a changed copy, or
None when there is nothing to change. Who calls them, and when, is not their business. Times are given.

Promises
    N1  a name belongs to the definition that has it in `status.acceptedNames`; others of the group wait for it
    N2  Established never becomes False again by itself
    N3  conditions keep their time unless their status changes

Source: apiextensions' pkg/controller/{status,establish,nonstructuralschema,apiapproval,finalizer}.
"""

from collections.abc import Iterable
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.apiextensions_v1.approval import approval_state, is_protected_group
from kajitori.apis.apiextensions_v1.parts import is_ca_bundle_valid
from kajitori.apis.apiextensions_v1.structure import structural_errors, unsupported_keyword

__all__ = [
    "CLEANUP_FINALIZER",
    "condition_is_true",
    "find_condition",
    "finish_deletion",
    "initial_status",
    "mark_deleted",
    "report_deletion",
    "sync_approval",
    "sync_established",
    "sync_names",
    "sync_structure",
    "with_condition",
]

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
"""Keeps a definition until the objects of its kind are gone."""

_ACCEPTED = "the initial names have been accepted"
_CONFORMANCE = "KubernetesAPIApprovalPolicyConformant"


def find_condition(crd: JsonObject, kind: str) -> JsonObject | None:
    for condition in (crd.get("status") or {}).get("conditions") or ():
        if condition.get("type") == kind:
            found: JsonObject = condition
            return found
    return None


def condition_is_true(crd: JsonObject, kind: str) -> bool:
    condition = find_condition(crd, kind)
    return condition is not None and condition.get("status") == "True"


def with_condition(crd: JsonObject, condition: JsonObject, now: str) -> JsonObject:
    """A copy of the definition with this condition in place of the one of its type, or after the others."""
    status = crd.get("status") or {}
    conditions: list[JsonObject] = list(status.get("conditions") or ())
    new = {"type": "", "status": "", "lastTransitionTime": now, "reason": "", "message": "", **condition}
    for index, each in enumerate(conditions):
        if each.get("type") == new["type"]:
            if each.get("status") == new["status"] and each.get("lastTransitionTime"):
                new["lastTransitionTime"] = each["lastTransitionTime"]
            conditions[index] = new
            break
    else:
        conditions.append(new)
    return {**crd, "status": {**status, "conditions": conditions}}


def _condition(kind: str, status: str, reason: str, message: str) -> JsonObject:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _is_same(condition: JsonObject, old: JsonObject | None) -> bool:
    names = ("type", "status", "reason", "message")
    return old is not None and all(condition.get(name) == old.get(name) for name in names)


def sync_names(crd: JsonObject, others: Iterable[JsonObject], now: str) -> JsonObject | None:
    """Claims the names of a definition as far as no other of its group has them.

    `others` are all definitions; those of other groups, and `crd` itself, do no harm.
    """
    spec, status = crd.get("spec") or {}, crd.get("status") or {}
    wanted, accepted = spec.get("names") or {}, status.get("acceptedNames") or {}
    if wanted == accepted:
        return None
    names, conflict = _claim(wanted, accepted, _taken(crd, others))
    naming = conflict or _condition("NamesAccepted", "True", "NoConflicts", "no conflicts found")
    if names == accepted and _is_same(naming, find_condition(crd, "NamesAccepted")):
        return None
    established = find_condition(crd, "Established") or _condition(
        "Established", "False", "NotAccepted", "not all names are accepted"
    )
    if established.get("status") != "True" and naming["status"] == "True":
        established = _condition("Established", "False", "Installing", _ACCEPTED)
    changed = {**crd, "status": {**status, "acceptedNames": names}}
    changed = with_condition(changed, naming, now)
    return with_condition(changed, {**established, "lastTransitionTime": now}, now)


def _taken(crd: JsonObject, others: Iterable[JsonObject]) -> tuple[set[str], set[str]]:
    """The resource names and the kinds that definitions of the group have."""
    resources: set[str] = set()
    kinds: set[str] = set()
    group = (crd.get("spec") or {}).get("group")
    for other in others:
        if (other.get("spec") or {}).get("group") != group or _name(other) == _name(crd):
            continue
        names = (other.get("status") or {}).get("acceptedNames") or {}
        resources |= {
            names.get("plural") or "",
            names.get("singular") or "",
            *(names.get("shortNames") or ()),
        }
        kinds |= {names.get("kind") or "", names.get("listKind") or ""}
    own = (crd.get("status") or {}).get("acceptedNames") or {}
    resources |= {own.get("plural") or "", own.get("singular") or "", *(own.get("shortNames") or ())}
    kinds |= {own.get("kind") or "", own.get("listKind") or ""}
    return resources, kinds


def _name(crd: JsonObject) -> Any:
    return (crd.get("metadata") or {}).get("name")


def _claim(
    wanted: JsonObject, accepted: JsonObject, taken: tuple[set[str], set[str]]
) -> tuple[JsonObject, JsonObject | None]:
    """The names that are ours now, and the last conflict."""
    conflict: JsonObject | None = None
    names = dict(accepted)
    for name, reason, used in (
        ("plural", "PluralConflict", taken[0]),
        ("singular", "SingularConflict", taken[0]),
        ("shortNames", "ShortNamesConflict", taken[0]),
        ("kind", "KindConflict", taken[1]),
        ("listKind", "ListKindConflict", taken[1]),
    ):
        if name == "shortNames":
            message = _short_name_conflict(wanted, accepted, used)
        else:
            own = wanted.get(name) or ""
            message = (
                f'"{own}" is already in use' if own != (accepted.get(name) or "") and own in used else ""
            )
        if message:
            conflict = _condition("NamesAccepted", "False", reason, message)
        elif wanted.get(name):
            names[name] = wanted[name]
        else:
            names.pop(name, None)
    if wanted.get("categories"):
        names["categories"] = wanted["categories"]
    else:
        names.pop("categories", None)
    order = ("plural", "singular", "shortNames", "kind", "listKind", "categories")
    return {"plural": "", **{name: names[name] for name in order if name in names}}, conflict


def _short_name_conflict(wanted: JsonObject, accepted: JsonObject, used: set[str]) -> str:
    ours = {*(accepted.get("shortNames") or ()), accepted.get("plural"), accepted.get("singular")}
    conflicts = [each for each in wanted.get("shortNames") or () if each not in ours and each in used]
    told = list(dict.fromkeys(f'"{each}" is already in use' for each in conflicts))
    return told[0] if len(told) == 1 else "[" + ", ".join(told) + "]" if told else ""


def sync_established(crd: JsonObject, now: str) -> JsonObject | None:
    """Establishes a definition whose names were accepted: from now on its resources are served."""
    if not condition_is_true(crd, "NamesAccepted") or condition_is_true(crd, "Established"):
        return None
    webhook = ((crd.get("spec") or {}).get("conversion") or {}).get("webhook") or {}
    bundle = (webhook.get("clientConfig") or {}).get("caBundle") or ""
    condition = _condition("Established", "True", "InitialNamesAccepted", _ACCEPTED)
    if bundle and not is_ca_bundle_valid(bundle):
        message = "The conversion webhook CABundle is invalid"
        condition = _condition("Established", "False", "InvalidCABundle", message)
        if _is_same(condition, find_condition(crd, "Established")):
            return None
    return with_condition(crd, condition, now)


def sync_structure(crd: JsonObject, now: str) -> JsonObject | None:
    """Tells of schemas that are not structural, which only definitions from long ago can have."""
    condition = _judged((crd.get("spec") or {}).get("versions") or ())
    old = find_condition(crd, "NonStructuralSchema")
    if condition is None:
        if old is None:
            return None
        status = crd.get("status") or {}
        kept = [each for each in status.get("conditions") or () if each is not old]
        return {**crd, "status": {**status, "conditions": kept}}
    return None if _is_same(condition, old) else with_condition(crd, condition, now)


def _judged(versions: Iterable[JsonObject]) -> JsonObject | None:
    told: list[str] = []
    for index, version in enumerate(versions):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            continue
        unsupported = unsupported_keyword(schema)
        if unsupported:
            message = f"failed to check validation schema for version {version.get('name')}: {unsupported}"
            return _condition("NonStructuralSchema", "Unknown", "StructuralError", message)
        path = f"spec.versions[{index}].schema.openAPIV3Schema"
        told += [str(each) for each in structural_errors(schema, path)]
    if not told:
        return None
    unique = list(dict.fromkeys(told))
    message = unique[0] if len(unique) == 1 else "[" + ", ".join(unique) + "]"
    return _condition("NonStructuralSchema", "True", "Violations", message)


def sync_approval(crd: JsonObject, now: str) -> JsonObject | None:
    """Tells whether a definition in a group of the community says where it was approved."""
    if not is_protected_group((crd.get("spec") or {}).get("group") or ""):
        return None
    state = approval_state(crd)
    status = "True" if state.name == "approved" else "False"
    reason = {
        "approved": "ApprovedAnnotation",
        "bypassed": "UnapprovedAnnotation",
        "missing": "MissingAnnotation",
        "invalid": "InvalidAnnotation",
    }[state.name]
    condition = _condition(_CONFORMANCE, status, reason, state.message)
    return (
        None
        if _is_same(condition, find_condition(crd, _CONFORMANCE))
        else with_condition(crd, condition, now)
    )


def initial_status(
    crd: JsonObject, others: Iterable[JsonObject], now: str, *, judges_schemas: bool = True
) -> JsonObject:
    """The status that a definition has when all controllers are done with it.

    `judges_schemas`: whether it has schemas, which may be new; otherwise what is said of them stays.
    """
    others = list(others)
    crd = sync_names(crd, others, now) or crd
    crd = sync_established(crd, now) or crd
    if judges_schemas:
        crd = sync_structure(crd, now) or crd
    crd = sync_approval(crd, now) or crd
    status: JsonObject = crd.get("status") or {}
    return status


def mark_deleted(crd: JsonObject, now: str) -> JsonObject:
    """A definition for which deletion was asked: it waits, by a finalizer, until its objects are gone."""
    metadata = {**(crd.get("metadata") or {})}
    metadata.setdefault("deletionTimestamp", now)
    finalizers: list[str] = list(metadata.get("finalizers") or ())
    if CLEANUP_FINALIZER not in finalizers:
        metadata["finalizers"] = [*finalizers, CLEANUP_FINALIZER]
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    pending = _condition("Terminating", "True", "InstanceDeletionPending", message)
    return with_condition({**crd, "metadata": metadata}, pending, now)


def report_deletion(crd: JsonObject, now: str, failure: str = "") -> JsonObject:
    """A definition whose objects are being deleted, or, with a `failure`, could not be."""
    if failure:
        condition = _condition("Terminating", "True", "InstanceDeletionFailed", failure)
    else:
        message = "CustomResource deletion is in progress"
        condition = _condition("Terminating", "True", "InstanceDeletionInProgress", message)
    return with_condition(crd, condition, now)


def finish_deletion(crd: JsonObject, now: str) -> JsonObject:
    """A definition whose objects are gone, without the finalizer."""
    if condition_is_true(crd, "Established"):
        condition = _condition("Terminating", "False", "InstanceDeletionCompleted", "removed all instances")
    else:
        message = "resource was never established"
        condition = _condition("Terminating", "False", "NeverEstablished", message)
    metadata = {**(crd.get("metadata") or {})}
    kept = [each for each in metadata.get("finalizers") or () if each != CLEANUP_FINALIZER]
    if kept:
        metadata["finalizers"] = kept
    else:
        metadata.pop("finalizers", None)
    return with_condition({**crd, "metadata": metadata}, condition, now)
