"""Waits of tests: they end as soon as what is waited for holds, and say what is missing when it never does.

Promises
    T1  a wait looks once more after every change it can hear of, and ends at its deadline
    T2  one that ends in vain says what was waited for, and what was there instead
"""

import asyncio
import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any, cast

from kajitori.apimachinery.errors import NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.client import Client, Model, ObjectList, key_of, kind_of

__all__ = ["Condition", "NotInTime", "wait_for", "wait_for_list", "wait_for_object", "wait_quiet"]

PAUSE_SECONDS_MIN = 0.001
PAUSE_SECONDS_MAX = 0.02
"""Between looks when no write tells of a change: caches follow a write a moment later, and other things change too."""

SHOWN_CHARACTERS_MAX = 2_000
"""Of the last object that was seen."""

SHOWN_NAMES_MAX = 20
"""Of the last list that was seen."""

Condition = Callable[[], Any]
"""Holds when it gives something true, at once or to be awaited. NotFound means: not yet."""

Subscribe = Callable[[Callable[[], None]], Callable[[], None]]


class NotInTime(AssertionError):
    """What a test waited for did not come."""


async def wait_for(condition: Condition, *, what: str, seconds: float, on_write: Subscribe) -> Any:
    """What `condition` gives, once that is true. Raises: NotInTime."""
    changed = asyncio.Event()
    unsubscribe = on_write(changed.set)
    said = ""
    pause = PAUSE_SECONDS_MIN
    try:
        async with asyncio.timeout(seconds):
            while True:
                changed.clear()
                try:
                    value = condition()
                    if inspect.isawaitable(value):
                        value = await value
                    if value:
                        return value
                    said = f"it gave {value!r}"
                except NotFound as error:
                    said = str(error)
                try:
                    async with asyncio.timeout(pause):
                        await changed.wait()
                    pause = PAUSE_SECONDS_MIN
                except TimeoutError:
                    pause = min(2 * pause, PAUSE_SECONDS_MAX)
    except TimeoutError:
        raise NotInTime(f"{what or _place(condition)} did not hold within {seconds:g} s; {said}") from None
    finally:
        unsubscribe()


async def wait_for_object(
    client: Client,
    model: Model,
    namespace: str,
    name: str,
    *,
    holds: Callable[[Any], object] | None,
    seconds: float,
    gone: bool = False,
) -> Any:
    """The object, once it is there and `holds`; with `gone`, None once it is not there. Raises: NotInTime."""
    last: Any = None
    kind = kind_of(model)
    try:
        async with (
            asyncio.timeout(seconds),
            client.watch(
                model,
                namespace if kind.namespaced else "",
                fields=f"metadata.name={name}",
                send_initial_events=True,
                resource_version_match="NotOlderThan",
                bookmarks=True,
                timeout_seconds=max(1, int(seconds) + 1),
            ) as events,
        ):
            async for event in events:
                if event.type == "BOOKMARK":
                    if event.initial_events_end and gone and last is None:
                        return None
                    continue
                last = None if event.type == "DELETED" else event.object
                if gone:
                    if last is None:
                        return None
                elif last is not None and (holds is None or holds(last)):
                    return last
    except TimeoutError:
        pass
    raise NotInTime(_object_missing(kind, namespace, name, last, holds, seconds=seconds, gone=gone))


async def wait_for_list(
    client: Client,
    model: Model,
    namespace: str,
    labels: str,
    *,
    holds: Callable[[Sequence[Any]], object],
    seconds: float,
    on_write: Subscribe,
) -> Sequence[Any]:
    """What a label selector chooses, once `holds` says so of the list. Raises: NotInTime."""
    seen: list[Any] = []

    async def as_wanted() -> bool:
        listed: ObjectList[Any] = await client.list(cast(Any, model), namespace, labels=labels)
        seen[:] = listed.items
        return bool(holds(seen))

    try:
        await wait_for(as_wanted, what="", seconds=seconds, on_write=on_write)
    except NotInTime:
        names = ", ".join(key_of(each).name for each in seen[:SHOWN_NAMES_MAX])
        more = ", ..." if len(seen) > SHOWN_NAMES_MAX else ""
        raise NotInTime(
            f"the list of {kind_of(model).plural} was not as {_place(holds)} wants it within {seconds:g} s; "
            f"there are {len(seen)}{': ' if seen else ''}{names}{more}"
        ) from None
    return seen


async def wait_quiet(quiet_seconds: float, *, seconds: float, on_write: Subscribe) -> None:
    """Returns when nobody has written anything for `quiet_seconds`. Raises: NotInTime."""
    changed = asyncio.Event()
    unsubscribe = on_write(changed.set)
    try:
        async with asyncio.timeout(seconds):
            while True:
                changed.clear()
                await asyncio.sleep(quiet_seconds)
                if not changed.is_set():
                    return
    except TimeoutError:
        raise NotInTime(
            f"somebody wrote something at least every {quiet_seconds:g} s for {seconds:g} s"
        ) from None
    finally:
        unsubscribe()


def _place(condition: Callable[..., object]) -> str:
    code = getattr(condition, "__code__", None)
    if code is None:
        return repr(condition)
    return f"the condition at {code.co_filename}:{code.co_firstlineno}"


def _object_missing(
    kind: Kind, namespace: str, name: str, last: Any, holds: Any, *, seconds: float, gone: bool
) -> str:
    subject = f"{kind.kind} {namespace}/{name}" if kind.namespaced else f"{kind.kind} {name}"
    if last is None:
        return f"{subject} was not there within {seconds:g} s"
    wanted = "did not go" if gone else f"was not as {_place(holds)} wants it"
    return f"{subject} {wanted} within {seconds:g} s; it is {_shown(last)}"


def _shown(value: Any) -> str:
    if not isinstance(value, Unstructured):
        return repr(value)[:SHOWN_CHARACTERS_MAX]
    metadata = {name: each for name, each in value.metadata.items() if name != "managedFields"}
    text = json.dumps({**value, "metadata": metadata}, indent=2)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]} ..."
