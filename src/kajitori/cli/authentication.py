"""The flags of `kajitori up` that say who is believed."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kajitori.apiserver.authentication.options import AuthenticationOptions, OidcOptions, RequestHeaderOptions
from kajitori.wire.go_time import parse_duration

__all__ = ["add_flags", "chosen"]

_OIDC = (
    ("issuer-url", "URL", "the issuer, an https URL"),
    ("client-id", "ID", "the audience that its tokens must be for"),
    ("ca-file", "PEM", "whose certificates it may have (default: the system's authorities)"),
    ("username-claim", "CLAIM", "the claim with the user name (default: sub)"),
    (
        "username-prefix",
        "TEXT",
        "before each user name (default: the issuer and a #, but for email); - for none",
    ),
    ("groups-claim", "CLAIM", "the claim with the groups (default: there are none)"),
    ("groups-prefix", "TEXT", "before each group"),
    ("signing-algs", "NAMES", "comma-separated: RS256 (the default), RS384, …, ES256, …, PS512"),
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags, in groups of their own."""
    who = parser.add_argument_group("who is believed, as kube-apiserver has it")
    who.add_argument(
        "--token-auth-file", type=Path, metavar="CSV", help="static tokens: token,user,uid,groups"
    )
    who.add_argument("--client-ca-file", type=Path, metavar="PEM", help="further CA for client certificates")
    who.add_argument(
        "--authentication-config",
        type=Path,
        metavar="YAML",
        help="AuthenticationConfiguration: issuers of tokens, and what may be asked anonymously; read again when it "
        "changes",
    )
    _boolean(
        who, "--anonymous-auth", "let requests without credentials in, as system:anonymous (default: true)"
    )
    _boolean(
        who,
        "--enable-bootstrap-token-auth",
        "believe Secrets of type bootstrap.kubernetes.io/token in kube-system (default: false)",
    )
    who.add_argument(
        "--api-audiences",
        default="",
        metavar="NAMES",
        help="comma-separated; for one of them tokens must be (default: the issuer of service account tokens)",
    )
    _add_oidc(parser)
    _add_service_accounts(parser)
    _add_others(parser)


def _add_oidc(parser: argparse.ArgumentParser) -> None:
    oidc = parser.add_argument_group("one OpenID Connect issuer, as kube-apiserver has it")
    for name, metavar, told in _OIDC:
        oidc.add_argument(f"--oidc-{name}", metavar=metavar, help=told)
    oidc.add_argument(
        "--oidc-required-claim",
        action="append",
        metavar="CLAIM=VALUE",
        help="a claim that each token must have with this value; may be repeated",
    )


def _add_service_accounts(parser: argparse.ArgumentParser) -> None:
    accounts = parser.add_argument_group("service account tokens, as kube-apiserver has them")
    accounts.add_argument(
        "--service-account-issuer",
        action="append",
        default=[],
        metavar="URL",
        help="who issues them; repeated, the first issues and all are believed",
    )
    accounts.add_argument(
        "--service-account-signing-key-file",
        type=Path,
        metavar="PEM",
        help="the private key that signs them (default: one of its own, kept with the certificates)",
    )
    accounts.add_argument(
        "--service-account-key-file",
        type=Path,
        action="append",
        default=[],
        metavar="PEM",
        help="further keys that are believed; may be repeated",
    )
    accounts.add_argument(
        "--service-account-jwks-uri",
        default="",
        metavar="URL",
        help="where others are told to find the public keys (default: here)",
    )
    accounts.add_argument(
        "--service-account-max-token-expiration",
        type=_duration,
        default=0.0,
        metavar="DURATION",
        help="tokens asked for longer live that long (default: as long as is asked for)",
    )
    _boolean(
        accounts,
        "--service-account-extend-token-expiration",
        "let tokens that Pods got by admission live a year, with a warning (default: true)",
    )
    _boolean(
        accounts,
        "--service-account-lookup",
        "believe a token that is kept in a Secret only while it is there (default: true)",
    )


def _add_others(parser: argparse.ArgumentParser) -> None:
    others = parser.add_argument_group("others who say who somebody is, as kube-apiserver has them")
    others.add_argument(
        "--authentication-token-webhook-config-file",
        type=Path,
        metavar="KUBECONFIG",
        help="a webhook that is asked about tokens nobody knows",
    )
    others.add_argument(
        "--authentication-token-webhook-version",
        default="v1beta1",
        metavar="VERSION",
        help="of the TokenReview that it is asked with: v1 or v1beta1 (default: %(default)s)",
    )
    others.add_argument(
        "--authentication-token-webhook-cache-ttl",
        type=_duration,
        default=120.0,
        metavar="DURATION",
        help="how long its answers count (default: 2m0s)",
    )
    others.add_argument(
        "--requestheader-client-ca-file",
        type=Path,
        metavar="PEM",
        help="whose certificates a proxy in front has, which says in headers who asks",
    )
    for name, told in (
        ("allowed-names", "common names that the proxy may have (default: any)"),
        ("username-headers", "headers with the user name, such as X-Remote-User"),
        ("uid-headers", "headers with the uid, such as X-Remote-Uid"),
        ("group-headers", "headers with groups, such as X-Remote-Group"),
        ("extra-headers-prefix", "beginnings of headers with more, such as X-Remote-Extra-"),
    ):
        others.add_argument(
            f"--requestheader-{name}", default="", metavar="NAMES", help=f"comma-separated; {told}"
        )


def _boolean(group: Any, flag: str, told: str) -> None:
    group.add_argument(flag, nargs="?", const="true", choices=("true", "false"), help=told)


def _duration(text: str) -> float:
    try:
        seconds = parse_duration(text) / 1e9
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: write a duration such as 90s, 1m30s or 24h") from error
    if seconds < 0:
        raise argparse.ArgumentTypeError(f"{text}: use 0s or more")
    return seconds


def chosen(flags: argparse.Namespace) -> AuthenticationOptions:
    """What the flags say."""
    return AuthenticationOptions(
        token_auth_file=flags.token_auth_file,
        anonymous=None if flags.anonymous_auth is None else flags.anonymous_auth == "true",
        bootstrap_tokens=flags.enable_bootstrap_token_auth == "true",
        config_file=flags.authentication_config,
        oidc=_oidc(flags),
        request_header=RequestHeaderOptions(
            client_ca_file=flags.requestheader_client_ca_file,
            username_headers=_listed(flags.requestheader_username_headers),
            uid_headers=_listed(flags.requestheader_uid_headers),
            group_headers=_listed(flags.requestheader_group_headers),
            extra_prefixes=_listed(flags.requestheader_extra_headers_prefix),
            allowed_names=_listed(flags.requestheader_allowed_names),
        ),
        webhook_config_file=flags.authentication_token_webhook_config_file,
        webhook_version=flags.authentication_token_webhook_version,
        webhook_cache_seconds=flags.authentication_token_webhook_cache_ttl,
        api_audiences=_listed(flags.api_audiences),
        service_account_issuers=tuple(flags.service_account_issuer),
        service_account_jwks_uri=flags.service_account_jwks_uri,
        service_account_key_files=tuple(flags.service_account_key_file),
        service_account_signing_key_file=flags.service_account_signing_key_file,
        service_account_max_seconds=int(flags.service_account_max_token_expiration),
        service_account_extend=flags.service_account_extend_token_expiration != "false",
        service_account_lookup=flags.service_account_lookup != "false",
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _oidc(flags: argparse.Namespace) -> OidcOptions | None:
    given: dict[str, Any] = {
        name.replace("-", "_"): value
        for name, *_ in _OIDC
        if (value := getattr(flags, f"oidc_{name.replace('-', '_')}")) is not None
    }
    required: Sequence[str] | None = flags.oidc_required_claim
    if not given and required is None:
        return None
    if "ca_file" in given:
        given["ca_file"] = Path(given["ca_file"]) if given["ca_file"] else None
    if "signing_algs" in given:
        given["signing_algs"] = _listed(given["signing_algs"])
    claims = (each.partition("=") for each in required or ())
    return OidcOptions(**given, required_claims={claim: value for claim, _, value in claims})
