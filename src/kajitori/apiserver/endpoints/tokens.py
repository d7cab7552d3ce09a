"""TokenRequest: a token of a service account, for some audiences and a while.

Source: authentication.k8s.io/v1 TokenRequest; https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
"""

from kajitori.apimachinery.errors import BadRequest, FieldError, ServiceUnavailable, invalid
from kajitori.apimachinery.time import format_time
from kajitori.apiserver.authentication import Authenticator
from kajitori.apiserver.authentication.lookup import StoreLookup
from kajitori.apiserver.authentication.tokenrequest import token_request
from kajitori.apiserver.endpoints.bodies import read_as
from kajitori.apiserver.endpoints.resources import Answer, ResourceEndpoints
from kajitori.apiserver.registry.listing import get_item
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.scope import Scope

__all__ = ["Tokens"]


class Tokens:
    """Issues tokens."""

    def __init__(
        self, registry: Registry, resources: ResourceEndpoints, authenticator: Authenticator
    ) -> None:
        self._registry = registry
        self._resources = resources
        self._issuer = authenticator.service_accounts
        self._lookup = StoreLookup(registry.store)

    async def create(self, scope: Scope) -> Answer:
        """Raises: NotFound for a missing account, Invalid for a wish that cannot be granted."""
        form = self._resources.form(scope)
        call = self._resources.call(scope, "CreateOptions")
        info, of = scope.info, scope.resource.subresources["token"]
        request = read_as(scope.request, of.kind, of.definition, call)
        metadata = request["metadata"]
        if (metadata.get("namespace") or info.namespace) != info.namespace:
            raise BadRequest(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if (metadata.get("name") or info.name) != info.name:
            told = "must match the service account name if specified"
            error = FieldError.invalid("metadata.name", metadata["name"], told)
            raise invalid("TokenRequest", of.kind.group, info.name, [error])
        request = await self._resources.admitted(scope, call, request)
        if self._issuer is None:
            raise ServiceUnavailable("this server issues no service account tokens")
        account = scope.resource.parse(
            get_item(self._registry.store, scope.resource, info.namespace, info.name).value
        )
        now = self._registry.clock.now().timestamp()
        spec, status = token_request(
            self._issuer,
            account,
            spec=request["spec"],
            lookup=self._lookup,
            now=now,
            warn=scope.warnings.append,
        )
        own = account["metadata"]
        answer = {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": own["name"],
                "namespace": own["namespace"],
                "uid": own["uid"],
                "creationTimestamp": format_time(now),
            },
            "spec": spec,
            "status": status,
        }
        return self._resources.show_other(scope, answer, form, 201)
