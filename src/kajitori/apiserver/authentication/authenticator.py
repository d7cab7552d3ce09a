"""Who sends a request.

In the order of kube-apiserver: the proxy in front, the client certificate, then the bearer token (static, of a service
account, of a node that joins, of an issuer, of a webhook), then nobody in particular. Credentials that are there and
wrong are refused, even where anonymous ones would do.

Promises
    N1  a user always is in system:authenticated, the anonymous one in system:unauthenticated
    N2  a wrong token is 401, whatever is asked; why is logged, and told to nobody
    N3  nothing waits but a question that somebody elsewhere has to be asked
    N4  what was found elsewhere is remembered for REMEMBERED_SECONDS, as kube-apiserver does
    N5  a client certificate counts until it ends, however long its connection lives

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

import base64
import binascii
import hashlib
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from time import monotonic, time
from typing import TYPE_CHECKING, Protocol

from kajitori.apimachinery.errors import ServiceUnavailable, Unauthorized
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.authentication.bootstrap import BootstrapTokens
from kajitori.apiserver.authentication.serviceaccount import Identity, ServiceAccountTokens, TokenError
from kajitori.apiserver.authentication.tokens import Found, RemoteTokens, common_audiences
from kajitori.apiserver.authentication.user import ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED, User

if TYPE_CHECKING:
    from kajitori.apiserver.authentication.frontproxy import FrontProxy
    from kajitori.apiserver.authorization.authorizer import Authorizer
    from kajitori.apiserver.http.messages import Request

__all__ = ["Authenticator"]

_REMEMBERED_MAX = 10_000
"""Service account tokens, and client certificates, remembered; beyond it all are verified again."""
REMEMBERED_SECONDS = 10.0
_WEBSOCKET_PREFIX = "base64url.bearer.authorization.k8s.io."
_UID = "1.3.6.1.4.1.57683.2"
"""The attribute of a certificate's subject that Kubernetes reads a uid from."""
_CREDENTIAL = "authentication.kubernetes.io/credential-id"

_log = logging.getLogger(__name__)


class Asked(Protocol):
    """What is read of a request."""

    headers: dict[str, str]
    path: str

    @property
    def peer_certificate(self) -> bytes | None: ...

    @property
    def peer_subject(self) -> Sequence[tuple[str, str]]: ...

    @property
    def peer_anchors(self) -> frozenset[bytes]: ...

    @property
    def peer_expires(self) -> float: ...

    def header_values(self, name: str) -> list[str]: ...


class Authenticator:
    """Knows the static tokens, and asks `service_accounts` and the others about all the rest."""

    def __init__(
        self,
        *,
        tokens: Mapping[str, User] | None = None,
        service_accounts: ServiceAccountTokens | None = None,
        anonymous: bool = True,
        anonymous_paths: Collection[str] = (),
        audiences: Sequence[str] | None = None,
    ) -> None:
        """`anonymous_paths`: the only ones that may be asked for anonymously; empty: any."""
        self.service_accounts = service_accounts
        """Issues and checks their tokens; knows what OpenID discovery says. None: there are none."""
        self._anonymous = anonymous
        self._anonymous_paths = frozenset(anonymous_paths)
        if audiences is None:
            audiences = service_accounts.audiences if service_accounts is not None else ()
        self.audiences = tuple(audiences)
        """The API server's own."""
        self.bootstrap: BootstrapTokens | None = None
        """Tokens that nodes join with; None: they are not believed."""
        self.remotes: Sequence[RemoteTokens] = ()
        """Whom to ask about tokens that nobody here knows, in this order."""
        self.front_proxy: FrontProxy | None = None
        self.client_authorities: frozenset[bytes] = frozenset()
        """Whose certificates name users, in DER; only looked at beside a front proxy, which has another authority."""
        # Looked up by the whole header. A dictionary compares texts only when their 64-bit hashes are equal, and
        # nobody knows a secret's hash: so no comparison can be timed.
        self._static = {f"Bearer {token}": _complete(user) for token, user in (tokens or {}).items()}
        self._identities: dict[str, Identity] = {}
        self._certificates: dict[bytes, tuple[User, float]] = {}
        self._elsewhere: dict[str, tuple[float, User]] = {}
        self.monotonic: Callable[[], float] = monotonic
        self.wall_clock: Callable[[], float] = time

    def authenticate(self, request: Asked) -> "User | Awaitable[User]":
        """The user who asks; later where somebody else has to be asked about a token.

        Raises: Unauthorized when the credentials are wrong, or missing where anonymous requests are not allowed.
        """
        why = ""
        certificate = request.peer_certificate
        if certificate is not None:
            user, ends = self._certificates.get(certificate, (None, 0.0))
            if user is None or self.front_proxy is not None or self.wall_clock() > ends:
                user, why = self._by_certificate(certificate, request)
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
            return self._holder(token, why)
        if why:
            raise _refused(why)
        if self._anonymous and (not self._anonymous_paths or request.path in self._anonymous_paths):
            return ANONYMOUS
        raise Unauthorized("Unauthorized")

    def know(self, token: str, user: User) -> None:
        """From now on this token is this user's."""
        self._static[f"Bearer {token}"] = _complete(user)

    def forget(self) -> None:
        """What was found elsewhere may be otherwise now."""
        self._elsewhere.clear()

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

    def review_token(self, token: str, audiences: Sequence[str] = ()) -> "JsonObject | Awaitable[JsonObject]":
        """The status of a TokenReview: whose the token is, if anybody's."""
        problems: list[str] = []
        found = self._known(token, tuple(audiences) or self.audiences, problems)
        asked = [] if found is not None else [each for each in self.remotes if each.concerns(token)]
        if not asked:
            return _review(found, problems)

        async def later() -> JsonObject:
            elsewhere = await _ask(asked, token, tuple(audiences) or self.audiences, problems)
            return _review(elsewhere, problems)

        return later()

    def _known(self, token: str, wanted: Sequence[str], problems: list[str]) -> Found | None:
        """Who holds a token, as far as nobody else has to be asked; `problems` gets why some do not know it."""
        static = self._static.get(f"Bearer {token}")
        if static is not None:
            # A static token is the API server's, for no other audience.
            common = common_audiences(self.audiences, wanted)
            return None if common is None else (static, common)
        if self.service_accounts is not None:
            try:
                identity = self.service_accounts.identify(token, wanted)
                if identity is not None:
                    return identity.user, identity.audiences
            except TokenError as error:
                problems.append(str(error))
        return None if self.bootstrap is None else self.bootstrap.identify(token, wanted)

    def _holder(self, token: str, why: str) -> "User | Awaitable[User]":
        """Who sends a request with this token; `why` says what was wrong with a certificate beside it."""
        static = self._static.get(f"Bearer {token}")
        if static is not None:
            return static
        problems = [why] if why else []
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
            except TokenError as error:
                self._identities.pop(token, None)
                problems.append(str(error))
        if self.bootstrap is not None:
            found = self.bootstrap.identify(token, self.audiences)
            if found is not None:
                return _complete(found[0])
        if self.remotes:
            known = self._elsewhere.get(token)
            if known is not None and known[0] > self.monotonic():
                return known[1]
            asked = [each for each in self.remotes if each.concerns(token)]
            if asked:
                return self._holder_elsewhere(token, asked, problems)
        raise _refused(*problems)

    async def _holder_elsewhere(self, token: str, asked: Sequence[RemoteTokens], problems: list[str]) -> User:
        found = await _ask(asked, token, self.audiences, problems)
        if found is None:
            raise _refused(*problems)
        user = _complete(found[0])
        if len(self._elsewhere) >= _REMEMBERED_MAX:
            self._elsewhere.clear()
        self._elsewhere[token] = (self.monotonic() + REMEMBERED_SECONDS, user)
        return user

    def _by_certificate(self, certificate: bytes, request: Asked) -> tuple[User | None, str]:
        """The user that a verified certificate means, or why it means nobody."""
        if self.wall_clock() > request.peer_expires:
            return None, "verifying certificate failed: x509: certificate has expired"
        proxy = self.front_proxy
        if proxy is not None:
            user = proxy.user_of(request)
            if user is not None:
                return _complete(user), ""
            if not request.peer_anchors & self.client_authorities:
                return None, "verifying certificate failed: x509: certificate signed by unknown authority"
        return self._named_by(certificate, request.peer_subject, request.peer_expires)

    def _named_by(
        self, certificate: bytes, subject: Sequence[tuple[str, str]], ends: float
    ) -> tuple[User | None, str]:
        """The user that a certificate names: its common name, in its organizations."""
        # Of several common names the last counts, as in Go.
        name = next((value for key, value in reversed(subject) if key == "commonName"), "")
        if not name:
            return None, ""
        uids = [value for key, value in subject if key == _UID]
        if len(uids) > 1:
            return None, f"expected 1 UID, but found multiple: [{' '.join(uids)}]"
        if "" in uids:
            return None, "UID cannot be an empty string"
        groups = tuple(value for key, value in subject if key == "organizationName")
        digest = hashlib.sha256(certificate).hexdigest()
        user = _complete(User(name, "".join(uids), groups, {_CREDENTIAL: (f"X509SHA256={digest}",)}))
        if len(self._certificates) >= _REMEMBERED_MAX:
            self._certificates.clear()
        self._certificates[certificate] = user, ends
        return user, ""


async def _ask(
    asked: Sequence[RemoteTokens], token: str, wanted: Sequence[str], problems: list[str]
) -> Found | None:
    for each in asked:
        try:
            found = await each.identify(token, wanted)
        except TokenError as error:
            problems.append(str(error))
            continue
        if found is not None:
            return found
    return None


def _review(found: Found | None, problems: Sequence[str]) -> JsonObject:
    if found is None:
        told = ["invalid bearer token", *problems]
        return {"user": {}, "error": told[0] if len(told) == 1 else f"[{', '.join(told)}]"}
    user, common = found
    status: JsonObject = {"authenticated": True, "user": _complete(user).to_json()}
    if common:
        status["audiences"] = list(common)
    return status


def _refused(*why: str) -> Unauthorized:
    """What a client is told is only that; the log has the rest."""
    told = ("invalid bearer token", *why)
    _log.info("unable to authenticate the request", extra={"why": ", ".join(dict.fromkeys(told))})
    return Unauthorized("Unauthorized")


def _complete(user: User) -> User:
    if AUTHENTICATED in user.groups or UNAUTHENTICATED in user.groups:
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
