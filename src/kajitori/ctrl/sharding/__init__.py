"""Sharding: several processes run the same controllers, and each works on a part of the objects.

    Manager(client, sharding=Sharding("widgets", namespace="widgets-system"))  # in every process
    kajitori run kajitori.ctrl.sharding:sharder --leader-elect                 # beside them, in mode `labels`

`ring`, `states`, `labels`, `slots` and `work` decide, without clock or client; `member` and `sharded` are what a shard
does, `ranges` what it does in mode `ranges`; `sharder`, `onlooker` and `unassigned` keep the labels.
"""

from kajitori.ctrl.sharding.settings import Sharding, ShardLost
from kajitori.ctrl.sharding.sharder import sharder

__all__ = ["ShardLost", "Sharding", "sharder"]
