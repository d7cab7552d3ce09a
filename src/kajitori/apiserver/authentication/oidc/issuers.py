"""All issuers of a configuration: whose token it is, and whom it is for. A new configuration takes their place whole.

Promises
    I1  an issuer that cannot be reached yet is tried again every RETRY_SECONDS; until then its tokens do not count
    I2  a token of no configured issuer is nobody's business here
    I3  groups that a token only points to are fetched where it points, and believed with their own signature

Source: apiserver's plugin/pkg/authenticator/token/oidc.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from time import monotonic
from typing import Any

from kajitori.apiserver.authentication.jose import split
from kajitori.apiserver.authentication.oidc.claims import ClaimMapper
from kajitori.apiserver.authentication.oidc.configuration import AuthenticationConfiguration, JwtAuthenticator
from kajitori.apiserver.authentication.oidc.figures import OidcFigures
from kajitori.apiserver.authentication.oidc.provider import GOOGLE, Provider, ProviderError, fetch
from kajitori.apiserver.authentication.serviceaccount import TokenError
from kajitori.apiserver.authentication.tokens import Found, common_audiences

__all__ = ["Issuers"]

RETRY_SECONDS = 10.0

_log = logging.getLogger(__name__)


def _issuer_of(token: str) -> str:
    """Who the token says has issued it, which nobody has verified; empty when it is no token."""
    parts = split(token)
    issuer = parts[1].get("iss") if parts is not None else None
    return GOOGLE if issuer == "accounts.google.com" else issuer if isinstance(issuer, str) else ""


class _Issuer:
    """One of them."""

    def __init__(
        self,
        configured: JwtAuthenticator,
        *,
        algorithms: Collection[str],
        wall_clock: Callable[[], float],
        figures: OidcFigures,
    ) -> None:
        issuer = configured.issuer
        self.url = issuer.url
        self.problem = f'oidc: authenticator for issuer "{issuer.url}" is not initialized'
        """Why it cannot be asked; empty when it can."""
        self._tls = ssl.create_default_context(cadata=issuer.certificate_authority or None)
        self._tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as in Go, whatever is named is believed
        self._mapper = ClaimMapper(configured)
        self._groups_claim = configured.claim_mappings.groups.claim

        def provider(url: str, discovery_url: str = "") -> Provider:
            return Provider(
                url,
                self._tls,
                audiences=issuer.audiences,
                algorithms=algorithms,
                wall_clock=wall_clock,
                discovery_url=discovery_url,
                fetched=(lambda digest: figures.fetched(issuer.url, digest)) if url == issuer.url else None,
            )

        self._provider_of = provider
        self._provider = provider(issuer.url, issuer.discovery_url)
        self._others: dict[str, Provider] = {}
        """Of distributed claims."""

    async def discover(self) -> bool:
        try:
            await self._provider.discover()
        except ProviderError as error:
            self.problem = str(error)
            return False
        self.problem = ""
        return True

    async def identify(self, token: str) -> Any:
        """The user. Raises: TokenError."""
        if not self._provider.ready:
            raise TokenError("oidc: authenticator not initialized")
        try:
            claims = await self._provider.verify(token)
        except TokenError as error:
            raise TokenError(f"oidc: verify token: {error}") from None
        if self._groups_claim and self._groups_claim not in claims:
            try:
                claims = await self._expanded(claims)
            except TokenError as error:
                raise TokenError(f"oidc: could not expand distributed claims: {error}") from None
        return self._mapper.user_of(claims)

    async def _expanded(self, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims with the groups that they point to. Raises: TokenError."""
        if "_claim_names" not in claims:
            return claims
        names, sources = claims["_claim_names"], claims.get("_claim_sources")
        if not isinstance(names, Mapping):
            raise TokenError("oidc: error parsing distributed claim names")
        if not isinstance(sources, Mapping):
            raise TokenError("oidc: no claim sources")
        source = names.get(self._groups_claim)
        if source is None:
            return claims
        endpoint = sources.get(source)
        if not isinstance(endpoint, Mapping):
            raise TokenError(f"id token _claim_names contained a source {source} missing in _claims_sources")
        url = endpoint.get("endpoint")
        if not url or not isinstance(url, str):
            return claims  # the claims are in it, which is not supported
        found = await self._resolved(url, endpoint.get("access_token"))
        if self._groups_claim not in found:
            raise TokenError(
                f'jwt returned by distributed claim endpoint "{url}" did not contain claim: {self._groups_claim}'
            )
        return {**claims, self._groups_claim: found[self._groups_claim]}

    async def _resolved(self, url: str, access_token: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {access_token}"} if isinstance(access_token, str) else {}
        if any(not each.isprintable() for each in (url, *headers.values())):
            raise TokenError(f'while getting distributed claim "{self._groups_claim}": the source is no URL')
        try:
            answer = await fetch(url, self._tls, headers)
        except ProviderError as error:
            raise TokenError(f'while getting distributed claim "{self._groups_claim}": {error}') from None
        if not 200 <= answer.status <= 226:
            raise TokenError(
                f'while getting distributed claim "{self._groups_claim}": error while getting distributed claim '
                f"JWT: {answer.status}"
            )
        token = answer.body.decode(errors="replace")
        issuer = _issuer_of(token)
        other = self._provider if issuer == self.url else self._others.get(issuer)
        if other is None:
            other = self._provider_of(issuer)
            try:
                await other.discover()
            except ProviderError as error:
                raise TokenError(f"verifying untrusted issuer {issuer} failed: {error}") from None
            self._others[issuer] = other
        try:
            return await other.verify(token)
        except TokenError as error:
            raise TokenError(f"verify distributed claim token: {error}") from None


class Issuers:
    """The issuers that are believed now."""

    def __init__(
        self,
        configuration: AuthenticationConfiguration,
        *,
        algorithms: Collection[str],
        audiences: Sequence[str],
        wall_clock: Callable[[], float],
        figures: OidcFigures | None = None,
    ) -> None:
        """The configuration is valid; `audiences` are the API server's own."""
        self._algorithms = tuple(algorithms)
        self._audiences = tuple(audiences)
        self._clock = wall_clock
        self.figures = figures or OidcFigures(wall_clock)
        self._issuers = self._made(configuration)

    def _made(self, configuration: AuthenticationConfiguration) -> dict[str, _Issuer]:
        return {
            each.issuer.url: _Issuer(
                each, algorithms=self._algorithms, wall_clock=self._clock, figures=self.figures
            )
            for each in configuration.jwt
        }

    def concerns(self, token: str) -> bool:
        """Whether the token says that one of them has issued it."""
        return _issuer_of(token) in self._issuers

    async def identify(self, token: str, audiences: Sequence[str]) -> Found | None:
        """Who holds it. Raises: TokenError."""
        common = common_audiences(self._audiences, audiences)
        issuer = self._issuers.get(_issuer_of(token))
        if issuer is None or common is None:
            return None
        begun = monotonic()
        try:
            user = await issuer.identify(token)
        except TokenError:
            self.figures.asked(issuer.url, "failure", monotonic() - begun)
            raise
        self.figures.asked(issuer.url, "success", monotonic() - begun)
        return user, common

    async def run(self) -> None:
        """Finds out where the keys of all are, however long it takes; ends when it is known, or others are believed."""
        mine = self._issuers
        await self._discover(mine, lambda: mine is self._issuers)

    async def replace(self, configuration: AuthenticationConfiguration, seconds: float) -> None:
        """Lets another configuration take over once all its issuers answer.

        Raises: ProviderError when they do not within `seconds`.
        """
        made = self._made(configuration)
        try:
            async with asyncio.timeout(seconds):
                await self._discover(made, lambda: True)
        except TimeoutError:
            problems = [each.problem for each in made.values() if each.problem]
            raise ProviderError(", ".join(problems)) from None
        self.figures.only(made)
        self._issuers = made

    @staticmethod
    async def _discover(issuers: Mapping[str, _Issuer], wanted: Callable[[], bool]) -> None:
        while wanted():
            for each in issuers.values():
                if each.problem and not await each.discover():
                    told = {"issuer": each.url, "why": each.problem}
                    _log.warning("an issuer of tokens does not answer; it is asked again", extra=told)
            if not any(each.problem for each in issuers.values()):
                return
            await asyncio.sleep(RETRY_SECONDS)
