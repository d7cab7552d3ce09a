"""What every namespace is born with: the service account `default`, and the certificate of the API's authority.

Promises
    A1  an active namespace has both; deleted ones come back, changed certificates are put right
    A2  a namespace that is going away is left alone

Source: Kubernetes' serviceaccounts and root-ca-certificate-publisher controllers.
"""

from collections.abc import Callable, Iterable
from typing import Any

from kajitori.apimachinery.errors import AlreadyExists, Forbidden, NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client, PatchType, key_of
from kajitori.controllers.kinds import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS
from kajitori.ctrl import DONE, Cache, Manager, Request, Result, Watch

__all__ = ["NamespaceContentReconciler", "setup"]

ACCOUNT = "default"
ROOT_CA = "kube-root-ca.crt"
_DESCRIPTION = {
    "kubernetes.io/description": "The certificate authority that clients in Pods know the API server by."
}


class NamespaceContentReconciler:
    """Gives each namespace its service account and its copy of the authority's certificate."""

    def __init__(self, client: Client, cache: Cache, ca: str) -> None:
        self._client = client
        self._cache = cache
        self._ca = ca

    async def reconcile(self, request: Request) -> Result:
        namespace = self._cache.get(NAMESPACES, "", request.name)
        if namespace is None or namespace.being_deleted:
            return DONE
        if self._cache.get(SERVICE_ACCOUNTS, request.name, ACCOUNT) is None:
            await self._create(SERVICE_ACCOUNTS, request.name, {"metadata": {"name": ACCOUNT}})
        wanted = {"ca.crt": self._ca}
        published = self._cache.get(CONFIG_MAPS, request.name, ROOT_CA)
        if published is None:
            body = {"metadata": {"name": ROOT_CA, "annotations": _DESCRIPTION}, "data": wanted}
            await self._create(CONFIG_MAPS, request.name, body)
        elif published.get("data") != wanted:
            patch = [{"op": "add", "path": "/data", "value": wanted}]
            await self._client.patch(CONFIG_MAPS, request.name, ROOT_CA, patch, PatchType.JSON)
        return DONE

    async def _create(self, kind: Kind, namespace: str, body: JsonObject) -> None:
        try:
            await self._client.create(
                kind, {"apiVersion": "v1", "kind": kind.kind, **body}, namespace=namespace
            )
        except AlreadyExists:
            return  # the cache is about to learn of it
        except (Forbidden, NotFound):
            return  # the namespace is going away


def _of_namespace(name: str) -> Callable[[Any], Iterable[Request]]:
    """Objects of that name concern their namespace."""

    def requests(value: Any) -> Iterable[Request]:
        key = key_of(value)
        return (Request("", key.namespace),) if key.name == name else ()

    return requests


def setup(manager: Manager, ca: str) -> None:
    """Adds the controller; `ca` is the certificate to publish, in PEM."""
    manager.controller(
        "namespace-content",
        NamespaceContentReconciler(manager.client, manager.cache, ca),
        for_=NAMESPACES,
        watches=[
            Watch(SERVICE_ACCOUNTS, _of_namespace(ACCOUNT)),
            Watch(CONFIG_MAPS, _of_namespace(ROOT_CA)),
        ],
        workers=2,
    )
