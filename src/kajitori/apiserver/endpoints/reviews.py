"""Resources that are questions: reviews of access and identity. They are answered and never stored.

Source: authentication.k8s.io/v1, authorization.k8s.io/v1, core/v1 ComponentStatus.
"""

from collections.abc import Awaitable, Callable

from kajitori.apimachinery.errors import BadRequest, FieldError, MethodNotAllowed, invalid, not_found
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.authentication import Authenticator
from kajitori.apiserver.authorization import Authorizer, settled
from kajitori.apiserver.authorization.reviews import (
    local_subject_access_review,
    self_subject_access_review,
    self_subject_rules_review,
    subject_access_review,
)
from kajitori.apiserver.endpoints.bodies import read_object
from kajitori.apiserver.endpoints.pods import Pods
from kajitori.apiserver.endpoints.resources import Answer, ResourceEndpoints
from kajitori.apiserver.registry.creating import ensure_namespace
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.scope import Scope

__all__ = ["Reviews"]

_ANSWERED_WHOLE = frozenset(
    ("localsubjectaccessreviews", "selfsubjectaccessreviews", "subjectaccessreviews", "tokenreviews")
)
"""Questions that come back as they were sent, with their field ownership."""

_Status = Callable[[Scope, JsonObject], "JsonObject | Awaitable[JsonObject]"]


class Reviews:
    """Answers questions."""

    def __init__(
        self,
        registry: Registry,
        resources: ResourceEndpoints,
        pods: Pods,
        *,
        authenticator: Authenticator,
        authorizer: Authorizer,
    ) -> None:
        self._registry = registry
        self._resources = resources
        self._pods = pods
        self._authenticator = authenticator
        self._authorizer = authorizer
        self._status: dict[str, _Status] = {
            "selfsubjectreviews": self._who_am_i,
            "tokenreviews": self._token,
            "selfsubjectaccessreviews": self._may_i,
            "subjectaccessreviews": lambda scope, obj: subject_access_review(authorizer, obj["spec"]),
            "localsubjectaccessreviews": lambda scope, obj: local_subject_access_review(
                authorizer, obj["spec"], namespace=scope.info.namespace
            ),
            "selfsubjectrulesreviews": lambda scope, obj: self_subject_rules_review(
                authorizer, scope.user, obj["spec"]
            ),
        }

    def answer(self, scope: Scope) -> "Answer | Awaitable[Answer]":
        """The answer to a request for a resource that is never stored.

        Raises: MethodNotAllowed.
        """
        info = scope.info
        if info.resource == "bindings" and info.verb == "create":
            return self._pods.bind(scope)
        if info.resource == "componentstatuses" and info.verb in ("get", "list"):
            return self._components(scope)
        status = self._status.get(info.resource)
        if status is None or info.verb != "create" or info.name:
            raise MethodNotAllowed(
                "the server does not allow this method on the requested resource", details={}
            )
        return self._review(scope, status)

    async def _review(self, scope: Scope, status: _Status) -> Answer:
        info = scope.info
        form = self._resources.form(scope)
        call = self._resources.call(scope, "CreateOptions")
        obj = read_object(scope.request, scope.resource, call)
        ensure_namespace(scope.resource, info.namespace, obj["metadata"])
        obj = await self._resources.admitted(scope, call, obj)
        if info.resource in _ANSWERED_WHOLE:
            self._registry.own(scope.resource, obj, None, call, subresource="", now=self._registry.now())
        if info.group == "authorization.k8s.io" and info.resource != "selfsubjectrulesreviews":
            _nameless(obj["metadata"], namespaced=scope.resource.kind.namespaced)
        found = await settled(lambda: status(scope, obj))
        obj["status"] = await found if isinstance(found, Awaitable) else found
        if info.resource == "selfsubjectrulesreviews":
            obj["metadata"], obj["spec"] = {}, {}  # Kubernetes answers this one with nothing but the rules
        return self._resources.show_other(scope, obj, form, 201)

    def _who_am_i(self, scope: Scope, obj: JsonObject) -> JsonObject:
        obj["metadata"]["creationTimestamp"] = self._registry.now()
        return {"userInfo": scope.user.to_json()}

    def _token(self, scope: Scope, obj: JsonObject) -> "JsonObject | Awaitable[JsonObject]":
        spec = obj["spec"]
        if not spec.get("token"):
            raise BadRequest("token is required for TokenReview in authentication")
        return self._authenticator.review_token(spec["token"], spec.get("audiences") or ())

    def _may_i(self, scope: Scope, obj: JsonObject) -> JsonObject:
        return self_subject_access_review(self._authorizer, scope.user, obj["spec"])

    def _components(self, scope: Scope) -> Answer:
        """The one component there is, the store, is healthy when this answers at all."""
        healthy = {"type": "Healthy", "status": "True", "message": "ok"}
        item = {"metadata": {"name": "store"}, "conditions": [healthy]}
        form = self._resources.form(scope)
        kind: JsonObject = {"kind": "ComponentStatus", "apiVersion": "v1"}
        if scope.info.verb == "get":
            if scope.info.name != "store":
                raise not_found("componentstatuses", "", scope.info.name)
            return self._resources.show(scope, {**kind, **item}, form)
        return self._resources.show_list(scope, [{**kind, **item}], form)


def _nameless(metadata: JsonObject, *, namespaced: bool) -> None:
    """A question about access is no object of its own. Raises: Invalid when it has a name, labels or the like."""
    allowed = {"managedFields", "namespace"} if namespaced else {"managedFields"}
    if any(value for key, value in metadata.items() if key not in allowed):
        why = "must be empty except for namespace" if namespaced else "must be empty"
        raise invalid("", "authorization.k8s.io", "", [FieldError.invalid("metadata", metadata, why)])
