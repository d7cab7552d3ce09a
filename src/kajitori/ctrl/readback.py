"""A reconciler reads its own writes: its name is parked until the caches have seen them.

Without this, a reconcile that follows quickly reads a cache from before the last one's writes and repeats
them. Sits between the controller, which asks after each reconcile, and the informers, which say how far they
are.

Promises
    B1  a parked name is let go as soon as every informer concerned has applied what was written: creations, changes and
        deletions alike, of whatever kinds are cached
    B2  it is let go after PARKED_SECONDS_MAX in any case; that is counted and logged
    B3  what no informer would see (kinds not cached, other namespaces, labels, shards) is not waited for; what
        leaves the selection of one by being written is
    B4  a write whose outcome nobody knows, its answer having been lost, counts as seen once something new is heard of
        its object

Source: KEP-5647, which does the same for single controllers of Kubernetes.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from kajitori.apimachinery.labels import LabelSelector, parse_label_selector
from kajitori.apimachinery.sharding import ShardSelector, parse_shard_selector
from kajitori.client.accessors import resource_version_of, uid_of
from kajitori.client.writes import Write, WriteLog
from kajitori.ctrl.cache import Cache
from kajitori.ctrl.informer import Informer
from kajitori.ctrl.progress import version_number
from kajitori.ctrl.store import Key

__all__ = ["PARKED_SECONDS_MAX", "ParkedTogether", "Parking", "park"]

PARKED_SECONDS_MAX = 5.0
"""A watch is milliseconds behind, or broken; then waiting longer helps nobody."""

_parsed_selector: Callable[[str], LabelSelector] = lru_cache(maxsize=256)(parse_label_selector)
_parsed_shards: Callable[[str], ShardSelector] = lru_cache(maxsize=256)(parse_shard_selector)


class Parking:
    """One parked name. `let_go` is called once with whether the caches caught up."""

    def __init__(self, let_go: Callable[[bool], None]) -> None:
        self._let_go: Callable[[bool], None] | None = let_go
        self._missing = 0
        self._cancels: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def wait(self, unseen: "_Unseen") -> None:
        """For all that the caches have not seen."""
        self._missing = len(unseen.versions) + len(unseen.objects)
        self._timer = asyncio.get_running_loop().call_later(PARKED_SECONDS_MAX, self.end, False)
        for (informer, namespace), version in unseen.versions.items():
            self._cancels.append(informer.when_passed(version, self._one_seen, namespace=namespace))
        for informer, key, condition in unseen.objects:
            self._cancels.append(informer.when(key, condition, self._one_seen))

    def _one_seen(self) -> None:
        self._missing -= 1
        if not self._missing:
            self.end(True)

    def end(self, caught_up: bool) -> None:
        """Lets go now. Safe to repeat."""
        let_go, self._let_go = self._let_go, None
        if let_go is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        for cancel in self._cancels:
            cancel()
        let_go(caught_up)


class ParkedTogether:
    """One name that waits for the caches of several clusters. `let_go` as of `Parking`."""

    def __init__(self, let_go: Callable[[bool], None]) -> None:
        self._let_go = let_go
        self._parkings: list[Parking] = []
        self._missing = 0
        self._caught_up = True

    def park(self, cache: Cache, log: WriteLog) -> None:
        parking = park(cache, log, self._one_let_go)
        if parking is not None:
            self._missing += 1
            self._parkings.append(parking)

    def __bool__(self) -> bool:
        return bool(self._parkings)

    def _one_let_go(self, caught_up: bool) -> None:
        self._missing -= 1
        self._caught_up = self._caught_up and caught_up
        if not self._missing:
            self._let_go(self._caught_up)

    def end(self, caught_up: bool) -> None:
        """Lets go now. Safe to repeat."""
        for each in self._parkings:
            each.end(caught_up)


def park(cache: Cache, log: WriteLog, let_go: Callable[[bool], None]) -> Parking | None:
    """Waits for the caches to see what `log` says was written; None when they have: then `let_go` is not
    called.
    """
    unseen = _Unseen()
    for write in log.writes.values():
        for informer in cache.find(write.kind):
            if informer.has_synced and informer.watches(write.namespace):
                unseen.look(cache, informer, write)
    if not unseen.versions and not unseen.objects:
        return None
    parking = Parking(let_go)
    parking.wait(unseen)
    return parking


class _Unseen:
    """What informers have not seen of some writes."""

    def __init__(self) -> None:
        self.versions: dict[tuple[Informer, str], int] = {}
        """By informer and which of its sources."""
        self.objects: list[tuple[Informer, Key, Callable[[Any], bool]]] = []

    def look(self, cache: Cache, informer: Informer, write: Write) -> None:
        key = (write.namespace, write.name)
        version = version_number(write.resource_version)
        if version is not None:
            source = informer.source_of(write.namespace)
            if not informer.has_passed(version, source) and _concerns(cache, informer, source, write):
                known = self.versions.get((informer, source), 0)
                self.versions[(informer, source)] = max(version, known)
            return
        condition = _condition(informer, write)
        if condition is not None and not condition(informer.store.peek(key)):
            self.objects.append((informer, key, condition))


def _condition(informer: Informer, write: Write) -> Callable[[Any], bool] | None:
    """What holds of a stored object that is as new as a write without a version; None: there is no telling."""
    if write.is_uncertain:
        before = informer.store.peek((write.namespace, write.name))
        return lambda value: value is not before
    if write.superseded:
        replaced = version_number(write.superseded)
        return None if replaced is None else lambda value: value is None or _is_newer(value, replaced)
    if write.resource_version:
        return None
    uid = write.gone_uid
    return lambda value: value is None or (uid != "" and uid_of(value) != uid)


def _is_newer(value: Any, version: int) -> bool:
    number = version_number(resource_version_of(value))
    return number is None or number > version


def _concerns(cache: Cache, informer: Informer, source: str, write: Write) -> bool:
    options = cache.options(informer.model)
    selection = options.selections()[source]
    is_selected = (
        _is_in_shards(options.shards or "", write)
        and not selection.fields
        and (not selection.labels or _parsed_selector(selection.labels).matches(write.labels))
    )
    # What is held now is told either way: changed, or gone from the selection. Of anything else the fields that
    # decide are the server's secret; not waiting is what there was before.
    return is_selected or informer.holds((write.namespace, write.name))


def _is_in_shards(shards: str, write: Write) -> bool:
    if not shards:
        return True
    selector = _parsed_shards(shards)
    value = write.namespace if selector.field.endswith("namespace") else write.uid
    return bool(value) and selector.matches(value)
