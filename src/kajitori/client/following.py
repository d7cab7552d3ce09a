"""Following what happens to objects over the ends and breaks of watches, and waiting for one to be as wanted.

For programs and scripts; an operator has informers, which share one watch and keep what they saw. Sits on `Client`.

Promises
    W1  what `follow` gives misses nothing and repeats nothing, from a version on or from what is there
    W2  a watch that ends, breaks, or is refused for load or trouble is begun again where it was, after a pause; what
        cannot be mended so (a version that is gone, a kind that is) is raised
    W3  `wait_until` gives the object as soon as it is as wanted, and at its deadline says what it was instead

Source: client-go's tools/watch RetryWatcher and Until.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypedDict, TypeVar, Unpack, overload

from kajitori.apimachinery.errors import (
    Expired,
    Gone,
    InternalError,
    ServerTimeout,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
)
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.client.accessors import resource_version_of
from kajitori.client.client import Client
from kajitori.client.objects import Model, ObjectList, WatchEvent, codec_of, kind_of
from kajitori.client.transport import TransportError

__all__ = ["FollowOptions", "follow", "wait_until"]

PAUSE_SECONDS = 1.0
"""Before a watch is begun again, doubled up to PAUSE_SECONDS_MAX; at the beginning again after an event."""

PAUSE_SECONDS_MAX = 30.0

_PASSING = (TooManyRequests, InternalError, ServiceUnavailable, ServerTimeout, Timeout)

T = TypeVar("T")


class FollowOptions(TypedDict, total=False):
    """Keywords of `follow`."""

    labels: str
    fields: str
    resource_version: str
    """What happened after this version; empty: first what is there, told as ADDED, then what happens."""
    metadata_only: bool


@overload
def follow(
    client: Client, model: Kind, namespace: str = "", **options: Unpack[FollowOptions]
) -> AsyncIterator[WatchEvent[Unstructured]]: ...
@overload
def follow(
    client: Client, model: type[T], namespace: str = "", **options: Unpack[FollowOptions]
) -> AsyncIterator[WatchEvent[T]]: ...
async def follow(
    client: Client, model: Model, namespace: str = "", **options: Unpack[FollowOptions]
) -> AsyncIterator[WatchEvent[Any]]:
    """ADDED, MODIFIED and DELETED events, without end.

        async for event in follow(client, PODS, "db", labels="app=db"): ...

    Raises: Expired when the version is gone, so that something would be missed: begin again without one; ApiError for
    what does not pass by itself.
    """
    codec = codec_of(model)
    chosen: Any = dict(options)
    version: str = chosen.pop("resource_version", "")
    if not version:
        pages: AsyncIterator[ObjectList[Any]] = client.list_pages(model, namespace, **chosen)
        async for page in pages:
            for value in page.items:
                yield WatchEvent("ADDED", value, resource_version_of(value))
            version = page.resource_version
    pause = PAUSE_SECONDS
    while True:
        try:
            chosen.update(resource_version=version, bookmarks=True)
            async with client.watch_as(codec, namespace, chosen) as events:
                async for event in events:
                    version, pause = event.resource_version, PAUSE_SECONDS
                    if event.type != "BOOKMARK":
                        yield event
        except TransportError:
            pass  # The usual end of a watch.
        except _PASSING as error:
            pause = max(pause, error.retry_after_seconds)
        await asyncio.sleep(pause)
        pause = min(2 * pause, PAUSE_SECONDS_MAX)


@overload
async def wait_until(
    client: Client,
    model: Kind,
    namespace: str,
    name: str,
    holds: Callable[[Unstructured | None], object],
    *,
    timeout_seconds: float,
) -> Unstructured | None: ...
@overload
async def wait_until(
    client: Client,
    model: type[T],
    namespace: str,
    name: str,
    holds: Callable[[T | None], object],
    *,
    timeout_seconds: float,
) -> T | None: ...
async def wait_until(
    client: Client,
    model: Model,
    namespace: str,
    name: str,
    holds: Callable[[Any], object],
    *,
    timeout_seconds: float,
) -> Any:
    """The object (None: it is not there) as soon as `holds` gives something true of it.

    Raises: TimeoutError that says what was there instead; ApiError; whatever `holds` raises.
    """
    last: Any = None
    limit = asyncio.timeout(timeout_seconds)
    try:
        async with limit:
            while True:
                try:
                    async for last in _states(client, model, namespace, name):
                        if holds(last):
                            return last
                except (Expired, Gone):
                    continue  # Look again.
    except TimeoutError:
        if not limit.expired():
            raise
        where = f"{namespace}/{name}" if namespace else name
        was = "there was none" if last is None else f"it was at version {resource_version_of(last)}"
        raise TimeoutError(
            f"{kind_of(model).kind} {where} was not as wanted within {timeout_seconds:g} s; {was}"
        ) from None


async def _states(client: Client, model: Any, namespace: str, name: str) -> AsyncIterator[Any]:
    """What an object is now (None: it is not there), and whenever that changes."""
    fields = f"metadata.name={name}"
    while True:
        try:
            found = await client.list(model, namespace, fields=fields)
            break
        except (TransportError, *_PASSING):
            await asyncio.sleep(PAUSE_SECONDS)
    yield found.items[0] if found.items else None
    version = found.resource_version
    async for event in follow(client, model, namespace, fields=fields, resource_version=version):
        yield None if event.type == "DELETED" else event.object
