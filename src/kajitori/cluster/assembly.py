"""An API server, put together: registry, catalog, endpoints, authentication, authorization, admission.

One function, because the order matters and nothing else needs to know it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kajitori.apis.resources import resources
from kajitori.apiserver.admission.chain import Plugin
from kajitori.apiserver.allocation import Allocation
from kajitori.apiserver.authentication import Authenticator
from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.customresources import CustomResources
from kajitori.apiserver.endpoints.discovery import Discovery
from kajitori.apiserver.endpoints.health import Health
from kajitori.apiserver.endpoints.openapi import OpenApi
from kajitori.apiserver.endpoints.openid import openid_documents
from kajitori.apiserver.endpoints.resources import ResourceEndpoints
from kajitori.apiserver.endpoints.subresources import Subresources
from kajitori.apiserver.http import Response
from kajitori.apiserver.operating.exposition import Lines
from kajitori.apiserver.operating.observer import Observer
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import BuiltInResource
from kajitori.apiserver.server import ApiServer
from kajitori.apiserver.service_addresses import ServiceAddresses
from kajitori.cluster.admission import Grounds, admission_chain
from kajitori.cluster.localwebhooks import LocalWebhooks
from kajitori.cluster.options import ClusterOptions
from kajitori.storage import Store
from kajitori.world.clock import Clock
from kajitori.world.random import Random

if TYPE_CHECKING:
    from kajitori.apiserver.admission.manifests import Directories
    from kajitori.cluster.outgoing import KubeconfigWebhook

__all__ = ["Assembled", "Operators", "Reports", "assemble"]

METRICS_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reports:
    """What the cluster tells of itself."""

    ready: Callable[[], str | None]
    """What is not ready yet; None when all is."""
    stopping: Callable[[], str | None]
    """That the end is near; None while it is not."""
    metrics: Callable[[], bytes]
    url: Callable[[], str]
    """Where the API is reached."""
    observer: Observer
    """What is told of requests."""


@dataclass(frozen=True, slots=True)
class Operators:
    """What the operators of this process have to do with its API server."""

    plugins: Sequence[Plugin]
    """Their own admission."""
    webhooks: LocalWebhooks
    """What answers for their Services."""


@dataclass(slots=True)
class Assembled:
    """What the cluster starts and stops."""

    server: ApiServer
    custom: CustomResources
    addresses: ServiceAddresses
    resources: ResourceEndpoints
    registry: Registry
    catalog: Catalog
    directories: "Directories | None"
    """Where webhooks and policies lie in files."""
    figures: Sequence[Lines]
    """What it counts."""
    outgoing: "Sequence[KubeconfigWebhook]"
    """Whom it asks over connections that are kept."""

    async def close(self) -> None:
        """Hangs up."""
        for each in self.outgoing:
            await each.close()


def assemble(
    store: Store,
    options: ClusterOptions,
    *,
    authenticator: Authenticator,
    authorizer: Authorizer,
    operators: Operators,
    reports: Reports,
    clock: Clock,
    random: Random,
) -> Assembled:
    """An API server over `store`.

    Raises: UnknownPlugin, ConfigurationError, RangeError.
    """
    catalog = Catalog(BuiltInResource(info) for info in resources())
    grounds = Grounds(
        store, options, authorizer, lambda: registry, lambda: catalog, clock, random, operators.webhooks
    )
    chain = admission_chain(grounds, operators.plugins)
    allocation = Allocation(
        store,
        service_range=options.service_cluster_ip_range,
        node_ports=options.service_node_port_range,
        random=random,
    )
    registry = Registry(
        store, chain, clock=clock, random=random, allocators=allocation, resources=catalog.all
    )
    services = catalog.find("", "v1", "services")
    assert isinstance(services, BuiltInResource)
    services.families = allocation.families
    addresses = ServiceAddresses(registry, catalog, allocation)
    endpoints = ResourceEndpoints(registry)
    openapi = OpenApi(lambda: custom)
    custom = CustomResources(registry, catalog, endpoints, openapi.changed, webhooks=operators.webhooks)
    subresources = Subresources(
        registry, endpoints, catalog, authenticator=authenticator, authorizer=authorizer
    )
    health = Health({}, only_ready={"start": reports.ready, "shutdown": reports.stopping})
    further = {"/metrics": lambda: Response(200, reports.metrics(), METRICS_FORMAT)}
    if authenticator.service_accounts is not None and authenticator.service_accounts.discoverable:
        further |= openid_documents(authenticator.service_accounts, reports.url)
    server = ApiServer(
        catalog=catalog,
        authenticator=authenticator,
        authorizer=authorizer,
        resources=endpoints,
        subresources=subresources,
        discovery=Discovery(catalog, openapi, health, further),
        observer=reports.observer,
    )
    figures = (endpoints.event_sizes.lines, grounds.figures.lines)
    return Assembled(
        server,
        custom,
        addresses,
        endpoints,
        registry,
        catalog,
        grounds.directories,
        figures,
        grounds.outgoing,
    )
