"""Who is it? Client certificates, bearer tokens, service accounts; everybody else is anonymous.

First step after the request has been read. `Authenticator` gives a `User` or refuses; what the user may do is
the next step's question.
"""

from kajitori.apiserver.authentication.authenticator import Authenticator
from kajitori.apiserver.authentication.building import Authentication
from kajitori.apiserver.authentication.options import AuthenticationOptions
from kajitori.apiserver.authentication.serviceaccount import ServiceAccountTokens, TokenError
from kajitori.apiserver.authentication.tokenfile import AuthenticationError, read_token_file
from kajitori.apiserver.authentication.user import ANONYMOUS, User

__all__ = [
    "ANONYMOUS",
    "Authentication",
    "AuthenticationError",
    "AuthenticationOptions",
    "Authenticator",
    "ServiceAccountTokens",
    "TokenError",
    "User",
    "read_token_file",
]
