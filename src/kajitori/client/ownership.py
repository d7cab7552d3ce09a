"""Giving what was applied from the client to a server-side applier, on any cluster.

Sits on `Client`, above the algorithm (`apimachinery.managedfields.upgrading`).

Promises
    M1  nothing but managedFields changes
    M2  what somebody else writes meanwhile is never undone: a conflict is answered by looking again, at most
        CONFLICTS_MAX times
    M3  for kubectl's own applier the annotation `last-applied-configuration` gets an owner of its own first, as
        kubectl does it, so that it stays and one may go back to applying from the client; any other applier's next
        apply removes it
    M4  to migrate what is migrated asks for no write

Source: kubectl's `apply --server-side`, which migrates what it finds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.apimachinery.errors import Conflict
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.managedfields.entries import APPLY, UPDATE
from kajitori.apimachinery.managedfields.last_applied import KUBECTL, LAST_APPLIED
from kajitori.apimachinery.managedfields.sets import from_elements
from kajitori.apimachinery.managedfields.upgrading import Upgrade, find_owners, patch_of, upgrade
from kajitori.client.accessors import annotations_of, resource_version_of
from kajitori.client.client import Client
from kajitori.client.objects import Model, kind_of
from kajitori.client.options import PatchType

__all__ = ["CLIENT_SIDE_APPLIERS", "CONFLICTS_MAX", "Migration", "Owners", "migrate_ownership"]

CLIENT_SIDE_APPLIERS = ("kubectl-client-side-apply", "before-first-apply")
"""What `kubectl apply` calls itself without --server-side, and what owns the fields of objects that were there before
anybody owned fields.
"""

CONFLICTS_MAX = 5
"""As kubectl: somebody who is faster five times in a row writes all the time."""

KEEPER = "kubectl-last-applied"
"""Who owns kubectl's annotation after kubectl has migrated an object."""

_ANNOTATION = from_elements([("f:metadata", "f:annotations", f"f:{LAST_APPLIED}")])


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose fields become whose."""

    updaters: Sequence[str] = CLIENT_SIDE_APPLIERS
    applier: str = KUBECTL
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Migration:
    """What has become of one object."""

    upgraded: Upgrade
    resource_version: str
    keeps_last_applied: bool = False
    """Whether kubectl's annotation was given an owner of its own."""
    others: tuple[str, ...] = ()
    """Who else has applied from the client, by the look of it: updaters of kubectl's annotation that were not named."""

    @property
    def is_needed(self) -> bool:
        """Whether there was anything to migrate."""
        return self.upgraded.is_needed


async def migrate_ownership(
    client: Client,
    model: Model,
    namespace: str,
    name: str,
    owners: Owners = Owners(),
    *,
    seen: Mapping[str, Any] | None = None,
    dry_run: bool = False,
) -> Migration:
    """Gives the fields of client-side appliers of one object to a server-side applier. It cannot be undone.

    `seen` is the object, or its metadata, when it was read already: what needs nothing is then not asked for.
    `dry_run` has the server do everything but store it.

    Raises: Conflict when somebody else was always faster; NotFound, Forbidden, any other ApiError; FieldsError when
    managedFields cannot be read.
    """
    kind = kind_of(model)
    conflicts = 0
    while True:
        if seen is None:
            seen = await client.get(kind, namespace, name, metadata_only=True)
        try:
            return await _migrated(client, kind, (namespace, name), seen, owners, dry_run=dry_run)
        except Conflict:
            conflicts += 1
            if conflicts >= CONFLICTS_MAX:
                raise
            seen = None


async def _migrated(
    client: Client,
    kind: Kind,
    key: tuple[str, str],
    seen: Mapping[str, Any],
    owners: Owners,
    *,
    dry_run: bool,
) -> Migration:
    upgraded = _upgrade(seen, owners)
    version = resource_version_of(seen)
    others = {
        each["manager"]
        for each in find_owners(_entries(seen), UPDATE, _ANNOTATION)
        if each.get("manager") not in owners.updaters
    }
    keeps = upgraded.is_needed and owners.applier == KUBECTL and not owners.subresource and _is_orphan(seen)
    if keeps:
        seen = await client.apply(
            kind, _just_annotation(kind, key, seen), field_manager=KEEPER, dry_run=dry_run
        )
        upgraded, version = _upgrade(seen, owners), resource_version_of(seen)
    patch = patch_of(upgraded, version)
    if patch is not None:
        written = await client.patch(kind, *key, patch, PatchType.JSON, dry_run=dry_run)
        version = resource_version_of(written)
    return Migration(upgraded, version, keeps, tuple(sorted(others)))


def _upgrade(seen: Mapping[str, Any], owners: Owners) -> Upgrade:
    return upgrade(_entries(seen), owners.updaters, owners.applier, owners.subresource)


def _entries(seen: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (seen.get("metadata") or {}).get("managedFields") or ()


def _is_orphan(seen: Mapping[str, Any]) -> bool:
    """Whether kubectl's annotation is there, and no applier holds it."""
    return bool(annotations_of(seen).get(LAST_APPLIED)) and not find_owners(
        _entries(seen), APPLY, _ANNOTATION
    )


def _just_annotation(kind: Kind, key: tuple[str, str], seen: Mapping[str, Any]) -> JsonObject:
    namespace, name = key
    metadata: JsonObject = {"name": name, "resourceVersion": resource_version_of(seen)}
    if kind.namespaced:
        metadata["namespace"] = namespace
    metadata["annotations"] = {LAST_APPLIED: annotations_of(seen)[LAST_APPLIED]}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
