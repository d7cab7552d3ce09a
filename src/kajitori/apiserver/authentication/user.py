"""Who asks.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.names import is_dns1123_label, is_dns1123_subdomain

__all__ = [
    "ANONYMOUS",
    "AUTHENTICATED",
    "MASTERS",
    "NODES",
    "UNAUTHENTICATED",
    "User",
    "service_account_groups",
    "service_account_of",
    "service_account_user",
]

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
NODES = "system:nodes"

_NO_EXTRA: Mapping[str, tuple[str, ...]] = {}
_ACCOUNT = "system:serviceaccount:"


class User(msgspec.Struct, frozen=True):
    """A user as the authenticators know it; `extra` is only ever passed on."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = _NO_EXTRA

    def to_json(self) -> dict[str, Any]:
        """`authentication.k8s.io/v1` UserInfo: empty members left out."""
        info: dict[str, Any] = {}
        if self.name:
            info["username"] = self.name
        if self.uid:
            info["uid"] = self.uid
        if self.groups:
            info["groups"] = list(self.groups)
        if self.extra:
            info["extra"] = {key: list(values) for key, values in sorted(self.extra.items())}
        return info


ANONYMOUS = User("system:anonymous", groups=(UNAUTHENTICATED,))
"""Who asks without saying who."""


def service_account_user(namespace: str, name: str) -> str:
    """The user name of a service account."""
    return f"{_ACCOUNT}{namespace}:{name}"


def service_account_groups(namespace: str) -> tuple[str, ...]:
    """The groups of every service account of a namespace."""
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")


def service_account_of(user_name: str) -> tuple[str, str] | None:
    """Namespace and name of the service account that a user name means, None when it means none."""
    if not user_name.startswith(_ACCOUNT):
        return None
    namespace, _, name = user_name[len(_ACCOUNT) :].partition(":")
    wrong = is_dns1123_label(namespace) or is_dns1123_subdomain(name)
    return None if wrong else (namespace, name)
