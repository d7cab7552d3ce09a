"""Approves the certificates of nodes, for those who may have them.

Promises
    A1  only requests of nodes to be clients are looked at, and only those that nobody has decided
    A2  who asks needs the right to create `selfnodeclient` (for its own name) or `nodeclient`, which the API is asked
    A3  a request that nobody may have is left to people, never denied

Source: Kubernetes' certificates/approver.
"""

from collections.abc import Iterator

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.client import Client
from kajitori.controllers.certificates.requests import (
    KUBELET_CLIENT,
    Asked,
    has_condition,
    kubelet_client_problem,
    parse,
    update_of,
)
from kajitori.controllers.kinds import CERTIFICATE_SIGNING_REQUESTS, SUBJECT_ACCESS_REVIEWS
from kajitori.ctrl import DONE, Cache, Manager, Request, Result

__all__ = ["ApprovingReconciler", "setup_approving"]

_SELF = ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview.")
_ANY = ("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.")


class ApprovingReconciler:
    """Decides one request, if it is a node's."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def reconcile(self, request: Request) -> Result:
        found = self._cache.get(CERTIFICATE_SIGNING_REQUESTS, "", request.name)
        if found is None or found["spec"]["signerName"] != KUBELET_CLIENT:
            return DONE
        if (found.get("status") or {}).get("certificate") or has_condition(found, "Approved", "Denied"):
            return DONE
        asked = parse(found)
        if asked is None:
            return DONE
        for subresource, message in _rights(found, asked):
            if await self._may(found, subresource):
                await self._approve(found, message)
                return DONE
        return DONE

    async def _may(self, found: Unstructured, subresource: str) -> bool:
        spec = found["spec"]
        review = {
            "spec": {
                "user": spec.get("username", ""),
                "uid": spec.get("uid", ""),
                "groups": spec.get("groups") or (),
                "extra": spec.get("extra") or {},
                "resourceAttributes": {
                    "group": "certificates.k8s.io",
                    "version": "*",
                    "resource": "certificatesigningrequests",
                    "subresource": subresource,
                    "verb": "create",
                },
            }
        }
        answer = await self._client.create(SUBJECT_ACCESS_REVIEWS, review)
        return bool(answer["status"].get("allowed"))

    async def _approve(self, found: Unstructured, message: str) -> None:
        approved = {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message}
        conditions = [*((found.get("status") or {}).get("conditions") or ()), approved]
        approval = self._client.subresource(CERTIFICATE_SIGNING_REQUESTS, "", found.name, "approval")
        try:
            await approval.update(update_of(found, conditions=conditions))
        except (Conflict, NotFound):
            return  # it changed: the watch tells of it


def _rights(found: Unstructured, asked: Asked) -> Iterator[tuple[str, str]]:
    """The rights that one of is enough, with what is said then."""
    if kubelet_client_problem(asked, found["spec"].get("usages") or ()):
        return
    if found["spec"].get("username", "") == asked.common_name:
        yield _SELF
    yield _ANY


def setup_approving(manager: Manager) -> None:
    """Adds the controller that approves."""
    manager.controller(
        "certificatesigningrequest-approving-controller",
        ApprovingReconciler(manager.client, manager.cache),
        for_=CERTIFICATE_SIGNING_REQUESTS,
    )
