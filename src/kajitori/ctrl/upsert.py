"""An object as it should be, whether or not it is there already: read it, change it, write what is new.

    def wanted(current: Unstructured | None) -> JsonObject:
        return {**(current or {"metadata": {"name": "settings"}}), "data": {"size": "3"}}

    settings, written = await create_or_patch(client, CONFIG_MAPS, "default", "settings", wanted)

Sits above the client, for reconcilers that do not own whole objects by apply. `change` is a plain function: what is
there (frozen; None when nothing is) to what should be. It keeps what it knows nothing about, as above.

Promises
    U1  nothing is sent when `change` gives what is there
    U2  status is written apart, where the kind has it apart, also of an object that has just been created
    U3  `create_or_update` never overwrites a change that `change` has not seen: it raises Conflict
    U4  `create_or_patch` sends only what differs; a patch that replaces a list names the version it was made for,
        because it would undo what others did to the list

Source: controller-runtime's controllerutil CreateOrUpdate and CreateOrPatch; there the status of a new object is lost.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar, Unpack, overload

import msgspec

from kajitori.apimachinery.errors import NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client.accessors import key_of
from kajitori.client.client import Client
from kajitori.client.objects import Codec, Model, codec_of
from kajitori.client.options import HowToWrite, WriteOptions
from kajitori.ctrl.cache import Cache

__all__ = ["Outcome", "Upserted", "create_or_patch", "create_or_update"]

T = TypeVar("T")


class Outcome(StrEnum):
    """What it took."""

    UNCHANGED = "unchanged"
    CREATED = "created"
    UPDATED = "updated"
    UPDATED_STATUS = "updatedStatus"
    """And the rest too."""
    UPDATED_STATUS_ONLY = "updatedStatusOnly"


class Upserted(NamedTuple, Generic[T]):
    """An object as the server has it now, and what was done to it."""

    object: T
    outcome: Outcome


@overload
async def create_or_update(
    client: Client,
    model: Kind,
    namespace: str,
    name: str,
    change: Callable[[Unstructured | None], Mapping[str, Any]],
    *,
    cache: Cache | None = None,
    **options: Unpack[HowToWrite],
) -> Upserted[Unstructured]: ...
@overload
async def create_or_update(
    client: Client,
    model: type[T],
    namespace: str,
    name: str,
    change: Callable[[T | None], T],
    *,
    cache: Cache | None = None,
    **options: Unpack[HowToWrite],
) -> Upserted[T]: ...
async def create_or_update(
    client: Client,
    model: Model,
    namespace: str,
    name: str,
    change: Callable[[Any], Any],
    *,
    cache: Cache | None = None,
    **options: Unpack[HowToWrite],
) -> Upserted[Any]:
    """Creates or replaces. A class must declare all members of its kind, or those that it does not are lost.

    `cache`: read there instead of asking the server. With `dry_run` nothing is kept, and the status of an object
    that would be created is not judged.
    Raises: Conflict when the object changed since it was read, AlreadyExists when somebody else created it
    meanwhile; NotInCache; ValueError when `change` gives another name; any other ApiError.
    """
    writer = _Replacing(client, codec_of(model), model, options)
    return await _upsert(writer, namespace, name, change, cache)


@overload
async def create_or_patch(
    client: Client,
    model: Kind,
    namespace: str,
    name: str,
    change: Callable[[Unstructured | None], Mapping[str, Any]],
    *,
    cache: Cache | None = None,
    **options: Unpack[HowToWrite],
) -> Upserted[Unstructured]: ...
@overload
async def create_or_patch(
    client: Client,
    model: type[T],
    namespace: str,
    name: str,
    change: Callable[[T | None], T],
    *,
    cache: Cache | None = None,
    **options: Unpack[HowToWrite],
) -> Upserted[T]: ...
async def create_or_patch(
    client: Client,
    model: Model,
    namespace: str,
    name: str,
    change: Callable[[Any], Any],
    *,
    cache: Cache | None = None,
    **options: Unpack[HowToWrite],
) -> Upserted[Any]:
    """Creates or merges what differs into what is there: changes of others to other members stay.

    `cache` and `dry_run` as in `create_or_update`.
    Raises: Conflict when a list is replaced and the object changed since it was read, AlreadyExists when somebody
    else created it meanwhile; NotInCache; ValueError when `change` gives another name; any other ApiError.
    """
    writer = _Merging(client, codec_of(model), model, options)
    return await _upsert(writer, namespace, name, change, cache)


class _Replacing:
    """Writes whole objects."""

    def __init__(self, client: Client, codec: Codec[Any], model: Model, options: HowToWrite) -> None:
        self.client = client
        self.codec = codec
        self.model: Any = model
        self.options = options

    async def write(self, before: JsonObject, after: JsonObject, subresource: str = "") -> Any:
        options: WriteOptions = {**self.options, "subresource": subresource}
        versioned = {"resourceVersion": _version(before), **after["metadata"]}
        whole = {**after, "metadata": versioned}
        return await self.client.update(self.model, whole, namespace=key_of(before).namespace, **options)

    async def write_status(self, before: JsonObject, status: Any) -> Any:
        after = {**before, "status": status}
        try:
            return await self.write(before, after, "status")
        except NotFound:
            # The object is gone, which the next request tells, or its status is a member like any other.
            return await self.write(before, after)

    def json(self, value: Any) -> JsonObject:
        decoded: JsonObject = _without_nulls(msgspec.json.decode(self.codec.encode(value)))
        decoded.setdefault("metadata", {})
        return decoded


class _Merging(_Replacing):
    """Writes what differs."""

    async def write(self, before: JsonObject, after: JsonObject, subresource: str = "") -> Any:
        options: WriteOptions = {**self.options, "subresource": subresource}
        key = key_of(before)
        patch = _difference(before, after)
        if _has_list(patch):
            versioned = {"resourceVersion": _version(before), **patch.get("metadata", {})}
            patch = {**patch, "metadata": versioned}
        return await self.client.patch(self.model, key.namespace, key.name, patch, **options)


async def _upsert(
    writer: _Replacing, namespace: str, name: str, change: Callable[[Any], Any], cache: Cache | None
) -> Upserted[Any]:
    current = await _read(writer, namespace, name, cache)
    wanted = change(current)
    _check_name(writer, namespace, name, wanted)
    after = writer.json(wanted)
    status = after.get("status")
    if current is None:
        written = await writer.client.create(writer.model, wanted, namespace=namespace, **writer.options)
        if not writer.options.get("dry_run"):
            before = writer.json(written)
            if status is not None and before.get("status") != status:
                written = await writer.write_status(before, status)
        return Upserted(written, Outcome.CREATED)
    before = writer.json(current)
    after["metadata"].setdefault("resourceVersion", _version(before))
    if before == after:
        return Upserted(current, Outcome.UNCHANGED)
    if {**before, "status": None} == {**after, "status": None}:
        return Upserted(await writer.write_status(before, status), Outcome.UPDATED_STATUS_ONLY)
    written = await writer.write(before, after)
    if before.get("status") == status:
        return Upserted(written, Outcome.UPDATED)
    before = writer.json(written)
    if before.get("status") != status:
        written = await writer.write_status(before, status)
    return Upserted(written, Outcome.UPDATED_STATUS)


async def _read(writer: _Replacing, namespace: str, name: str, cache: Cache | None) -> Any:
    if cache is not None:
        return cache.get(writer.model, namespace if writer.codec.kind.namespaced else "", name)
    try:
        return await writer.client.get(writer.model, namespace, name)
    except NotFound:
        return None


def _check_name(writer: _Replacing, namespace: str, name: str, wanted: Any) -> None:
    key = key_of(wanted)
    if key.name != name or key.namespace not in ("", namespace):
        raise ValueError(
            f"{writer.codec.kind.kind} {namespace}/{name}: the change gives metadata of {key}; it must keep namespace "
            "and name"
        )


def _version(value: JsonObject) -> str:
    version: str = value["metadata"].get("resourceVersion", "")
    return version


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    return value


def _difference(before: JsonObject, after: JsonObject) -> JsonObject:
    """The merge patch that makes one out of the other."""
    patch: JsonObject = {key: None for key in before if key not in after}
    for key, new in after.items():
        old = before.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            if inner := _difference(old, new):
                patch[key] = inner
        elif key not in before or old != new:
            patch[key] = new
    return patch


def _has_list(patch: Any) -> bool:
    if isinstance(patch, dict):
        return any(_has_list(member) for member in patch.values())
    return isinstance(patch, list)
