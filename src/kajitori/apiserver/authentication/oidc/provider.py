"""One issuer's published keys: found by discovery, fetched when a token needs them, kept as long as they may be.

Promises
    P1  a token is verified with the keys at hand; they are fetched anew when none of them fits and they may have
        changed
    P2  however many tokens wait for keys, they are fetched once
    P3  a token counts only with an allowed algorithm, this issuer, one of the audiences, and within its time

Source: github.com/coreos/go-oidc, which kube-apiserver uses.
"""

import asyncio
import hashlib
import re
import ssl
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.decode import go_quote, json_type
from kajitori.apiserver.authentication.jose import key_of, split, verifies
from kajitori.apiserver.authentication.serviceaccount import TokenError
from kajitori.apiserver.webhooks.exchange import Answered, ExchangeError, exchange

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

__all__ = ["GOOGLE", "Provider", "ProviderError", "fetch"]

GOOGLE = "https://accounts.google.com"
_WELL_KNOWN = "/.well-known/openid-configuration"
_ANSWER_BYTES_MAX = 4 << 20
_FETCH_SECONDS_MAX = 30.0
_NEARLY_SECONDS = 30.0
"""So long before their end keys count as old."""
_LEEWAY_SECONDS = 60.0
_max_age = re.compile(r"\bmax-age=(\d{1,9})\b").search


class ProviderError(Exception):
    """Why an issuer could not be asked."""


async def fetch(url: str, tls: ssl.SSLContext, headers: Mapping[str, str] | None = None) -> Answered:
    """A GET. Raises: ProviderError."""
    told = {"user-agent": "kube-apiserver", "accept": "application/json", **(headers or {})}
    secure = url.startswith("https:")
    if not secure and not url.startswith("http:"):
        raise ProviderError(f'Get {go_quote(url)}: unsupported protocol scheme ""')
    try:
        async with asyncio.timeout(_FETCH_SECONDS_MAX):
            return await exchange(
                "GET", url, headers=told, tls=tls if secure else None, bytes_max=_ANSWER_BYTES_MAX
            )
    except TimeoutError:
        raise ProviderError(f"Get {go_quote(url)}: context deadline exceeded") from None
    except ExchangeError as error:
        raise ProviderError(f"Get {go_quote(url)}: {error}") from None


class Provider:
    """One issuer."""

    def __init__(
        self,
        issuer: str,
        tls: ssl.SSLContext,
        *,
        audiences: Collection[str],
        algorithms: Collection[str],
        wall_clock: Callable[[], float],
        discovery_url: str = "",
        fetched: Callable[[str | None], None] | None = None,
    ) -> None:
        """`fetched` is told of each set of keys: its digest, or None when it could not be had."""
        self.issuer = issuer
        self._tls = tls
        self._audiences = tuple(audiences)
        self._algorithms = tuple(algorithms)
        self._clock = wall_clock
        self._discovery_url = discovery_url or issuer.removesuffix("/") + _WELL_KNOWN
        self._fetched = fetched or (lambda digest: None)
        self._jwks_uri = ""
        self._keys: list[tuple[str, PublicKey]] = []
        self._keys_until = 0.0
        self._fetching: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether it is known where the keys are."""
        return bool(self._jwks_uri)

    async def discover(self) -> None:
        """Learns where the keys are. Raises: ProviderError."""
        answer = await fetch(self._discovery_url, self._tls)
        if answer.status != 200:
            raise ProviderError(f"{answer.status}: {answer.body[:200].decode(errors='replace')}")
        try:
            said = msgspec.json.decode(answer.body, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise ProviderError(f"oidc: failed to decode provider discovery object: {error}") from None
        if said.get("issuer") != self.issuer:
            expected, got = go_quote(self.issuer), go_quote(str(said.get("issuer") or ""))
            raise ProviderError(
                f"oidc: issuer did not match the issuer returned by provider, expected {expected} got {got}"
            )
        uri = said.get("jwks_uri")
        if not uri or not isinstance(uri, str):
            raise ProviderError("provider did not return JWKS URL")
        self._jwks_uri = uri

    async def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token. Raises: TokenError."""
        parts = split(token)
        if parts is None:
            raise TokenError("oidc: malformed jwt")
        header, claims, signature = parts
        algorithm, key_id = header.get("alg"), header.get("kid") or ""
        if algorithm not in self._algorithms:
            listed = " ".join(map(go_quote, self._algorithms))
            got = go_quote(str(algorithm or ""))
            raise TokenError(
                f"oidc: id token signed with unsupported algorithm, expected [{listed}] got {got}"
            )
        data = token.rpartition(".")[0].encode("ascii")
        if not self._signed(key_id, algorithm, data, signature):
            if self._clock() + _NEARLY_SECONDS <= self._keys_until:
                raise TokenError("failed to verify signature: failed to verify id token signature")
            await self._refresh()
            if not self._signed(key_id, algorithm, data, signature):
                raise TokenError("failed to verify signature: failed to verify id token signature")
        self._check(claims)
        return claims

    def _signed(self, key_id: object, algorithm: str, data: bytes, signature: bytes) -> bool:
        return any(
            verifies(key, algorithm, data, signature)
            for own_id, key in self._keys
            if not key_id or own_id == key_id
        )

    async def _refresh(self) -> None:
        """Raises: TokenError."""
        if self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(self._fetch_keys())
            self._fetching.add_done_callback(self._fetched_keys)
        try:
            await asyncio.shield(self._fetching)
        except ProviderError as error:
            raise TokenError(f"failed to verify signature: fetching keys {error}") from None

    def _fetched_keys(self, task: "asyncio.Task[None]") -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # whoever waits has it

    async def _fetch_keys(self) -> None:
        """Raises: ProviderError."""
        try:
            answer = await fetch(self._jwks_uri, self._tls)
            if answer.status != 200:
                shown = answer.body[:200].decode(errors="replace")
                raise ProviderError(f"oidc: get keys failed: {answer.status} {shown}")
            try:
                said = msgspec.json.decode(answer.body, type=dict[str, Any])
                listed: list[dict[str, Any]] = msgspec.convert(said.get("keys") or [], list[dict[str, Any]])
            except msgspec.MsgspecError as error:
                raise ProviderError(f"oidc: failed to decode keys: {error}") from None
        except ProviderError:
            self._fetched(None)
            raise
        found = ((str(each.get("kid") or ""), key_of(each)) for each in listed)
        self._keys = [(key_id, key) for key_id, key in found if key is not None]
        self._keys_until = self._clock() + _seconds(answer)
        self._fetched(hashlib.sha256(answer.body).hexdigest())

    def _check(self, claims: Mapping[str, Any]) -> None:
        try:
            said = msgspec.convert(claims, _Registered)
        except msgspec.ValidationError as error:
            raise TokenError(f"oidc: failed to unmarshal claims: {_unreadable(claims, error)}") from None
        if said.iss != self.issuer and (self.issuer, said.iss) != (GOOGLE, "accounts.google.com"):
            expected, got = go_quote(self.issuer), go_quote(said.iss)
            raise TokenError(f"oidc: id token issued by a different provider, expected {expected} got {got}")
        theirs = [said.aud] if isinstance(said.aud, str) else said.aud
        if not set(theirs) & set(self._audiences):
            got = " ".join(map(go_quote, theirs))
            if len(self._audiences) == 1:
                raise TokenError(f"oidc: expected audience {go_quote(self._audiences[0])} got [{got}]")
            own = " ".join(map(go_quote, sorted(self._audiences)))
            raise TokenError(f"oidc: expected audience in [{own}] got [{got}]")
        now = self._clock()
        if said.exp is None or said.exp < now:
            raise TokenError(f"oidc: token is expired (Token Expiry: {_shown(said.exp)})")
        if said.nbf is not None and now + _LEEWAY_SECONDS < said.nbf:
            raise TokenError(
                f"oidc: current time {_shown(now)} before the nbf (not before) time: {_shown(said.nbf)}"
            )


class _Registered(msgspec.Struct, frozen=True):
    iss: str = ""
    sub: str = ""
    aud: list[str] | str = ""
    exp: float | None = None
    nbf: float | None = None


def _seconds(answer: Answered) -> float:
    """How long an answer may be kept; 0 when it does not say."""
    control = answer.headers.get("cache-control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return 0.0
    match = _max_age(control)
    return float(match[1]) if match is not None else 0.0


def _unreadable(claims: Mapping[str, Any], error: Exception) -> str:
    """What Go says of a claim of the wrong type."""
    for name in ("iss", "sub"):
        value = claims.get(name)
        kind = json_type(value)
        if value is not None and kind != "string":
            return f"json: cannot unmarshal {kind} into Go struct field idToken.{name} of type string"
    return str(error)


def _shown(seconds: float | None) -> str:
    from datetime import UTC, datetime

    if seconds is None:
        return "0001-01-01 00:00:00 +0000 UTC"  # of Go's time that nobody has set
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S +0000 UTC}"
    except (OverflowError, ValueError):
        return str(seconds)
