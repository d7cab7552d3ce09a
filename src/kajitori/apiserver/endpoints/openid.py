"""Where others learn how to verify our service account tokens: the issuer's configuration and its public keys.

Who asks needs the right to these paths: `system:service-account-issuer-discovery`, which service accounts have.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
and OpenID Connect Discovery 1.0.
"""

from collections.abc import Callable, Mapping

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.authentication.serviceaccount import ServiceAccountTokens
from kajitori.apiserver.http import Response
from kajitori.apiserver.negotiation import JSON

__all__ = ["openid_documents"]

KEYS = "/openid/v1/jwks"
_KEY_SET = "application/jwk-set+json"
_CACHED = (("Cache-Control", "public, max-age=3600"),)


def openid_documents(
    tokens: ServiceAccountTokens, url: Callable[[], str]
) -> Mapping[str, Callable[[], Response]]:
    """The documents by their paths; `url` tells where this server is reached."""

    def configuration() -> Response:
        return _document(tokens.openid_configuration(url() + KEYS), JSON)

    def keys() -> Response:
        return _document(tokens.jwks(), _KEY_SET)

    return {"/.well-known/openid-configuration": configuration, KEYS: keys}


def _document(value: JsonObject, media: str) -> Response:
    return Response(200, msgspec.json.encode(value), media, _CACHED)
