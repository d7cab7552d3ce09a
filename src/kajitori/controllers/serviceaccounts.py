"""What every namespace is born with: the service account `default`, and the certificate of the API's authority.

Promises
    A1  an active namespace has both; deleted ones come back, changed certificates are put right
    A2  a namespace that is going away is left alone

Source: Kubernetes' serviceaccount and root-ca-certificate-publisher controllers.
"""

from collections.abc import Callable, Iterable
from typing import Any

from kajitori.apimachinery.errors import AlreadyExists, Forbidden, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client, key_of
from kajitori.controllers.kinds import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS
from kajitori.ctrl import DONE, Cache, Manager, Request, Result, Watch

__all__ = [
    "RootCertificateReconciler",
    "ServiceAccountReconciler",
    "setup_accounts",
    "setup_root_certificates",
]

ACCOUNT = "default"
ROOT_CA = "kube-root-ca.crt"
_DESCRIPTION_ANNOTATION = "kubernetes.io/description"
_DESCRIPTION = "The certificate authority that clients in Pods know the API server by."


class ServiceAccountReconciler:
    """Gives each namespace its service account."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def reconcile(self, request: Request) -> Result:
        if _is_active(self._cache, request) and not self._cache.get(SERVICE_ACCOUNTS, request.name, ACCOUNT):
            body = {"metadata": {"name": ACCOUNT}}
            await _create(self._client, SERVICE_ACCOUNTS, request.name, body)
        return DONE


class RootCertificateReconciler:
    """Gives each namespace its copy of the authority's certificate."""

    def __init__(self, client: Client, cache: Cache, ca: str) -> None:
        self._client = client
        self._cache = cache
        self._ca = ca

    async def reconcile(self, request: Request) -> Result:
        if not _is_active(self._cache, request):
            return DONE
        # Only metadata is cached: ConfigMaps are many and large, and of each namespace's we read one.
        try:
            published = await self._client.get(CONFIG_MAPS, request.name, ROOT_CA)
        except NotFound:
            body = {
                "metadata": {"name": ROOT_CA, "annotations": {_DESCRIPTION_ANNOTATION: _DESCRIPTION}},
                "data": {"ca.crt": self._ca},
            }
            await _create(self._client, CONFIG_MAPS, request.name, body)
            return DONE
        patch = self._correction(published)
        if patch is not None:
            try:
                await self._client.patch(CONFIG_MAPS, request.name, ROOT_CA, patch)
            except NotFound:
                return DONE  # deleted meanwhile: the watch tells of it
        return DONE

    def _correction(self, published: Unstructured) -> JsonObject | None:
        """The patch that puts a copy right; None when it is."""
        data: dict[str, Any] = published.get("data") or {}
        wanted = {"ca.crt": self._ca}
        if data == wanted and published.annotations.get(_DESCRIPTION_ANNOTATION):
            return None
        surplus = dict.fromkeys(data.keys() - wanted.keys())
        described = published.annotations.get(_DESCRIPTION_ANNOTATION) or _DESCRIPTION
        return {
            "metadata": {"annotations": {_DESCRIPTION_ANNOTATION: described}},
            "data": {**surplus, **wanted},
        }


def _is_active(cache: Cache, request: Request) -> bool:
    namespace = cache.get(NAMESPACES, "", request.name)
    if namespace is None or namespace.being_deleted:
        return False
    return bool((namespace.get("status") or {}).get("phase", "Active") == "Active")


async def _create(client: Client, kind: Kind, namespace: str, body: JsonObject) -> None:
    try:
        await client.create(kind, body, namespace=namespace)
    except (AlreadyExists, NotFound):
        return  # made by somebody else, or the namespace is gone: the caches are about to learn of it
    except Forbidden as error:
        if not error.has_cause("NamespaceTerminating"):
            raise


def _of_namespace(name: str) -> Callable[[Any], Iterable[Request]]:
    """Objects of that name concern their namespace."""

    def requests(value: Any) -> Iterable[Request]:
        key = key_of(value)
        return (Request("", key.namespace),) if key.name == name else ()

    return requests


def setup_accounts(manager: Manager) -> None:
    """Adds the controller of service accounts."""
    manager.controller(
        "serviceaccount-controller",
        ServiceAccountReconciler(manager.client, manager.cache),
        for_=NAMESPACES,
        watches=[Watch(SERVICE_ACCOUNTS, _of_namespace(ACCOUNT), metadata_only=True)],
    )


def setup_root_certificates(manager: Manager, ca: str) -> None:
    """Adds the controller of certificates; `ca` is the one to publish, in PEM."""
    manager.controller(
        "root-ca-certificate-publisher-controller",
        RootCertificateReconciler(manager.client, manager.cache, ca),
        for_=NAMESPACES,
        watches=[Watch(CONFIG_MAPS, _of_namespace(ROOT_CA), metadata_only=True)],
    )
