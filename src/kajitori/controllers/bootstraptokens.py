"""Bootstrap tokens: those whose time is over go, and `cluster-info` is signed with those that may sign.

A node that knows a token alone finds out with such a signature that the cluster it reaches is the one it means to join.

Promises
    B1  a token goes at its expiration; one whose expiration cannot be read is expired
    B2  kube-public/cluster-info has one signature for each token that may sign, and none of any other; where there is
        no cluster-info, nobody makes one

Source: Kubernetes' bootstrap controllers; https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.time import parse_time
from kajitori.client import Client, key_of
from kajitori.controllers.kinds import CONFIG_MAPS, NAMESPACES, SECRETS
from kajitori.ctrl import DONE, Cache, Manager, Request, Result, Watch
from kajitori.world.clock import Clock

__all__ = ["SigningReconciler", "TokenCleaner", "setup_cleaner", "setup_signer", "signature"]

TYPE = "bootstrap.kubernetes.io/token"
PREFIX = "bootstrap-token-"
_SYSTEM = "kube-system"
_PUBLIC = "kube-public"
_INFO = "cluster-info"
_SIGNATURE = "jws-kubeconfig-"


class TokenCleaner:
    """Deletes one token when its time is over."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        if request.namespace != _SYSTEM:
            return DONE
        try:
            secret = await self._client.get(SECRETS, request.namespace, request.name)
        except NotFound:
            return DONE
        if secret.get("type") != TYPE:
            return DONE
        left = _seconds_left(_decoded(secret), self._clock.now().timestamp())
        if left is None:
            return DONE
        if left > 0:
            return Result(requeue_after_seconds=left)
        try:
            await self._client.delete(SECRETS, request.namespace, request.name, uid=secret.uid)
        except (NotFound, Conflict):
            return DONE
        return DONE


class SigningReconciler:
    """Signs cluster-info."""

    def __init__(self, client: Client, cache: Cache, clock: Clock) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        if request.name != _PUBLIC:
            return DONE
        try:
            info = await self._client.get(CONFIG_MAPS, _PUBLIC, _INFO)
        except NotFound:
            return DONE
        data: Mapping[str, str] = info.get("data") or {}
        content = data.get("kubeconfig")
        if content is None:
            return DONE
        wanted = {
            f"{_SIGNATURE}{token_id}": signature(content, token_id, secret)
            for token_id, secret in (await self._tokens()).items()
        }
        there = {name: value for name, value in data.items() if name.startswith(_SIGNATURE)}
        if wanted == there:
            return DONE
        patch = {
            "metadata": {"resourceVersion": info.resource_version},
            "data": {**dict.fromkeys(there.keys() - wanted.keys()), **wanted},
        }
        try:
            await self._client.patch(CONFIG_MAPS, _PUBLIC, _INFO, patch)
        except NotFound:
            return DONE
        return DONE

    async def _tokens(self) -> dict[str, str]:
        """The secrets of the tokens that may sign, by their ids."""
        found: dict[str, str] = {}
        now = self._clock.now().timestamp()
        for cached in self._cache.list(SECRETS, _SYSTEM):
            if not cached.name.startswith(PREFIX):
                continue
            try:
                secret = await self._client.get(SECRETS, _SYSTEM, cached.name)
            except NotFound:
                continue
            data = _decoded(secret)
            token_id = data.get("token-id", "")
            left = _seconds_left(data, now)
            if (
                secret.get("type") == TYPE
                and token_id == cached.name.removeprefix(PREFIX)
                and data.get("token-secret")
                and data.get("usage-bootstrap-signing") == "true"
                and (left is None or left > 0)
            ):
                found[token_id] = data["token-secret"]
        return found


def signature(content: str, token_id: str, secret: str) -> str:
    """A JSON Web Signature of `content`, without the content: its readers have that."""
    header = _base64url(msgspec.json.encode({"alg": "HS256", "kid": token_id}))
    signed = f"{header}.{_base64url(content.encode())}".encode()
    made = hmac.digest(secret.encode(), signed, hashlib.sha256)
    return f"{header}..{_base64url(made)}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(secret: Unstructured) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in (secret.get("data") or {}).items():
        try:
            found[name] = base64.b64decode(value or "").decode()
        except (binascii.Error, UnicodeDecodeError):
            found[name] = ""
    return found


def _seconds_left(data: Mapping[str, str], now: float) -> float | None:
    """None: it does not end."""
    text = data.get("expiration")
    if not text:
        return None
    try:
        return parse_time(text) - now
    except ValueError:
        return 0.0


def _is_token(value: Any) -> bool:
    key = key_of(value)
    return key.namespace == _SYSTEM and key.name.startswith(PREFIX)


def setup_cleaner(manager: Manager) -> None:
    """Adds the controller that deletes."""

    def itself(secret: Any) -> Iterable[Request]:
        return (Request(_SYSTEM, key_of(secret).name),) if _is_token(secret) else ()

    manager.controller(
        "token-cleaner-controller",
        TokenCleaner(manager.client, manager.clock),
        for_=NAMESPACES,
        watches=[Watch(SECRETS, itself, metadata_only=True)],
    )


def setup_signer(manager: Manager) -> None:
    """Adds the controller that signs."""
    info = (Request("", _PUBLIC),)

    def of_token(secret: Any) -> Iterable[Request]:
        return info if _is_token(secret) else ()

    def of_info(value: Any) -> Iterable[Request]:
        return info if (key := key_of(value)).namespace == _PUBLIC and key.name == _INFO else ()

    manager.controller(
        "bootstrap-signer-controller",
        SigningReconciler(manager.client, manager.cache, manager.clock),
        for_=NAMESPACES,
        watches=[
            Watch(SECRETS, of_token, metadata_only=True),
            Watch(CONFIG_MAPS, of_info, metadata_only=True),
        ],
    )
