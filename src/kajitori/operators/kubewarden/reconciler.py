"""Joins seeing, deciding and acting, for policies and for their servers, and hooks them into a manager.

manager = Manager(client, webhooks=host)
setup(manager, Settings())
await manager.run()
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from kajitori.apis import JsonObject, Kind
from kajitori.apis.policies_v1 import (
    FINALIZER,
    POLICY_KINDS,
    POLICY_SERVER,
    is_group,
    policy_server_service,
    unique_name,
    validate_policy_server,
)
from kajitori.client import Conflict, NotFound
from kajitori.ctrl import (
    DONE,
    Cache,
    Controller,
    Manager,
    NotInCache,
    Request,
    Result,
    Watch,
    WebhookHost,
    WebhooksNotServed,
    add_finalizer,
    remove_finalizer,
    set_condition,
)
from kajitori.operators.kubewarden.act import act, write_status
from kajitori.operators.kubewarden.decide import decide
from kajitori.operators.kubewarden.metrics import PolicyMetrics
from kajitori.operators.kubewarden.observe import Observer
from kajitori.operators.kubewarden.plan import MUTATING, VALIDATING, State
from kajitori.operators.kubewarden.serving import PolicyServers
from kajitori.operators.kubewarden.settings import Settings

__all__ = ["WORKERS", "PolicyReconciler", "ServerReconciler", "setup"]

WORKERS = 4
"""Policies of a kind that are worked on at the same time: most of it is waiting for modules."""

REQUEUE_SECONDS = 1.0
"""While a server waits for its policies to go."""

_log = logging.getLogger(__name__)


class PolicyReconciler:
    """Brings one kind of policies to where requests are given to them."""

    def __init__(self, kind: Kind, manager: Manager, observer: Observer, metrics: PolicyMetrics) -> None:
        self._kind = kind
        self._manager = manager
        self._observer = observer
        self._metrics = metrics

    async def reconcile(self, request: Request) -> Result:
        """One round."""
        policy = self._manager.cache.get(self._kind, request.namespace, request.name)
        if policy is None:
            name = {"name": request.name, "namespace": request.namespace}
            self._forget(unique_name({"kind": self._kind.kind, "metadata": name}))
            return DONE
        seen = await self._observer.see(policy)
        plan = decide(seen)
        if plan.state not in (State.ACTIVE, State.OUTDATED):
            self._observer.forget(unique_name(policy))
        try:
            await act(self._manager.client, self._kind, policy, plan)
        except NotFound:
            return DONE  # It has gone meanwhile.
        before = (policy.get("status") or {}).get("policyStatus")
        if plan.state in (State.INVALID, State.PENDING, State.OUTDATED) and plan.status != policy.get(
            "status"
        ):
            self._manager.events.event(policy, "Warning", plan.state.value, plan.reason, kind=self._kind)
        elif plan.state is State.ACTIVE and before != "active":
            self._manager.events.event(policy, "Normal", plan.state.value, plan.reason, kind=self._kind)
        return Result(requeue_after_seconds=plan.retry_after_seconds)

    def _forget(self, name: str) -> None:
        self._observer.forget(name)
        self._metrics.forget(name)


class ServerReconciler:
    """Serves the policies of each PolicyServer; one that is deleted takes its policies with it."""

    def __init__(
        self, manager: Manager, servers: PolicyServers, webhooks: WebhookHost, settings: Settings
    ) -> None:
        self._manager = manager
        self._servers = servers
        self._webhooks = webhooks
        self._settings = settings

    async def reconcile(self, request: Request) -> Result:
        """One round."""
        server = self._manager.cache.get(POLICY_SERVER, "", request.name)
        service = policy_server_service(request.name)
        if server is None:
            self._webhooks.stop_serving(self._settings.namespace, service)
            return DONE
        if server.metadata.get("deletionTimestamp"):
            return await self._finalize(server)
        client = self._manager.client
        adopted: JsonObject = await add_finalizer(client, POLICY_SERVER, server, FINALIZER)
        self._webhooks.serve(self._settings.namespace, service, self._servers.answer)
        complaints = "; ".join(map(str, validate_policy_server(server)))
        conditions: list[JsonObject] = (server.get("status") or {}).get("conditions") or []
        for kind, message in (
            ("ConfigMapReconciled", "the policies of this server are loaded by the operator"),
            ("ServiceReconciled", "the policies of this server are answered for by the operator"),
        ):
            conditions = set_condition(
                conditions,
                kind,
                status="False" if complaints else "True",
                reason="ReconciliationFailed" if complaints else "ReconciliationSucceeded",
                message=complaints or message,
                observed_generation=server.metadata.get("generation"),
                now=self._manager.clock.now(),
            )
        await write_status(client, POLICY_SERVER, adopted, {"conditions": conditions})
        return DONE

    async def _finalize(self, server: JsonObject) -> Result:
        """Its policies go first: until they have gone, requests are given to them."""
        client, waits = self._manager.client, False
        for kind in POLICY_KINDS:
            for policy in _policies(self._manager.cache, kind):
                if (policy.get("spec") or {}).get("policyServer") != server["metadata"]["name"]:
                    continue
                waits = True
                if not policy.metadata.get("deletionTimestamp"):
                    try:
                        await client.delete(kind, policy.namespace, policy.name)
                    except NotFound:
                        continue
        if waits:
            return Result(requeue_after_seconds=REQUEUE_SECONDS)
        service = policy_server_service(server["metadata"]["name"])
        self._webhooks.stop_serving(self._settings.namespace, service)
        try:
            await remove_finalizer(client, POLICY_SERVER, server, FINALIZER)
        except (Conflict, NotFound):
            return Result(requeue_after_seconds=REQUEUE_SECONDS)
        return DONE


def setup(manager: Manager, settings: Settings | None = None) -> PolicyServers:
    """Adds the operator to a manager, before it runs.

    Raises: WebhooksNotServed when the manager has nobody to answer webhooks.
    """
    if manager.webhooks is None:
        raise WebhooksNotServed("the kubewarden operator answers webhooks")
    chosen = settings or Settings()
    metrics = PolicyMetrics()
    servers = PolicyServers(metrics)
    manager.measure(metrics)
    observer = Observer(
        manager.client,
        manager.cache,
        servers,
        webhooks=manager.webhooks,
        settings=chosen,
        clock=manager.clock,
    )
    controllers: dict[Kind, Controller] = {}
    for kind in POLICY_KINDS:
        controllers[kind] = manager.controller(
            kind.kind.lower(),
            PolicyReconciler(kind, manager, observer, metrics),
            for_=kind,
            watches=(
                Watch(POLICY_SERVER, _of_server(manager.cache, kind)),
                Watch(VALIDATING, _of_configuration(kind), metadata_only=False),
                Watch(MUTATING, _of_configuration(kind), metadata_only=False),
            ),
            workers=WORKERS,
        )
    manager.controller(
        "policyserver",
        ServerReconciler(manager, servers, manager.webhooks, chosen),
        for_=POLICY_SERVER,
        watches=[Watch(kind, _server_of) for kind in POLICY_KINDS],
    )

    def tell_anew() -> None:
        """Where and by which certificate we are reached has changed: every configuration says so."""
        for kind, controller in controllers.items():
            for policy in _policies(manager.cache, kind):
                controller.enqueue(Request(policy.namespace, policy.name))

    manager.webhooks.on_change(tell_anew)

    async def end_with_the_manager() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            servers.close()

    manager.add(end_with_the_manager)
    _log.debug("the kubewarden operator is set up", extra={"namespace": chosen.namespace})
    return servers


def _policies(cache: Cache, kind: Kind) -> Iterable[Any]:
    """Those that are known. Before the first list nothing is lost by knowing none: that list queues them all."""
    try:
        return cache.list(kind)
    except NotInCache:
        return ()


def _of_server(cache: Cache, kind: Kind) -> Callable[[Any], Iterable[Request]]:
    """The policies of a server."""

    def requests(server: Any) -> Iterable[Request]:
        for policy in _policies(cache, kind):
            if (policy.get("spec") or {}).get("policyServer") == server["metadata"]["name"]:
                yield Request(policy.namespace, policy.name)

    return requests


def _of_configuration(kind: Kind) -> Callable[[Any], Iterable[Request]]:
    """The policy that a webhook configuration is for."""

    def requests(configuration: Any) -> Iterable[Request]:
        annotations = configuration["metadata"].get("annotations") or {}
        name = annotations.get("kubewardenPolicyName")
        if not name:
            return
        namespace = annotations.get("kubewardenPolicyNamespace", "")
        grouped = annotations.get("kubewardenPolicyGroup") == "true"
        if kind.namespaced is bool(namespace) and is_group({"kind": kind.kind}) is grouped:
            yield Request(namespace, name)

    return requests


def _server_of(policy: Any) -> Iterable[Request]:
    """The server of a policy, which may be waiting for it to go."""
    name = (policy.get("spec") or {}).get("policyServer")
    if name:
        yield Request("", name)
