"""Which shard an object belongs to: consistent hashing, the same that the Go sharder does.

Every shard has TOKENS places on a circle of 2^64; an object belongs to the shard whose place comes next after its own.
So a shard that comes or goes moves only the objects that become or were its own.

Promises
    H1  the same shards in any order give the same ring, and the same ring places an object in the same way everywhere
    H2  when a shard comes, objects move to it only; when it goes, only its objects move
    H3  an object and what it controls have the same key, and so the same shard

Source: timebertt/kubernetes-controller-sharding, pkg/sharding/consistenthash and pkg/sharding/key.
"""

from bisect import bisect_left
from collections.abc import Iterable

from kajitori.ctrl.sharding.xxh64 import xxh64

__all__ = ["TOKENS", "HashRing", "object_key"]

TOKENS = 100
"""Of each shard: with them the largest share of the circle is about a third more than the mean."""


class HashRing:
    """Immutable; made anew when a shard comes or goes."""

    __slots__ = ("_owners", "_tokens", "shards")

    def __init__(self, shards: Iterable[str]) -> None:
        self.shards = tuple(sorted(set(shards)))
        # Nothing separates name and number, as in Go: `op-1` and `op-11` have one place in common, whose the later is.
        owners = {xxh64(f"{shard}{number}"): shard for shard in self.shards for number in range(TOKENS)}
        self._tokens = sorted(owners)
        self._owners = [owners[token] for token in self._tokens]

    def shard_of(self, key: str) -> str:
        """Of an object by its `object_key`; empty when there are no shards."""
        if not self._tokens:
            return ""
        at = bisect_left(self._tokens, xxh64(key))
        return self._owners[at % len(self._owners)]


def object_key(group: str, kind: str, namespace: str, name: str) -> str:
    """What is hashed of an object; of one that is controlled, what is hashed of its controller (H3)."""
    return f"{group}/{kind}/{namespace}/{name}"
