"""A process that holds 20,000 ConfigMaps in its cache: prints what that took, and what seeing all of them again takes.

KUBECONFIG says where they are. Prints one line of JSON.
"""

import asyncio
import json
import resource
import time

import uvloop

from kajitori.apis.core_v1 import ConfigMap
from kajitori.client import Client
from kajitori.client.config import load_config
from kajitori.client.network import NetworkTransport
from kajitori.ctrl import DONE, Manager, Request, Result

__all__: list[str] = []

IDLE_SECONDS = 10
RESYNC_SECONDS = 60
"""How often everything is imagined to be looked at again; the default is ten hours."""


class Nothing:
    """Looks whether the object is there, as a reconciler does that has nothing to do."""

    def __init__(self, manager: Manager, expected: int) -> None:
        self._cache = manager.cache
        self._missing = expected
        self.complete = asyncio.Event()

    async def reconcile(self, request: Request) -> Result:
        self._missing -= self._cache.get(ConfigMap, request.namespace, request.name) is not None
        if not self._missing:
            self.complete.set()
        return DONE


async def main() -> None:
    async with Client(NetworkTransport(load_config())) as client:
        manager = Manager(client, name="cache")
        running = asyncio.create_task(manager.run())
        await asyncio.sleep(0)
        began = time.perf_counter()
        use = await manager.cache.synced(ConfigMap)
        figures = {"cached": time.perf_counter() - began}
        figures["cached_peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        count = len(manager.cache.list(ConfigMap))
        # A controller that comes later is told everything, as in a resync: all names go through queue and reconciler.
        reconciler = Nothing(manager, count)
        used = time.process_time()
        manager.controller("nothing", reconciler, for_=ConfigMap)
        await reconciler.complete.wait()
        figures["resynced"] = (time.process_time() - used) / RESYNC_SECONDS * 100
        used = time.process_time()
        await asyncio.sleep(IDLE_SECONDS)
        figures["cached_idle"] = (time.process_time() - used) / IDLE_SECONDS * 100
        use.release()
        manager.stop()
        await running
    print(json.dumps(figures))


if __name__ == "__main__":
    uvloop.run(main())
