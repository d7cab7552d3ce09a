"""Deletions: at once, after a grace period, or when the last finalizer is gone.

Promises
    X1  an object with finalizers or a grace period stays, marked with deletionTimestamp, until they are over
    X2  preconditions are checked against exactly the object that is deleted

Source: apiserver/pkg/registry/rest/delete.go BeforeDelete and registry/generic/registry/store.go Delete.
"""

from typing import NamedTuple

from kajitori.apimachinery.errors import not_found
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import format_time
from kajitori.apiserver.options import DeleteOptions
from kajitori.apiserver.registry.call import Attributes, Call
from kajitori.apiserver.registry.meta import conflict
from kajitori.apiserver.registry.registry import Registry, rendered, unsaved
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.updating import MODIFIED, TRIES_MAX
from kajitori.storage import Item, Mismatch

__all__ = ["Deleted", "delete"]

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"


class Deleted(NamedTuple):
    value: bytes
    """The object as it stood at the end, or as it now waits; in the stored version."""
    gone: bool


async def delete(
    registry: Registry, resource: Resource, namespace: str, name: str, options: DeleteOptions, call: Call
) -> Deleted:
    """Deletes one object, or marks it.

    Raises: NotFound, Conflict for preconditions, and whatever admission says.
    """
    store = registry.store
    key = resource.key(namespace, name)
    for _ in range(TRIES_MAX):
        item = store.get(resource.bucket, key)
        if item is None:
            raise not_found(resource.kind.plural, resource.kind.group, name)
        stored = resource.parse(item.value)
        _check_preconditions(resource, name, stored["metadata"], options)
        attributes = Attributes(
            "DELETE", resource, "", namespace, name, None, stored, call.user, options.dry_run, options, call
        )
        await registry.admit(attributes, mutate=True)
        await registry.admit(attributes, mutate=False)
        new, stays = _marked(registry, resource, resource.parse(item.value), options)
        try:
            if stays:
                if new == stored or options.dry_run:
                    return Deleted(item.value if new == stored else unsaved(resource, new), gone=False)
                written = await store.put(resource.bucket, key, rendered(resource, new), expect=item.revision)
                return Deleted(written.value, gone=False)
            if options.dry_run:
                return Deleted(item.value, gone=True)
            return await _delete_now(registry, resource, key, new, item)
        except Mismatch:
            if options.resource_version is not None:
                raise conflict(resource, name, MODIFIED) from None
    raise conflict(resource, name, MODIFIED)


async def _delete_now(
    registry: Registry, resource: Resource, key: str, final: JsonObject, item: Item
) -> Deleted:
    gone = await registry.store.delete(resource.bucket, key, rendered(resource, final), expect=item.revision)
    return Deleted(gone.value, gone=True)


def _check_preconditions(resource: Resource, name: str, metadata: JsonObject, options: DeleteOptions) -> None:
    if options.uid is not None and options.uid != metadata["uid"]:
        raise conflict(
            resource,
            name,
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({metadata['uid']}). "
            "The object might have been deleted and then recreated",
            kind=True,
        )
    version = options.resource_version
    if version is not None and version != metadata["resourceVersion"]:
        raise conflict(
            resource,
            name,
            f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record "
            f"({metadata['resourceVersion']}). The object might have been modified",
            kind=True,
        )


def _marked(
    registry: Registry, resource: Resource, obj: JsonObject, options: DeleteOptions
) -> tuple[JsonObject, bool]:
    """The object as the deletion leaves it, and whether it stays for now."""
    metadata = obj["metadata"]
    strategy = resource.strategy
    finalizers = _finalizers(resource, metadata, options)
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)
    grace = strategy.grace_period_seconds(obj, options.grace_period_seconds)
    now = registry.clock.now().timestamp()
    if "deletionTimestamp" in metadata:
        # Asked again: a grace period can only be shortened.
        standing = metadata.get("deletionGracePeriodSeconds") or 0
        if grace is not None and grace < standing:
            metadata["deletionTimestamp"] = format_time(now + grace)
            metadata["deletionGracePeriodSeconds"] = grace
            strategy.mark_deleted(obj)
        left = metadata.get("deletionGracePeriodSeconds") or 0
        return obj, bool(finalizers or left or not strategy.may_go(obj))
    stays = bool(finalizers or grace or not strategy.may_go(obj))
    if not stays and grace is None:
        return obj, False
    metadata["deletionTimestamp"] = format_time(now + (grace or 0))
    metadata["deletionGracePeriodSeconds"] = grace or 0
    if metadata.get("generation"):
        metadata["generation"] += 1
    strategy.mark_deleted(obj)
    return obj, stays


def _finalizers(resource: Resource, metadata: JsonObject, options: DeleteOptions) -> list[str]:
    """The finalizers that the propagation policy leaves: one of orphan and foregroundDeletion, or none."""
    standing: list[str] = list(metadata.get("finalizers") or ())
    policy = options.propagation
    if options.orphan_dependents is not None:
        policy = "Orphan" if options.orphan_dependents else "Background"
    if policy is None:
        if ORPHAN in standing or FOREGROUND in standing:
            return standing
        policy = resource.strategy.default_propagation
    wanted = {"Orphan": ORPHAN, "Foreground": FOREGROUND}.get(policy)
    kept = [each for each in standing if each == wanted or each not in (ORPHAN, FOREGROUND)]
    if wanted and wanted not in kept:
        kept.append(wanted)
    return kept
