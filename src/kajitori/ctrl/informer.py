"""One kind, kept in memory and up to date, and told to handlers: reflectors, store and registrations together.

Promises
    I1  a handler gets what the store holds when it is added, as creates marked `initial`, then every change
        once
    I2  handlers run after the store has changed, in the order of changes, on the event loop, one after another (a slow
        one holds up all: work belongs in a queue); one that raises disturbs no other
    I3  a removed handler gets nothing more, from the moment `remove` returns; it may remove itself, or another, and
        removing again changes nothing
    I4  what is missing from a list is told as a deletion marked `missed`, with the last known object
    I5  `when_passed`, `when_gone` and `when` call once, as soon as what they wait for has been applied
    I6  a resync tells every stored object as an update from itself to itself, without any request
    I7  one that resumes is as synced as the one that it follows, and lists nothing (F5)
    I8  an object that cannot be read ends nothing: it is counted, logged once for each version, not told, and told as
        ever when it can be read again
    I9  several sources, each of one namespace, make one informer: it has synced when each of them has

Source: client-go's sharedIndexInformer (with InOrderInformers), kubernetes PR #111122 for removal, KEP-5647
for I5.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kajitori.apimachinery.kind import Kind
from kajitori.client.accessors import key_of, key_pair_of, resource_version_of, uid_of
from kajitori.client.objects import Model, WatchEvent, kind_of
from kajitori.ctrl.predicate import Change
from kajitori.ctrl.progress import Progress, Waiter, version_number
from kajitori.ctrl.reflector import ClientSource, Reflector, Source
from kajitori.ctrl.store import Key, Store
from kajitori.ctrl.stored import Unreadable
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
        """Whether the handler has been told everything that the first lists held."""
        return self.synced.is_set()

    def remove(self) -> None:
        """No more calls. Safe to repeat, and from within the handler."""
        self._informer.remove_handler(self)


class Informer:
    """Made by the cache. Used on one event loop."""

    def __init__(
        self,
        model: Model,
        sources: Mapping[str, Source],
        *,
        random: Random,
        name: str = "",
        metadata_only: bool = False,
    ) -> None:
        """`sources` are by the namespace that each is narrowed to; "" is that of all namespaces not named beside it."""
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
        self.replacements = 0
        """How often everything has been listed or streamed."""
        self._random = random
        self._feeds = {
            namespace: _Feed(self, namespace, source, random) for namespace, source in sources.items()
        }
        self._registrations: list[Registration] = []
        self._synced = asyncio.Event()
        self._stopped = False
        self.is_resumed = False
        """Whether it began with what another informer held."""
        self._sync_waiters: list[Waiter] = []
        self._key_waiters: dict[Key, list[tuple[Callable[[Any], bool], Waiter]]] = {}

    # Reading.

    @property
    def has_synced(self) -> bool:
        """Whether the store has held everything that exists at least once."""
        return self._synced.is_set()

    @property
    def failures(self) -> int:
        """How often listing or watching has ended with an error, or before its time."""
        return sum(feed.reflector.failures for feed in self._feeds.values())

    @property
    def has_stopped(self) -> bool:
        return self._stopped

    async def wait_synced(self) -> None:
        await self._synced.wait()

    @property
    def resource_versions(self) -> dict[str, str]:
        """Everything up to here has been applied and told, by namespace ("": all that are not named)."""
        return {namespace: feed.reflector.resource_version for namespace, feed in self._feeds.items()}

    @property
    def resource_version(self) -> str:
        """The same in one: the oldest of them."""
        versions = self.resource_versions.values()
        return min(versions, key=lambda version: (len(version), version))

    def when_synced(self, call: Callable[[], None]) -> Callable[[], None]:
        """Calls `call` once the store holds everything that exists, at once when it does. Gives the way to cancel."""
        if self.has_synced:
            call()
            return lambda: None
        waiter = Waiter(call)
        self._sync_waiters = [each for each in self._sync_waiters if not each.is_cancelled] + [waiter]
        return waiter.cancel

    def watches(self, namespace: str) -> bool:
        """Whether objects in that namespace are seen here."""
        return namespace in self._feeds or "" in self._feeds

    @property
    def index_errors(self) -> int:
        """How often index functions have failed; each time is logged."""
        return self.store.index_errors

    @property
    def unreadable(self) -> dict[Key, str]:
        """The objects that are there and cannot be read, each with why."""
        return self.store.unreadable

    def source_of(self, namespace: str) -> str:
        """Which of the sources objects in that namespace come from: its own, or "", that of all others."""
        return namespace if namespace in self._feeds else ""

    def has_passed(self, version: int, namespace: str = "") -> bool:
        """Whether everything up to that version has been applied, of what is in a namespace."""
        return self._feed(namespace).progress.passed >= version

    def when_passed(
        self, version: int, call: Callable[[], None], *, namespace: str = ""
    ) -> Callable[[], None]:
        """Calls `call` once everything up to `version` has been applied, of what is in a namespace; at once when it
        has. Gives the way to cancel.
        """
        return self._feed(namespace).progress.when_passed(version, call)

    def when_gone(self, key: Key, uid: str, call: Callable[[], None]) -> Callable[[], None]:
        """Calls `call` once the store has no such object with that uid (empty: with any), at once when it
        has none. Gives the way to cancel.
        """
        return self.when(key, lambda value: value is None or (uid != "" and uid_of(value) != uid), call)

    def when(
        self, key: Key, condition: Callable[[Any], bool], call: Callable[[], None]
    ) -> Callable[[], None]:
        """Calls `call` once a condition holds of what stands for an object (None: there is none; an Unreadable: it
        cannot be read), at once when it does. Gives the way to cancel.
        """
        if condition(self.store.peek(key)):
            call()
            return lambda: None
        waiter = Waiter(call)
        self._key_waiters.setdefault(key, []).append((condition, waiter))
        return waiter.cancel

    def holds(self, key: Key, uid: str = "") -> bool:
        """Whether the store has the object, with that uid (empty: any)."""
        value = self.store.peek(key)
        return value is not None and (not uid or uid_of(value) == uid)

    # Handlers.

    def add_handler(self, handler: ChangeHandler, *, resync_seconds: float = 0.0) -> Registration:
        """Tells `handler` what is stored, the first TURN_CHANGES before returning, and from then on every change.

        `resync_seconds` above 0: tell it everything again so often.
        Raises: InformerStopped.
        """
        if self._stopped:
            raise InformerStopped(f"the informer of {self.name} has stopped")
        registration = Registration(self, handler, resync_seconds and max(resync_seconds, RESYNC_SECONDS_MIN))
        untold = {key_pair_of(value): value for value in self.store.list()}
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

    # Being kept up to date.

    def resume(self, objects: Iterable[Any], resource_versions: Mapping[str, str]) -> None:
        """Before `run`: begins with what another informer of the same held at those versions, instead of a list."""
        for value in objects:
            self.store.put(value)
        for namespace, feed in self._feeds.items():
            feed.resume(resource_versions[namespace])
        self._synced.set()
        self.is_resumed = True

    def left(self) -> tuple[list[Any], dict[str, str]] | None:
        """All that exists and as of which versions, for one that resumes here; None when it is just being learnt, or
        cannot all be read.
        """
        if not all(feed.is_settled for feed in self._feeds.values()) or self.store.unreadable:
            return None
        return self.store.list(), self.resource_versions

    def narrow(self, shards: str) -> None:
        """Asks for what exists anew, by another shard selector."""
        for feed in self._feeds.values():
            feed.narrow(shards)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            if len(self._feeds) == 1:
                await self._feed("").reflector.run()
            else:
                async with asyncio.TaskGroup() as group:
                    for feed in self._feeds.values():
                        group.create_task(feed.reflector.run(), name=feed.name)
        finally:
            self.stop()

    def stop(self) -> None:
        """Tells nobody anything more. Safe to repeat; ending `run` is the caller's."""
        self._stopped = True
        for registration in self._registrations:
            self.remove_handler(registration)

    def _feed(self, namespace: str) -> "_Feed":
        feed = self._feeds.get(namespace) or self._feeds.get("")
        # Of one that is narrowed to a namespace, nobody asks about another.
        return next(iter(self._feeds.values())) if feed is None else feed

    def _keys_of(self, feed: "_Feed") -> list[Key]:
        if feed.namespace:
            return self.store.keys(feed.namespace)
        if len(self._feeds) == 1:
            return self.store.keys()
        keys = self.store.keys()
        return [key for key in keys if key[0] not in self._feeds]

    async def replace(self, feed: "_Feed", objects: list[Any]) -> None:
        """These are all that a source has."""
        self.told_at = asyncio.get_running_loop().time()
        store, first = self.store, not feed.has_synced
        gone = dict.fromkeys(self._keys_of(feed))
        readable: list[Any] = []
        olds: list[Any] = []
        for value in objects:
            gone.pop(key_pair_of(value), None)
            if type(value) is Unreadable:
                self._note_unreadable(value)
            else:
                readable.append(value)
                olds.append(store.put(value))
        removed = [store.remove(key) for key in gone]
        self.replacements += 1
        feed.has_synced = True
        if all(each.has_synced for each in self._feeds.values()):
            self._synced.set()
        registrations = self._registrations
        for told, change in enumerate(_changes(readable, olds, removed, first), 1):
            for registration in registrations:
                self._tell(registration, change)
            if not told % TURN_CHANGES:
                await asyncio.sleep(0)
        if self.has_synced:
            for registration in self._registrations:
                if registration.untold is None:
                    registration.synced.set()
            waiters, self._sync_waiters = self._sync_waiters, []
            for waiter in waiters:
                waiter.fire()
        for key in list(self._key_waiters):
            self._fire(key)

    def apply(self, event: WatchEvent[Any]) -> None:
        """This happened at a source."""
        value = event.object
        key = key_pair_of(value)
        if event.type == "DELETED":
            old = self.store.remove(key)
            if type(value) is not Unreadable:
                self._tell_all(Change("delete", value, old))
            elif old is not None:
                self._tell_all(Change("delete", old, old, False, True))
        elif type(value) is Unreadable:
            self._note_unreadable(value)
        else:
            old = self.store.put(value)
            self._tell_all(Change("create", value) if old is None else Change("update", value, old))
        if self._key_waiters:
            self._fire(key)

    def _note_unreadable(self, value: Unreadable) -> None:
        if self.store.put_unreadable(value):
            _log.error(
                "an object cannot be read; it counts as there, and is told when it can be read",
                extra={
                    "informer": self.name,
                    "object": str(key_of(value)),
                    "resource_version": resource_version_of(value),
                    "problem": value.error,
                },
            )

    def _tell_all(self, change: Change) -> None:
        for registration in self._registrations:
            self._tell(registration, change)

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

    def _fire(self, key: Key) -> None:
        for condition, waiter in self._key_waiters.pop(key, ()):
            if waiter.is_cancelled:
                continue
            if condition(self.store.peek(key)):
                waiter.fire()
            else:
                self._key_waiters.setdefault(key, []).append((condition, waiter))

    # Resync.

    def _plan_resync(self, registration: Registration) -> None:
        if registration.resync_seconds and registration.active:
            # A tenth more or less, so that informers do not resync together.
            seconds = registration.resync_seconds * self._random.uniform(0.9, 1.1)
            loop = asyncio.get_running_loop()
            registration.timer = loop.call_later(seconds, self._resync, registration, None)

    def _resync(self, registration: Registration, values: list[Any] | None) -> None:
        loop, store = asyncio.get_running_loop(), self.store
        if any(feed.is_telling for feed in self._feeds.values()):
            # What has just been listed is told first, as what it is.
            registration.timer = loop.call_later(RESYNC_SECONDS_MIN, self._resync, registration, None)
            return
        values = store.list() if values is None else values
        for seen in values[:TURN_CHANGES]:
            value = store.peek(key_pair_of(seen))
            if value is not None and type(value) is not Unreadable:
                self._tell(registration, Change("update", value, value))
        if len(values) > TURN_CHANGES and registration.active:
            registration.timer = loop.call_soon(self._resync, registration, values[TURN_CHANGES:])
        else:
            self._plan_resync(registration)


class _Feed:
    """One source of an informer: the sink of its reflector."""

    def __init__(self, informer: Informer, namespace: str, source: Source, random: Random) -> None:
        self.namespace = namespace
        self.name = f"{informer.name} in {namespace}" if namespace else informer.name
        self.progress = Progress()
        self.has_synced = False
        self.is_telling = False
        """In the midst of a replacement: not everything that is stored has been told."""
        self.reflector = Reflector(source, self, random=random, name=self.name)
        self._informer = informer
        self._source = source
        self._is_outdated = False
        """What is being told is the answer to an earlier question."""

    @property
    def is_settled(self) -> bool:
        return self.has_synced and not self.is_telling

    def resume(self, resource_version: str) -> None:
        self.has_synced = True
        self.progress.advance(resource_version)
        self.reflector.resume(resource_version)

    def narrow(self, shards: str) -> None:
        assert isinstance(self._source, ClientSource), self._source
        self._source.narrow(shards)
        if self.is_telling:
            self._is_outdated = True  # nobody may be told only a part
        else:
            self.reflector.begin_again()

    async def replace(self, objects: list[Any], resource_version: str) -> None:
        self.is_telling = True
        await self._informer.replace(self, objects)
        self.is_telling = False
        self.progress.begin_again(resource_version)
        if self._is_outdated:
            self._is_outdated = False
            self.reflector.begin_again()

    def apply(self, event: WatchEvent[Any]) -> None:
        self._informer.told_at = asyncio.get_running_loop().time()
        if event.type != "BOOKMARK":
            self._informer.apply(event)
        self.progress.advance(event.resource_version)


def _changes(
    objects: Iterable[Any], olds: Iterable[Any], removed: Iterable[Any], first: bool
) -> Iterator[Change]:
    """What a replacement has changed, made one after another: a list of them would take a twentieth of its objects."""
    for value, old in zip(objects, olds, strict=True):
        yield Change("create", value, None, first) if old is None else Change("update", value, old)
    for value in removed:
        if value is not None:  # It was never readable, and nobody has heard of it.
            yield Change("delete", value, None, False, True)
