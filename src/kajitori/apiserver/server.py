"""The API server: from an HTTP request to an answer, through authentication, authorization and the endpoints.

Nothing here waits unless an endpoint must: a GET is answered in the turn of the loop in which it came in.

Promises
    H1  every request is answered, with an ApiError's Status where something is wrong, in a form the client accepts
    H2  nobody reaches an endpoint without being authenticated and authorized for exactly that verb and resource
    H3  a path that has the form of a resource's is refused by RBAC before anything says whether it exists

Source: https://kubernetes.io/docs/concepts/security/controlling-access/
"""

from collections.abc import Awaitable, Callable

from kajitori.apimachinery.errors import ApiError, BadRequest, Forbidden, MethodNotAllowed, forbidden
from kajitori.apiserver.authentication import Authenticator, User
from kajitori.apiserver.authorization import Attributes as AuthorizationAttributes
from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.endpoints.answers import NOT_FOUND_PAGE, error_answer, plain
from kajitori.apiserver.endpoints.discovery import Discovery, no_such_resource
from kajitori.apiserver.endpoints.resources import Answer, ResourceEndpoints
from kajitori.apiserver.endpoints.subresources import Subresources
from kajitori.apiserver.http import Request
from kajitori.apiserver.negotiation import Form, negotiate
from kajitori.apiserver.options import parse_query
from kajitori.apiserver.requestinfo import RequestInfo, parse_request
from kajitori.apiserver.scope import Scope

__all__ = ["ApiServer"]

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
    ) -> None:
        self._catalog = catalog
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._subresources = subresources
        self._discovery = discovery
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
        except ApiError as error:
            return self._refused(request, error, warnings)
        return answer if not isinstance(answer, Awaitable) else self._later(request, answer, warnings)

    async def _later(self, request: Request, answer: "Awaitable[Answer]", warnings: list[str]) -> Answer:
        try:
            return await answer
        except ApiError as error:
            return self._refused(request, error, warnings)

    def _refused(self, request: Request, error: ApiError, warnings: list[str]) -> Answer:
        try:
            accept = request.headers.get("accept", "")
            form = negotiate(accept, custom=False, streaming=False, transforms=True)
        except ApiError:
            form = Form()
        return error_answer(error, form, warnings)

    def _answer(self, request: Request, warnings: list[str]) -> "Answer | Awaitable[Answer]":
        query = parse_query(request.query)
        info = parse_request(request.method, request.path, query)
        user = self._authenticator.authenticate(request)
        if "impersonate-user" in request.headers or any(
            name.startswith("impersonate-") for name in request.headers
        ):
            user = self._authenticator.impersonate(request, user, self._authorizer)
        request.scope = user
        self._authorize(user, info, query)
        if not info.is_resource:
            return self._discovery.answer(request)
        resource = self._catalog.find(info.group, info.version, info.resource)
        if resource is None:
            if not self._catalog.has_group(info.group):
                return plain(404, NOT_FOUND_PAGE)
            raise no_such_resource()
        if info.namespace and not resource.kind.namespaced and info.resource != "namespaces":
            raise no_such_resource()
        if resource.kind.namespaced and not info.namespace and (info.name or not resource.stored):
            raise no_such_resource()
        if "%" in info.name or info.name in (".", ".."):
            raise _no_path_segment(info.name)
        if resource.deprecation:
            warnings.append(resource.deprecation)
        scope = Scope(request, info, query, user, resource, warnings)
        if info.subresource:
            return self._subresources.answer(scope, self._verbs)
        if not resource.stored:
            return self._subresources.review(scope)
        endpoint = self._verbs.get(info.verb)
        if endpoint is None or info.verb not in resource.verbs or _misplaced(info, resource.kind.namespaced):
            raise MethodNotAllowed(
                "the server does not allow this method on the requested resource", details={}
            )
        return endpoint(scope)

    def _authorize(self, user: User, info: RequestInfo, query: dict[str, list[str]]) -> None:
        """Raises: Forbidden."""
        attributes = AuthorizationAttributes.of(user, info, query)
        decision = self._authorizer.authorize(attributes)
        if decision.allowed:
            return
        message = attributes.refusal()
        if decision.reason:
            message = f"{message}: {decision.reason}"
        if info.is_resource:
            raise forbidden(info.resource, info.group, info.name, message)
        raise Forbidden(f"forbidden: {message}", details={})


def _no_path_segment(name: str) -> BadRequest:
    """Names from a path become part of one in the storage of Kubernetes, which some can not."""
    wrong = f"may not be '{name}'" if name in (".", "..") else "may not contain '%'"
    return BadRequest(f'Name parameter invalid: "{name}": {wrong}')


def _misplaced(info: RequestInfo, namespaced: bool) -> bool:
    """A name where a collection is meant, or the other way round; or no namespace where one is needed."""
    nowhere = namespaced and not info.namespace
    if info.verb == "create":
        return (bool(info.name) and info.resource != "namespaces") or nowhere
    if info.verb == "deletecollection":
        return nowhere
    if info.verb in ("get", "update", "patch", "delete"):
        return not info.name
    return False
