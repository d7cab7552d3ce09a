"""What the registry's steps have in common: the store, the clock, admission, and writing one object."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from kajitori.apimachinery.errors import RequestEntityTooLarge
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apimachinery.time import format_time
from kajitori.apiserver.registry.call import Admission, Call
from kajitori.apiserver.registry.meta import in_order
from kajitori.apiserver.registry.resource import Resource, encode, replace_revision
from kajitori.storage import Item, Store
from kajitori.world.clock import Clock
from kajitori.world.random import Random

if TYPE_CHECKING:
    from kajitori.apiserver.registry.indexes import Indexes
    from kajitori.apiserver.registry.owning import Ownership

__all__ = [
    "OBJECT_BYTES_MAX",
    "Allocators",
    "Held",
    "Registry",
    "as_read",
    "as_written",
    "last_seen",
    "rendered",
    "to_its_end",
    "unsaved",
]


OBJECT_BYTES_MAX = 4 * 1024 * 1024
"""What one object may take up, serialised: a whole request body, and what the server adds to it."""

Written = TypeVar("Written")


class Held(Protocol):
    """What a write under way holds for the object that it writes."""

    async def until_done(self, write: Coroutine[Any, Any, Written], /) -> Written:
        """The outcome of `write`, after which nothing is held: what is stored holds its own.

        The write goes on where whoever asked for it goes away, and is held for as long as it does.
        """
        ...


class Allocators(Protocol):
    """What is handed out only once in the cluster: cluster IPs and node ports."""

    def allocate(
        self, resource: Resource, obj: JsonObject, old: JsonObject | None, *, dry_run: bool
    ) -> Held | None:
        """Fills in what the object needs, and holds it. Raises: Invalid where a wish cannot be granted."""
        ...


async def to_its_end(work: Coroutine[Any, Any, Written]) -> Written:
    """The outcome of `work`, which goes on where whoever asked for it goes away."""
    return await asyncio.shield(asyncio.get_running_loop().create_task(work))


class Registry:
    """The dependencies of every write, and its last step."""

    def __init__(
        self,
        store: Store,
        admission: Admission,
        *,
        clock: Clock,
        random: Random,
        allocators: Allocators,
        resources: Callable[[], Iterable[Resource]],
    ) -> None:
        self.store = store
        self.admission = admission
        self.clock = clock
        self.random = random
        self.allocators = allocators
        self._resources = resources

    @cached_property
    def ownership(self) -> "Ownership":
        """Who owns which field; comes into being with the first write."""
        from kajitori.apiserver.registry.owning import Ownership

        return Ownership(self._resources)

    @cached_property
    def indexes(self) -> "Indexes":
        """What selectors find objects by; comes into being with the first list."""
        from kajitori.apiserver.registry.indexes import Indexes

        return Indexes(self.store)

    def equivalents(self, resource: Resource) -> list[Resource]:
        """The other versions, in any group, in which the objects of a resource are served."""
        return [each for each in self._resources() if each.bucket == resource.bucket and each is not resource]

    def resource_of_kind(self, api_version: str, kind: str) -> Resource | None:
        """Where the objects of a kind are kept; None for a kind that is not served, or not kept."""
        for each in self._resources():
            if each.kind.kind == kind and each.kind.api_version == api_version and each.stored:
                return each
        return None

    def now(self) -> str:
        """The time as metadata has it."""
        return format_time(self.clock.now().timestamp())

    def own(
        self,
        resource: Resource,
        obj: JsonObject,
        stored: JsonObject | None,
        call: Call,
        *,
        subresource: str,
        now: str,
    ) -> None:
        """Settles field ownership of a create, update or patch; `stored` is in the stored version."""
        live = None if stored is None else resource.from_storage(stored)
        self.ownership.own(resource, obj, live, call, subresource=subresource, now=now)

    async def own_converted(
        self,
        resource: Resource,
        obj: JsonObject,
        stored: JsonObject | None,
        call: Call,
        *,
        subresource: str,
        now: str,
    ) -> None:
        """The same, where it may take a webhook to know who owns what in which version. Raises: ApiError."""
        assert resource.conversion is not None, resource.kind

        def work() -> JsonObject:
            trial: JsonObject = copy_json(obj)
            self.own(resource, trial, copy_json(stored), call, subresource=subresource, now=now)
            return trial

        settled = await resource.conversion.during(work)
        obj.clear()
        obj.update(settled)


def rendered(resource: Resource, obj: JsonObject) -> Callable[[int], bytes]:
    """What serialises `obj` once its revision is known; `obj` gets it too."""
    kind = resource.storage_kind
    ordered = in_order(resource.written(obj), kind.api_version, kind.kind)
    metadata = ordered["metadata"]

    def render(revision: int) -> bytes:
        metadata["resourceVersion"] = str(revision)
        return _bounded(encode(ordered))

    return render


def last_seen(resource: Resource, obj: JsonObject, item: Item) -> Callable[[int], bytes]:
    """What an object is told as when it goes: `obj`, which is `item` parsed; no webhook is asked for that."""
    if resource.conversion is None:
        return rendered(resource, obj)
    return lambda revision: replace_revision(item.value, item.revision, revision)


async def as_read(resource: Resource, value: bytes) -> bytes:
    """A stored value as the resource reads it."""
    return value if resource.conversion is None else (await resource.brought([value]))[0]


async def as_written(resource: Resource, obj: JsonObject) -> JsonObject:
    """An object as the resource writes it."""
    return obj if resource.conversion is None else await resource.sent(obj)


def unsaved(resource: Resource, obj: JsonObject) -> bytes:
    """The object as a dry run answers it: serialised, with the revision it came with, or none."""
    kind = resource.storage_kind
    ordered = in_order(resource.written(obj), kind.api_version, kind.kind)
    if not ordered["metadata"]["resourceVersion"]:
        del ordered["metadata"]["resourceVersion"]
    return _bounded(encode(ordered))


def _bounded(value: bytes) -> bytes:
    """Raises: RequestEntityTooLarge for an object that patch after patch has made too large."""
    if len(value) > OBJECT_BYTES_MAX:
        raise RequestEntityTooLarge(
            f"Request entity too large: the object would take {len(value)} bytes, the limit is {OBJECT_BYTES_MAX}"
        )
    return value
