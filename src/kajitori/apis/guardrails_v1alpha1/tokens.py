"""Tokens: what a dry run gives out, and the real request needs.

A token says until when it holds, and which request it is of: who asks for what on which object in which state. It is
signed, so that nothing has to be remembered of a dry run, which changes nothing.

Promises
    T1  a token counts for the request it was issued for and for no other: another user, verb, object, uid, version or
        content has another digest
    T2  nobody but who has the key makes one; comparing tells nothing by how long it takes
    T3  it counts until its time, and not a moment longer
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject

__all__ = [
    "API_VERSION",
    "GROUP",
    "TOKENS_MAX",
    "VERSION",
    "Action",
    "TokenError",
    "confirmation",
    "content_of",
    "issue",
    "read",
    "tokens_in",
]

GROUP = "guardrails.kajitori.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

TOKENS_MAX = 1000
"""In one Confirmation."""

_EXPIRY, _DIGEST, _MAC = 6, 16, 18
"""How many bytes: milliseconds of the time it ends, the request, the signature. Together 64 letters."""
_PATTERN = re.compile(r"\bkjt-[a-z2-7]{64}\b")
_CHANGING = frozenset(
    {"managedFields", "resourceVersion", "creationTimestamp", "uid", "generation", "selfLink"}
)


class TokenError(ValueError):
    """Why a token does not count."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a request would do, and who asks for it."""

    user: str
    operation: str
    resource: str
    """`deployments.apps/scale`."""
    namespace: str
    name: str
    uid: str = ""
    resource_version: str = ""
    content: str = ""
    """What would be written, or how it is deleted: see `content_of`."""

    def digest(self) -> bytes:
        parts = (
            self.user,
            self.operation,
            self.resource,
            self.namespace,
            self.name,
            self.uid,
            self.resource_version,
            self.content,
        )
        return hashlib.sha256(msgspec.json.encode(parts)).digest()[:_DIGEST]


def content_of(obj: JsonObject | None) -> str:
    """Stands for what would be written, without what the server sets anew with each try."""
    if obj is None:
        return ""
    metadata: dict[str, Any] = obj.get("metadata") or {}
    kept = {name: value for name, value in metadata.items() if name not in _CHANGING}
    encoded = msgspec.json.encode({**obj, "metadata": kept}, order="sorted")
    return hashlib.sha256(encoded).hexdigest()


def issue(key: bytes, action: Action, expires_ms: int) -> str:
    """A token for an action."""
    body = expires_ms.to_bytes(_EXPIRY, "big") + action.digest()
    return f"kjt-{base64.b32encode(body + _signature(key, action.user, body)).decode().lower()}"


def _signature(key: bytes, user: str, body: bytes) -> bytes:
    return hmac.new(key, body + user.encode(), hashlib.sha256).digest()[:_MAC]


def read(key: bytes, token: str, user: str, now_ms: int) -> tuple[bytes, int]:
    """The digest of the action that a token of this user is for, and when it ends.

    Raises: TokenError.
    """
    if _PATTERN.fullmatch(token) is None:
        raise TokenError("this is no token; take it from the warning of a dry run, kjt- and 64 letters")
    try:
        whole = base64.b32decode(token[4:].upper())
    except binascii.Error:
        raise TokenError("this is no token") from None
    body, signature = whole[: _EXPIRY + _DIGEST], whole[_EXPIRY + _DIGEST :]
    if not hmac.compare_digest(signature, _signature(key, user, body)):
        raise TokenError("this token was not issued to you by this server since it started")
    expires = int.from_bytes(body[:_EXPIRY], "big")
    if now_ms >= expires:
        raise TokenError("this token has expired; do the dry run again")
    return body[_EXPIRY:], expires


def tokens_in(text: str) -> Sequence[str]:
    """The tokens in a warning, each once."""
    return list(dict.fromkeys(_PATTERN.findall(text)))


def confirmation(tokens: Iterable[str], reason: str = "") -> JsonObject:
    """The object that gives tokens back."""
    spec: JsonObject = {"tokens": list(tokens)}
    if reason:
        spec["reason"] = reason
    metadata = {"generateName": "confirmed-"}
    return {"apiVersion": API_VERSION, "kind": "Confirmation", "metadata": metadata, "spec": spec}
