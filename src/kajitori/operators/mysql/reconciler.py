"""Joins seeing, deciding and acting, and hooks them into a manager.

    manager = Manager(client)
    setup(manager, Settings())
    await manager.run()

What becomes of the databases inside the Pods will be decided and done by a module beside this one, started
and paused from here; it shares the cluster's status and nothing else.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from kajitori.apis import JsonObject, NamespacedName, Unstructured
from kajitori.apis.mysql_v1beta2 import BACKUP_POLICY, MYSQL_CLUSTER
from kajitori.apis.mysql_v1beta2.names import (
    LABEL_CREATED_BY,
    LABEL_INSTANCE,
    LABEL_INSTANCE_NAMESPACE,
    LABEL_NAME,
)
from kajitori.client import ApiError, Client, Conflict, NotFound, TransportError
from kajitori.ctrl import (
    DONE,
    SYSTEM_RANDOM,
    Cache,
    CacheOptions,
    Manager,
    NotInCache,
    Random,
    Request,
    Result,
    Watch,
)
from kajitori.operators.mysql.act import StillThere, act, quietly, write_status
from kajitori.operators.mysql.decide import decide
from kajitori.operators.mysql.metrics import ClusterMetrics
from kajitori.operators.mysql.observe import CachedReader, Certificates, Reader, entropy_of, observe
from kajitori.operators.mysql.plan import Event, Plan
from kajitori.operators.mysql.seen import (
    CONFIG_MAP,
    CRON_JOB,
    DISRUPTION_BUDGET,
    JOB,
    NAMESPACE,
    PERSISTENT_VOLUME,
    POD,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    STORAGE_CLASS,
    VOLUME_CLAIM,
    ClusterSeen,
)
from kajitori.operators.mysql.settings import FIELD_MANAGER, Settings
from kajitori.operators.mysql.status import status_of_failure

__all__ = ["WORKERS", "MySQLReconciler", "setup"]

WORKERS = 8
"""Clusters that are worked on at the same time, as in MOCO; most of it is waiting for the API server."""

_OWNED = (
    STATEFUL_SET,
    SERVICE,
    SECRET,
    SERVICE_ACCOUNT,
    CONFIG_MAP,
    DISRUPTION_BUDGET,
    CRON_JOB,
    JOB,
    ROLE,
    ROLE_BINDING,
)

_log = logging.getLogger(__name__)


class MySQLReconciler:
    """Brings the objects of one MySQLCluster to what it asks for."""

    def __init__(
        self, manager: Manager, reader: Reader, *, settings: Settings, random: Random = SYSTEM_RANDOM
    ) -> None:
        self.metrics = ClusterMetrics()
        self._client: Client = manager.client
        self._events = manager.events
        self._clock = manager.clock
        self._reader = reader
        self._settings = settings
        self._random = random
        self._certificates = Certificates(manager.client, manager.clock)

    async def reconcile(self, request: Request) -> Result:
        """One round."""
        seen = await self._observe(request.key)
        if seen is None:
            self.metrics.forget((request.namespace, request.name))
            return DONE
        self.metrics.see(seen)
        plan = decide(seen)
        self._tell_problems(seen, plan)
        try:
            await act(
                self._client,
                seen,
                plan.actions,
                tell=lambda event: self._tell(seen.cluster, event),
                metrics=self.metrics,
            )
        except Conflict:
            raise  # Somebody was faster; nothing is wrong.
        except (ApiError, TransportError, StillThere) as error:
            status = status_of_failure(seen.cluster, seen.now, str(error))
            if status is not None:
                await quietly(write_status(self._client, seen.cluster, status))
            raise
        if plan.status is not None:
            try:
                await write_status(self._client, seen.cluster, plan.status)
            except (Conflict, NotFound):
                return DONE  # The cluster has changed since it was seen: that change brings the next round.
        return Result(requeue_after_seconds=plan.requeue_after_seconds or self._settings.resync_seconds)

    async def _observe(self, key: NamespacedName) -> ClusterSeen | None:
        return await observe(
            self._reader,
            key,
            settings=self._settings,
            now=self._clock.now(),
            entropy=entropy_of(self._random),
            serves_certificates=await self._certificates.served(),
        )

    def _tell(self, cluster: JsonObject, event: Event) -> None:
        self._events.event(cluster, event.type, event.reason, event.message, kind=MYSQL_CLUSTER)

    def _tell_problems(self, seen: ClusterSeen, plan: Plan) -> None:
        for event in plan.events:
            self._tell(seen.cluster, event)
            if event.reason == "VolumeExpansionForbidden":
                metadata = seen.cluster["metadata"]
                self.metrics.count_refused_growth((metadata["namespace"], metadata["name"]))


def setup(
    manager: Manager, settings: Settings | None = None, *, random: Random | None = None
) -> MySQLReconciler:
    """Adds the operator to a manager, before it runs.

    Raises: RuntimeError when a kind that it owns is cached already, without the managed fields that it needs.
    """
    chosen = settings or Settings()
    for kind in _OWNED:
        manager.cache.configure(kind, CacheOptions(keep_managed_fields=frozenset({FIELD_MANAGER})))
    reconciler = MySQLReconciler(
        manager, CachedReader(manager.cache, manager.client), settings=chosen, random=random or manager.random
    )
    manager.measure(reconciler.metrics)
    cache = manager.cache
    manager.controller(
        "mysqlcluster",
        reconciler,
        for_=MYSQL_CLUSTER,
        owns=_OWNED,
        watches=(
            Watch(CONFIG_MAP, _naming(cache, "mysqlConfigMapName")),
            Watch(BACKUP_POLICY, _naming(cache, "backupPolicyName")),
            Watch(SECRET, _of_system_secret(chosen.system_namespace)),
            Watch(VOLUME_CLAIM, _of_labels),
            Watch(POD, _of_labels),
            Watch(STORAGE_CLASS, lambda _: _all_clusters(cache)),
            Watch(PERSISTENT_VOLUME, _of_nobody),
            Watch(NAMESPACE, _of_nobody),
        ),
        workers=WORKERS,
    )
    _log.debug("the MySQL operator is set up", extra={"system_namespace": chosen.system_namespace})
    return reconciler


def _naming(cache: Cache, field: str) -> Any:
    """The clusters that name an object in a field of their spec."""

    def requests(value: Any) -> Iterable[Request]:
        metadata = value["metadata"]
        for cluster in _clusters(cache, metadata["namespace"]):
            if cluster["spec"].get(field) == metadata["name"]:
                yield Request(cluster.namespace, cluster.name)

    return requests


def _of_labels(value: Any) -> Iterable[Request]:
    """The cluster that a Pod or a claim carries the labels of."""
    metadata = value["metadata"]
    labels = metadata.get("labels") or {}
    if labels.get(LABEL_CREATED_BY) == "moco" and labels.get(LABEL_NAME) == "mysql":
        yield Request(metadata["namespace"], labels.get(LABEL_INSTANCE, ""))


def _of_system_secret(system_namespace: str) -> Any:
    """The cluster that a Secret in the operator's namespace belongs to, by its labels or by the certificate's
    name."""

    def requests(value: Any) -> Iterable[Request]:
        metadata = value["metadata"]
        if metadata["namespace"] != system_namespace:
            return
        labels = metadata.get("labels") or {}
        if LABEL_INSTANCE_NAMESPACE in labels:
            yield Request(labels[LABEL_INSTANCE_NAMESPACE], labels.get(LABEL_INSTANCE, ""))
            return
        namespace, dot, name = metadata["name"].removeprefix("moco-agent-").partition(".")
        if metadata["name"].startswith("moco-agent-") and dot:
            yield Request(namespace, name)

    return requests


def _all_clusters(cache: Cache) -> Iterable[Request]:
    """A StorageClass may have become able to expand."""
    for cluster in _clusters(cache, None):
        yield Request(cluster.namespace, cluster.name)


def _clusters(cache: Cache, namespace: str | None) -> Sequence[Unstructured]:
    """Those that are known. Before the first list nothing is lost by knowing none: that list queues them
    all."""
    try:
        return cache.list(MYSQL_CLUSTER, namespace)
    except NotInCache:
        return ()


def _of_nobody(value: Any) -> Iterable[Request]:
    """Only cached: what changes of these shows in the claims and Secrets, too."""
    return ()
