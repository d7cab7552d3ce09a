"""Reading what a decision about one policy needs, and loading the policy, which is a way to see whether it can be run.

Promises
    O1  a policy is loaded when it, its server or its server's credentials have changed, and when it failed for a
        reason that may have passed; not otherwise
    O2  what could be run before goes on being run until the new version can
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from kajitori.apis import JsonObject, Kind
from kajitori.apis.policies_v1 import (
    POLICY_SERVER,
    SERVER_PORT,
    policy_server_service,
    unique_name,
    validate_policy,
)
from kajitori.client import Client, NotFound
from kajitori.ctrl import Cache, Clock, WebhookHost
from kajitori.operators.kubewarden.fetching.modules import Modules
from kajitori.operators.kubewarden.fetching.sources import FetchError, Sources, credentials_of
from kajitori.operators.kubewarden.loading import LoadError, load
from kajitori.operators.kubewarden.plan import MUTATING, VALIDATING
from kajitori.operators.kubewarden.seen import Loading, PolicySeen
from kajitori.operators.kubewarden.services import ClusterServices, KnownKinds, acting_as
from kajitori.operators.kubewarden.serving import PolicyServers
from kajitori.operators.kubewarden.settings import Settings

__all__ = ["Observer"]

SECRET = Kind("", "v1", "Secret", "secrets")
_DOCKER_CONFIG = ".dockerconfigjson"


@dataclass(slots=True)
class _Tried:
    """The last time that a policy was loaded."""

    key: tuple[Any, ...]
    error: LoadError | None
    at: float


class Observer:
    """Sees policies, for all kinds of them."""

    def __init__(
        self,
        client: Client,
        cache: Cache,
        servers: PolicyServers,
        *,
        webhooks: WebhookHost,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._client = client
        self._cache = cache
        self._servers = servers
        self._webhooks = webhooks
        self._settings = settings
        self._clock = clock
        self._kinds = KnownKinds(client)
        self._modules = Modules()
        self._tried: dict[str, _Tried] = {}

    def forget(self, name: str) -> None:
        """Runs a policy no longer."""
        self._tried.pop(name, None)
        self._servers.forget(name)
        self._modules.keep(self._servers.digests)

    async def see(self, policy: JsonObject) -> PolicySeen:
        """Raises: ApiError, TransportError."""
        name = unique_name(policy)
        server = self.server_of(policy)
        if policy["metadata"].get("deletionTimestamp") or server is None or validate_policy(policy):
            loading = Loading()
        else:
            loading = await self._load(policy, server)
        spec = {} if server is None else server["spec"]
        return PolicySeen(
            policy,
            server is not None,
            loading,
            frozenset(
                kind.kind for kind in (MUTATING, VALIDATING) if self._cache.get(kind, "", name) is not None
            ),
            self._webhooks.client_config(
                self._settings.namespace,
                policy_server_service(str((policy.get("spec") or {}).get("policyServer") or "")),
                int(spec.get("webhookPort") or SERVER_PORT),
                f"/validate/{name}",
            ),
            self._settings.namespace,
            self._clock.now(),
            self._settings.retry_seconds,
        )

    def server_of(self, policy: JsonObject) -> JsonObject | None:
        """The policy's server; None where it is not there, or goes."""
        name = (policy.get("spec") or {}).get("policyServer")
        server = self._cache.get(POLICY_SERVER, "", name) if name else None
        if server is None or server.metadata.get("deletionTimestamp"):
            return None
        return server

    async def _load(self, policy: JsonObject, server: JsonObject) -> Loading:
        name = unique_name(policy)
        credentials, version = await self._credentials(server)
        key = (
            *(policy["metadata"][member] for member in ("uid", "generation")),
            *(server["metadata"][member] for member in ("uid", "generation")),
            version,
        )
        tried, now = self._tried.get(name), asyncio.get_running_loop().time()
        if tried is None or tried.key != key or self._is_due(tried, now):
            error: LoadError | None = None
            try:
                if isinstance(credentials, LoadError):
                    raise credentials
                sources = Sources.of_server(server["spec"], credentials)
                loop = asyncio.get_running_loop()
                found = await load(
                    policy,
                    server,
                    modules=self._modules,
                    sources=sources,
                    services=ClusterServices(
                        self._acting_for(server), self._kinds, sources, self._clock, loop
                    ),
                    settings=self._settings,
                    clock=self._clock,
                )
                self._servers.run(found)
            except LoadError as problem:
                error = problem
            self._tried[name] = tried = _Tried(key, error, now)
            self._modules.keep(self._servers.digests)
        runs_as = self._servers.mode_of(name)
        if tried.error is None:
            return Loading(runs_as=runs_as)
        return Loading(str(tried.error), tried.error.will_pass, runs_as)

    def _acting_for(self, server: JsonObject) -> Client:
        """Who reads the cluster for the server's policies."""
        account = server["spec"].get("serviceAccountName")
        if not account:
            return self._client
        return acting_as(self._client, f"system:serviceaccount:{self._settings.namespace}:{account}")

    def _is_due(self, tried: _Tried, now: float) -> bool:
        return (
            tried.error is not None
            and tried.error.will_pass
            and now - tried.at >= self._settings.retry_seconds
        )

    async def _credentials(self, server: JsonObject) -> tuple[dict[str, tuple[str, str]] | LoadError, str]:
        """What the server's Secret holds, and its version."""
        name = server["spec"].get("imagePullSecret")
        if not name:
            return {}, ""
        where = f"Secret {self._settings.namespace}/{name}"
        try:
            secret = await self._client.get(SECRET, self._settings.namespace, name)
        except NotFound:
            return LoadError(
                f"spec.imagePullSecret of the PolicyServer: there is no {where}", will_pass=True
            ), ""
        try:
            config = msgspec.convert((secret.get("data") or {}).get(_DOCKER_CONFIG, ""), bytes, strict=False)
            return credentials_of(config), secret.resource_version
        except (FetchError, msgspec.ValidationError):
            why = f"{where} holds no {_DOCKER_CONFIG} that can be read"
            return LoadError(why, will_pass=False), secret.resource_version
