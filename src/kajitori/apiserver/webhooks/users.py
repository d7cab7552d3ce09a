"""Who the API server is to admission webhooks: the users of a kubeconfig file, which are named after servers.

Promises
    N1  a server's user is the one of its name and port; else the one of `*.` and a rest of that, the longest first;
        else both without the port where that is 443; else `*`; else that of the current context; else nobody
    N2  a file that cannot be used is told when the server starts, with what is wrong with it

Source: apiserver's pkg/util/webhook/authentication.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kajitori.apiserver.webhooks.kubeconfig import (
    WebhookConfigError,
    authorization,
    content,
    read_kubeconfig,
)

__all__ = ["NOBODY", "WebhookUser", "WebhookUsers"]


@dataclass(frozen=True, slots=True)
class WebhookUser:
    """What a webhook is shown."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    certificate: bytes = b""
    """With its key, in PEM; empty for none."""


NOBODY = WebhookUser()


class WebhookUsers:
    """The users of one file."""

    def __init__(self, path: Path) -> None:
        """Raises: WebhookConfigError."""
        config = read_kubeconfig(path)
        self._users = {name: _user(path, name, user) for name, user in _named(config, "users", "user")}
        contexts = dict(_named(config, "contexts", "context"))
        current = contexts.get(config.get("current-context") or "", {})
        self._default = self._users.get("*") or self._users.get(current.get("user") or "") or NOBODY

    def of(self, server: str) -> WebhookUser:
        """The user for a server, which is its name, a colon and its port."""
        names = [server]
        if server.endswith(":443"):
            names.append(server.removesuffix(":443"))
        for name in names:
            for known in _starred(name):
                if known in self._users:
                    return self._users[known]
        return self._default


def _starred(name: str) -> Iterator[str]:
    yield name
    while (rest := name.partition("."))[1]:
        name = rest[2]
        yield f"*.{name}"


def _named(config: Mapping[str, Any], section: str, member: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for each in config.get(section) or ():
        if isinstance(each, dict):
            found = each.get(member)
            yield str(each.get("name") or ""), found if isinstance(found, dict) else {}


def _user(path: Path, name: str, user: Mapping[str, Any]) -> WebhookUser:
    for member in ("exec", "auth-provider", "as"):
        if user.get(member):
            told = (
                f"{path}: user {name}: {member} is not supported for webhooks; use a token or a certificate"
            )
            raise WebhookConfigError(told)
    certificate, key = content(path, user, "client-certificate"), content(path, user, "client-key")
    return WebhookUser(authorization(path, user), certificate + b"\n" + key if certificate and key else b"")
