"""Events do not last: an hour after it was last written, each goes.

In Kubernetes a lease in etcd ends with it. Here nobody keeps a time per object: every minute the store's revision is
noted, and what has not been written since the revision of an hour ago is old. After a restart the hour begins anew.

Source: kube-apiserver's --event-ttl.
"""

import asyncio
from collections import deque

from kajitori.apiserver.registry.resource import replace_revision
from kajitori.storage import Item, Store, StoreError

__all__ = ["EVENT_MINUTES", "expire_events"]

EVENT_MINUTES = 60
"""How long an Event lasts: kube-apiserver's default."""

BUCKET = "/events"

_AT_ONCE_MAX = 100
"""How many go side by side: they share commits, others get their turn."""


async def expire_events(store: Store) -> None:
    """Deletes old Events until it is cancelled."""
    marks: deque[int] = deque()
    while True:
        await asyncio.sleep(60)
        marks.append(store.revision)
        if len(marks) > EVENT_MINUTES:
            oldest = marks.popleft()
            await _delete(store, [item for item in store.range(BUCKET) if item.revision <= oldest])


async def _delete(store: Store, items: list[Item]) -> None:
    for start in range(0, len(items), _AT_ONCE_MAX):
        async with asyncio.TaskGroup() as tasks:
            for item in items[start : start + _AT_ONCE_MAX]:
                tasks.create_task(_delete_one(store, item))


async def _delete_one(store: Store, item: Item) -> None:
    def final(revision: int) -> bytes:
        return replace_revision(item.value, item.revision, revision)

    try:
        await store.delete(BUCKET, item.name, final, expect=item.revision)
    except StoreError:
        return  # it was written again, or is gone; or the disk fails, and the next minute tries again
