"""What can go wrong between a client and an API server, as values.

Any `ApiError`, as an instance or as a class, is a fault too: the server answers so. All of these happen to clients of
real clusters, and Kubernetes promises no client that they do not.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from kajitori.apimachinery.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Expired,
    InternalError,
    NotFound,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
    Unauthorized,
    internal_error,
    not_found,
    qualified,
)
from kajitori.testing.calls import Call

__all__ = [
    "Cut",
    "Fault",
    "Late",
    "NoAnswer",
    "NoBookmarks",
    "Refused",
    "Reset",
    "Slow",
    "Stale",
    "WatchError",
    "error_for",
    "fits",
]


@dataclass(frozen=True, slots=True)
class Refused:
    """Nobody listens: the request is not sent."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection breaks before an answer comes."""

    acted: bool = False
    """Whether the server has acted on the request nevertheless. The client cannot know."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer comes within the time that the client waits."""

    acted: bool = False
    """Whether the server has acted on the request nevertheless. The client cannot know."""


@dataclass(frozen=True, slots=True)
class Slow:
    """The answer comes so much later."""

    seconds: float
    acted: bool = False
    """Whether the server acts at once, and only its answer is slow."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A watch breaks after so many bytes of its body, or so many events, whichever comes first."""

    after_bytes: int | None = None
    after_events: int | None = None
    clean: bool = False
    """It ends as when its time is over, instead of breaking."""


@dataclass(frozen=True, slots=True)
class WatchError:
    """After so many events a watch tells an error, and ends: usually that its version is gone."""

    error: ApiError | type[ApiError] = Expired
    after_events: int = 0


@dataclass(frozen=True, slots=True)
class Late:
    """What a watch tells comes at least so much later, in order: its reader lags behind."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NoBookmarks:
    """A watch has no bookmarks, which are never promised; only the end of the initial events is told."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A list that may come from a cache is as of this version, though there are newer ones."""

    resource_version: str

    def query(self, call: Call) -> str | None:
        """The query that gets it; None: what is asked for may not be as old as that."""
        asked, match = call.query.get("resourceVersion", ""), call.query.get("resourceVersionMatch", "")
        if match not in ("", "NotOlderThan") or not asked or int(asked) > int(self.resource_version):
            return None
        # From a cache a list comes whole.
        kept = {
            name: value
            for name, value in call.query.items()
            if name not in ("resourceVersion", "resourceVersionMatch", "limit")
        }
        return urlencode({**kept, "resourceVersion": self.resource_version, "resourceVersionMatch": "Exact"})


OfRequests = ApiError | Refused | Reset | NoAnswer | Slow
OfWatches = Cut | WatchError | Late | NoBookmarks
Fault = OfRequests | OfWatches | Stale | type[ApiError]


def fits(fault: Fault, verb: str) -> bool:
    """Whether a request with that verb can suffer it; a watch can be refused like any request."""
    if isinstance(fault, Stale):
        return verb == "list"
    return verb == "watch" or not isinstance(fault, OfWatches)


def error_for(error: ApiError | type[ApiError], call: Call) -> ApiError:
    """The error that a server answers this call with; of a class, with the message that Kubernetes gives."""
    if isinstance(error, ApiError):
        return error
    subject = f'{qualified(call.resource, call.group)} "{call.name}"'
    if error is NotFound:
        return not_found(call.resource, call.group, call.name)
    if error is InternalError:
        return internal_error("injected by the test")
    details: dict[str, Any] | None = None
    if error is TooManyRequests:
        details = {"retryAfterSeconds": 1}  # what the server's own limits ask for
    return error(_MESSAGES.get(error, "injected by the test").format(subject=subject), details=details)


_MESSAGES: dict[type[ApiError], str] = {
    AlreadyExists: "{subject} already exists",
    Conflict: "Operation cannot be fulfilled on {subject}: the object has been modified; please apply your changes "
    "to the latest version and try again",
    Expired: "The provided resource version is too old",
    ServiceUnavailable: "the server is currently unable to handle the request",
    Timeout: "Timeout: request did not complete within the allotted timeout",
    TooManyRequests: "the server has received too many requests and has asked us to try again later",
    Unauthorized: "Unauthorized",
}
