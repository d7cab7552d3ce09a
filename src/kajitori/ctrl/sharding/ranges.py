"""Mode `ranges`: the shards divide the hashes of uids or namespaces among themselves, in one table that all share.

Sits between `slots`, which decides, and the Leases: those of the shards, and one more (`RING-ranges`) whose annotation
is the table. Nothing is written on objects, and nothing but Leases must be installed.

Promises
    G1  a shard begins work in a slot when the table that it has read says that it may, and no table older than one that
        it has seen counts
    G2  what it must give away it hands over as soon as its last work there has ended, in one write
    G3  a table that is deleted, or cannot be read, is nobody's word any more: the shards leave
    G4  the first ready shard plans, by name; two that plan at once do no harm, as a table is written as it was read
    G5  a shard lists and watches objects in its own slots only, where the API server can narrow that

Source: KEP-5866, which gives clients ranges and leaves the rest to them.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from kajitori.apimachinery.errors import AlreadyExists, ApiError, Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.time import format_micro_time
from kajitori.client.accessors import key_pair_of, uid_of
from kajitori.client.objects import Model, kind_of
from kajitori.client.transport import TransportError
from kajitori.ctrl.cache import Cache, NotInCache
from kajitori.ctrl.cache_options import CacheOptions
from kajitori.ctrl.leader import LEASES
from kajitori.ctrl.predicate import Change
from kajitori.ctrl.queue_state import LOW_PRIORITY
from kajitori.ctrl.reconcile import Request
from kajitori.ctrl.sharding.labels import LABEL_RING, Verdict
from kajitori.ctrl.sharding.onlooker import Onlooker
from kajitori.ctrl.sharding.sharded import cached
from kajitori.ctrl.sharding.slots import (
    EMPTY,
    Table,
    hand_over,
    mine,
    parse_table,
    plan,
    selector_of,
    slot_of,
    table_text,
    unknown,
)
from kajitori.ctrl.sharding.states import ShardState
from kajitori.world.clock import Clock
from kajitori.world.random import Random

if TYPE_CHECKING:
    from kajitori.ctrl.manager import Manager
    from kajitori.ctrl.sharding.member import ShardMember

__all__ = ["LABEL_TABLE", "TABLE", "Ranges"]

TABLE = "sharding.kajitori.dev/slots"
"""The annotation: runs of slots, `[[first, last, owner, heir], …]`."""
LABEL_TABLE = "sharding.kajitori.dev/table"
"""On the Lease with the table: the ring."""

TEND_SECONDS = 2.0
"""Between two looks when nothing happens."""

_log = logging.getLogger(__name__)


class Ranges:
    """Of one shard."""

    def __init__(self, manager: "Manager", member: "ShardMember", *, clock: Clock, random: Random) -> None:
        self._manager = manager
        self._member = member
        self._client = manager.client
        self._clock = clock
        settings = member.settings
        self._ring = settings.ring
        self._by_namespace = settings.field == "namespace"
        self._name = f"{settings.ring}-ranges"
        self._members = Cache(self._client, random=random)
        self._members.configure(
            LEASES, CacheOptions(namespaces=(member.namespace,), labels=f"{LABEL_RING}={self._ring}")
        )
        self._tables = Cache(self._client, random=random)
        self._tables.configure(
            LEASES, CacheOptions(namespaces=(member.namespace,), labels=f"{LABEL_TABLE}={self._ring}")
        )
        self._onlooker = Onlooker(self._client, clock, self._ring, member.namespace)
        self._lease: Unstructured | None = None
        """With the newest table that was seen."""
        self._table: Table = EMPTY
        self._working: frozenset[int] = frozenset()
        self._giving: frozenset[int] = frozenset()
        self._narrowed: list[Model] = []
        self._woken = asyncio.Event()
        self._broken = ""
        """Why the table cannot be relied upon."""
        member.work.on_idle_slot = self._became_idle_slot

    # As `ShardedReconciler` asks.

    def restrict(self, model: Model) -> None:
        """Only objects in slots that are ours are watched, where the API server knows shard selectors (G5)."""
        if model not in self._narrowed:
            self._narrowed.append(model)
            self._manager.cache.narrow(model, self._selector())

    def _selector(self) -> str:
        return selector_of(self._working | self._giving, "namespace" if self._by_namespace else "uid")

    async def prepare(self) -> None:
        """By namespace, what an object owns is where it is itself."""
        if self._by_namespace:
            for model in {each: None for sharded in self._member.sharded for each in sharded.owns}:
                if kind_of(model).namespaced:
                    self.restrict(model)

    def get(self, model: Model, request: Request) -> Any:
        return cached(self._manager, model, request)

    def slot(self, value: Any) -> int:
        return slot_of(key_pair_of(value)[0] if self._by_namespace else uid_of(value))

    def verdict(self, value: Any) -> Verdict:
        return Verdict.WORK if self.slot(value) in self._working else Verdict.LEAVE

    def is_asked_for(self, value: Any) -> bool:
        """Slots are, objects are not."""
        return False

    async def give_back(self, model: Model, request: Request, value: Any) -> None:
        raise AssertionError("objects are given back by slots")

    def became_idle(self, name: Hashable) -> None:
        """Slots count, objects do not."""

    def check(self) -> None:
        self._member.check()

    # The table.

    async def run(self) -> None:
        """Follows the table and the other shards; gives and plans. Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._members.run(), name="shard leases")
            group.create_task(self._tables.run(), name="shard table")
            members = await self._members.synced(LEASES)
            tables = await self._tables.synced(LEASES)
            tables.informer.add_handler(self._on_table)
            members.informer.add_handler(self._on_member)
            while True:
                self._woken.clear()
                if self._broken:
                    self._member.lose(self._broken)
                try:
                    await self._tend()
                except (Conflict, AlreadyExists):
                    pass  # another wrote: what is to be done follows from that, when we have seen it
                except (ApiError, TransportError, OSError) as error:
                    _log.warning(
                        "the table of slots could not be kept up",
                        extra={"ring": self._ring, "error": str(error)},
                    )
                try:
                    async with asyncio.timeout(TEND_SECONDS):
                        await self._woken.wait()
                except TimeoutError:
                    pass

    async def give_everything(self) -> None:
        """Hands all slots over; no work is left. Raises: ApiError, TransportError."""
        while True:
            try:
                lease = await self._client.get(LEASES, self._member.namespace, self._name)
            except NotFound:
                return
            table = _table_of(lease)
            then = hand_over(table, self._member.identity, self._member.work.is_idle_slot, leaves=True)
            if then == table:
                return
            try:
                await self._write(lease, then)
            except Conflict:
                continue
            return

    def _on_member(self, change: Change) -> None:
        if change.type != "update":
            self._woken.set()

    def _on_table(self, change: Change) -> None:
        if change.type == "delete":
            self._broken = f"the table of slots, Lease {self._name}, was deleted"
        else:
            self._saw(change.object)
        self._woken.set()

    def _saw(self, lease: Unstructured) -> None:
        """A table, which counts when it is newer (G1)."""
        if self._lease is not None and int(lease.resource_version) <= int(self._lease.resource_version):
            return
        try:
            table = _table_of(lease)
        except ValueError as error:
            self._broken = f"the annotation {TABLE} of Lease {self._name} is {error}"
            return
        self._lease, self._table = lease, table
        before, watched = self._working, self._selector()
        self._working, self._giving = mine(table, self._member.identity)
        gained = self._working - before
        if self._selector() != watched:
            for model in self._narrowed:
                self._manager.cache.narrow(model, self._selector())
        if gained:
            _log.info("Slots gained", extra={"ring": self._ring, "slots": len(gained)})
            self._look_at(lambda slot: slot in gained)

    def _look_at(self, concerns: Callable[[int], bool]) -> None:
        """Reconciles what is in these slots."""
        for sharded in self._member.sharded:
            if sharded.controller is None or not sharded.controller.is_working:
                continue  # it looks at everything when it begins
            for cluster in self._manager.clusters.everyone():
                try:
                    values = cluster.cache.list(sharded.model)
                except NotInCache:
                    continue  # the controller is not for this cluster, or not yet
                for value in values:
                    if concerns(self.slot(value)):
                        sharded.enqueue(Request(*key_pair_of(value), cluster.name), LOW_PRIORITY)

    def _became_idle_slot(self, slot: int) -> None:
        if slot in self._giving:
            self._woken.set()

    async def _tend(self) -> None:
        me, work = self._member.identity, self._member.work
        then = hand_over(self._table, me, work.is_idle_slot)
        states = self._onlooker.look(self._members.list(LEASES))
        ready = [shard for shard, state in states.items() if state is ShardState.READY]
        if ready and min(ready) == me:
            await self._onlooker.tend(states)
            for shard in unknown(then, states):
                await self._onlooker.ask(shard)
            then = plan(then, states)
        if then != self._table or (self._lease is None and ready and min(ready) == me):
            await self._write(self._lease, then)

    async def _write(self, lease: Unstructured | None, table: Table) -> None:
        self._member.check()
        annotations = {TABLE: table_text(table)}
        if lease is None:
            now = format_micro_time(int(self._clock.now().timestamp() * 1_000_000))
            metadata = {
                "name": self._name,
                "namespace": self._member.namespace,
                "labels": {LABEL_TABLE: self._ring},
                "annotations": annotations,
            }
            value = {"metadata": metadata, "spec": {"acquireTime": now}}
            written = await self._client.create(LEASES, value)
        else:
            patch = {"metadata": {"resourceVersion": lease.resource_version, "annotations": annotations}}
            written = await self._client.patch(LEASES, lease.namespace, lease.name, patch)
        self._saw(written)


def _table_of(lease: Unstructured) -> Table:
    """Raises: ValueError."""
    text = lease.annotations.get(TABLE)
    return EMPTY if text is None else parse_table(text)
