"""Tokens of OpenID Connect issuers, believed by their published keys.

Imported when an issuer is configured.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens
"""

from kajitori.apiserver.authentication.oidc.configuration import (
    AuthenticationConfiguration,
    read_configuration,
)
from kajitori.apiserver.authentication.oidc.flags import configuration_of_flags
from kajitori.apiserver.authentication.oidc.issuers import Issuers
from kajitori.apiserver.authentication.oidc.validation import validate

__all__ = [
    "AuthenticationConfiguration",
    "Issuers",
    "configuration_of_flags",
    "read_configuration",
    "validate",
]
