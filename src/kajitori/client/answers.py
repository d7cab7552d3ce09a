"""What an answer means beside its object: the error it is, the warnings it carries.

Source: client-go's rest.transformResponse, apimachinery's NewGenericServerResponse, RFC 7234 section 5.5
(Warning).
"""

import logging
import re
from contextlib import suppress
from typing import Any

import msgspec

from kajitori.apimachinery.errors import ApiError, error_from_status
from kajitori.client.transport import RawResponse

__all__ = ["WarningLog", "error_of", "warnings_of"]

_BY_CODE: dict[int, tuple[str, str]] = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    403: ("Forbidden", "the server does not allow access to the requested resource"),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    406: ("NotAcceptable", "the server was unable to respond with a content type that the client supports"),
    409: ("Conflict", "the server reported a conflict"),
    410: ("Gone", "the requested resource is no longer available at the server"),
    413: ("RequestEntityTooLarge", "the request is too large for the server"),
    415: ("UnsupportedMediaType", "the server does not understand the media type of the request"),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    500: ("InternalError", "an error on the server"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "the server was unable to return a response in the time allotted"),
}
"""What a status without a Status body means: an answer of a proxy, or of a server that is starting."""

_log = logging.getLogger(__name__)

BODY_SHOWN_MAX = 2048
"""Of a body that is no Status; as client-go."""

_WARNING = re.compile(r'(?:^|,)\s*299 [^ ]+ "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


def error_of(response: RawResponse) -> ApiError:
    """The error that an answer with a status above 299 is."""
    status: Any = None
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        status = msgspec.json.decode(response.body)
    if isinstance(status, dict) and status.get("kind") == "Status":
        return error_from_status(status, response.status)
    reason, message = _BY_CODE.get(
        response.status, ("", f"the server responded with the status code {response.status}")
    )
    text = response.body[:BODY_SHOWN_MAX].decode("utf-8", "replace").strip()
    details: dict[str, Any] = {}
    if text:
        details["causes"] = [{"reason": "UnexpectedServerResponse", "message": text}]
        message = f"{message} ({text})"
    if (seconds := _whole_seconds(response.headers.get("retry-after", ""))) > 0:
        details["retryAfterSeconds"] = seconds
    return error_from_status(
        {"message": message, "reason": reason, "details": details, "code": response.status}, response.status
    )


def warnings_of(value: str) -> list[str]:
    """The texts of a `Warning` header: `299 - "text", 299 - "text"`. Other codes are not from the API
    server.
    """
    return [_ESCAPED.sub(r"\1", text) for text in _WARNING.findall(value)]


def _whole_seconds(text: str) -> int:
    return int(text) if text.isdecimal() else 0


class WarningLog:
    """Logs each distinct warning once, as kubectl does; forgets all when it has seen too many."""

    _DISTINCT_MAX = 1_000

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, text: str) -> None:
        if text in self._seen:
            return
        if len(self._seen) >= self._DISTINCT_MAX:
            self._seen.clear()
        self._seen.add(text)
        _log.warning("the API server warns", extra={"warning": text})
