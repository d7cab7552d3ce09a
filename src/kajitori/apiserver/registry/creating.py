"""Creates: from a decoded object to a stored one.

The order of the steps is Kubernetes': field ownership, mutating admission, the kind's own preparation, validation,
validating admission, the store. Nothing is visible to anyone before the store has it.

Source: apiserver/pkg/endpoints/handlers/create.go and registry/generic/registry/store.go.
"""

from typing import Any

from kajitori.apimachinery.errors import AlreadyExists, BadRequest, MethodNotAllowed, invalid, qualified
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.registry.call import Attributes, Call, Charge
from kajitori.apiserver.registry.meta import (
    GENERATED_BASE_BYTES_MAX,
    deduplicate_owners,
    invalid_metadata,
    no_resource_version,
)
from kajitori.apiserver.registry.registry import Registry, as_read, as_written, rendered, unsaved
from kajitori.apiserver.registry.resource import Resource, stored_metadata
from kajitori.storage import Exists, Item

__all__ = ["after_admission", "create", "ensure_namespace"]

_SYSTEM_FIELDS = ("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "selfLink", "uid")
"""What no client says of a new object."""
GENERATED_NAMES_TRIED_MAX = 8
"""How many random suffixes are tried before a create gives up, as kube-apiserver does since 1.30."""


def ensure_namespace(resource: Resource, namespace: str, metadata: JsonObject) -> None:
    """Puts the namespace of the path into the object; there is none in what belongs to the whole cluster.

    Raises: BadRequest when the object says another one.
    """
    said = metadata.get("namespace") or ""
    if resource.kind.namespaced:
        if said and said != namespace:
            raise BadRequest(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)


def after_admission(
    resource: Resource, namespace: str, metadata: JsonObject, owners: Any, call: Call
) -> None:
    """Sees to the metadata that plugins may have changed; `owners` are the managedFields before they did.

    Raises: BadRequest when the object is now in another namespace.
    """
    ensure_namespace(resource, namespace, metadata)
    now = metadata.get("managedFields")
    if now is not owners and now != owners:
        _check_owners(metadata, owners, call)
    deduplicate_owners(metadata, call, admitted=True)


def _check_owners(metadata: JsonObject, owners: Any, call: Call) -> None:
    """Puts back managedFields that nobody can read."""
    from kajitori.apimachinery.managedfields.entries import decode
    from kajitori.apimachinery.managedfields.sets import FieldsError

    try:
        if decode(metadata.get("managedFields")):
            return
        owners = None
    except FieldsError as error:
        call.warn(
            ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated "
            f"mutating admission controller; please fix your requests: {error}"
        )
    metadata.pop("managedFields", None)
    if owners:
        metadata["managedFields"] = owners


async def create(
    registry: Registry,
    resource: Resource,
    namespace: str,
    obj: JsonObject,
    call: Call,
    *,
    owned: bool = False,
) -> bytes:
    """Stores a new object, which came decoded and defaulted in the version of `resource`.

    Gives its stored value, as `resource` serves it. `owned` says that field ownership has been settled (by
    server-side apply).

    Raises: AlreadyExists, Invalid, and whatever admission says.
    """
    if resource.is_terminating:
        raise _terminating(resource)
    metadata = obj.setdefault("metadata", {})
    ensure_namespace(resource, namespace, metadata)
    generated = not metadata.get("name") and metadata.get("generateName")
    if generated:
        metadata["name"] = _generated(registry, generated)
    dry_run = call.options.dry_run
    for name in _SYSTEM_FIELDS:
        metadata.pop(name, None)
    deduplicate_owners(metadata, call, admitted=False)
    now = registry.now()
    if not owned:
        if resource.conversion is None:
            registry.own(resource, obj, None, call, subresource="", now=now)
        else:
            await registry.own_converted(resource, obj, None, call, subresource="", now=now)
    attributes = Attributes(
        "CREATE", resource, "", namespace, metadata.get("name", ""), obj, None, call.user, dry_run,
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
    strategy = resource.strategy
    metadata["uid"] = registry.random.uuid4()
    metadata["creationTimestamp"] = now
    strategy.prepare_for_create(obj, call.occasion(now))
    errors = invalid_metadata(resource, metadata) + strategy.validate(obj)
    if errors:
        raise invalid(resource.kind.kind, resource.storage_kind.group, metadata.get("name", ""), errors)
    for text in strategy.warnings(obj, None):
        call.warn(text)
    attributes.obj, attributes.name = obj, metadata["name"]
    waiting = registry.admission.validate(attributes)
    if waiting is not None:
        await waiting
    charge = attributes.charge
    storing = _store(registry, resource, obj, call, generated or "", charge=charge)
    return await (storing if charge is None else charge.until_done(storing))


def _terminating(resource: Resource) -> MethodNotAllowed:
    return MethodNotAllowed(
        "create not allowed while custom resource definition is terminating",
        details={"group": resource.kind.group, "kind": resource.kind.plural},
    )


async def _store(
    registry: Registry,
    resource: Resource,
    obj: JsonObject,
    call: Call,
    generated: str,
    *,
    charge: Charge | None,
) -> bytes:
    metadata = obj["metadata"]
    dry_run = call.options.dry_run
    version = metadata.pop("resourceVersion", "")
    if version.isascii() and version.isdigit() and version.strip("0") and not dry_run:
        raise no_resource_version()
    for attempt in range(1, GENERATED_NAMES_TRIED_MAX + 1):
        key = resource.key(metadata.get("namespace", ""), metadata["name"])
        standing = registry.store.get(resource.bucket, key)
        if standing is None:
            held = registry.allocators.allocate(resource, obj, None, dry_run=dry_run)
            form = await as_written(resource, obj)
            if dry_run:
                return await as_read(resource, unsaved(resource, form))
            render = rendered(resource, form)
            if charge is not None:
                render = charge.paying(render)
            writing = registry.store.put(resource.bucket, key, render, expect=0)
            try:
                item = await (writing if held is None else held.until_done(writing))
                return await as_read(resource, item.value)
            except Exists as exists:
                standing = exists.item
        if not generated or attempt == GENERATED_NAMES_TRIED_MAX:
            raise _already_exists(resource, metadata["name"], standing, bool(generated))
        metadata["name"] = _generated(registry, generated)
    raise AssertionError("every round returns or raises")


def _already_exists(resource: Resource, name: str, standing: Item, generated: bool) -> AlreadyExists:
    group, plural = resource.kind.group, resource.kind.plural
    message = f'{qualified(plural, group)} "{name}" already exists'
    if b'"deletionTimestamp"' in standing.value and "deletionTimestamp" in stored_metadata(standing.value):
        message = f"object is being deleted: {message}"
    details = {"name": name, "group": group, "kind": plural}
    if generated:
        message += ", the server was not able to generate a unique name for the object"
    return AlreadyExists(message, details={key: text for key, text in details.items() if text})


def _generated(registry: Registry, base: str) -> str:
    return base[:GENERATED_BASE_BYTES_MAX] + registry.random.name_suffix()
