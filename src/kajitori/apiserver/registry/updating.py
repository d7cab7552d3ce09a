"""Updates: from a stored object and a change to the next stored object.

A change is a function of what is stored: a PUT ignores it, a patch starts from it. When somebody else wrote in
between, a change that named no resourceVersion is made again on what they left; one that named it is refused.

Promises
    U1  what changes nothing writes nothing: no new revision, no event
    U2  two writers of one object never overwrite one another unseen

Source: apiserver/pkg/registry/generic/registry/store.go Update, registry/rest/update.go BeforeUpdate.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from kajitori.apimachinery.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    FieldError,
    invalid,
    not_found,
)
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.registry.call import Attributes, Call, Charge
from kajitori.apiserver.registry.creating import after_admission, create, ensure_namespace
from kajitori.apiserver.registry.meta import (
    conflict,
    deduplicate_owners,
    invalid_metadata_update,
    keep_system_fields,
)
from kajitori.apiserver.registry.registry import Registry, as_read, as_written, last_seen, rendered, unsaved
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Item, Mismatch

__all__ = [
    "MODIFIED",
    "TRIES_MAX",
    "Change",
    "Transform",
    "Updated",
    "named",
    "other_uid",
    "rewrite",
    "undeterminable",
    "update",
]

TRIES_MAX = 100
"""How often a change without a resourceVersion is made again before the client is told to."""

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class Change(NamedTuple):
    """What a transform makes of the stored object: both in the version of the request's resource."""

    obj: JsonObject
    owned: bool = False
    """Field ownership is settled in it already (server-side apply)."""
    uid: str = ""
    """The object must have this uid, or the change is refused."""
    derived: bool = True
    """Made from what is stored, so it can be made again when somebody wrote in between; a PUT is not."""


Transform = Callable[[JsonObject | None], Change | Awaitable[Change | None] | None]
"""Gives the changed object, from a private copy of the stored one; None changes nothing. It may be called again."""


class Updated(NamedTuple):
    value: bytes
    """As the resource serves it."""
    created: bool = False


async def update(
    registry: Registry,
    resource: Resource,
    namespace: str,
    name: str,
    transform: Transform,
    call: Call,
    *,
    subresource: str = "",
    may_create: bool = False,
) -> Updated:
    """Changes one object; creates it where `may_create` says so and it is missing.

    Raises: NotFound, Conflict, Invalid, BadRequest, and whatever admission says.
    """
    store = registry.store
    key = resource.key(namespace, name)
    for _ in range(TRIES_MAX):
        item = store.get(resource.bucket, key)
        if item is None:
            change = await _transformed(transform, None) if may_create else None
            if change is None:
                raise not_found(resource.kind.plural, resource.kind.group, name)
            said = change.obj["metadata"].get("uid") if change.owned else ""
            if said:
                detail = f"the provided object specified uid {said}, and no existing object was found"
                raise conflict(resource, name, f"uid mismatch: {detail}")
            if change.uid:
                raise other_uid(resource, namespace, name, change.uid, "", dry_run=call.options.dry_run)
            try:
                value = await create(registry, resource, namespace, change.obj, call, owned=change.owned)
            except AlreadyExists:
                if store.get(resource.bucket, key) is None:
                    raise
                continue  # somebody was faster: then it is an update
            return Updated(value, created=True)
        value = await as_read(resource, item.value) if resource.conversion else item.value
        stored = resource.parse(value)
        change = await _transformed(transform, resource.from_storage(resource.parse(value)))
        if change is None:
            return Updated(value)
        new, conditional, charge = await _prepared(registry, resource, change, stored, call, subresource)
        if item is not store.get(resource.bucket, key) and not conditional:
            if charge is not None:
                charge.release()
            continue  # somebody wrote while admission was being asked
        writing = _written(registry, resource, key, new, stored, item, call, charge=charge)
        try:
            return Updated(await (writing if charge is None else charge.until_done(writing)))
        except Mismatch as mismatch:
            if mismatch.current is None and conditional:
                raise not_found(resource.kind.plural, resource.kind.group, name) from None
            if conditional:
                raise conflict(resource, name, MODIFIED) from None
    raise conflict(resource, name, MODIFIED)


async def _written(
    registry: Registry,
    resource: Resource,
    key: str,
    new: JsonObject,
    stored: JsonObject,
    item: Item,
    call: Call,
    *,
    charge: Charge | None,
) -> bytes:
    """The outcome of a change that is ready to be stored.

    Raises: Mismatch when somebody wrote in between.
    """
    store = registry.store
    if _goes_away(resource, new, stored):
        # The answer shows it without its last finalizer, its last event as it was stored.
        if not call.options.dry_run:
            last = last_seen(resource, stored, item)
            try:
                await store.delete(resource.bucket, key, last, expect=item.revision)
            except Mismatch as mismatch:
                if mismatch.current is not None:
                    raise  # else somebody else took the last finalizer away, too
        form = await as_written(resource, new)
        return await as_read(resource, unsaved(resource, form))
    new = registry.ownership.settled(stored, new)
    if new == stored:
        return await as_read(resource, item.value)
    held = registry.allocators.allocate(resource, new, stored, dry_run=call.options.dry_run)
    form = new if resource.conversion is None else await resource.sent(new)
    if call.options.dry_run:
        return await as_read(resource, unsaved(resource, form))
    render = rendered(resource, form)
    if charge is not None:
        render = charge.paying(render)
    writing = store.put(resource.bucket, key, render, expect=item.revision)
    written = await (writing if held is None else held.until_done(writing))
    return written.value if resource.conversion is None else await as_read(resource, written.value)


async def _transformed(transform: Transform, current: JsonObject | None) -> Change | None:
    change = transform(current)
    return await change if isinstance(change, Awaitable) else change


async def _prepared(
    registry: Registry, resource: Resource, change: Change, stored: JsonObject, call: Call, subresource: str
) -> tuple[JsonObject, bool, Charge | None]:
    """The object to store, validated and admitted; whether the client named a resourceVersion; what it is charged."""
    obj = change.obj
    old_metadata = stored["metadata"]
    namespace, name = old_metadata.get("namespace", ""), old_metadata["name"]
    metadata = obj.setdefault("metadata", {})
    ensure_namespace(resource, namespace, metadata)
    if change.uid and change.uid != old_metadata["uid"]:
        raise other_uid(
            resource, namespace, name, change.uid, old_metadata["uid"], dry_run=call.options.dry_run
        )
    if not change.derived:
        deduplicate_owners(metadata, call, admitted=False)
    now = registry.now()
    if not change.owned:
        if resource.conversion is None:
            registry.own(resource, obj, stored, call, subresource=subresource, now=now)
        else:
            await registry.own_converted(resource, obj, stored, call, subresource=subresource, now=now)
    attributes = Attributes(
        "UPDATE", resource, subresource, namespace, name, obj, stored, call.user, call.options.dry_run,
        call.options, call,
    )  # fmt: skip
    owners = metadata.get("managedFields")
    waiting = registry.admission.mutate(attributes)
    if waiting is not None:
        await waiting
    assert attributes.obj is not None, attributes
    obj = resource.to_storage(attributes.obj)
    metadata = obj.setdefault("metadata", {})
    after_admission(resource, namespace, metadata, owners, call)
    version = metadata.get("resourceVersion") or ""
    named_version = version not in ("", "0")
    if named_version and version != old_metadata["resourceVersion"]:
        _check_version(resource, version, name)
        raise conflict(resource, name, MODIFIED)
    if not (named_version or resource.strategy.allow_unconditional_update):
        error = FieldError.invalid("metadata.resourceVersion", 0, "must be specified for an update")
        # Kubernetes names the resource here, not the kind.
        raise invalid(resource.kind.plural, resource.kind.group, name, [error])
    conditional = named_version and not change.derived
    metadata["resourceVersion"] = old_metadata["resourceVersion"]
    metadata.pop("selfLink", None)
    keep_system_fields(metadata, old_metadata)
    strategy = resource.strategy
    strategy.prepare_for_update(obj, stored, subresource, call.occasion(now))
    errors = invalid_metadata_update(resource, obj["metadata"], old_metadata, subresource)
    tolerated: list[str] = []
    errors += strategy.validate_update(obj, stored, subresource, tolerated)
    for text in tolerated:
        call.warn(text)
    if errors:
        raise invalid(resource.kind.kind, resource.storage_kind.group, name, errors)
    # A Scale is written by the whole object's rules.
    for text in strategy.warnings(obj, stored, "" if subresource == "scale" else subresource):
        call.warn(text)
    attributes.obj = obj
    waiting = registry.admission.validate(attributes)
    if waiting is not None:
        await waiting
    return obj, conditional, attributes.charge


def _check_version(resource: Resource, version: str, name: str) -> None:
    if not (version.isascii() and version.isdigit()):
        error = FieldError.invalid(
            "metadata.resourceVersion", version, f'strconv.ParseUint: parsing "{version}": invalid syntax'
        )
        raise invalid(resource.kind.kind, resource.storage_kind.group, name, [error])


def _goes_away(resource: Resource, new: JsonObject, stored: JsonObject) -> bool:
    """Whether the change took away the last thing that kept a deleted object."""
    metadata = stored["metadata"]
    return (
        "deletionTimestamp" in metadata
        and not new["metadata"].get("finalizers")
        and not metadata.get("deletionGracePeriodSeconds")
        and resource.strategy.may_go(new)
    )


_STORED_AT = {
    # Where kube-apiserver keeps objects in etcd, for resources that are not kept under their own name.
    "/endpoints": "services/endpoints",
    "/nodes": "minions",
    "/replicationcontrollers": "controllers",
    "/services": "services/specs",
    "networking.k8s.io/ingresses": "ingress",
}
_STORED_BY_GROUP = ("apiextensions.k8s.io", "apiregistration.k8s.io")


def other_uid(
    resource: Resource, namespace: str, name: str, wanted: str, found: str, *, dry_run: bool
) -> Conflict:
    """What is answered who meant another object of this name."""
    kind = resource.kind
    bucket = resource.bucket
    if not (resource.custom or kind.group in _STORED_BY_GROUP):
        bucket = _STORED_AT.get(bucket, kind.plural)
    # Only a real write goes where the prefix of all keys is known.
    key = f"{'' if dry_run else '/registry'}/{bucket}/{resource.key(namespace, name)}"
    why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
    told = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {why}"
    return conflict(resource, name, told)


async def rewrite(
    registry: Registry,
    resource: Resource,
    namespace: str,
    name: str,
    change: Callable[[JsonObject], None],
    *,
    dry_run: bool = False,
) -> bytes:
    """Changes a stored object in place of its owners: what binding and eviction do, past admission and validation.

    `change` gets a private copy in the stored version, and may raise to refuse.

    Raises: NotFound, Conflict.
    """
    key = resource.key(namespace, name)
    for _ in range(TRIES_MAX):
        item = registry.store.get(resource.bucket, key)
        if item is None:
            raise not_found(resource.kind.plural, resource.kind.group, name)
        obj = resource.parse(item.value)
        change(obj)
        if dry_run:
            return item.value
        try:
            written = await registry.store.put(
                resource.bucket, key, rendered(resource, obj), expect=item.revision
            )
        except Mismatch:
            continue
        return written.value
    raise conflict(resource, name, MODIFIED)


def undeterminable(url_name: str) -> BadRequest:
    """The complaint about an object that says no name."""
    return BadRequest(
        f"the name of the object ({url_name} based on URL) was undeterminable: name must be provided"
    )


def named(obj: JsonObject, name: str, *, url_name: str) -> None:
    """Checks that the body of a PUT is about the object of the path.

    Raises: BadRequest.
    """
    said = (obj.get("metadata") or {}).get("name") or ""
    if not said:
        raise undeterminable(url_name)
    if said != name:
        raise BadRequest(f"the name of the object ({said}) does not match the name on the URL ({url_name})")
