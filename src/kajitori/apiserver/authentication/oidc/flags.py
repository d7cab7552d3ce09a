"""The one issuer that `--oidc-*` describes, as a configuration.

Source: pkg/kubeapiserver/options/authentication.go.
"""

from kajitori.apiserver.authentication.oidc.configuration import (
    AuthenticationConfiguration,
    ClaimRule,
    Issuer,
    JwtAuthenticator,
    Mapping,
    Mappings,
)
from kajitori.apiserver.authentication.options import OidcOptions
from kajitori.apiserver.authentication.tokenfile import AuthenticationError

__all__ = ["configuration_of_flags"]


def configuration_of_flags(options: OidcOptions) -> AuthenticationConfiguration:
    """The configuration. Raises: AuthenticationError for a CA file that cannot be read."""
    authority = ""
    if options.ca_file is not None:
        try:
            authority = options.ca_file.read_text()
        except OSError as error:
            raise AuthenticationError(
                f"cannot read the CA file {options.ca_file}: {error.strerror}"
            ) from None
    groups = Mapping()
    if options.groups_claim:
        groups = Mapping(claim=options.groups_claim, prefix=options.groups_prefix)
    issuer = JwtAuthenticator(
        issuer=Issuer(url=options.issuer_url, audiences=[options.client_id], certificate_authority=authority),
        claim_validation_rules=[
            ClaimRule(claim=claim, required_value=value) for claim, value in options.required_claims.items()
        ],
        claim_mappings=Mappings(
            username=Mapping(claim=options.username_claim, prefix=_prefix(options)), groups=groups
        ),
    )
    return AuthenticationConfiguration(jwt=[issuer])


def _prefix(options: OidcOptions) -> str:
    """Names of different issuers must not be mixed up; addresses are hardly the same by chance."""
    if options.username_prefix == "-":
        return ""
    if not options.username_prefix and options.username_claim != "email":
        return f"{options.issuer_url}#"
    return options.username_prefix
