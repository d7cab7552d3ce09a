"""Bootstrap tokens: what new nodes join with. Each is a Secret in kube-system.

Promises
    B1  a token counts while its Secret is there, has not expired and says `usage-bootstrap-authentication: true`
    B2  how much of a secret somebody has guessed does not show in the time of the answer
    B3  its holder is `system:bootstrap:ID` in system:bootstrappers and the groups that the Secret names

Source: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.time import parse_time
from kajitori.apiserver.authentication.serviceaccount import Lookup
from kajitori.apiserver.authentication.tokens import Found, common_audiences
from kajitori.apiserver.authentication.user import User

__all__ = ["BootstrapTokens"]

TYPE = "bootstrap.kubernetes.io/token"
_GROUP = "system:bootstrappers"
_token_matches = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})").fullmatch
_group_matches = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]").fullmatch


class BootstrapTokens:
    """Looks tokens up."""

    def __init__(self, lookup: Lookup, *, wall_clock: Callable[[], float], audiences: Sequence[str]) -> None:
        """`audiences` are the API server's own."""
        self._lookup = lookup
        self._clock = wall_clock
        self._audiences = tuple(audiences)

    def identify(self, token: str, audiences: Sequence[str]) -> Found | None:
        """Who holds it; None: nobody that is known here."""
        match = _token_matches(token)
        if match is None:
            return None
        token_id, secret = match.groups()
        found = self._lookup("secrets", "kube-system", f"bootstrap-token-{token_id}")
        if found is None or found.get("type") != TYPE or found["metadata"].get("deletionTimestamp"):
            return None
        data = _decoded(found.get("data") or {})
        same = hmac.compare_digest(data.get("token-secret", "").encode(), secret.encode())
        if not same or data.get("token-id") != token_id or self._has_expired(data.get("expiration", "")):
            return None
        if data.get("usage-bootstrap-authentication") != "true":
            return None
        named = data.get("auth-extra-groups", "")
        groups = named.split(",") if named else []
        if any(_group_matches(each) is None for each in groups):
            return None
        common = common_audiences(self._audiences, audiences)
        if common is None:
            return None
        return User(f"system:bootstrap:{token_id}", groups=tuple(sorted({_GROUP, *groups}))), common

    def _has_expired(self, text: str) -> bool:
        """Whether the time is over; one that cannot be read is."""
        if not text:
            return False
        try:
            return parse_time(text) <= self._clock()
        except ValueError:
            return True


def _decoded(data: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in data.items():
        try:
            found[name] = base64.b64decode(value or "").decode()
        except (binascii.Error, UnicodeDecodeError):
            found[name] = ""
    return found
