"""Acting as somebody else, for those who may.

After authentication: a request with Impersonate- headers continues as the user that they describe, once the
asking user has been authorized for each part of it. The constrained modes come first: they want the right to
impersonate (`impersonate:MODE`) and the right to do this very thing while impersonating
(`impersonate-on:MODE:VERB`). The plain verb `impersonate` comes last and asks for nothing more.

Promises
    I1  every part of the described user (name, uid, each group, each extra value) is authorized by itself
    I2  a constrained mode never gives system:masters
    I3  the mode by which a user was last let through is tried first; a refusal is that of the first mode that applied

Source: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/ and KEP-5284.
"""

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Protocol
from urllib.parse import unquote

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import BadRequest, Forbidden
from kajitori.apimachinery.names import is_dns1123_subdomain
from kajitori.apiserver.authentication.user import (
    ANONYMOUS,
    AUTHENTICATED,
    MASTERS,
    NODES,
    UNAUTHENTICATED,
    User,
    service_account_groups,
    service_account_of,
)
from kajitori.apiserver.authorization.attributes import Attributes
from kajitori.apiserver.authorization.authorizer import Authorizer
from kajitori.apiserver.http.messages import Request
from kajitori.apiserver.options import parse_query
from kajitori.apiserver.requestinfo import parse_request

__all__ = ["impersonate", "impersonated", "wanted_user"]

_AUTHENTICATION = "authentication.k8s.io"
_EXTRA = "impersonate-extra-"
_NODE = "system:node:"
_NODE_NAME = "authentication.kubernetes.io/node-name"
_MANY = 4
"""From so many groups or extra values on, the right to all of them is tried before each."""


class Headers(Protocol):
    """What is read of a request."""

    headers: dict[str, str]

    def header_values(self, name: str) -> list[str]: ...


def wanted_user(request: Headers) -> User | None:
    """The user that a request's headers describe, as it stands there; None when they describe none.

    Raises: BadRequest when they describe parts of a user without its name.
    """
    headers = request.headers
    name, uid = headers.get("impersonate-user", ""), headers.get("impersonate-uid", "")
    groups = tuple(request.header_values("impersonate-group"))
    extra: dict[str, tuple[str, ...]] = {}
    for header in headers:
        if header.startswith(_EXTRA):
            extra[unquote(header[len(_EXTRA) :])] = tuple(request.header_values(header))
    wanted = User(name, uid, groups, extra)
    if name:
        return wanted
    if uid or groups or extra:
        raise BadRequest(f"requested {_as_go_shows(wanted)} without impersonating a user name")
    return None


def impersonated(request: Request, user: User, authorizer: Authorizer) -> tuple[User, str]:
    """The user that a request of `user` continues as, another where its headers describe one, and the constrained
    verb that allowed it.

    Raises: BadRequest, Forbidden.
    """
    wanted = wanted_user(request)
    if wanted is None:
        return user, ""
    query = parse_query(request.query)
    info = parse_request(request.method, request.path, query)
    return impersonate(authorizer, Attributes.of(user, info, query), wanted)


def impersonate(authorizer: Authorizer, attributes: Attributes, wanted: User) -> tuple[User, str]:
    """The user that the request continues as. `attributes` are the request's, of the user who asks.

    The text is the constrained verb that allowed it, empty for the plain one.

    Raises: Forbidden.
    """
    first: Forbidden | None = None
    asking, impersonations, began = attributes.user, authorizer.impersonations, monotonic()
    last = impersonations.last(asking.name)
    for mode in _MODES if last is None else (last, *(each for each in _MODES if each != last)):
        if not _MODES[mode](wanted, asking):
            continue
        try:
            if mode:
                on = msgspec.structs.replace(attributes, verb=f"impersonate-on:{mode}:{attributes.verb}")
                _require(authorizer, on)
            user = _authorized(authorizer, asking, wanted, mode=mode)
        except Forbidden as error:
            first = first or error
            continue
        impersonations.allowed(asking.name, mode, monotonic() - began)
        return user, f"impersonate:{mode}" if mode else ""
    assert first is not None, "the last mode always applies"
    impersonations.denied(monotonic() - began)
    raise first


def _authorized(authorizer: Authorizer, asking: User, wanted: User, *, mode: str) -> User:
    """`wanted` completed, once each of its parts is authorized."""
    verb = f"impersonate:{mode}" if mode else "impersonate"
    plain_group = _AUTHENTICATION if mode else ""
    user = Attributes(
        user=asking, verb=verb, group=plain_group, version="v1", resource="users", name=wanted.name
    )
    groups = wanted.groups
    node, account = _node_of(wanted.name), service_account_of(wanted.name)
    if mode and node:
        user = msgspec.structs.replace(user, resource="nodes", name=node)
        groups = (NODES,)
    if account is not None:
        user = msgspec.structs.replace(
            user, resource="serviceaccounts", namespace=account[0], name=account[1]
        )
        groups = groups or service_account_groups(account[0])
    _require(authorizer, user)
    part = msgspec.structs.replace(
        user, namespace="", resource="uids", group=_AUTHENTICATION, name=wanted.uid
    )
    if wanted.uid:
        _require(authorizer, part)
    if wanted.groups:
        _require_groups(
            authorizer, msgspec.structs.replace(part, resource="groups", group=plain_group), wanted.groups
        )
    if wanted.extra:
        _require_extra(authorizer, msgspec.structs.replace(part, resource="userextras"), wanted.extra)
    if wanted.name == ANONYMOUS.name:
        groups = groups if UNAUTHENTICATED in groups else (*groups, UNAUTHENTICATED)
    elif UNAUTHENTICATED not in groups and AUTHENTICATED not in groups:
        groups = (*groups, AUTHENTICATED)
    return User(wanted.name, wanted.uid, groups, wanted.extra)


def _require_groups(authorizer: Authorizer, question: Attributes, groups: tuple[str, ...]) -> None:
    if _constrained(question):
        if "" in groups:
            refused = msgspec.structs.replace(question, name="")
            raise refused.denied("impersonating the empty string group is not allowed")
        if MASTERS in groups:
            refused = msgspec.structs.replace(question, name=MASTERS)
            raise refused.denied("impersonating the system:masters group is not allowed")
        every = msgspec.structs.replace(question, name="*")
        if len(groups) >= _MANY and authorizer.authorize(every).allowed:
            return
    for group in groups:
        _require(authorizer, msgspec.structs.replace(question, name=group))


def _require_extra(
    authorizer: Authorizer, question: Attributes, extra: Mapping[str, tuple[str, ...]]
) -> None:
    if _constrained(question):
        problem = _extra_problem(extra)
        if problem:
            raise msgspec.structs.replace(question, name="").denied(problem)
        many = len(extra) >= _MANY or sum(map(len, extra.values())) >= _MANY
        every = msgspec.structs.replace(question, subresource="*", name="*")
        if many and authorizer.authorize(every).allowed:
            return
    for key, values in extra.items():
        for value in values:
            _require(authorizer, msgspec.structs.replace(question, subresource=key, name=value))


def _extra_problem(extra: Mapping[str, tuple[str, ...]]) -> str:
    for key, values in extra.items():
        if not key:
            return "impersonating the empty string key in extra is not allowed"
        domain, slash, path = key.partition("/")
        if not slash or not domain or not path or is_dns1123_subdomain(domain):
            why = 'must be a domain-prefixed path (such as "acme.io/foo")'
            invalid = f"extra.key: Invalid value: {go_quote(key)}: {why}"
            return f"impersonating an invalid key in extra is not allowed: {invalid}"
        if "" in values:
            return "impersonating the empty string value in extra is not allowed"
    return ""


def _constrained(question: Attributes) -> bool:
    return question.verb != "impersonate"


def _require(authorizer: Authorizer, question: Attributes) -> None:
    began = monotonic()
    decision = authorizer.authorize(question)
    mode = question.verb.partition(":")[2].partition(":")[0]
    authorizer.impersonations.checked(mode, monotonic() - began, allowed=decision.allowed)
    if not decision.allowed:
        raise question.denied(decision.reason)


def _node_of(name: str) -> str:
    """The node whose user has this name, empty when it is no node's."""
    node = name[len(_NODE) :] if name.startswith(_NODE) else ""
    return "" if is_dns1123_subdomain(node) else node


def _only_name(wanted: User) -> bool:
    return not (wanted.uid or wanted.groups or wanted.extra)


def _associated_node(wanted: User, asking: User) -> bool:
    """A service account bound to a node may become that node."""
    node = _node_of(wanted.name)
    return (
        bool(node)
        and _only_name(wanted)
        and service_account_of(asking.name) is not None
        and tuple(asking.extra.get(_NODE_NAME, ())) == (node,)
    )


def _arbitrary_node(wanted: User, asking: User) -> bool:
    return _only_name(wanted) and bool(_node_of(wanted.name))


def _service_account(wanted: User, asking: User) -> bool:
    return _only_name(wanted) and service_account_of(wanted.name) is not None


def _user_info(wanted: User, asking: User) -> bool:
    return not _node_of(wanted.name) and service_account_of(wanted.name) is None


def _legacy(wanted: User, asking: User) -> bool:
    return True


_MODES: Mapping[str, Callable[[User, User], bool]] = {
    "associated-node": _associated_node,
    "arbitrary-node": _arbitrary_node,
    "serviceaccount": _service_account,
    "user-info": _user_info,
    "": _legacy,
}


def _as_go_shows(user: User) -> str:
    groups = "[]string(nil)"
    if user.groups:
        groups = "[]string{" + ", ".join(map(go_quote, user.groups)) + "}"
    extra = "map[string][]string(nil)"
    if user.extra:
        shown = (
            f"{go_quote(key)}:[]string{{{', '.join(map(go_quote, values))}}}"
            for key, values in sorted(user.extra.items())
        )
        extra = "map[string][]string{" + ", ".join(shown) + "}"
    return f'&user.DefaultInfo{{Name:"", UID:{go_quote(user.uid)}, Groups:{groups}, Extra:{extra}}}'
