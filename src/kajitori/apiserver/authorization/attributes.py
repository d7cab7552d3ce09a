"""Who wants to do what: the question that authorization answers, and the words of a refusal.

Sits between the request info and the authorizer; admission, impersonation and access reviews ask with it
too.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#review-your-request-attributes
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import Forbidden, forbidden
from kajitori.apimachinery.fields import FieldRequirement, parse_field_selector
from kajitori.apimachinery.labels import Requirement, parse_label_selector
from kajitori.apiserver.authentication.user import User

if TYPE_CHECKING:
    from kajitori.apiserver.requestinfo import RequestInfo

__all__ = ["Attributes", "Decision"]

_SELECTED = frozenset(("list", "watch", "deletecollection"))


class Decision(msgspec.Struct, frozen=True):
    """Allowed or not; `reason` says by what, or what went wrong while looking, and is often empty."""

    allowed: bool
    reason: str = ""


class Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """One question. Of a resource when `resource` is set, else of the path."""

    user: User
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    field_requirements: tuple[FieldRequirement, ...] = ()
    label_requirements: tuple[Requirement, ...] = ()

    @classmethod
    def of(cls, user: User, info: "RequestInfo", query: Mapping[str, Sequence[str]]) -> "Attributes":
        """The question that a request is.

        A list or watch whose field selector demands one name is about that name, so that a role limited to
        names may allow it. Selectors that cannot be read restrict nothing here; the endpoint refuses them.
        """
        if not info.is_resource:
            return cls(user=user, verb=info.verb, path=info.path)
        name = info.name
        fields: tuple[FieldRequirement, ...] = ()
        labels: tuple[Requirement, ...] = ()
        if query and info.verb in _SELECTED:
            fields, labels = _requirements(query)
            if not name:
                name = next(
                    (each.value for each in fields if each.field == "metadata.name" and each.equals), ""
                )
        return cls(
            user=user,
            verb=info.verb,
            group=info.group,
            version=info.version,
            resource=info.resource,
            subresource=info.subresource,
            namespace=info.namespace,
            name=name,
            path=info.path,
            field_requirements=fields,
            label_requirements=labels,
        )

    def refusal(self) -> str:
        """`User "x" cannot list resource "pods" in API group "" in the namespace "y"`."""
        said = f"User {go_quote(self.user.name)} cannot {self.verb}"
        if not self.resource:
            return f"{said} path {go_quote(self.path)}"
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        said += f" resource {go_quote(resource)} in API group {go_quote(self.group)}"
        return said + (
            f" in the namespace {go_quote(self.namespace)}" if self.namespace else " at the cluster scope"
        )

    def denied(self, reason: str = "") -> Forbidden:
        """The error for this question answered no."""
        why = f"{self.refusal()}: {reason}" if reason else self.refusal()
        if not self.resource:
            return Forbidden(f"forbidden: {why}", details={})
        return forbidden(self.resource, self.group, self.name, why)


def _requirements(
    query: Mapping[str, Sequence[str]],
) -> tuple[tuple[FieldRequirement, ...], tuple[Requirement, ...]]:
    fields: Any = ()
    labels: Any = ()
    if query.get("fieldSelector"):
        try:
            fields = parse_field_selector(query["fieldSelector"][0]).requirements
        except ValueError:
            fields = ()
    if query.get("labelSelector"):
        try:
            labels = parse_label_selector(query["labelSelector"][0]).requirements
        except ValueError:
            labels = ()
    return fields, labels
