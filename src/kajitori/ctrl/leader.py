"""Leader election: of several processes that run the same controllers, one works and the others stand by.

    manager = Manager(client, leader_election=LeaderElection("widgets", namespace="widgets-system"))

Sits between the Manager, which starts its controllers when it leads, and a Lease. What is decided is in `lease`;
here are the requests, the waiting, and what is told of it. It takes part in the same election as programs in Go.

Promises
    E1  of the candidates for a Lease at most one leads at any time, by the rules of the Lease
    E2  a faulty or slow API server costs at most the leadership: candidates go on trying
    E3  a renewal costs one request; only when that is refused is the Lease read again
    E4  after a stop the Lease is nobody's: who stands by need not wait until it has run out

Source: client-go's tools/leaderelection and its LeaseLock.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kajitori.apimachinery.errors import ApiError, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.time import format_micro_time
from kajitori.client.client import Client
from kajitori.client.config import SERVICE_ACCOUNT_FOLDER
from kajitori.client.transport import TransportError
from kajitori.ctrl.events import EventRecorder
from kajitori.ctrl.lease import JITTER_FACTOR, Decision, LeaseRecord, View
from kajitori.world.clock import Clock
from kajitori.world.random import Random

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["LEASES", "LeaderCollector", "LeaderElection", "LeaderElector", "LeadershipLost"]

LEASES = Kind("coordination.k8s.io", "v1", "Lease", "leases")

_log = logging.getLogger(__name__)


class LeadershipLost(Exception):
    """Another process may lead now: this one must leave."""


@dataclass(frozen=True, slots=True)
class LeaderElection:
    """For which Lease to stand, and how often. Raises: ValueError, saying what would be right."""

    name: str
    """Of the Lease; all processes that run the same controllers say the same."""
    namespace: str = ""
    """Of the Lease; empty: that of the Pod we run in."""
    identity: str = ""
    """Of this process, and of no other; empty: its host's name and a UUID."""
    lease_seconds: int = 15
    """So long must the Lease have been unchanged before another takes it over."""
    renew_deadline_seconds: float = 10.0
    """So long a leader goes on that cannot renew."""
    retry_seconds: float = 2.0
    """Between two tries, to renew or to acquire."""
    release_on_stop: bool = True

    def __post_init__(self) -> None:
        lease, renew, retry = self.lease_seconds, self.renew_deadline_seconds, self.retry_seconds
        if not self.name:
            raise ValueError("leader election: name is empty; use the name of a Lease, e.g. my-operator")
        if lease < 1 or lease % 1:
            raise ValueError(f"leader election: lease duration is {lease:g} s; use whole seconds, 1 or more")
        if retry <= 0:
            raise ValueError(f"leader election: retry period is {retry:g} s; use more than 0")
        if lease <= renew:
            raise ValueError(
                f"leader election: lease duration is {lease:g} s; it must be longer than the renew deadline, "
                f"{renew:g} s"
            )
        if renew <= JITTER_FACTOR * retry:
            raise ValueError(
                f"leader election: renew deadline is {renew:g} s; it must be longer than {JITTER_FACTOR} times the "
                f"retry period, {JITTER_FACTOR * retry:g} s"
            )

    def resolved_namespace(self) -> str:
        """The namespace, or that of our Pod. Raises: ValueError when none is said and we run in no Pod."""
        if self.namespace:
            return self.namespace
        try:
            found = (SERVICE_ACCOUNT_FOLDER / "namespace").read_text().strip()
        except OSError:
            found = ""
        if not found:
            raise ValueError(
                f"leader election {self.name}: we run in no Pod, so say the namespace of the Lease, "
                "e.g. namespace='kube-system'"
            )
        return found


class LeaderElector:
    """One candidate: `acquire`, then `hold`, then `release`. The manager calls them."""

    def __init__(
        self, client: Client, settings: LeaderElection, *, clock: Clock, random: Random, events: EventRecorder
    ) -> None:
        """Raises: ValueError when there is no namespace."""
        self.identity = settings.identity or f"{socket.gethostname()}_{random.uuid4()}"
        self.settings = settings
        self.slow_path = 0
        """Renewals for which the Lease had to be read again."""
        self._namespace = settings.resolved_namespace()
        self._client = client
        self._clock = clock
        self._random = random
        self._events = events
        self._view = View(self.identity, settings.lease_seconds, settings.renew_deadline_seconds)
        self._lease: Unstructured | None = None
        """As last read or written."""
        self._reported = ""
        self._extra = {"lock": self.lease, "identity": self.identity}

    @property
    def is_leader(self) -> bool:
        return self._view.leads(self._clock.monotonic())

    @property
    def lease(self) -> str:
        """`namespace/name` of the Lease."""
        return f"{self._namespace}/{self.settings.name}"

    @property
    def leader(self) -> str:
        """Who held the Lease when we last looked; empty: nobody."""
        return "" if self._view.record is None else self._view.record.holder

    async def acquire(self) -> None:
        """Returns when we lead."""
        _log.info("Attempting to acquire leader lease...", extra=self._extra)
        retry = self.settings.retry_seconds
        while True:
            await self._try()
            if self.is_leader:
                break
            self._view = self._view.following()
            await asyncio.sleep(retry + self._random.uniform(0, JITTER_FACTOR * retry))
        self._tell("became leader")
        _log.info("Successfully acquired lease", extra=self._extra)

    async def hold(self) -> None:
        """Renews for as long as we lead. Raises: LeadershipLost."""
        while True:
            await asyncio.sleep(min(self.settings.retry_seconds, self._left_seconds()))
            try:
                async with asyncio.timeout(self._left_seconds()):
                    await self._try()
            except TimeoutError:
                pass
            if not self.is_leader:
                self._lose()

    async def release(self) -> None:
        """Makes the Lease nobody's, when we lead; call it when nothing that needs leadership runs any more."""
        if not self.is_leader:
            return
        try:
            if self.settings.release_on_stop:
                async with asyncio.timeout(self._left_seconds()):
                    await self._read()
                    if self.leader == self.identity:
                        await self._write(self._view.release(self._now()))
        except (ApiError, TransportError, OSError, TimeoutError) as error:
            _log.warning("Failed to release lease", extra={**self._extra, "error": str(error)})
        self._view = self._view.following()
        self._tell("stopped leading")

    def _left_seconds(self) -> float:
        until = self._view.leading_until
        assert until is not None
        return max(0.0, until - self._clock.monotonic())

    def _lose(self) -> None:
        self._view = self._view.following()
        self._tell("stopped leading")
        _log.error("Failed to renew lease", extra={**self._extra, "holder": self.leader})
        holder = self.leader
        by = f"{holder} holds it" if holder not in ("", self.identity) else "it could not be renewed in time"
        raise LeadershipLost(f"leader election lost: Lease {self._extra['lock']}: {by}")

    async def _try(self) -> None:
        """One round: to renew what we hold as we know it; else to read, and do what follows from that."""
        try:
            if self.is_leader and self._lease is not None and self.leader == self.identity:
                try:
                    await self._limited(self._claim())
                    return
                except (ApiError, TransportError, OSError) as error:
                    _log.debug(
                        "Failed to update lease optimistically, falling back to slow path",
                        extra={**self._extra, "error": str(error)},
                    )
            await self._limited(self._read())
            decision = self._view.decide(self._clock.monotonic())
            if decision is Decision.RENEW:
                self.slow_path += 1
            if decision not in (Decision.WAIT, Decision.STEP_DOWN):
                await self._limited(self._claim())
        except (ApiError, TransportError, OSError) as error:
            _log.error("Error retrieving or updating lease lock", extra={**self._extra, "error": str(error)})
        finally:
            self._report_transition()

    async def _limited(self, request: Awaitable[None]) -> None:
        # A request that hangs must leave time for another. TimeoutError is an OSError.
        async with asyncio.timeout(self.settings.renew_deadline_seconds / 2):
            await request

    async def _read(self) -> None:
        try:
            self._lease = await self._client.get(LEASES, self._namespace, self.settings.name)
            record = LeaseRecord.of(self._lease)
        except NotFound:
            self._lease = record = None
        self._view = self._view.observe(record, self._clock.monotonic())

    async def _claim(self) -> None:
        sent_at = self._clock.monotonic()
        record = self._view.claim(self._now())
        await self._write(record)
        self._view = self._view.granted(record, sent_at)

    async def _write(self, record: LeaseRecord) -> None:
        if self._lease is None:
            metadata = {"name": self.settings.name, "namespace": self._namespace}
            self._lease = await self._client.create(LEASES, {"metadata": metadata, "spec": record.spec()})
        else:
            self._lease = await self._client.update(LEASES, {**self._lease, "spec": record.spec()})

    def _now(self) -> str:
        return format_micro_time(int(self._clock.now().timestamp() * 1_000_000))

    def _report_transition(self) -> None:
        if self.leader != self._reported:
            self._reported = self.leader
            _log.info("new leader elected", extra={**self._extra, "leader": self.leader})

    def _tell(self, what: str) -> None:
        if self._lease is not None:
            self._events.event(
                self._lease, "Normal", "LeaderElection", f"{self.identity} {what}", kind=LEASES
            )


class LeaderCollector:
    """A prometheus_client collector over one candidate, under client-go's names."""

    def __init__(self, elector: LeaderElector) -> None:
        self._elector = elector

    def describe(self) -> Iterable["Metric"]:
        return ()

    def collect(self) -> Iterable["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        name = [self._elector.settings.name]
        status = GaugeMetricFamily(
            "leader_election_master_status", "1 while this process leads, by Lease", labels=["name"]
        )
        status.add_metric(name, int(self._elector.is_leader))
        slow = CounterMetricFamily(
            "leader_election_slowpath", "Renewals for which the Lease had to be read again", labels=["name"]
        )
        slow.add_metric(name, self._elector.slow_path)
        yield from (status, slow)
