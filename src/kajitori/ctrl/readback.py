"""A reconciler reads its own writes: its name is parked until the caches have seen them.

Without this, a reconcile that follows quickly reads a cache from before the last one's writes and repeats
them. Sits between the controller, which asks after each reconcile, and the informers, which say how far they
are.

Promises
    B1  a parked name is let go as soon as every informer concerned has applied the versions written
    B2  it is let go after PARKED_SECONDS_MAX in any case; that is counted and logged
    B3  objects outside of what an informer holds (another namespace, other labels) are not waited for

Source: KEP-5647, which does the same for single controllers of Kubernetes.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache

from kajitori.apimachinery.labels import LabelSelector, parse_label_selector
from kajitori.client.writes import Write, WriteLog
from kajitori.ctrl.cache import Cache
from kajitori.ctrl.informer import Informer, version_number

__all__ = ["PARKED_SECONDS_MAX", "Parking", "park"]

PARKED_SECONDS_MAX = 5.0
"""A watch is milliseconds behind, or broken; then waiting longer helps nobody."""

_parsed_selector: Callable[[str], LabelSelector] = lru_cache(maxsize=256)(parse_label_selector)


class Parking:
    """One parked name. `let_go` is called once with whether the caches caught up."""

    def __init__(self, let_go: Callable[[bool], None]) -> None:
        self._let_go: Callable[[bool], None] | None = let_go
        self._missing = 0
        self._cancels: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    def await_versions(self, versions: dict[Informer, int], gone: list[tuple[Informer, Write]]) -> None:
        self._missing = len(versions) + len(gone)
        self._timer = asyncio.get_running_loop().call_later(PARKED_SECONDS_MAX, self.end, False)
        for informer, version in versions.items():
            self._cancels.append(informer.when_passed(version, self._one_passed))
        for informer, write in gone:
            key = (write.namespace, write.name)
            self._cancels.append(informer.when_gone(key, write.gone_uid, self._one_passed))

    def _one_passed(self) -> None:
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


def park(cache: Cache, log: WriteLog, let_go: Callable[[bool], None]) -> Parking | None:
    """Waits for the caches to see what `log` says was written; None when they have: then `let_go` is not
    called.
    """
    versions: dict[Informer, int] = {}
    gone: list[tuple[Informer, Write]] = []
    for write in log.writes.values():
        for informer in cache.find(write.kind):
            if not informer.has_synced or not _concerns(cache, informer, write):
                continue
            if not write.resource_version:
                if informer.holds((write.namespace, write.name), write.gone_uid):
                    gone.append((informer, write))
                continue
            version = version_number(write.resource_version)
            if version is not None and not informer.has_passed(version):
                versions[informer] = max(version, versions.get(informer, 0))
    if not versions and not gone:
        return None
    parking = Parking(let_go)
    parking.await_versions(versions, gone)
    return parking


def _concerns(cache: Cache, informer: Informer, write: Write) -> bool:
    options = cache.options(informer.model)
    if options.fields or (options.namespace and options.namespace != write.namespace):
        return False  # Which fields decide is the server's secret; not waiting is what there was before.
    return not options.labels or _parsed_selector(options.labels).matches(write.labels)
