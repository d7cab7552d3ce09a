"""Tokens of service accounts: what is in them, and when they still count.

A token says for whom it is, until when, for which audiences, and which object (Pod, Secret, Node) it lives as long
as. All of that is looked up again with every request, so that deleting the object ends the token at once.

Promises
    T1  a token counts only while its service account, and the object it is bound to, are there with the same uid
    T2  it counts from `nbf` to `exp`, give or take LEEWAY_SECONDS, for the audiences it names
    T3  a token of another issuer is nobody's business here: None, not an error
    T4  a token kept in a Secret counts as long as that very token stands in it

Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
and pkg/serviceaccount.
"""

import base64
import hmac
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import qualified
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import parse_time
from kajitori.apiserver.authentication.jwt import KeySet, split_claims
from kajitori.apiserver.authentication.user import (
    AUTHENTICATED,
    User,
    service_account_groups,
    service_account_user,
)

__all__ = [
    "DEFAULT_AUDIENCE",
    "ISSUER",
    "Identity",
    "Lookup",
    "ServiceAccountTokens",
    "TokenError",
    "TokenRules",
]

ISSUER = "https://kubernetes.default.svc.cluster.local"
DEFAULT_AUDIENCE = "https://kubernetes.default.svc"
"""The audience of the API server itself: of tokens that ask for none."""
LEEWAY_SECONDS = 60
"""Clocks differ; and an object counts that long after its deletion began, so that a Pod can end in peace."""
LEGACY_ISSUER = "kubernetes/serviceaccount"
"""Of tokens that are kept in Secrets and do not end."""
LAST_USED_LABEL = "kubernetes.io/legacy-token-last-used"
INVALID_SINCE_LABEL = "kubernetes.io/legacy-token-invalid-since"
WARN_ONLY_SECONDS = 3607
"""What Kubernetes' clients before bound tokens asked for; such tokens live a year, but are to be renewed."""
_EXTENDED_SECONDS = 365 * 24 * 3600
_CLAIMS = "kubernetes.io"
_EXTRA = "authentication.kubernetes.io/"

Lookup = Callable[[str, str, str], Mapping[str, Any] | None]
"""The object of a resource (`serviceaccounts`, `pods`, `secrets`, `nodes`), namespace and name; None: not there."""


class TokenError(ValueError):
    """A token of ours that does not count; the text says why, as kube-apiserver does."""


class Identity(msgspec.Struct, frozen=True):
    """What a verified token says."""

    user: User
    audiences: tuple[str, ...]
    expires: float
    not_before: float
    account: tuple[str, str, str]
    """Namespace, name and uid of the service account."""
    bound: tuple[tuple[str, str, str, str], ...]
    """Resource, namespace, name and uid of every object it is bound to."""
    issued: float = 0
    kept_in: str = ""
    """The Secret of a token that is kept in one."""
    token: str = ""
    """That token."""


class TokenRules(msgspec.Struct, frozen=True):
    """What the flags of kube-apiserver say about tokens of service accounts."""

    issuers: tuple[str, ...] = (ISSUER,)
    """The first issues; tokens of all of them are believed."""
    audiences: tuple[str, ...] = (DEFAULT_AUDIENCE,)
    """Those of the API server."""
    seconds_max: int = 0
    """0: as long as anybody asks for."""
    extend: bool = True
    """Whether tokens that Kubernetes' old clients ask for live a year."""
    lookup: bool = True
    """Whether a token kept in a Secret must still be there."""
    jwks_uri: str = ""
    """Where others are told to get the keys; empty: at this server's own address."""


class ServiceAccountTokens:
    """Issues and checks the tokens of one cluster."""

    def __init__(
        self,
        keys: KeySet,
        lookup: Lookup,
        *,
        wall_clock: Callable[[], float],
        uuid4: Callable[[], str],
        rules: TokenRules | None = None,
        used: Callable[[str, str, str], None] | None = None,
    ) -> None:
        """`used` is told of the first use of a kept token each day: namespace and name of its Secret, and the day."""
        self._keys = keys
        self._lookup = lookup
        self._clock = wall_clock
        self._uuid4 = uuid4
        self.rules = rules or TokenRules()
        self.issuer = self.rules.issuers[0]
        self.audiences = self.rules.audiences
        """Those of the API server."""
        self._used = used

    def issue(
        self,
        namespace: str,
        name: str,
        *,
        uid: str,
        audiences: Sequence[str],
        seconds: int,
        bound: Mapping[str, Mapping[str, str]] | None = None,
    ) -> str:
        """A token for `seconds` from now.

        `bound` says what it lives as long as: `name` and `uid` under `pod` (then `node` tells where that runs),
        `secret` or `node`.
        """
        now = int(self._clock())
        private: JsonObject = {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}}
        for kind, each in (bound or {}).items():
            private[kind] = {"name": each["name"], "uid": each["uid"]}
        lives = seconds
        if (
            self.rules.extend
            and seconds == WARN_ONLY_SECONDS
            and "pod" in private
            and set(audiences) <= set(self.audiences)
        ):
            lives = _EXTENDED_SECONDS
            private["warnafter"] = now + seconds
        claims: JsonObject = {
            "aud": list(audiences),
            "exp": now + lives,
            "iat": now,
            "iss": self.issuer,
            "jti": self._uuid4(),
            _CLAIMS: dict(sorted(private.items())),
            "nbf": now,
            "sub": service_account_user(namespace, name),
        }
        return self._keys.sign(claims)

    def sign(self, claims: JsonObject) -> str:
        """A token to be kept in a Secret, of these claims."""
        return self._keys.sign({"iss": LEGACY_ISSUER, **claims})

    def identify(self, token: str, audiences: Sequence[str] | None = None) -> Identity | None:
        """Who holds `token`, for any of `audiences` (None: the API server's own).

        None when the token is not from here or not signed by us.

        Raises: TokenError when it is ours but does not count.
        """
        unverified = split_claims(token)
        if unverified is None:
            return None
        issuer = unverified.get("iss")
        kept = issuer == LEGACY_ISSUER
        if not kept and issuer not in self.rules.issuers:
            return None
        claims = self._keys.verify(token)
        if claims is None:
            known = self._keys.knows(token)
            why = "go-jose/go-jose: error in cryptographic primitive"
            raise TokenError(why if known else "invalid signature, no keys found")
        try:
            if kept:
                identity = _kept_identity(msgspec.convert(claims, _KeptClaims), token, self.audiences)
            else:
                identity = _identity(msgspec.convert(claims, _Claims))
        except msgspec.ValidationError as error:
            raise TokenError(f"token could not be validated: {error}") from None
        wanted = self.audiences if audiences is None else tuple(audiences)
        theirs = identity.audiences or self.audiences
        common = tuple(each for each in theirs if each in wanted)
        if not common:
            has, wants = (" ".join(map(go_quote, each)) for each in (theirs, wanted))
            raise TokenError(f"token audiences [{has}] is invalid for the target audiences [{wants}]")
        self.check(identity)
        return msgspec.structs.replace(identity, audiences=common)

    def check(self, identity: Identity) -> None:
        """Lets pass what still counts.

        Raises: TokenError.
        """
        now = self._clock()
        if now > identity.expires + LEEWAY_SECONDS:
            raise TokenError("service account token has expired")
        if now < identity.not_before - LEEWAY_SECONDS:
            raise TokenError("service account token is not valid yet")
        if now < identity.issued - LEEWAY_SECONDS:
            raise TokenError("service account token is issued in the future")
        namespace, name, uid = identity.account
        if identity.kept_in:
            if self.rules.lookup:
                self._check_kept(identity, now)
            return
        self._check_object("serviceaccounts", namespace, name, uid=uid, now=now)
        for resource, where, what, bound_uid in identity.bound:
            self._check_object(resource, where, what, uid=bound_uid, now=now)

    def _check_kept(self, identity: Identity, now: float) -> None:
        namespace, name, uid = identity.account
        secret = self._lookup("secrets", namespace, identity.kept_in)
        if secret is None or secret["metadata"].get("deletionTimestamp"):
            raise TokenError("Token has been invalidated")
        stands = (secret.get("data") or {}).get("token", "")
        if not hmac.compare_digest(stands, base64.b64encode(identity.token.encode()).decode("ascii")):
            raise TokenError("Token does not match server's copy")
        account = self._lookup("serviceaccounts", namespace, name)
        if account is None:
            raise TokenError(f'serviceaccounts "{name}" not found')
        if account["metadata"].get("deletionTimestamp"):
            raise TokenError(f"ServiceAccount {namespace}/{name} has been deleted")
        if account["metadata"].get("uid") != uid:
            found = account["metadata"].get("uid")
            raise TokenError(f"ServiceAccount UID ({found}) does not match claim ({uid})")
        labels = secret["metadata"].get("labels") or {}
        today = datetime.fromtimestamp(now, UTC).date()
        if self._used is not None and labels.get(LAST_USED_LABEL) not in (
            today.isoformat(),
            (today + timedelta(days=1)).isoformat(),
        ):
            self._used(namespace, identity.kept_in, today.isoformat())
        if labels.get(INVALID_SINCE_LABEL):
            raise TokenError(
                f"the token in secret {namespace}/{identity.kept_in} for service account {namespace}/{name} has been "
                "marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or "
                f"remove the '{INVALID_SINCE_LABEL}' label from the secret to temporarily allow use of this token"
            )

    @property
    def discoverable(self) -> bool:
        """Whether the issuer is one that OpenID Connect Discovery lets others find."""
        url = urlsplit(self.issuer)
        return url.scheme == "https" and not url.query and not url.fragment

    def openid_configuration(self, jwks_uri: str) -> JsonObject:
        """What /.well-known/openid-configuration serves; `jwks_uri` is where the keys are."""
        return {
            "issuer": self.issuer,
            "jwks_uri": self.rules.jwks_uri or jwks_uri,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": self._keys.algorithms(),
        }

    def jwks(self) -> JsonObject:
        """What /openid/v1/jwks serves, as `application/jwk-set+json`."""
        return self._keys.jwks()

    def _check_object(self, resource: str, namespace: str, name: str, *, uid: str, now: float) -> None:
        found = self._lookup(resource, namespace, name)
        bound, shown = resource != "serviceaccounts", _SHOWN[resource]
        if found is None:
            if bound:
                raise TokenError("service account token has been invalidated")
            raise TokenError(f'{qualified(resource, "")} "{name}" not found')
        metadata = found["metadata"]
        if metadata.get("uid") != uid:
            claim = f"service account {shown} ref claim" if bound else "claim"
            raise TokenError(f"{shown} UID ({metadata.get('uid')}) does not match {claim} ({uid})")
        deleted = metadata.get("deletionTimestamp")
        if deleted and parse_time(deleted) + LEEWAY_SECONDS < now:
            if bound:
                raise TokenError("service account token has been invalidated")
            raise TokenError(f"{shown} {namespace}/{name} has been deleted")


class _Reference(msgspec.Struct, frozen=True):
    name: str
    uid: str = ""


class _Private(msgspec.Struct, frozen=True):
    namespace: str
    serviceaccount: _Reference
    pod: _Reference | None = None
    secret: _Reference | None = None
    node: _Reference | None = None


class _Claims(msgspec.Struct, frozen=True):
    sub: str
    private: _Private = msgspec.field(name=_CLAIMS)
    aud: list[str] | str = msgspec.field(default_factory=list[str])
    exp: float = math.inf
    nbf: float = 0
    iat: float = 0
    jti: str = ""


class _KeptClaims(msgspec.Struct, frozen=True):
    sub: str = ""
    namespace: str = msgspec.field(name="kubernetes.io/serviceaccount/namespace", default="")
    secret: str = msgspec.field(name="kubernetes.io/serviceaccount/secret.name", default="")
    account: str = msgspec.field(name="kubernetes.io/serviceaccount/service-account.name", default="")
    uid: str = msgspec.field(name="kubernetes.io/serviceaccount/service-account.uid", default="")


_SHOWN = {"serviceaccounts": "service account", "pods": "pod", "secrets": "secret", "nodes": "node"}


def _identity(claims: _Claims) -> Identity:
    private = claims.private
    namespace, account = private.namespace, private.serviceaccount
    if claims.sub != service_account_user(namespace, account.name):
        raise TokenError("sub claim is invalid")
    extra: dict[str, tuple[str, ...]] = {}
    bound: list[tuple[str, str, str, str]] = []
    if claims.jti:
        extra[f"{_EXTRA}credential-id"] = (f"JTI={claims.jti}",)
    if private.pod is not None:
        bound.append(("pods", namespace, private.pod.name, private.pod.uid))
        extra[f"{_EXTRA}pod-name"] = (private.pod.name,)
        extra[f"{_EXTRA}pod-uid"] = (private.pod.uid,)
    if private.secret is not None:
        bound.append(("secrets", namespace, private.secret.name, private.secret.uid))
    if private.node is not None:
        # Of a bound Pod the Node is only told, not required: the Pod ends the token.
        if private.pod is None:
            bound.append(("nodes", "", private.node.name, private.node.uid))
        extra[f"{_EXTRA}node-name"] = (private.node.name,)
        extra[f"{_EXTRA}node-uid"] = (private.node.uid,)
    groups = (*service_account_groups(namespace), AUTHENTICATED)
    return Identity(
        user=User(claims.sub, account.uid, groups, extra),
        audiences=(claims.aud,) if isinstance(claims.aud, str) else tuple(claims.aud),
        expires=claims.exp,
        not_before=claims.nbf,
        issued=claims.iat,
        account=(namespace, account.name, account.uid),
        bound=tuple(bound),
    )


def _kept_identity(claims: _KeptClaims, token: str, audiences: tuple[str, ...]) -> Identity:
    for value, called in (
        (claims.sub, "sub"),
        (claims.namespace, "namespace"),
        (claims.secret, "secretName"),
        (claims.account, "serviceAccountName"),
        (claims.uid, "serviceAccountUID"),
    ):
        if not value:
            raise TokenError(f"{called} claim is missing")
    if claims.sub != service_account_user(claims.namespace, claims.account):
        raise TokenError("sub claim is invalid")
    groups = (*service_account_groups(claims.namespace), AUTHENTICATED)
    return Identity(
        user=User(claims.sub, claims.uid, groups),
        audiences=audiences,
        expires=math.inf,
        not_before=0,
        account=(claims.namespace, claims.account, claims.uid),
        bound=(),
        kept_in=claims.secret,
        token=token,
    )
