"""Which subresource does what.

What only a few requests need is imported with the first of them.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from kajitori.apimachinery.errors import MethodNotAllowed, not_found
from kajitori.apiserver.authentication import Authenticator
from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.endpoints.discovery import no_such_resource
from kajitori.apiserver.endpoints.resources import Answer, ResourceEndpoints
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.scope import Scope

if TYPE_CHECKING:
    from kajitori.apiserver.endpoints.pods import Pods
    from kajitori.apiserver.endpoints.reviews import Reviews

__all__ = ["Subresources"]

Endpoint = Callable[[Scope], "Answer | Awaitable[Answer]"]

_METHODS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}

_OF_THE_OBJECT = frozenset({"status", "ephemeralcontainers", "resize", "approval", "finalize"})
"""Subresources that are the object itself, of which only a part can be changed."""


class Subresources:
    """Endpoints below an object, and resources that are never stored."""

    def __init__(
        self,
        registry: Registry,
        resources: ResourceEndpoints,
        catalog: Catalog,
        *,
        authenticator: Authenticator,
        authorizer: Authorizer,
    ) -> None:
        self._registry = registry
        self._resources = resources
        self._catalog = catalog
        self._authenticator = authenticator
        self._authorizer = authorizer

    @cached_property
    def _pods(self) -> "Pods":
        from kajitori.apiserver.endpoints.pods import Pods

        return Pods(self._registry, self._resources, self._catalog)

    @cached_property
    def _reviews(self) -> "Reviews":
        from kajitori.apiserver.endpoints.reviews import Reviews

        return Reviews(
            self._registry,
            self._resources,
            self._pods,
            authenticator=self._authenticator,
            authorizer=self._authorizer,
        )

    @cached_property
    def _scale(self) -> Mapping[str, Endpoint]:
        from kajitori.apiserver.endpoints.scales import Scales

        scales = Scales(self._registry, self._resources)
        return {"get": scales.get, "update": scales.update, "patch": scales.patch}

    @cached_property
    def _own(self) -> Mapping[tuple[str, str, str], Endpoint]:
        from kajitori.apiserver.endpoints.tokens import Tokens

        pods = self._pods
        tokens = Tokens(self._registry, self._resources, self._authenticator)
        own: dict[tuple[str, str, str], Endpoint] = {
            ("pods", "binding", "create"): pods.bind,
            ("pods", "eviction", "create"): pods.evict,
            ("pods", "log", "get"): pods.log,
            ("serviceaccounts", "token", "create"): tokens.create,
        }
        for name in ("exec", "attach", "portforward", "proxy"):
            for verb in _METHODS.values():
                own["pods", name, verb] = pods.connect
        return own

    def review(self, scope: Scope) -> "Answer | Awaitable[Answer]":
        """The answer to a request for a resource that is never stored."""
        return self._reviews.answer(scope)

    def answer(self, scope: Scope, verbs: Mapping[str, Endpoint]) -> "Answer | Awaitable[Answer]":
        """The answer to a request for a subresource; `verbs` are those of objects.

        Raises: NotFound where there is none, MethodNotAllowed where it has no such verb.
        """
        info, resource = scope.info, scope.resource
        known = resource.subresources.get(info.subresource)
        if known is None or (info.parts and info.subresource != "proxy"):
            if resource.custom and not info.parts:
                raise not_found(resource.kind.plural, resource.kind.group, info.name)
            raise no_such_resource()
        verb = _METHODS.get(scope.request.method, "")
        endpoint: Endpoint | None = None
        if verb in known.verbs:
            if info.subresource == "scale":
                endpoint = self._scale.get(verb)
            elif info.subresource in _OF_THE_OBJECT:
                endpoint = verbs.get(verb)
            else:
                endpoint = self._own.get((resource.kind.plural, info.subresource, verb))
        if endpoint is None:
            raise MethodNotAllowed(
                "the server does not allow this method on the requested resource", details={}
            )
        return endpoint(scope)
