"""Reading everything that a decision about one cluster needs.

Through a `Reader`, so that the reconciler reads the manager's cache at no cost, and `explain` reads the API
server from a process that has no cache.

Promises
    O1  what is missing is told as missing, what cannot be read raises: absence is never guessed
    O2  objects are taken by name, whoever made them: the decision tells its own from others'
"""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from kajitori.apis import JsonObject, Kind, NamespacedName
from kajitori.apis.mysql_v1beta2 import BACKUP_POLICY, MYSQL_CLUSTER, ClusterNames
from kajitori.apis.mysql_v1beta2.names import cluster_labels
from kajitori.client import Client, NotFound
from kajitori.ctrl import Cache, Clock, Random
from kajitori.operators.mysql.objects.secrets import PASSWORD_BYTES, PASSWORD_KEYS
from kajitori.operators.mysql.seen import (
    CERTIFICATE,
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
    ObjectKey,
)
from kajitori.operators.mysql.settings import Settings

__all__ = ["CachedReader", "Certificates", "ClientReader", "Reader", "entropy_of", "observe"]

ENTROPY_BYTES = PASSWORD_BYTES * len(PASSWORD_KEYS) + 4
"""For all passwords, and four for `serverIDBase`."""

CERTIFICATES_KNOWN_SECONDS = 60.0
"""How long the answer whether cert-manager is installed is good for."""


class Reader(Protocol):
    """One place to read objects from."""

    async def get(self, kind: Kind, namespace: str, name: str) -> JsonObject | None:
        """The object; None when there is none."""
        ...

    async def list(self, kind: Kind, namespace: str = "") -> Sequence[JsonObject]:
        """All objects of a namespace, or of a cluster-scoped kind."""
        ...


class ClientReader:
    """Reads the API server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(self, kind: Kind, namespace: str, name: str) -> JsonObject | None:
        try:
            return await self._client.get(kind, namespace, name)
        except NotFound:
            return None

    async def list(self, kind: Kind, namespace: str = "") -> Sequence[JsonObject]:
        return (await self._client.list(kind, namespace)).items


class CachedReader:
    """Reads the manager's cache; what is not cached (cert-manager's kinds) from the API server."""

    def __init__(self, cache: Cache, client: Client) -> None:
        self._cache = cache
        self._uncached = ClientReader(client)

    async def get(self, kind: Kind, namespace: str, name: str) -> JsonObject | None:
        if kind == CERTIFICATE:
            return await self._uncached.get(kind, namespace, name)
        return self._cache.get(kind, namespace, name)

    async def list(self, kind: Kind, namespace: str = "") -> Sequence[JsonObject]:
        return self._cache.list(kind, namespace or None)


class Certificates:
    """Whether the API server serves cert-manager's kinds; asked rarely."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._served = False
        self._asked_at: float | None = None
        self._lock = asyncio.Lock()

    async def served(self) -> bool:
        """Raises: any ApiError but NotFound."""
        async with self._lock:
            now = self._clock.monotonic()
            if self._asked_at is None or now - self._asked_at > CERTIFICATES_KNOWN_SECONDS:
                try:
                    await self._client.send("GET", f"/apis/{CERTIFICATE.api_version}")
                    self._served = True
                except NotFound:
                    self._served = False
                self._asked_at = now
            return self._served


def entropy_of(random: Random) -> bytes:
    """Random bytes for one decision."""
    token = random.token(ENTROPY_BYTES)
    return urlsafe_b64decode(token + "=" * (-len(token) % 4))


async def observe(
    reader: Reader,
    key: NamespacedName,
    *,
    settings: Settings,
    now: datetime,
    entropy: bytes,
    serves_certificates: bool,
) -> ClusterSeen | None:
    """Everything about one cluster; None when there is no such cluster."""
    cluster = await reader.get(MYSQL_CLUSTER, key.namespace, key.name)
    if cluster is None:
        return None
    names = ClusterNames(key.namespace, key.name)
    spec: JsonObject = cluster.get("spec") or {}
    claims = [each for each in await reader.list(VOLUME_CLAIM, key.namespace) if _names_a_pod(each, names)]
    return ClusterSeen(
        settings=settings,
        now=now,
        entropy=entropy,
        cluster=cluster,
        user_config=await _named(reader, CONFIG_MAP, key.namespace, spec.get("mysqlConfigMapName")),
        policy=await _named(reader, BACKUP_POLICY, key.namespace, spec.get("backupPolicyName")),
        system_namespace_exists=await reader.get(NAMESPACE, "", settings.system_namespace) is not None,
        serves_certificates=serves_certificates,
        live=await _live(reader, names, settings, serves_certificates),
        claims=tuple(claims),
        pods=tuple(each for each in await reader.list(POD, key.namespace) if _is_of(each, key.name)),
        volumes=tuple(await _volumes_of(reader, claims)),
        storage_classes=tuple(await reader.list(STORAGE_CLASS)),
    )


async def _named(reader: Reader, kind: Kind, namespace: str, name: str | None) -> JsonObject | None:
    return None if name is None else await reader.get(kind, namespace, name)


def _names_a_pod(claim: JsonObject, names: ClusterNames) -> bool:
    """Whether the name is that of a claim which a StatefulSet makes: template, StatefulSet, ordinal."""
    name: str = claim["metadata"]["name"]
    head, _, ordinal = name.rpartition("-")
    return ordinal.isdigit() and head.endswith(f"-{names.prefixed}")


def _is_of(pod: JsonObject, name: str) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in cluster_labels(name).items())


async def _volumes_of(reader: Reader, claims: Sequence[JsonObject]) -> list[JsonObject]:
    wanted = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in claims}
    if not wanted:
        return []
    found: list[JsonObject] = []
    for volume in await reader.list(PERSISTENT_VOLUME):
        reference = volume["spec"].get("claimRef") or {}
        if (reference.get("namespace"), reference.get("name")) in wanted:
            found.append(volume)
    return found


async def _live(
    reader: Reader, names: ClusterNames, settings: Settings, serves_certificates: bool
) -> dict[ObjectKey, JsonObject]:
    own, system = names.namespace, settings.system_namespace
    wanted = [
        (SECRET, system, names.controller_secret),
        (SECRET, own, names.prefixed),
        (SECRET, own, names.my_cnf_secret),
        (SECRET, own, names.grpc_secret),
        (SECRET, system, names.certificate),
        (SERVICE_ACCOUNT, own, names.prefixed),
        (SERVICE, own, names.prefixed),
        (SERVICE, own, names.primary_service),
        (SERVICE, own, names.replica_service),
        (STATEFUL_SET, own, names.prefixed),
        (DISRUPTION_BUDGET, own, names.prefixed),
        (CRON_JOB, own, names.backup),
        (ROLE, own, names.backup),
        (ROLE_BINDING, own, names.backup),
        (JOB, own, names.restore),
        (ROLE, own, names.restore),
        (ROLE_BINDING, own, names.restore),
    ]
    if serves_certificates:
        wanted.append((CERTIFICATE, system, names.certificate))
    live: dict[ObjectKey, JsonObject] = {}
    for kind, namespace, name in wanted:
        found = await reader.get(kind, namespace, name)
        if found is not None:
            live[ObjectKey(kind.kind, namespace, name)] = found
    for config_map in await reader.list(CONFIG_MAP, own):
        name = config_map["metadata"]["name"]
        if name.startswith((names.my_cnf_prefix, names.slow_log_prefix)):
            live[ObjectKey(CONFIG_MAP.kind, own, name)] = config_map
    return live
