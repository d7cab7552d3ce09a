"""Which subresource does what."""

from collections.abc import Awaitable, Callable, Mapping

from kajitori.apimachinery.errors import MethodNotAllowed
from kajitori.apiserver.endpoints.discovery import no_such_resource
from kajitori.apiserver.endpoints.pods import Pods
from kajitori.apiserver.endpoints.resources import Answer
from kajitori.apiserver.endpoints.scales import Scales
from kajitori.apiserver.endpoints.tokens import Tokens
from kajitori.apiserver.scope import Scope

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
    """Endpoints below an object."""

    def __init__(self, scales: Scales, pods: Pods, tokens: Tokens) -> None:
        self._own: dict[tuple[str, str, str], Endpoint] = {
            ("pods", "binding", "create"): pods.bind,
            ("pods", "eviction", "create"): pods.evict,
            ("pods", "log", "get"): pods.log,
            ("serviceaccounts", "token", "create"): tokens.create,
        }
        for name in ("exec", "attach", "portforward", "proxy"):
            for verb in _METHODS.values():
                self._own["pods", name, verb] = pods.connect
        self._scale: dict[str, Endpoint] = {
            "get": scales.get,
            "update": scales.update,
            "patch": scales.patch,
        }

    def answer(self, scope: Scope, verbs: Mapping[str, Endpoint]) -> "Answer | Awaitable[Answer]":
        """The answer to a request for a subresource; `verbs` are those of objects.

        Raises: NotFound where there is none, MethodNotAllowed where it has no such verb.
        """
        info, resource = scope.info, scope.resource
        known = resource.subresources.get(info.subresource)
        if known is None or (info.parts and info.subresource != "proxy"):
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
