"""Defaults of the authentication group.

Source: pkg/apis/authentication/v1/defaults.go.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULTS"]

_HOUR_SECONDS = 3600


def _token_request_spec(obj: JsonObject) -> None:
    obj.setdefault("expirationSeconds", _HOUR_SECONDS)


DEFAULTS = {"io.k8s.api.authentication.v1.TokenRequestSpec": _token_request_spec}
