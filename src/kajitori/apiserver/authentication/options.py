"""How people are authenticated: the flags of kube-apiserver, as values.

Promises
    P1  flags that contradict each other are told before anything starts, in kube-apiserver's words

Source: pkg/kubeapiserver/options/authentication.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.urls import UrlError, parse_url
from kajitori.apiserver.authentication.serviceaccount import DEFAULT_AUDIENCE, ISSUER, TokenRules

__all__ = ["AuthenticationOptions", "OidcOptions", "RequestHeaderOptions", "problems", "token_rules"]

_HOUR = 3600
_SECONDS_MAX = 1 << 32


@dataclass(frozen=True, slots=True)
class OidcOptions:
    """One issuer, as `--oidc-*` describes it."""

    issuer_url: str = ""
    client_id: str = ""
    ca_file: Path | None = None
    username_claim: str = "sub"
    username_prefix: str = ""
    groups_claim: str = ""
    groups_prefix: str = ""
    signing_algs: tuple[str, ...] = ("RS256",)
    required_claims: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class RequestHeaderOptions:
    """A proxy in front that says in headers who asks."""

    client_ca_file: Path | None = None
    username_headers: tuple[str, ...] = ()
    uid_headers: tuple[str, ...] = ()
    group_headers: tuple[str, ...] = ()
    extra_prefixes: tuple[str, ...] = ()
    allowed_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthenticationOptions:
    """All of them but the client CA, which the TLS handshake needs."""

    token_auth_file: Path | None = None
    anonymous: bool | None = None
    """None: not said, which is yes unless the configuration file says otherwise."""
    bootstrap_tokens: bool = False
    config_file: Path | None = None
    oidc: OidcOptions | None = None
    """None: no flag of them is there."""
    request_header: RequestHeaderOptions = field(default_factory=RequestHeaderOptions)
    webhook_config_file: Path | None = None
    webhook_version: str = "v1beta1"
    webhook_cache_seconds: float = 120.0
    api_audiences: tuple[str, ...] = ()
    service_account_issuers: tuple[str, ...] = ()
    service_account_jwks_uri: str = ""
    service_account_key_files: tuple[Path, ...] = ()
    service_account_signing_key_file: Path | None = None
    service_account_max_seconds: int = 0
    service_account_extend: bool = True
    service_account_lookup: bool = True


def problems(options: AuthenticationOptions) -> Iterator[str]:
    """Why the options cannot be; none when they can."""
    oidc = options.oidc
    if oidc is not None:
        if options.config_file is not None:
            yield "authentication-config file and oidc-* flags are mutually exclusive"
        elif not oidc.issuer_url or not oidc.client_id:
            yield "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set"
    yield from _issuer_problems(options.service_account_issuers)
    if options.service_account_jwks_uri:
        yield from _jwks_problems(options.service_account_jwks_uri)
    seconds = options.service_account_max_seconds
    if seconds and not _HOUR <= seconds <= _SECONDS_MAX:
        yield "the service-account-max-token-expiration must be between 1 hour and 2^32 seconds"
    if options.webhook_config_file is not None and options.webhook_version not in ("v1", "v1beta1"):
        version = go_quote(options.webhook_version)
        yield f'unsupported authentication webhook version {version}, supported versions are "v1", "v1beta1"'
    yield from _header_problems(options.request_header)


def _issuer_problems(issuers: tuple[str, ...]) -> Iterator[str]:
    seen: set[str] = set()
    for issuer in issuers:
        if ":" in issuer and (why := _url_problem(issuer)):
            yield f"service-account-issuer {go_quote(issuer)} contained a ':' but was not a valid URL: {why}"
        elif not issuer:
            yield "service-account-issuer should not be an empty string"
        elif issuer in seen:
            yield f"service-account-issuer {go_quote(issuer)} is already specified"
        seen.add(issuer)


def _jwks_problems(uri: str) -> Iterator[str]:
    if why := _url_problem(uri):
        yield f"service-account-jwks-uri must be a valid URL: {why}"
    elif not uri.startswith("https:"):
        yield f"service-account-jwks-uri requires https scheme, parsed as: {uri}"


def _header_problems(options: RequestHeaderOptions) -> Iterator[str]:
    for flag, values in (
        ("requestheader-username-headers", options.username_headers),
        ("requestheader-group-headers", options.group_headers),
        ("requestheader-extra-headers-prefix", options.extra_prefixes),
        ("requestheader-allowed-names", options.allowed_names),
        ("requestheader-uid-headers", options.uid_headers),
    ):
        for each in values:
            if not each.strip():
                yield f"empty value in {go_quote(flag)}"
    if options.uid_headers and "x-remote-uid" not in [each.lower() for each in options.uid_headers]:
        yield (
            "--requestheader-uid-headers is set without specifying the standard X-Remote-Uid header - API "
            "aggregation will not work"
        )


def _url_problem(text: str) -> str:
    try:
        parse_url(text)
    except UrlError as error:
        return str(error)
    return ""


def token_rules(options: AuthenticationOptions) -> TokenRules:
    """What the options say about tokens of service accounts."""
    issuers = options.service_account_issuers or (ISSUER,)
    # Without flags the audience is the short name that Pods of every cluster know the API server by.
    own = options.service_account_issuers or (DEFAULT_AUDIENCE,)
    return TokenRules(
        issuers=issuers,
        audiences=options.api_audiences or own,
        seconds_max=options.service_account_max_seconds,
        extend=options.service_account_extend,
        lookup=options.service_account_lookup,
        jwks_uri=options.service_account_jwks_uri,
    )
