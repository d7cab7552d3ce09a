"""ClusterRoles that aggregate others: their rules follow the roles that they select.

Promises
    R1  the rules of an aggregating role are the union of those of the selected ones, whenever any of them changes
    R2  rules that somebody writes into an aggregating role are put right
    R3  roles that aggregate nothing are left alone

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
"""

from collections.abc import Iterable
from typing import Any

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apis.aggregation import aggregated_rules
from kajitori.client import Client
from kajitori.controllers.kinds import CLUSTER_ROLES
from kajitori.ctrl import DONE, Cache, Manager, Request, Result, Watch

__all__ = ["ClusterRoleReconciler", "setup"]

NAME = "clusterrole-aggregation-controller"


class ClusterRoleReconciler:
    """Writes the rules of one aggregating role."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def reconcile(self, request: Request) -> Result:
        role = self._cache.get(CLUSTER_ROLES, "", request.name)
        if role is None or role.being_deleted:
            return DONE
        rules = aggregated_rules(role, self._cache.list(CLUSTER_ROLES))
        if rules is None or rules == (role.get("rules") or []):
            return DONE
        applied = {
            "apiVersion": CLUSTER_ROLES.api_version,
            "kind": CLUSTER_ROLES.kind,
            "metadata": {"name": request.name, "uid": role.uid},
            "rules": rules,
        }
        try:
            await self._client.apply(CLUSTER_ROLES, applied, force=True, field_manager=NAME)
        except (Conflict, NotFound):
            return DONE  # deleted meanwhile, or another of the same name: the watch tells of it
        return DONE


def setup(manager: Manager) -> None:
    """Adds the controller to a manager."""
    cache = manager.cache

    def aggregating(_: Any) -> Iterable[Request]:
        """Any role may be selected by any that aggregates."""
        return [
            Request("", role.name)
            for role in cache.list(CLUSTER_ROLES)
            if role.get("aggregationRule") is not None
        ]

    manager.controller(
        NAME,
        ClusterRoleReconciler(manager.client, cache),
        for_=CLUSTER_ROLES,
        watches=[Watch(CLUSTER_ROLES, aggregating)],
    )
