"""Who wants to do what: the question that authorization answers, and the words of a refusal.

Sits between the request info and the authorizer; admission, impersonation and access reviews ask with it
too.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#review-your-request-attributes
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import Forbidden, forbidden
from kajitori.apimachinery.fields import FieldRequirement, parse_field_selector
from kajitori.apimachinery.labels import Requirement, parse_label_selector
from kajitori.apiserver.authentication.user import User

if TYPE_CHECKING:
    from kajitori.apiserver.requestinfo import RequestInfo

__all__ = ["NO_OPINION", "UNNAMED", "Attributes", "Decision", "escaped"]

_SELECTED = frozenset(("list", "watch", "deletecollection"))

UNNAMED = "\0"
"""The resource of a question that is about a resource and does not say which: no rule names it."""


class Decision(msgspec.Struct, frozen=True):
    """Allowed, denied, or neither: then others may still allow it, and it is refused when nobody does.

    `reason` says by what, or what went wrong while looking, and is often empty.
    """

    allowed: bool
    reason: str = ""
    denied: bool = False
    """Nobody who would be asked later may allow it."""
    error: str = ""
    """Why there is no answer, where somebody could not be asked."""


NO_OPINION = Decision(False)


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
        if query and info.verb in _SELECTED and not info.verb_in_path:
            fields, labels, readable = _requirements(query)
            if not name and readable and info.verb != "deletecollection":
                name = _required_name(fields)
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
        return escaped(self._refusal())

    def _refusal(self) -> str:
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


def escaped(text: str) -> str:
    """A text that is no HTML, whoever shows it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _requirements(
    query: Mapping[str, Sequence[str]],
) -> tuple[tuple[FieldRequirement, ...], tuple[Requirement, ...], bool]:
    """What the selectors of a query demand, and whether all of the query could be read."""
    fields: tuple[FieldRequirement, ...] = ()
    labels: tuple[Requirement, ...] = ()
    readable = True
    if query.get("fieldSelector"):
        try:
            fields = tuple(parse_field_selector(query["fieldSelector"][0]).requirements)
        except ValueError:
            readable = False
    if query.get("labelSelector"):
        try:
            labels = tuple(parse_label_selector(query["labelSelector"][0]).requirements)
        except ValueError:
            readable = False
    for each in ("limit", "timeoutSeconds"):
        readable = readable and _is_number(query.get(each))
    return fields, labels, readable


def _is_number(values: Sequence[str] | None) -> bool:
    return not values or not values[0] or values[0].lstrip("+-").isdecimal()


def _required_name(fields: Sequence[FieldRequirement]) -> str:
    """The only name that can be meant; empty where there is none, or it is none."""
    name = next((each.value for each in fields if each.field == "metadata.name" and each.equals), "")
    return "" if name in (".", "..") or "/" in name or "%" in name else name
