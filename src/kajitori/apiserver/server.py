"""The API server: from an HTTP request to an answer, through authentication, authorization and the endpoints.

Nothing here waits unless an endpoint must: a GET is answered in the turn of the loop in which it came in.

Promises
    H1  every request is answered, with an ApiError's Status where something is wrong, in a form the client accepts
    H2  nobody reaches an endpoint without being authenticated and authorized for exactly that verb and resource
    H3  who is not authenticated is answered once for each HTTP/2 connection, as kube-apiserver does
    H4  a path that has the form of a resource's is refused by RBAC before anything says whether it exists

Source: https://kubernetes.io/docs/concepts/security/controlling-access/
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from time import monotonic
from typing import Any

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import (
    ApiError,
    BadRequest,
    MethodNotAllowed,
    ServiceUnavailable,
    internal_error,
)
from kajitori.apiserver.authentication import ANONYMOUS, Authenticator, User
from kajitori.apiserver.authorization import Attributes as AuthorizationAttributes
from kajitori.apiserver.authorization import Authorizer, Undecided, settled
from kajitori.apiserver.authorization.attributes import escaped
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.endpoints.answers import (
    NOT_FOUND_PAGE,
    error_answer,
    plain,
    prettified,
    wants_pretty,
)
from kajitori.apiserver.endpoints.discovery import Discovery, no_such_resource
from kajitori.apiserver.endpoints.resources import Answer, ResourceEndpoints
from kajitori.apiserver.endpoints.subresources import Subresources
from kajitori.apiserver.http import Request, Response, Stream
from kajitori.apiserver.negotiation import negotiate_error
from kajitori.apiserver.operating.asked import Asked
from kajitori.apiserver.operating.inflight import TurnedAway
from kajitori.apiserver.operating.observer import Observer
from kajitori.apiserver.options import parse_query
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.requestinfo import RequestInfo, parse_request
from kajitori.apiserver.scope import Scope
from kajitori.storage import StoreClosed, StoreError

__all__ = ["ApiServer"]

_log = logging.getLogger(__name__)

Endpoint = Callable[[Scope], "Answer | Awaitable[Answer]"]


class ApiServer:
    """The handler chain. `handle` is what an HTTP server, or a client in the same process, calls."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        authenticator: Authenticator,
        authorizer: Authorizer,
        resources: ResourceEndpoints,
        subresources: Subresources,
        discovery: Discovery,
        observer: Observer,
    ) -> None:
        self._catalog = catalog
        self._authenticator = self.authenticator = authenticator
        self._authorizer = authorizer
        self._subresources = subresources
        self._discovery = discovery
        self._observer = observer
        self._verbs: dict[str, Endpoint] = {
            "get": resources.get,
            "list": resources.list,
            "watch": resources.watch,
            "create": lambda scope: resources.writes.create(scope),
            "update": lambda scope: resources.writes.update(scope),
            "patch": lambda scope: resources.writes.patch(scope),
            "delete": lambda scope: resources.writes.delete(scope),
            "deletecollection": lambda scope: resources.writes.deletecollection(scope),
        }

    def handle(self, request: Request) -> "Answer | Awaitable[Answer]":
        """The answer to a request, at once or later."""
        warnings: list[str] = []
        try:
            answer = self._answer(request, warnings)
        except (ApiError, StoreError) as error:
            answer = self._refused(request, error, warnings)
        except TurnedAway as turned:
            self._turned_away(request)
            answer = turned.response
        except _NotDecided as error:
            answer = error.response
        except Exception as error:
            self._observer.failed(request, error)
            raise
        if isinstance(answer, Response | Stream):
            return self._finished(request, answer)
        later = self._later(request, answer, warnings)
        return self._observer.wait(request, later, partial(_drop, later, answer))

    async def _later(self, request: Request, waiting: "Awaitable[Answer]", warnings: list[str]) -> Answer:
        try:
            answer = await waiting
        except (ApiError, StoreError) as error:
            answer = self._refused(request, error, warnings)
        except asyncio.CancelledError:
            late = self._observer.overdue(request)
            if late is None:
                raise
            answer = self._refused(request, late, warnings)
        except TurnedAway as turned:
            self._turned_away(request)
            answer = turned.response
        except _NotDecided as error:
            answer = error.response
        except Exception as error:
            self._observer.failed(request, error)
            raise
        return self._finished(request, answer)

    def _finished(self, request: Request, answer: Answer) -> Answer:
        if wants_pretty(request):
            answer = _for_people(request, answer)
        self._observer.answered(request, answer)
        return answer

    def _turned_away(self, request: Request) -> None:
        asked: Asked = request.scope
        info = asked.info
        asked.resource = self._catalog.find(info.group, info.version, info.resource)
        self._observer.turned_away(asked)

    def _refused(self, request: Request, error: ApiError | StoreError, warnings: list[str]) -> Answer:
        if not isinstance(error, ApiError):
            error = _not_stored(error)
        return error_answer(error, negotiate_error(request.headers.get("accept", "")), warnings)

    def _answer(self, request: Request, warnings: list[str]) -> "Answer | Awaitable[Answer]":
        if request.path == "*" and request.method == "OPTIONS":
            return plain(200, "")  # asks whether anybody is there; Go answers before its handlers
        query = parse_query(request.query)
        info = parse_request(request.method, request.path, query)
        asked = request.scope = Asked(info, query)
        self._observer.arrived(request, asked)
        user = self._authenticate(request, asked)
        if isinstance(user, User):
            return self._answer_to(request, user, warnings)
        return self._answer_once_known(request, user, warnings)

    async def _answer_once_known(
        self, request: Request, asking: Awaitable[User], warnings: list[str]
    ) -> Answer:
        answer = self._answer_to(request, await asking, warnings)
        return answer if isinstance(answer, Response | Stream) else await answer

    def _answer_to(self, request: Request, user: User, warnings: list[str]) -> "Answer | Awaitable[Answer]":
        """The answer to a request of somebody who is known."""
        asked: Asked = request.scope
        self._observer.received(request, asked, user)
        try:
            permitted = self._permitted(request, user, asked)
        except Undecided as pending:
            return self._answer_once_decided(request, user, pending, warnings)
        return self._answer_permitted(request, permitted, warnings)

    async def _answer_once_decided(
        self, request: Request, user: User, pending: Undecided, warnings: list[str]
    ) -> Answer:
        began = monotonic()
        permitted = await settled(lambda: self._permitted(request, user, request.scope, began), pending)
        answer = self._answer_permitted(request, permitted, warnings)
        return answer if isinstance(answer, Response | Stream) else await answer

    def _answer_permitted(
        self, request: Request, user: User, warnings: list[str]
    ) -> "Answer | Awaitable[Answer]":
        """The answer to a request of somebody who may."""
        asked: Asked = request.scope
        info, query = asked.info, asked.query
        if not info.is_resource:
            return self._discovery.answer(request)
        resource = self._catalog.find(info.group, info.version, info.resource)
        if resource is None:
            if not self._catalog.is_built_in(info.group):
                return plain(404, NOT_FOUND_PAGE)
            raise no_such_resource()
        if not _is_path(info, resource):
            raise no_such_resource()
        asked.resource = resource
        if "%" in info.name or info.name in (".", ".."):
            raise _no_path_segment(info.name)
        if resource.deprecation:
            warnings.append(resource.deprecation)
        scope = Scope(request, info, query, user, resource, warnings)
        endpoint = self._verbs.get(info.verb)
        if endpoint is None or not _is_allowed(info, request.method, resource):
            raise _not_allowed(info, request.method, resource)
        if info.subresource:
            return self._subresources.answer(scope, self._verbs)
        if not resource.stored:
            return self._subresources.review(scope)
        return endpoint(scope)

    def _authenticate(self, request: Request, asked: Asked) -> "User | Awaitable[User]":
        """Who asks. A stranger's HTTP/2 connection ends with its answer: so little does it get to ask at once.

        Raises: Unauthorized.
        """
        begun = monotonic()
        try:
            user = self._authenticator.authenticate(request)
        except ApiError as error:
            raise self._unauthenticated(request, asked, error, begun) from None
        if not isinstance(user, User):
            return self._authenticate_elsewhere(request, asked, user, begun)
        self._observer.figures.recognizing.add(monotonic() - begun)
        if user is ANONYMOUS and request.version == "2.0":
            request.keep_alive = False
        return user

    async def _authenticate_elsewhere(
        self, request: Request, asked: Asked, asking: Awaitable[User], begun: float
    ) -> User:
        """Raises: Unauthorized."""
        try:
            user = await asking
        except ApiError as error:
            raise self._unauthenticated(request, asked, error, begun) from None
        self._observer.figures.recognizing.add(monotonic() - begun)
        return user

    def _unauthenticated(self, request: Request, asked: Asked, error: ApiError, begun: float) -> ApiError:
        self._observer.figures.refusing.add(monotonic() - begun)
        self._observer.unauthenticated(request, asked, error)
        request.keep_alive = request.keep_alive and request.version != "2.0"
        return error

    def _permitted(self, request: Request, user: User, asked: Asked, began: float = 0.0) -> User:
        """The user as whom the request goes on, who may do what it is about. `began`: when that was first asked.

        Raises: BadRequest, Forbidden, TurnedAway; Undecided, and then it is called once more.
        """
        if "impersonate-" in " ".join(request.headers):
            user, constraint = self._authenticator.impersonate(request, user, self._authorizer)
            self._observer.impersonated(asked, user, constraint)
        self._observer.in_flight.admit(asked)
        attributes = AuthorizationAttributes.of(user, asked.info, asked.query)
        since = began or monotonic()
        decision = self._authorizer.authorize(attributes)
        self._observer.decided(asked, decision, monotonic() - since)
        if decision.allowed:
            return user
        if decision.error:
            raise _NotDecided(request.target, decision.error)
        raise attributes.denied(decision.reason)


class _NotDecided(Exception):
    """Nobody could say whether somebody may. The answer is no Status: clients of Kubernetes show it as it stands."""

    def __init__(self, target: str, why: str) -> None:
        super().__init__(why)
        told = escaped(f"Internal Server Error: {go_quote(target)}: {why}")
        self.response = plain(500, f"{told}\n")


def _drop(later: Coroutine[Any, Any, Answer], answer: "Awaitable[Answer]") -> None:
    """Where a request is cancelled before its first step, neither has begun, nor ever will."""
    later.close()
    if isinstance(answer, Coroutine):
        answer.close()


def _not_stored(error: StoreError) -> ApiError:
    """The store does not answer: it is being closed, or its disk fails, of which the operator has to know."""
    if isinstance(error, StoreClosed):
        return ServiceUnavailable("the server is stopping", details={"retryAfterSeconds": 1})
    _log.error("request failed", extra={"why": error})
    return internal_error(error)


def _for_people(request: Request, answer: Answer) -> Answer:
    """Objects indented; documents that are made for programs stay as they are."""
    if isinstance(answer, Response) and request.path.startswith("/api"):
        return prettified(answer)
    return answer


def _no_path_segment(name: str) -> BadRequest:
    """Names from a path become part of one in the storage of Kubernetes, which some can not."""
    wrong = f"may not be '{name}'" if name in (".", "..") else "may not contain '%'"
    return BadRequest(f'Name parameter invalid: "{name}": {wrong}')


def _is_path(info: RequestInfo, resource: Resource) -> bool:
    """Whether there is such a path, whatever the method: objects have their namespace in it, or none."""
    if info.verb == "proxy":
        return False
    if info.namespace and not resource.kind.namespaced:
        return info.resource == "namespaces"
    if info.namespace or not resource.kind.namespaced:
        return True
    return not info.name and resource.stored and (not resource.custom or info.verb in ("list", "watch"))


def _not_allowed(info: RequestInfo, method: str, resource: Resource) -> ApiError:
    """What a method gets that the path does not take; Kubernetes' handler of custom resources tells more."""
    if resource.custom and not info.subresource:
        if method not in _METHODS:
            group, plural = resource.kind.group, resource.kind.plural
            told = f' is not supported on resources of kind "{plural}.{group}"'
            return MethodNotAllowed(told, details={"group": group, "kind": plural})
        if method in ("PUT", "PATCH") and not info.name:
            return BadRequest("name must be provided")
    return MethodNotAllowed("the server does not allow this method on the requested resource", details={})


_METHODS = frozenset(("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"))


def _is_allowed(info: RequestInfo, method: str, resource: Resource) -> bool:
    """Whether the path takes the method; subresources decide for themselves."""
    if method == "HEAD":
        return resource.custom
    if info.subresource:
        return True
    if resource.stored and info.verb not in resource.verbs:
        return False
    if info.verb in ("list", "watch"):
        return method == "GET"
    if resource.kind.namespaced and not info.namespace:
        return False
    return bool(info.name) != (info.verb in ("create", "deletecollection"))
