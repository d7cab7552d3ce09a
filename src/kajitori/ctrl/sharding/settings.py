"""How a process takes part in a ring of shards.

manager = Manager(client, sharding=Sharding("widgets", namespace="widgets-system"))
"""

import re
import socket
from dataclasses import dataclass
from typing import Literal

from kajitori.ctrl.leader import LeaderElection, LeadershipLost
from kajitori.world.random import Random

__all__ = ["ShardLost", "Sharding"]

NAME_CHARACTERS_MAX = 63
"""Of a shard, which is the value of a label, and of a ring, which is the name of one."""
_RING = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


class ShardLost(LeadershipLost):
    """Other shards may work on this one's objects now: the process must leave."""


@dataclass(frozen=True, slots=True)
class Sharding:
    """Which ring, and how. Raises: ValueError, saying what would be right."""

    ring: str
    """The name of the ring; all processes that share the work say the same."""
    namespace: str = ""
    """Of the Leases; empty: that of the Pod we run in."""
    mode: Literal["labels", "ranges"] = "labels"
    """`labels`: a sharder writes on each object whose it is. `ranges`: the shards share the hashes among themselves."""
    field: Literal["uid", "namespace"] = "uid"
    """Of an object, what is hashed in mode `ranges`."""
    shard: str = ""
    """What the name of this shard begins with (the host's name); it always ends with letters that are new."""
    lease_seconds: int = 15
    """A shard whose Lease has not changed for twice as long is given up for dead."""
    renew_deadline_seconds: float = 10.0
    """So long a shard works on that cannot renew."""
    retry_seconds: float = 2.0
    """Between two renewals."""

    def __post_init__(self) -> None:
        if not _RING.fullmatch(self.ring) or len(self.ring) > NAME_CHARACTERS_MAX:
            raise ValueError(
                f"sharding: ring is {self.ring!r}; use at most {NAME_CHARACTERS_MAX} lower-case letters, digits, "
                "'-' and '.', e.g. widgets"
            )
        if self.mode not in ("labels", "ranges"):
            raise ValueError(f"sharding {self.ring}: mode is {self.mode!r}; use 'labels' or 'ranges'")
        if self.field not in ("uid", "namespace"):
            raise ValueError(f"sharding {self.ring}: field is {self.field!r}; use 'uid' or 'namespace'")
        try:
            self.lease()
        except ValueError as error:
            raise ValueError(str(error).replace("leader election", f"sharding {self.ring}", 1)) from None

    def lease(self) -> LeaderElection:
        """The same, as far as it is about a Lease."""
        return LeaderElection(
            self.ring,
            self.namespace,
            lease_seconds=self.lease_seconds,
            renew_deadline_seconds=self.renew_deadline_seconds,
            retry_seconds=self.retry_seconds,
        )

    def resolved_namespace(self) -> str:
        """The namespace, or that of our Pod. Raises: ValueError when none is said and we run in no Pod."""
        try:
            return self.lease().resolved_namespace()
        except ValueError as error:
            raise ValueError(str(error).replace("leader election", "sharding", 1)) from None

    def new_name(self, random: Random) -> str:
        """The name of a shard that begins now, and of no other ever."""
        begins = re.sub(r"[^a-z0-9]+", "-", (self.shard or socket.gethostname()).lower()).strip("-")
        suffix = f"-{random.name_suffix(8)}"
        return f"{(begins or 'shard')[: NAME_CHARACTERS_MAX - len(suffix)].rstrip('-')}{suffix}"
