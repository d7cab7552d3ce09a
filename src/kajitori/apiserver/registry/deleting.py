"""Deletions: at once, after a grace period, or when the last finalizer is gone.

Promises
    X1  an object with finalizers or a grace period stays, marked with deletionTimestamp, until they are over
    X2  preconditions are checked against exactly the object that is deleted
    X3  of a collection few objects are under way at a time, and after each others get their turn, be there a disk
        to wait for or not

Source: apiserver/pkg/registry/rest/delete.go BeforeDelete and registry/generic/registry/store.go Delete.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import NamedTuple

from kajitori.apimachinery.errors import NotFound, not_found
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import format_time, parse_time
from kajitori.apiserver.options import DeleteOptions
from kajitori.apiserver.registry.call import Attributes, Call, admitted
from kajitori.apiserver.registry.meta import conflict
from kajitori.apiserver.registry.registry import (
    Registry,
    as_read,
    as_written,
    last_seen,
    rendered,
    to_its_end,
    unsaved,
)
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.updating import MODIFIED, TRIES_MAX
from kajitori.storage import Item, Mismatch

__all__ = ["DELETIONS_AT_ONCE_MAX", "Deleted", "delete", "delete_all", "warn_of_orphans"]

DELETIONS_AT_ONCE_MAX = 32
"""How many objects of a collection are deleted side by side: they share commits."""

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"

_JOBS_ORPHAN = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)

LAST_SECOND = 253402300799.0
"""The end of the year 9999."""


class Deleted(NamedTuple):
    value: bytes
    """The object as it stood at the end, or as it now waits; as the resource serves it."""
    gone: bool


async def delete(
    registry: Registry,
    resource: Resource,
    namespace: str,
    name: str,
    options: DeleteOptions,
    call: Call,
    *,
    named: bool = True,
) -> Deleted:
    """Deletes one object, or marks it. `named` unless it is one of a collection: admission is told no name then.

    Raises: NotFound, Conflict for preconditions, and whatever admission says.
    """
    store = registry.store
    key = resource.key(namespace, name)
    for _ in range(TRIES_MAX):
        item = store.get(resource.bucket, key)
        if item is None:
            raise not_found(resource.kind.plural, resource.kind.group, name)
        value = await as_read(resource, item.value)
        stored = resource.parse(value)
        _check_preconditions(resource, name, stored["metadata"], options)
        attributes = Attributes(
            "DELETE", resource, "", namespace, name if named else "", None, stored, call.user,
            options.dry_run, options, call,
        )  # fmt: skip
        await admitted(registry.admission, attributes)
        step = _step(registry, resource, resource.parse(value), options)
        if options.dry_run:
            form = await as_written(resource, step.obj)
            return Deleted(await as_read(resource, unsaved(resource, form)), gone=step.goes)
        try:
            if step.marked and step.obj != stored:
                # Once marked, it is to go whether or not anybody still waits for it.
                return await to_its_end(_mark(registry, resource, key, step, item))
            if not step.goes:
                return Deleted(value, gone=False)
            last = last_seen(resource, stored, item)
            gone = await store.delete(resource.bucket, key, last, expect=item.revision)
            return Deleted(await as_read(resource, gone.value), gone=True)
        except Mismatch:
            if options.resource_version is not None:
                raise conflict(resource, name, MODIFIED) from None
    raise conflict(resource, name, MODIFIED)


async def delete_all(
    registry: Registry,
    resource: Resource,
    names: Iterable[tuple[str, str]],
    options: DeleteOptions,
    call: Call,
) -> None:
    """Deletes the objects with these namespaces and names, as far as they are still there.

    Raises: what the first one that cannot be deleted raises; others may be deleted by then, or not.
    """
    left = iter(names)

    async def work() -> None:
        for namespace, name in left:  # shared by all workers
            with contextlib.suppress(NotFound):  # somebody else was faster
                await delete(registry, resource, namespace, name, options, call, named=False)
            await asyncio.sleep(0)  # X3: a store in memory has nothing to wait for

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(DELETIONS_AT_ONCE_MAX):
                tasks.create_task(work())
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def _mark(registry: Registry, resource: Resource, key: str, step: "_Step", item: Item) -> Deleted:
    """Stores an object as marked; deletes it then, if nothing keeps it: watchers see both, as in Kubernetes."""
    store = registry.store
    form = await as_written(resource, step.obj)
    written = await store.put(resource.bucket, key, rendered(resource, form), expect=item.revision)
    if not step.goes:
        return Deleted(await as_read(resource, written.value), gone=False)
    try:
        gone = await store.delete(resource.bucket, key, rendered(resource, form), expect=written.revision)
    except Mismatch as mismatch:
        if mismatch.current is not None:
            raise
        return Deleted(await as_read(resource, written.value), gone=True)  # somebody else has finished it
    return Deleted(await as_read(resource, gone.value), gone=True)


def warn_of_orphans(resource: Resource, options: DeleteOptions, call: Call) -> None:
    """Tells who deletes Jobs without a word about their Pods that these stay, which nobody expects."""
    if resource.bucket == "batch/jobs" and options.propagation is None and options.orphan_dependents is None:
        call.warn(_JOBS_ORPHAN)


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


class _Step(NamedTuple):
    """What a deletion does to an object now."""

    obj: JsonObject
    marked: bool
    """It is stored as `obj` is, marked as being deleted."""
    goes: bool
    """Nothing keeps it (any longer)."""


def _step(registry: Registry, resource: Resource, obj: JsonObject, options: DeleteOptions) -> _Step:
    """What the deletion does; `obj` is a private copy and is changed."""
    metadata = obj["metadata"]
    strategy = resource.strategy
    now = registry.clock.now().timestamp()
    wish = options.grace_period_seconds
    if wish is not None and wish < 0:
        wish = 1
    grace = strategy.grace_period_seconds(obj, wish)
    standing = metadata.get("deletionGracePeriodSeconds") or 0
    if "deletionTimestamp" not in metadata:
        if grace is not None:
            metadata["deletionTimestamp"] = format_time(_in_time(now + grace))
            metadata["deletionGracePeriodSeconds"] = grace
            if metadata.get("generation"):
                metadata["generation"] += 1
    elif grace is not None and standing:
        if wish is None or wish >= standing:
            return _Step(obj, marked=False, goes=False)  # a grace period under way can only be shortened
        asked = parse_time(metadata["deletionTimestamp"]) - standing
        metadata["deletionTimestamp"] = format_time(asked + wish)
        metadata["deletionGracePeriodSeconds"] = wish
    else:
        grace = None  # it is over: what is left is to finish
    _set_finalizers(resource, metadata, options)
    kept = bool(metadata.get("finalizers")) or not strategy.may_go(obj)
    if grace is None and kept:
        _mark_kept(metadata, now, own_way=not strategy.may_go(obj))
        strategy.mark_deleted(obj)
    left = metadata.get("deletionGracePeriodSeconds") if grace is not None else 0
    return _Step(obj, marked=grace is not None or kept, goes=not (kept or left))


def _mark_kept(metadata: JsonObject, now: float, *, own_way: bool) -> None:
    """Marks an object that something keeps though it has no grace period.

    `own_way`: its kind has more than finalizers to wait for, and tells of no grace period at first.
    """
    if "deletionTimestamp" not in metadata:
        metadata["deletionTimestamp"] = format_time(now)
        if own_way:
            return
        if metadata.get("generation"):
            metadata["generation"] += 1
    elif own_way:
        return
    elif parse_time(metadata["deletionTimestamp"]) > now:
        metadata["deletionTimestamp"] = format_time(now)
    metadata["deletionGracePeriodSeconds"] = 0


def _in_time(seconds: float) -> float:
    """A time that can be written down: nobody waits beyond the year 9999."""
    return min(seconds, LAST_SECOND)


def _set_finalizers(resource: Resource, metadata: JsonObject, options: DeleteOptions) -> None:
    """Puts the finalizers that the propagation policy leaves: one of orphan and foregroundDeletion, or none."""
    standing: list[str] = list(metadata.get("finalizers") or ())
    policy = options.propagation
    if options.orphan_dependents is not None:
        policy = "Orphan" if options.orphan_dependents else "Background"
    default = resource.strategy.default_propagation
    if policy is None:
        if ORPHAN in standing or FOREGROUND in standing:
            return
        policy = default
    wanted = {"Orphan": ORPHAN, "Foreground": FOREGROUND}.get(policy) if default else None
    kept = [each for each in standing if each not in (ORPHAN, FOREGROUND)]
    if wanted is not None:
        kept.append(wanted)
    if set(kept) == set(standing):
        return
    if kept:
        metadata["finalizers"] = kept
    else:
        metadata.pop("finalizers", None)
