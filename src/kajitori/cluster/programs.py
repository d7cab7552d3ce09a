"""What runs on the API: Kubernetes' own controllers, and the operators, under one manager.

Operators are found here by name; each gives its CustomResourceDefinitions, its admission, and its controllers.
"""

import asyncio
import importlib
import logging
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Self

from kajitori import controllers
from kajitori.apimachinery.errors import ApiError, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.client import Client
from kajitori.cluster.definitions import MANAGER
from kajitori.cluster.localwebhooks import LocalWebhooks
from kajitori.cluster.operators import Known, chosen
from kajitori.cluster.options import ClusterOptions
from kajitori.ctrl import CacheOptions, Manager
from kajitori.ctrl.definitions import CUSTOM_RESOURCE_DEFINITIONS, NotEstablished, install_crds
from kajitori.world.clock import Clock
from kajitori.world.random import Random

__all__ = ["Programs"]

_NEEDED_AT_ONCE = (
    "kajitori.controllers.bootstraptokens",
    "kajitori.controllers.certificates",
    "kajitori.controllers.clusterroles",
    "kajitori.controllers.disruption",
    "kajitori.controllers.garbage",
    "kajitori.controllers.namespaces",
    "kajitori.controllers.protection",
    "kajitori.controllers.serviceaccounts",
    "kajitori.controllers.statefulset",
    "kajitori.controllers.tokens",
    "kajitori.apis.strategies.custom_kinds",
    "kajitori.apiserver.definitions",
    "kajitori.apiserver.endpoints.patches",
    "kajitori.apiserver.endpoints.writes",
    "kajitori.apiserver.registry.owning",
)

_log = logging.getLogger(__name__)


class Programs:
    """The manager of a cluster, with everything that it runs."""

    def __init__(
        self,
        options: ClusterOptions,
        client: Callable[[str], Client],
        *,
        unapplied: Collection[str],
        means: controllers.Means,
        webhooks: LocalWebhooks,
        clock: Clock,
        random: Random,
    ) -> None:
        """`unapplied`: the operators whose definitions the cluster does not have as they are."""
        self._options = options
        self._client = client
        self._unapplied = unapplied
        self._means = means
        self._webhooks = webhooks
        self._clock = clock
        self._random = random
        self._task: asyncio.Task[None] | None = None
        self._manager: Manager | None = None
        self.names: list[str] = []
        """What runs, in the order in which it was started."""

    async def __aenter__(self) -> Self:
        operators = chosen(self._options)
        # In a thread, so that the API answers meanwhile.
        await asyncio.to_thread(_import_what_is_needed)
        manager = self._manager = Manager(
            self._client("kajitori"),
            clock=self._clock,
            random=self._random,
            webhooks=self._webhooks,
            # One cache for all: who begins later finds what it reads back of its own writes.
            cache=CacheOptions(
                keep_managed_fields=frozenset(filter(None, (each.reads_back for each in operators.values())))
            ),
        )
        self.names += controllers.setup(manager, self._means, only=self._options.controllers)
        for name, known in operators.items():
            if name in self._unapplied and not await self._install(known):
                continue
            manager.add(partial(self._begin_with_first_object, manager, known))
            self.names.append(f"{name} operator")
        self._task = asyncio.get_running_loop().create_task(manager.run(), name="manager")
        return self

    async def _begin_with_first_object(self, manager: Manager, known: Known) -> None:
        """Starts an operator when there is something to do for it: until then it would only take room."""
        found = asyncio.Event()
        async with AsyncExitStack() as stack:
            for kind in known.kinds:
                use = manager.cache.use(kind, metadata_only=True)
                stack.callback(use.release)
                stack.callback(use.informer.add_handler(lambda change: found.set()).remove)
            await found.wait()
        operator = await asyncio.to_thread(known.load, self._random)
        operator.setup(manager)

    async def _install(self, known: Known) -> bool:
        """Applies an operator's definitions, and waits until their kinds are served: its first list must find them.

        False where somebody's webhook or policy refuses one that is not there: then the cluster runs without the
        operator. One that is there will do as it is, because what refuses may be a policy that the operator has yet to
        run.
        """
        client = self._client(MANAGER)
        crds = await asyncio.to_thread(lambda: known.load(self._random).crds())
        for crd in crds:
            name = crd["metadata"]["name"]
            try:
                await install_crds(client, crd)
            except (ApiError, NotEstablished) as error:
                found = await _found(client, name)
                _log.warning(
                    "a definition of an operator could not be applied",
                    extra={"definition": name, "error": str(error), "is_there": found is not None},
                )
                if found is None:
                    return False
        return True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        manager, task = self._manager, self._task
        if manager is None or task is None:
            return
        manager.stop()
        try:
            await task
        except Exception:
            _log.exception("the manager ended with an error")

    def metrics(self) -> bytes:
        """The figures of the controllers and operators, in Prometheus' text format."""
        from prometheus_client import generate_latest

        assert self._manager is not None, "not started"
        return generate_latest(self._manager.metrics_registry())

    async def run_until(self, ended: asyncio.Event) -> str | None:
        """Waits for `ended`, or for the manager to fail; gives what it failed with."""
        assert self._task is not None, "not started"
        waiting = asyncio.get_running_loop().create_task(ended.wait(), name="end")
        try:
            await asyncio.wait((self._task, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._task.done() and not self._task.cancelled() and (error := self._task.exception()):
            return f"the controllers stopped: {error}"
        return None


def _import_what_is_needed() -> None:
    """What the first steps of the controllers need."""
    for name in _NEEDED_AT_ONCE:
        importlib.import_module(name)


async def _found(client: Client, name: str) -> Unstructured | None:
    try:
        return await client.get(CUSTOM_RESOURCE_DEFINITIONS, "", name)
    except NotFound:
        return None
