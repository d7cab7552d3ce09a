"""Who sends a request.

In the order of kube-apiserver: the client certificate, then the bearer token (static, then service account), then
nobody in particular. Credentials that are there and wrong are refused, even where anonymous ones would do.

Promises
    N1  a user always is in system:authenticated, the anonymous one in system:unauthenticated
    N2  a wrong token is 401, whatever is asked

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from kajitori.apimachinery.errors import ServiceUnavailable, Unauthorized
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.authentication.jwt import KeyFile, KeySet
from kajitori.apiserver.authentication.lookup import StoreLookup
from kajitori.apiserver.authentication.serviceaccount import Identity, ServiceAccountTokens, TokenError
from kajitori.apiserver.authentication.tokenfile import read_token_file
from kajitori.apiserver.authentication.user import ANONYMOUS, AUTHENTICATED, MASTERS, User
from kajitori.world.clock import SYSTEM_CLOCK, Clock
from kajitori.world.random import SYSTEM_RANDOM, Random

if TYPE_CHECKING:
    from kajitori.apiserver.authorization.authorizer import Authorizer
    from kajitori.apiserver.http.messages import Request
    from kajitori.storage import Store

__all__ = ["Authenticator"]

ADMIN = "admin"
"""The user of the admin token."""

_REMEMBERED_MAX = 10_000
"""Service account tokens, and client certificates, remembered; beyond it all are verified again."""
_WEBSOCKET_PREFIX = "base64url.bearer.authorization.k8s.io."
_UID = "1.3.6.1.4.1.57683.2"
"""The attribute of a certificate's subject that Kubernetes reads a uid from."""
_CREDENTIAL = "authentication.kubernetes.io/credential-id"


class Asked(Protocol):
    """What is read of a request."""

    headers: dict[str, str]

    @property
    def peer_certificate(self) -> bytes | None: ...

    @property
    def peer_subject(self) -> Sequence[tuple[str, str]]: ...

    def header_values(self, name: str) -> list[str]: ...


class Secrets(Protocol):
    """What a server keeps to itself: `pki.Pki`, or its stand-in where nothing is served."""

    def admin_token(self) -> str: ...

    @property
    def service_account_key_file(self) -> KeyFile: ...


class Authenticator:
    """Knows the static tokens, and asks `service_accounts` about all others."""

    def __init__(
        self,
        *,
        tokens: Mapping[str, User] | None = None,
        service_accounts: ServiceAccountTokens | None = None,
        anonymous: bool = True,
        audiences: Sequence[str] | None = None,
    ) -> None:
        self.service_accounts = service_accounts
        """Issues and checks their tokens; knows what OpenID discovery says. None: there are none."""
        self._anonymous = anonymous
        if audiences is None:
            audiences = service_accounts.audiences if service_accounts is not None else ()
        self.audiences = tuple(audiences)
        """The API server's own."""
        # Looked up by the whole header. A dictionary compares texts only when their 64-bit hashes are equal, and
        # nobody knows a secret's hash: so no comparison can be timed.
        self._static = {f"Bearer {token}": _complete(user) for token, user in (tokens or {}).items()}
        self._identities: dict[str, Identity] = {}
        self._certificates: dict[bytes, User] = {}

    @classmethod
    def of_cluster(
        cls,
        secrets: Secrets,
        store: "Store",
        *,
        token_auth_file: Path | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random = SYSTEM_RANDOM,
    ) -> Self:
        """The authenticator of a server: its admin token, the token file, and the service accounts in its store.

        Raises: AuthenticationError, OSError when the token file cannot be used.
        """
        tokens = {} if token_auth_file is None else read_token_file(token_auth_file)
        tokens[secrets.admin_token()] = User(ADMIN, "", (MASTERS,))
        accounts = ServiceAccountTokens(
            KeySet(secrets.service_account_key_file),
            StoreLookup(store),
            wall_clock=lambda: clock.now().timestamp(),
            uuid4=random.uuid4,
        )
        return cls(tokens=tokens, service_accounts=accounts)

    def authenticate(self, request: Asked) -> User:
        """The user who asks.

        Raises: Unauthorized when the credentials are wrong, or missing where anonymous requests are not allowed.
        """
        certificate = request.peer_certificate
        if certificate is not None:
            user = self._certificates.get(certificate) or self._named_by(certificate, request.peer_subject)
            if user is not None:
                return user
        header = request.headers.get("authorization")
        if header is None:
            token = _websocket_token(request) if "sec-websocket-protocol" in request.headers else ""
        else:
            user = self._static.get(header)
            if user is not None:
                return user
            token = _bearer(header)
        if token:
            return self._holder(token)
        if self._anonymous:
            return ANONYMOUS
        raise Unauthorized("Unauthorized")

    def know(self, token: str, user: User) -> None:
        """From now on this token is this user's."""
        self._static[f"Bearer {token}"] = _complete(user)

    def impersonate(self, request: "Request", user: User, authorizer: "Authorizer") -> tuple[User, str]:
        """The user that a request of `user` continues as, another where it has Impersonate- headers, and the
        constrained verb that allowed it.

        Raises: BadRequest, Forbidden.
        """
        # Impersonation is a matter of authorization, the next step; only those who ask for it get there from here.
        from kajitori.apiserver.authorization.impersonation import impersonated

        return impersonated(request, user, authorizer)

    def issue_token(
        self,
        *,
        namespace: str,
        name: str,
        uid: str,
        audiences: Sequence[str],
        seconds: int,
        bound: Mapping[str, Mapping[str, str]] | None = None,
    ) -> str:
        """A token of a service account; see `ServiceAccountTokens.issue`.

        Raises: ServiceUnavailable where this server issues none.
        """
        if self.service_accounts is None:
            raise ServiceUnavailable("this server issues no service account tokens")
        return self.service_accounts.issue(
            namespace, name, uid=uid, audiences=audiences, seconds=seconds, bound=bound
        )

    def review_token(self, token: str, audiences: Sequence[str] = ()) -> JsonObject:
        """The status of a TokenReview: whose the token is, if anybody's."""
        try:
            found = self.identify(token, audiences)
        except TokenError as error:
            return {"user": {}, "error": str(error)}
        if found is None:
            return {"user": {}, "error": "invalid bearer token"}
        user, common = found
        status: JsonObject = {"authenticated": True, "user": user.to_json()}
        if common:
            status["audiences"] = list(common)
        return status

    def identify(self, token: str, audiences: Sequence[str] = ()) -> tuple[User, tuple[str, ...]] | None:
        """Who holds a token, and for which of `audiences` (none: the API server's own); None: nobody.

        Raises: TokenError when it is known why it does not count.
        """
        wanted = tuple(audiences) or self.audiences
        static = self._static.get(f"Bearer {token}")
        if static is not None:
            # A static token is the API server's, for no other audience.
            common = tuple(each for each in self.audiences if each in wanted)
            return (static, common) if common or not wanted else None
        if self.service_accounts is None:
            return None
        identity = self.service_accounts.identify(token, wanted)
        return None if identity is None else (identity.user, identity.audiences)

    def _holder(self, token: str) -> User:
        static = self._static.get(f"Bearer {token}")
        if static is not None:
            return static
        accounts = self.service_accounts
        if accounts is not None:
            try:
                identity = self._identities.get(token)
                if identity is not None:
                    accounts.check(identity)
                    return identity.user
                identity = accounts.identify(token)
                if identity is not None:
                    if len(self._identities) >= _REMEMBERED_MAX:
                        self._identities.clear()
                    self._identities[token] = identity
                    return identity.user
            except TokenError:
                self._identities.pop(token, None)
        raise Unauthorized("Unauthorized")

    def _named_by(self, certificate: bytes, subject: Sequence[tuple[str, str]]) -> User | None:
        """The user that a verified certificate names: its common name, in its organizations."""
        # Of several common names the last counts, as in Go.
        name = next((value for key, value in reversed(subject) if key == "commonName"), "")
        if not name:
            return None
        uids = [value for key, value in subject if key == _UID]
        if len(uids) > 1 or "" in uids:
            raise Unauthorized("Unauthorized")
        groups = tuple(value for key, value in subject if key == "organizationName")
        digest = hashlib.sha256(certificate).hexdigest()
        user = _complete(User(name, "".join(uids), groups, {_CREDENTIAL: (f"X509SHA256={digest}",)}))
        if len(self._certificates) >= _REMEMBERED_MAX:
            self._certificates.clear()
        self._certificates[certificate] = user
        return user


def _complete(user: User) -> User:
    if AUTHENTICATED in user.groups:
        return user
    return User(user.name, user.uid, (*user.groups, AUTHENTICATED), user.extra)


def _bearer(header: str) -> str:
    """The token of an Authorization header, empty when it holds none."""
    parts = header.strip().split(" ", 2)
    return parts[1] if len(parts) > 1 and parts[0].lower() == "bearer" else ""


def _websocket_token(request: Asked) -> str:
    """The token that a browser can only send as a WebSocket subprotocol; empty when it sent none.

    Raises: Unauthorized when it cannot be read, or stands alone: the answer needs a protocol to choose.
    """
    headers = request.headers
    if headers.get("upgrade", "").lower() != "websocket":
        return ""
    values = request.header_values("sec-websocket-protocol")
    protocols = [each.strip() for value in values for each in value.split(",")]
    tokens = [each for each in protocols if each.startswith(_WEBSOCKET_PREFIX)]
    if not tokens:
        return ""
    others = [each for each in protocols if not each.startswith(_WEBSOCKET_PREFIX)]
    encoded = tokens[0].removeprefix(_WEBSOCKET_PREFIX)
    try:
        token = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Unauthorized("Unauthorized") from None
    if len(tokens) > 1 or not others:
        raise Unauthorized("Unauthorized")
    # Nobody further on is to see the secret, or choose it as the protocol.
    headers["sec-websocket-protocol"] = ", ".join(others)
    return token
