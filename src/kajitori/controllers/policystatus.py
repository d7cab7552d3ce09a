"""The status of ValidatingAdmissionPolicies: what of their expressions cannot work with the kinds they match.

Promises
    P1  every generation of a policy is checked once, against the kinds and schemas that are served then; what comes to
        be served later is looked at with the next change of the policy, as in Kubernetes
    P2  `status.observedGeneration` says which one; warnings alter nothing of what the policy does

Source: Kubernetes' validatingadmissionpolicystatus controller.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.errors import NotFound
from kajitori.apimachinery.kind import JsonObject
from kajitori.client import Client
from kajitori.controllers.discovery import names_of_kinds
from kajitori.controllers.kinds import VALIDATING_ADMISSION_POLICIES
from kajitori.ctrl import DONE, Cache, Manager, Request, Result

if TYPE_CHECKING:
    from kajitori.apimachinery.cel import Type
    from kajitori.apis.type_checking import GroupVersionKind

__all__ = ["PolicyStatusReconciler", "expression_warnings", "setup"]

NAME = "validatingadmissionpolicy-status-controller"
FIELD_MANAGER = "validatingadmissionpolicy-status"


class PolicyStatusReconciler:
    """Checks one policy."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def reconcile(self, request: Request) -> Result:
        policy = self._cache.get(VALIDATING_ADMISSION_POLICIES, "", request.name)
        if policy is None:
            return DONE
        generation: int = policy["metadata"].get("generation") or 0
        if generation <= ((policy.get("status") or {}).get("observedGeneration") or 0):
            return DONE
        found = await expression_warnings(self._client, policy["spec"])
        applied = {
            "apiVersion": VALIDATING_ADMISSION_POLICIES.api_version,
            "kind": VALIDATING_ADMISSION_POLICIES.kind,
            "metadata": {"name": request.name},
            "status": {
                "observedGeneration": generation,
                "typeChecking": {"expressionWarnings": found} if found else {},
            },
        }
        try:
            await self._client.apply(
                VALIDATING_ADMISSION_POLICIES,
                applied,
                force=True,
                field_manager=FIELD_MANAGER,
                subresource="status",
            )
        except NotFound:
            return DONE  # deleted meanwhile
        return DONE


async def expression_warnings(client: Client, spec: Mapping[str, Any]) -> list[JsonObject]:
    """What `status.typeChecking.expressionWarnings` is to say of a policy.

    Raises: ApiError, TransportError.
    """
    # Most clusters have no policies, and need nothing of this.
    from kajitori.apimachinery.cel.types import DYN
    from kajitori.apis import type_checking

    names = await names_of_kinds(client)

    def kinds_for(group: str, version: str, resource: str) -> "list[GroupVersionKind]":
        wanted = resource.lower()
        return [
            type_checking.GroupVersionKind(kind.group, kind.version, kind.kind)
            for kind, singular in names
            if wanted in (kind.plural, singular)
            and kind.version == version
            and (not group or kind.group == group)
        ]

    types = _Types(client)
    matched = [
        type_checking.Matched(kind, found)
        for kind in type_checking.kinds_matched(spec, kinds_for)
        # Numbered, so that an object and its parameters have different types even when both are of one kind.
        if (found := await types.of(kind, f"{kind.kind}1")) is not None
    ]
    params = None
    param_kind = type_checking.param_kind(spec)
    if param_kind is not None:
        params = await types.of(param_kind, f"{param_kind.kind}2") or DYN
    return type_checking.warnings(spec, matched, params)


class _Types:
    """The types of kinds, by what the server publishes of them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._documents: dict[str, JsonObject] = {}

    async def of(self, kind: "GroupVersionKind", name: str) -> "Type | None":
        """The type of a kind; None where nothing is published."""
        from kajitori.apis.cel_types import built_in_type
        from kajitori.apis.type_checking import custom_type

        found = built_in_type(*kind, name)
        return found or custom_type(await self._document(kind), kind, name)

    async def _document(self, kind: "GroupVersionKind") -> JsonObject:
        path = (
            f"/openapi/v3/apis/{kind.group}/{kind.version}"
            if kind.group
            else f"/openapi/v3/api/{kind.version}"
        )
        if path not in self._documents:
            try:
                response = await self._client.send("GET", path)
                self._documents[path] = msgspec.json.decode(response.body)
            except NotFound:
                self._documents[path] = {}
        return self._documents[path]


def setup(manager: Manager) -> None:
    """Adds the controller to a manager."""
    reconciler = PolicyStatusReconciler(manager.client, manager.cache)
    manager.controller(NAME, reconciler, for_=VALIDATING_ADMISSION_POLICIES)
