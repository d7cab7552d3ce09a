"""A shard: keeps its Lease, says which objects are its own, and gives back what it is asked for.

Sits where otherwise the candidate of a leader election is: the Manager lets its controllers run between `acquire` and
the end of `hold`. What is decided is in `work`, `labels` and `slots`; here are the requests and the waiting.

Promises
    M1  controllers run only while the Lease is kept; when it is lost all their work is cancelled, and `hold` raises
    M2  a Lease that is lost is not taken back: who goes on is another shard, under another name
    M3  after a stop everything is given back when all work has ended, so that others need not wait for anything

Source: `ctrl.leader`; timebertt/kubernetes-controller-sharding, pkg/shard/lease.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any

from kajitori.apimachinery.errors import AlreadyExists, ApiError, Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.time import format_micro_time
from kajitori.client.objects import Model
from kajitori.client.transport import TransportError
from kajitori.ctrl.leader import LEASES
from kajitori.ctrl.lease import JITTER_FACTOR, LeaseRecord
from kajitori.ctrl.reconcile import Reconciler
from kajitori.ctrl.sharding.labels import LABEL_RING
from kajitori.ctrl.sharding.settings import Sharding, ShardLost
from kajitori.ctrl.sharding.sharded import ByLabel, Judge, ShardedReconciler
from kajitori.ctrl.sharding.work import Work
from kajitori.world.clock import Clock
from kajitori.world.random import Random

if TYPE_CHECKING:
    from kajitori.ctrl.manager import Manager
    from kajitori.ctrl.sharding.ranges import Ranges

__all__ = ["ShardMember"]

_log = logging.getLogger(__name__)


class ShardMember:
    """One incarnation of a shard. The manager calls it."""

    def __init__(self, manager: "Manager", settings: Sharding, *, clock: Clock, random: Random) -> None:
        """Raises: ValueError when there is no namespace."""
        self.settings = settings
        self.identity = settings.new_name(random)
        self.namespace = settings.resolved_namespace()
        self.work = Work(self.identity, settings.lease_seconds, settings.renew_deadline_seconds)
        self._client = manager.client
        self._clock = clock
        self._random = random
        self._lease: Unstructured | None = None
        """As last read or written."""
        self._sharded: list[ShardedReconciler] = []
        self._extra = {"ring": settings.ring, "shard": self.identity}
        self._ranges: Ranges | None = None
        self._judge: Judge
        if settings.mode == "ranges":
            from kajitori.ctrl.sharding import ranges

            self._judge = self._ranges = ranges.Ranges(manager, self, clock=clock, random=random)
        else:
            self._judge = ByLabel(manager, self)
        self.work.on_idle = self._judge.became_idle

    # As the manager and the status page ask a candidate.

    @property
    def lease(self) -> str:
        return f"{self.namespace}/{self.identity}"

    @property
    def is_leader(self) -> bool:
        return self.work.may_write(self._clock.monotonic())

    @property
    def leader(self) -> str:
        return self.identity if self.is_leader else ""

    def reconciler(
        self, model: Model, owns: Sequence[Model], reconciler: Reconciler[Any]
    ) -> ShardedReconciler:
        """What a controller of `model` calls instead, so that it works on this shard's objects only."""
        sharded = ShardedReconciler(self._judge, self.work, self._clock, model, owns, reconciler)
        self._judge.restrict(model)
        self._sharded.append(sharded)
        return sharded

    @property
    def sharded(self) -> Sequence[ShardedReconciler]:
        return self._sharded

    async def prepare(self) -> None:
        """What must be known before caches are filled."""
        await self._judge.prepare()

    async def acquire(self) -> None:
        """Returns when the Lease is ours."""
        retry = self.settings.retry_seconds
        while not self.is_leader:
            try:
                async with asyncio.timeout(self.settings.renew_deadline_seconds / 2):
                    await self._create()
            except (ApiError, TransportError, OSError) as error:
                _log.error("Error creating shard lease", extra={**self._extra, "error": str(error)})
                await asyncio.sleep(retry + self._random.uniform(0, JITTER_FACTOR * retry))
        _log.info("Shard joined the ring", extra=self._extra)

    async def hold(self) -> None:
        """Renews the Lease, and gives back what is asked for, until cancelled. Raises: ShardLost."""
        if self._ranges is None:
            await self._keep()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep(), name="shard lease")
            group.create_task(self._ranges.run(), name="shard ranges")

    async def release(self) -> None:
        """Gives everything back; call it when no work is left."""
        if not self.is_leader or self._lease is None:
            return
        try:
            async with asyncio.timeout(self._left_seconds()):
                if self._ranges is not None:
                    await self._ranges.give_everything()
                await self._let_go()
        except (ApiError, TransportError, OSError) as error:
            _log.warning("Failed to release shard lease", extra={**self._extra, "error": str(error)})
        self.work.lose()
        _log.info("Shard left the ring", extra=self._extra)

    # The Lease.

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(min(self.settings.retry_seconds, self._left_seconds()))
            try:
                async with asyncio.timeout(self._left_seconds()):
                    await self._renew()
            except TimeoutError:
                pass
            except (ApiError, TransportError, OSError) as error:
                _log.error("Error renewing shard lease", extra={**self._extra, "error": str(error)})
            if not self.is_leader:
                self.lose("its Lease could not be renewed in time")

    def lose(self, why: str) -> None:
        """Raises: ShardLost."""
        self.work.lose()
        _log.error("Shard lease lost", extra={**self._extra, "reason": why})
        raise ShardLost(f"shard {self.identity} of the ring {self.settings.ring} must leave: {why}")

    def check(self) -> None:
        """Raises: ShardLost when it is too late to write."""
        if not self.is_leader:
            raise ShardLost(f"shard {self.identity} of the ring {self.settings.ring} may not write any more")

    def _left_seconds(self) -> float:
        return max(0.0, self.work.until() - self._clock.monotonic())

    async def _limited(self, request: Awaitable[Unstructured]) -> Unstructured:
        # A request that hangs must leave time for another. TimeoutError is an OSError.
        async with asyncio.timeout(self.settings.renew_deadline_seconds / 2):
            return await request

    async def _create(self) -> None:
        sent_at, record = self._clock.monotonic(), self._claim()
        metadata = {
            "name": self.identity,
            "namespace": self.namespace,
            "labels": {LABEL_RING: self.settings.ring},
        }
        try:
            self._lease = await self._client.create(LEASES, {"metadata": metadata, "spec": record.spec()})
        except AlreadyExists:
            # The answer to the last try was lost: nobody else has this name.
            self._lease = await self._client.get(LEASES, self.namespace, self.identity)
            sent_at, record = self._clock.monotonic(), self._claim()
            self._lease = await self._client.update(LEASES, {**self._lease, "spec": record.spec()})
        self.work.granted(record, sent_at, self._clock.monotonic())

    async def _renew(self) -> None:
        assert self._lease is not None
        try:
            await self._update()
        except (ApiError, TransportError, OSError) as error:
            if not isinstance(error, (Conflict, NotFound)):
                _log.debug("Failed to renew shard lease at once", extra={**self._extra, "error": str(error)})
            await self._look()
            await self._update()

    async def _update(self) -> None:
        assert self._lease is not None
        sent_at, record = self._clock.monotonic(), self._claim()
        self._lease = await self._limited(self._client.update(LEASES, {**self._lease, "spec": record.spec()}))
        self.work.granted(record, sent_at, self._clock.monotonic())

    async def _look(self) -> None:
        try:
            self._lease = await self._limited(self._client.get(LEASES, self.namespace, self.identity))
        except NotFound:
            self.lose("its Lease was deleted")
        holder = LeaseRecord.of(self._lease or {}).holder
        if holder != self.identity:
            self.lose(f"its Lease was taken over by {holder}" if holder else "its Lease was let go")

    async def _let_go(self) -> None:
        await self._look()
        assert self._lease is not None and self.work.record is not None
        now = self._now()
        record = LeaseRecord("", 1, now, now, self.work.record.transitions)
        await self._client.update(LEASES, {**self._lease, "spec": record.spec()})

    def _claim(self) -> LeaseRecord:
        return self.work.claim(self._now())

    def _now(self) -> str:
        return format_micro_time(int(self._clock.now().timestamp() * 1_000_000))
