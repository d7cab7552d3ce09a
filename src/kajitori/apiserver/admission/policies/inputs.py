"""What the expressions of policies and match conditions see of a write.

Promises
    I1  the variables are those of Kubernetes, with null where a write has no object, or no namespace
    I2  a question to `authorizer` is answered once for all policies that judge a write, however often they ask it

Source: apiserver's pkg/admission/plugin/cel/condition.go and activation.go; plugin/authorizer/caching_authorizer.go.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.cel.libraries.authorizer import (
    Answer,
    AuthorizerValue,
    PathQuestion,
    ResourceCheckValue,
    ResourceQuestion,
)
from kajitori.apimachinery.errors import not_found
from kajitori.apimachinery.fields import parse_field_selector
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import parse_label_selector
from kajitori.apiserver.admission.matching import is_of_namespaces
from kajitori.apiserver.admission.requests import request_asked
from kajitori.apiserver.admission.views import Views
from kajitori.apiserver.authentication.user import (
    AUTHENTICATED,
    User,
    service_account_groups,
    service_account_user,
)
from kajitori.apiserver.authorization.attributes import Attributes as Question
from kajitori.apiserver.authorization.authorizer import Authorizer
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.webhooks.review import request_of
from kajitori.storage import Store

__all__ = ["Asking", "inputs_of", "namespace_seen"]

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Asking:
    """Answers the questions that expressions put about whoever writes."""

    def __init__(self, authorizer: Authorizer, user: User) -> None:
        self._authorizer = authorizer
        self._user = user
        self._known: dict[PathQuestion | ResourceQuestion, Answer] = {}

    def authorize(self, question: PathQuestion | ResourceQuestion) -> Answer:
        """The answer, the first time by the authorizer."""
        known = self._known.get(question)
        if known is None:
            known = self._known[question] = self._answer(question)
        return known

    def _answer(self, question: PathQuestion | ResourceQuestion) -> Answer:
        user = self._user
        if question.service_account is not None:
            namespace, name = question.service_account
            groups = (*service_account_groups(namespace), AUTHENTICATED)
            user = User(service_account_user(namespace, name), groups=groups)
        if isinstance(question, PathQuestion):
            decision = self._authorizer.authorize(Question(user=user, verb=question.verb, path=question.path))
            return Answer(decision.allowed, decision.reason, decision.error or None)
        fields: tuple[Any, ...] = ()
        labels: tuple[Any, ...] = ()
        error = None
        try:
            if question.field_selector:
                fields = tuple(parse_field_selector(question.field_selector).requirements)
            if question.label_selector:
                labels = tuple(parse_label_selector(question.label_selector).requirements)
        except ValueError as problem:
            error = str(problem)
        decision = self._authorizer.authorize(
            Question(
                user=user,
                verb=question.verb,
                group=question.group,
                version="*",
                resource=question.resource,
                subresource=question.subresource,
                namespace=question.namespace,
                name=question.name,
                field_requirements=fields,
                label_requirements=labels,
            )
        )
        return Answer(decision.allowed, decision.reason, decision.error or error)


class _Inputs(dict[str, Any]):
    """The variables of one write; those that few expressions ask for come to be when one does."""

    def __init__(self, attributes: Attributes, resource: Resource, asking: Asking, **ready: Any) -> None:
        super().__init__(ready)
        self._attributes, self._resource, self._asking = attributes, resource, asking

    def __missing__(self, name: str) -> Any:
        asked = request_asked(self._attributes, self._resource, "")
        request = request_of(asked, None, None)
        for member in ("uid", "object", "oldObject"):
            del request[member]
        kind, part = self._attributes.resource.kind, self._attributes.subresource
        checked = ResourceQuestion(kind.group, kind.plural, part, asked.namespace, self._attributes.name)
        self |= {
            "request": request,
            "authorizer": AuthorizerValue(self._asking),
            "authorizer.requestResource": ResourceCheckValue(self._asking, checked),
        }
        return self[name]


async def inputs_of(
    attributes: Attributes, resource: Resource, views: Views, asking: Asking, namespace: JsonObject | None
) -> Mapping[str, Any]:
    """The variables, but for `params` and `variables`."""
    obj, old = await views.new(resource), await views.old(resource)
    return _Inputs(attributes, resource, asking, object=obj, oldObject=old, namespaceObject=namespace)


def namespace_seen(store: Store, attributes: Attributes) -> JsonObject | None:
    """The Namespace of what is written, as far as expressions see it; None where it is in none.

    Raises: NotFound.
    """
    if not attributes.resource.kind.namespaced or is_of_namespaces(attributes.resource):
        return None
    item = store.get("/namespaces", attributes.namespace)
    if item is None:
        raise not_found("namespaces", "", attributes.namespace)
    found: Mapping[str, Any] = _decode(item.value)
    metadata = {name: value for name, value in found["metadata"].items() if name in _METADATA}
    return {"metadata": metadata, "spec": found.get("spec") or {}, "status": found.get("status") or {}}


_METADATA = frozenset(
    [
        "name",
        "generateName",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "finalizers",
    ]
)
