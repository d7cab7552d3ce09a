"""Events: what happened to an object, for the people who ask `kubectl describe`.

`EventRecorder.event` only notes; a task of the manager's writes. Repetitions become a count, floods of
similar ones are combined, and an object that never stops is throttled.

Promises
    V1  `event` never waits and never raises: no reconcile fails or slows down for it
    V2  the same event of the same object again raises the `count` of the first
    V3  more than SIMILAR_MAX different messages of one reason within ten minutes are combined into one event
    V4  at most BURST_MAX events of an object at once, then one in five minutes
    V5  what cannot be noted or written is counted in `dropped` and logged

Source: client-go's tools/record (EventCorrelator), whose limits these are.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from kajitori.apimachinery.errors import ApiError, NotFound, TooManyRequests
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.time import format_time
from kajitori.client.accessors import key_of, resource_version_of, uid_of
from kajitori.client.client import Client
from kajitori.client.objects import kind_of
from kajitori.client.options import PatchType
from kajitori.client.transport import TransportError
from kajitori.world.clock import Clock

__all__ = ["EVENTS", "EventRecorder", "EventType"]

EVENTS = Kind("", "v1", "Event", "events")

WAITING_MAX = 1_000
"""Events noted and not yet written; a server that is slower than that loses the newest ones."""

SIMILAR_MAX = 10
SIMILAR_SECONDS = 600.0
BURST_MAX = 25
REFILL_SECONDS = 300.0
REMEMBERED_MAX = 4096
"""Of each sort: events counted, reasons combined, objects throttled."""

TRIES_MAX = 12
RETRY_SECONDS = 10.0

EventType = Literal["Normal", "Warning"]

_log = logging.getLogger(__name__)
Remembered = TypeVar("Remembered")


class _Recent(Generic[Remembered]):
    """A dict that forgets what was not used for longest."""

    def __init__(self) -> None:
        self._values: OrderedDict[Any, Remembered] = OrderedDict()

    def get(self, key: Any, make: Callable[[], Remembered]) -> Remembered:
        value = self._values.get(key)
        if value is None:
            value = self._values[key] = make()
            if len(self._values) > REMEMBERED_MAX:
                self._values.popitem(last=False)
        else:
            self._values.move_to_end(key)
        return value


class _Similar:
    __slots__ = ("last", "messages")

    def __init__(self) -> None:
        self.messages: set[str] = set()
        self.last = 0.0


class _Tokens:
    __slots__ = ("at", "left")

    def __init__(self, at: float) -> None:
        self.left = float(BURST_MAX)
        self.at = at

    def take(self, now: float) -> bool:
        self.left = min(BURST_MAX, self.left + (now - self.at) / REFILL_SECONDS)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class _Counted:
    """One Event object: its name, once decided, and how often it happened."""

    __slots__ = ("count", "first", "name")

    def __init__(self) -> None:
        self.name = ""
        self.count = 0
        self.first = ""


class _Noted(NamedTuple):
    counted: _Counted
    body: JsonObject
    is_repetition: bool


class EventRecorder:
    """Made by the manager; `run` is its task."""

    def __init__(self, client: Client, *, clock: Clock, component: str) -> None:
        self.dropped = 0
        self._client = client
        self._clock = clock
        self._component = component
        self._nanoseconds = 0
        self._waiting: asyncio.Queue[_Noted] = asyncio.Queue(WAITING_MAX)
        self._counted: _Recent[_Counted] = _Recent()
        self._similar: _Recent[_Similar] = _Recent()
        self._tokens: _Recent[_Tokens] = _Recent()

    def event(
        self,
        value: Any,
        type: EventType,
        reason: str,
        message: str,
        *,
        kind: Kind | None = None,
        component: str = "",
    ) -> None:
        """Notes that something happened to `value`, an object typed or not; `reason` is CamelCase.

        `kind` is needed only for JSON objects without `apiVersion` and `kind`; `component` says who reports it, where
        that is not the whole manager.
        """
        try:
            self._note(_reference(value, kind), type, reason, message, component or self._component)
        except Exception:
            self._drop("an event could not be noted", exc_info=True)

    async def run(self) -> None:
        """Writes what is noted. Until cancelled."""
        while True:
            noted = await self._waiting.get()
            try:
                await self._write(noted)
            finally:
                self._waiting.task_done()

    async def flush(self) -> None:
        """Returns when everything noted has been written or given up."""
        await self._waiting.join()

    def _note(
        self, regarding: JsonObject, type: EventType, reason: str, message: str, component: str
    ) -> None:
        now = self._clock.now()
        seconds = self._clock.monotonic()
        # Whichever version of the object it was: a status that changes in between makes no other event.
        who = (component, *(text for name, text in regarding.items() if name != "resourceVersion"))
        if not self._tokens.get(who, lambda: _Tokens(seconds)).take(seconds):
            self.dropped += 1
            return
        similar = self._similar.get((who, type, reason), _Similar)
        if seconds - similar.last > SIMILAR_SECONDS:
            similar.messages.clear()
        similar.last = seconds
        similar.messages.add(message)
        combined = len(similar.messages) > SIMILAR_MAX
        if combined:
            similar.messages.pop()
            message = f"(combined from similar events): {message}"
        counted = self._counted.get((who, type, reason, "" if combined else message), _Counted)
        body = self._body(counted, regarding, now, (type, reason, message, component))
        try:
            self._waiting.put_nowait(_Noted(counted, body, counted.count > 1))
        except asyncio.QueueFull:
            self._drop("too many events wait to be written")

    def _body(
        self, counted: _Counted, regarding: JsonObject, now: datetime, texts: tuple[EventType, str, str, str]
    ) -> JsonObject:
        at = format_time(now.timestamp())
        type, reason, message, component = texts
        counted.count += 1
        if not counted.name:
            # Two events of the same instant must not get the same name.
            self._nanoseconds = max(int(now.timestamp() * 1_000_000) * 1000, self._nanoseconds + 1)
            counted.name = f"{regarding['name'][:236]}.{self._nanoseconds:x}"
            counted.first = at
        return {
            "metadata": {"name": counted.name, "namespace": regarding.get("namespace") or "default"},
            "involvedObject": regarding,
            "reason": reason,
            "message": message[:1024],
            "type": type,
            "source": {"component": component},
            "reportingComponent": component,
            "reportingInstance": "",
            "firstTimestamp": counted.first,
            "lastTimestamp": at,
            "count": counted.count,
        }

    async def _write(self, noted: _Noted) -> None:
        for _ in range(TRIES_MAX):
            try:
                await self._write_once(noted)
                return
            except TooManyRequests:
                pass
            except ApiError as error:
                if error.has_cause("NamespaceTerminating"):
                    return  # With the namespace all its Events go: nobody would read this one.
                if error.code < 500:
                    # Rejected: trying again would be rejected again.
                    self._drop("an event was rejected", error=str(error))
                    return
            except (TransportError, OSError):
                pass
            await asyncio.sleep(RETRY_SECONDS)
        self._drop("an event could not be written")

    async def _write_once(self, noted: _Noted) -> None:
        body = noted.body
        if noted.is_repetition:
            patch = {name: body[name] for name in ("count", "lastTimestamp", "message")}
            metadata = body["metadata"]
            try:
                await self._client.patch(
                    EVENTS, metadata["namespace"], metadata["name"], patch, PatchType.MERGE
                )
                return
            except NotFound:
                pass  # It has expired: tell it anew.
        await self._client.create(EVENTS, body)

    def _drop(self, message: str, *, exc_info: bool = False, error: str = "") -> None:
        self.dropped += 1
        _log.warning(message, exc_info=exc_info, extra={"component": self._component, "error": error})


def _reference(value: Any, kind: Kind | None) -> JsonObject:
    if kind is not None:
        api_version, kind_name = kind.api_version, kind.kind
    elif isinstance(value, dict):
        api_version, kind_name = value["apiVersion"], value["kind"]
    else:
        declared = kind_of(type(value))
        api_version, kind_name = declared.api_version, declared.kind
    key = key_of(value)
    reference = {
        "kind": kind_name,
        "namespace": key.namespace,
        "name": key.name,
        "uid": uid_of(value),
        "apiVersion": api_version,
        "resourceVersion": resource_version_of(value),
    }
    return {name: text for name, text in reference.items() if text}
