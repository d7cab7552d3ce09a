"""What one process knows of the shards of a ring, and what it does about those that are gone.

Sits between `states`, which decides, and the Leases.

Promises
    O1  a Lease is taken over, deleted or labelled only as it was last seen: a shard that renews meanwhile keeps it
    O2  a shard that is known by its name only counts as missing from when the API server itself had no Lease of it
    O3  what is written to one Lease fails alone; it is tried again with the next look

Source: timebertt/kubernetes-controller-sharding, pkg/controller/shardlease.
"""

import logging
from collections.abc import Iterable, Mapping

from kajitori.apimachinery.errors import ApiError, Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.time import format_micro_time
from kajitori.client.client import Client
from kajitori.client.transport import TransportError
from kajitori.ctrl.leader import LEASES
from kajitori.ctrl.lease import LeaseRecord
from kajitori.ctrl.sharding.labels import LABEL_RING, LABEL_STATE
from kajitori.ctrl.sharding.states import ShardState, Sighting, next_look, state_of
from kajitori.world.clock import Clock

__all__ = ["HOLDER", "Onlooker"]

HOLDER = "shardlease-controller"
"""Who holds the Lease of a dead shard, as of the Go sharder."""

MISSING_SECONDS = 600.0
"""So long a shard is remembered whose Lease is missing. Then nothing should have its name any more."""

_log = logging.getLogger(__name__)


class Onlooker:
    """Of one ring."""

    def __init__(self, client: Client, clock: Clock, ring: str, namespace: str = "") -> None:
        """`namespace` is where the Leases of the ring are; empty: anywhere."""
        self._client = client
        self._clock = clock
        self._ring = ring
        self._namespace = namespace
        self._sightings: dict[str, Sighting] = {}
        self._leases: dict[str, Unstructured] = {}

    def look(self, leases: Iterable[Unstructured]) -> dict[str, ShardState]:
        """At the Leases of the ring, as a cache has them: the states now, by shard."""
        now = self._clock.monotonic()
        self._leases = {each.name: each for each in leases}
        for shard, lease in self._leases.items():
            record, seen = LeaseRecord.of(lease), self._sightings.get(shard)
            self._sightings[shard] = seen.seen(record, now) if seen else Sighting(shard, record, now)
        for shard, seen in list(self._sightings.items()):
            # Where there was one, a cache does not say whether it is gone: O2.
            if shard not in self._leases and (seen.record is not None or now > seen.since + MISSING_SECONDS):
                del self._sightings[shard]
        return {shard: state_of(seen, now) for shard, seen in self._sightings.items()}

    def seconds_to_next(self) -> float | None:
        """In how many seconds a state changes by itself; None: none does."""
        now = self._clock.monotonic()
        looks = [next_look(seen, now) for seen in self._sightings.values()]
        return min((each for each in looks if each is not None), default=None)

    async def ask(self, shard: str) -> None:
        """Whether there is a Lease of a shard of which nothing is known (O2). Raises: ApiError, TransportError."""
        if shard in self._sightings:
            return
        labels, fields = f"{LABEL_RING}={self._ring}", f"metadata.name={shard}"
        found = await self._client.list(LEASES, self._namespace, labels=labels, fields=fields)
        record = LeaseRecord.of(found.items[0]) if found.items else None
        self._sightings[shard] = Sighting(shard, record, self._clock.monotonic())

    async def tend(self, states: Mapping[str, ShardState]) -> None:
        """Takes over the Leases of the uncertain, deletes those of the orphaned, and labels all with their state."""
        for shard, state in states.items():
            lease = self._leases.get(shard)
            if lease is None:
                continue
            try:
                await self._tend(lease, state)
            except (Conflict, NotFound):
                continue
            except (ApiError, TransportError, OSError) as error:
                _log.warning(
                    "a shard lease could not be kept up",
                    extra={"ring": self._ring, "shard": shard, "state": state.value, "error": str(error)},
                )

    async def _tend(self, lease: Unstructured, state: ShardState) -> None:
        extra = {"ring": self._ring, "shard": lease.name}
        if state is ShardState.ORPHANED:
            await self._client.delete(
                LEASES, lease.namespace, lease.name, resource_version=lease.resource_version
            )
            _log.info("Lease of a dead shard deleted", extra=extra)
        elif state is ShardState.UNCERTAIN:
            now = format_micro_time(int(self._clock.now().timestamp() * 1_000_000))
            claim = self._sightings[lease.name].claim(HOLDER, now)
            await self._client.update(LEASES, {**lease, "spec": claim.spec()})
            _log.info("Shard has not renewed its Lease for long and is given up for dead", extra=extra)
        elif lease.labels.get(LABEL_STATE) != state.value:
            metadata = {"resourceVersion": lease.resource_version, "labels": {LABEL_STATE: state.value}}
            await self._client.patch(LEASES, lease.namespace, lease.name, {"metadata": metadata})
            _log.info("Shard is %s", state.value, extra=extra)
