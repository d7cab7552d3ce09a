"""One kind, kept in memory and up to date, and told to handlers: reflector, store and registrations together.

Promises
    I1  a handler gets what the store holds when it is added, as creates marked `initial`, then every change
        once
    I2  handlers run after the store has changed, in the order of changes; one that raises disturbs no other
    I3  a removed handler gets nothing more, from the moment `remove` returns; it may remove itself
    I4  what is missing from a list is told as a deletion marked `missed`, with the last known object
    I5  `when_passed(version)` calls once, as soon as everything up to that version has been applied
    I6  a resync tells every stored object as an update from itself to itself, without any request
    I7  one that resumes is as synced as the one that it follows, and lists nothing (F5)

Source: client-go's sharedIndexInformer (with InOrderInformers), kubernetes PR #111122 for removal, KEP-5647
for I5.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Any

from kajitori.apimachinery.kind import Kind
from kajitori.client.accessors import key_of, key_pair_of, uid_of
from kajitori.client.objects import Model, WatchEvent, kind_of
from kajitori.ctrl.predicate import Change
from kajitori.ctrl.reflector import Reflector, Source
from kajitori.ctrl.store import Key, Store
from kajitori.world.random import Random

__all__ = ["ChangeHandler", "Informer", "InformerStopped", "Registration", "version_number"]

TURN_CHANGES = 500
"""Changes told in one go, about a millisecond; then the rest of the process has its turn."""

RESYNC_SECONDS_MIN = 1.0

_log = logging.getLogger(__name__)

ChangeHandler = Callable[[Change], None]
"""Called on the event loop; must be quick, must not wait. Work belongs in a queue."""


class InformerStopped(Exception):
    """The informer has ended; ask the cache for a new one."""


class Registration:
    """One handler of one informer."""

    def __init__(self, informer: "Informer", handler: ChangeHandler, resync_seconds: float) -> None:
        self._informer = informer
        self.handler = handler
        self.resync_seconds = resync_seconds
        self.active = True
        self.untold: dict[Key, Any] | None = None
        """What it is still to be told of what was there when it was added."""
        self.synced = asyncio.Event()
        self.timer: asyncio.Handle | None = None

    @property
    def has_synced(self) -> bool:
        """Whether the handler has been told everything that the first list held."""
        return self.synced.is_set()

    def remove(self) -> None:
        """No more calls. Safe to repeat, and from within the handler."""
        self._informer.remove_handler(self)


class Informer:
    """Made by the cache. Used on one event loop."""

    def __init__(
        self, model: Model, source: Source, *, random: Random, name: str = "", metadata_only: bool = False
    ) -> None:
        self.model = model
        self.metadata_only = metadata_only
        """Whether only the metadata of objects is asked for and kept."""
        self.kind: Kind = kind_of(model)
        self.store = Store()
        self.name = name or str(self.kind)
        self.told_at: float | None = None
        """When the server last told anything, a bookmark too, on the loop's clock; None: nothing yet."""
        self.handler_errors = 0
        """Exceptions that handlers let out; each is logged."""
        self._random = random
        self._reflector = Reflector(source, self, random=random, name=self.name)
        self._registrations: list[Registration] = []
        self._synced = asyncio.Event()
        self._stopped = False
        self.is_resumed = False
        """Whether it began with what another informer held."""
        self._settled = False
        """Whether everything that is stored has been told: not in the midst of a replacement."""
        self._passed = -1
        self._waiters: list[tuple[int, int, _Waiter]] = []
        self._gone_waiters: dict[Key, list[tuple[str, _Waiter]]] = {}
        self._sync_waiters: list[_Waiter] = []
        self._order = count()

    # Reading.

    @property
    def has_synced(self) -> bool:
        """Whether the store has held everything that exists at least once."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        await self._synced.wait()

    @property
    def resource_version(self) -> str:
        """Everything up to here has been applied and told."""
        return self._reflector.resource_version

    def has_passed(self, version: int) -> bool:
        """Whether everything up to that version has been applied."""
        return self._passed >= version

    def when_passed(self, version: int, call: Callable[[], None]) -> Callable[[], None]:
        """Calls `call` once everything up to `version` has been applied, at once when it has. Gives the way
        to cancel.
        """
        if self._passed >= version:
            call()
            return lambda: None
        waiter = _Waiter(call)
        heappush(self._waiters, (version, next(self._order), waiter))
        return waiter.cancel

    def when_synced(self, call: Callable[[], None]) -> Callable[[], None]:
        """Calls `call` once the store holds everything that exists, at once when it does. Gives the way to cancel."""
        if self.has_synced:
            call()
            return lambda: None
        waiter = _Waiter(call)
        self._sync_waiters = [each for each in self._sync_waiters if not each.is_cancelled] + [waiter]
        return waiter.cancel

    def when_gone(self, key: Key, uid: str, call: Callable[[], None]) -> Callable[[], None]:
        """Calls `call` once the store has no such object with that uid (empty: with any), at once when it
        has none. Gives the way to cancel.
        """
        if not self.holds(key, uid):
            call()
            return lambda: None
        waiter = _Waiter(call)
        self._gone_waiters.setdefault(key, []).append((uid, waiter))
        return waiter.cancel

    # Handlers.

    def add_handler(self, handler: ChangeHandler, *, resync_seconds: float = 0.0) -> Registration:
        """Tells `handler` what is stored, the first TURN_CHANGES before returning, and from then on every change.

        `resync_seconds` above 0: tell it everything again so often.
        Raises: InformerStopped.
        """
        if self._stopped:
            raise InformerStopped(f"the informer of {self.name} has stopped")
        registration = Registration(self, handler, resync_seconds and max(resync_seconds, RESYNC_SECONDS_MIN))
        untold: dict[Key, Any] = {}
        for key in list(self.store.keys()):
            value = self.store.get(*key)
            if value is not None:
                untold[key] = value
        self._registrations = [*self._registrations, registration]
        self._tell_stored(registration, list(untold), untold)
        return registration

    def _tell_stored(self, registration: Registration, keys: list[Key], untold: dict[Key, Any]) -> None:
        """What was there when a handler was added, and has not been told because it changed."""
        registration.untold = None
        for key in keys[:TURN_CHANGES]:
            if key in untold:
                self._tell(registration, Change("create", untold.pop(key), None, True))
        if len(keys) > TURN_CHANGES and registration.active:
            registration.untold = untold
            loop = asyncio.get_running_loop()
            registration.timer = loop.call_soon(self._tell_stored, registration, keys[TURN_CHANGES:], untold)
            return
        if self.has_synced:
            registration.synced.set()
        self._plan_resync(registration)

    def remove_handler(self, registration: Registration) -> None:
        """Safe to repeat."""
        registration.active = False
        registration.untold = None
        if registration.timer is not None:
            registration.timer.cancel()
        self._registrations = [each for each in self._registrations if each is not registration]

    # Being kept up to date: the reflector's sink.

    def resume(self, objects: Iterable[Any], resource_version: str) -> None:
        """Before `run`: begins with what another informer of the same held at that version, instead of a list."""
        for value in objects:
            self.store.put(value)
        self._synced.set()
        self._settled = self.is_resumed = True
        self._advance(resource_version)
        self._reflector.resume(resource_version)

    def left(self) -> tuple[list[Any], str] | None:
        """All that exists and as of which version, for one that resumes here; None when it is just being learnt."""
        return (self.store.list(), self.resource_version) if self._settled else None

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await self._reflector.run()
        finally:
            self._stopped = True
            for registration in self._registrations:
                self.remove_handler(registration)

    async def replace(self, objects: list[Any], resource_version: str) -> None:
        self.told_at = asyncio.get_running_loop().time()
        store, first, self._settled = self.store, not self.has_synced, False
        gone = dict.fromkeys(store.keys())
        olds: list[Any] = []
        for value in objects:
            gone.pop(key_pair_of(value), None)
            olds.append(store.put(value))
        removed = [store.remove(key) for key in gone]
        self._synced.set()
        registrations = self._registrations
        for told, change in enumerate(_changes(objects, olds, removed, first), 1):
            for registration in registrations:
                self._tell(registration, change)
            if not told % TURN_CHANGES:
                await asyncio.sleep(0)
        for registration in registrations:
            if registration.untold is None:
                registration.synced.set()
        waiters, self._sync_waiters = self._sync_waiters, []
        for waiter in waiters:
            waiter.fire()
        # Lower than before when the server lost its state: what we hold is what it has now.
        self._passed = -1
        self._settled = True
        self._advance(resource_version)

    def apply(self, event: WatchEvent[Any]) -> None:
        self.told_at = asyncio.get_running_loop().time()
        if event.type == "BOOKMARK":
            self._advance(event.resource_version)
            return
        value = event.object
        if event.type == "DELETED":
            old = self.store.remove(key_pair_of(value))
            change = Change("delete", value, old)
        else:
            old = self.store.put(value)
            change = Change("create", value) if old is None else Change("update", value, old)
        for registration in self._registrations:
            self._tell(registration, change)
        self._advance(event.resource_version)

    def _tell(self, registration: Registration, change: Change) -> None:
        if not registration.active:
            return
        if registration.untold:
            key = key_pair_of(change.object)
            if key in registration.untold:
                # First what it was when the handler was added.
                self._tell(registration, Change("create", registration.untold.pop(key), None, True))
        try:
            registration.handler(change)
        except Exception:
            self.handler_errors += 1
            _log.exception(
                "a handler failed; its reconciler may miss this change",
                extra={"informer": self.name, "object": str(key_of(change.object)), "change": change.type},
            )

    def _advance(self, resource_version: str) -> None:
        number = version_number(resource_version)
        if number is not None and number > self._passed:
            self._passed = number
            while self._waiters and self._waiters[0][0] <= number:
                heappop(self._waiters)[2].fire()
        if self._gone_waiters:
            self._fire_gone()

    def holds(self, key: Key, uid: str) -> bool:
        """Whether the store has the object, with that uid (empty: any)."""
        value = self.store.get(*key)
        return value is not None and (not uid or uid_of(value) == uid)

    def _fire_gone(self) -> None:
        for key, waiters in list(self._gone_waiters.items()):
            kept: list[tuple[str, _Waiter]] = []
            for uid, waiter in waiters:
                if waiter.is_cancelled:
                    continue
                if self.holds(key, uid):
                    kept.append((uid, waiter))
                else:
                    waiter.fire()
            if kept:
                self._gone_waiters[key] = kept
            else:
                self._gone_waiters.pop(key, None)

    # Resync.

    def _plan_resync(self, registration: Registration) -> None:
        if registration.resync_seconds and registration.active:
            # A tenth more or less, so that informers do not resync together.
            seconds = registration.resync_seconds * self._random.uniform(0.9, 1.1)
            loop = asyncio.get_running_loop()
            registration.timer = loop.call_later(seconds, self._resync, registration, None)

    def _resync(self, registration: Registration, keys: list[Key] | None) -> None:
        keys = self.store.keys() if keys is None else keys
        for key in keys[:TURN_CHANGES]:
            value = self.store.get(*key)
            if value is not None:
                self._tell(registration, Change("update", value, value))
        if len(keys) > TURN_CHANGES and registration.active:
            loop = asyncio.get_running_loop()
            registration.timer = loop.call_soon(self._resync, registration, keys[TURN_CHANGES:])
        else:
            self._plan_resync(registration)


class _Waiter:
    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    @property
    def is_cancelled(self) -> bool:
        return self._call is None

    def cancel(self) -> None:
        self._call = None

    def fire(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


def version_number(resource_version: str) -> int | None:
    """A version as a number to compare with others of its kind; None when the server's versions are not
    numbers.

    Source: KEP-5504, versions of one resource type are decimal integers of any length without leading zeros.
    """
    if resource_version.isdecimal() and resource_version.isascii() and resource_version[0] != "0":
        return int(resource_version)
    return None


def _changes(
    objects: Iterable[Any], olds: Iterable[Any], removed: Iterable[Any], first: bool
) -> Iterator[Change]:
    """What a replacement has changed, made one after another: a list of them would take a twentieth of its objects."""
    for value, old in zip(objects, olds, strict=True):
        yield Change("create", value, None, first) if old is None else Change("update", value, old)
    for value in removed:
        yield Change("delete", value, None, False, True)
