"""What is known of one request so far; it travels with it as `Request.scope`."""

from typing import Any, Protocol

from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization.attributes import Decision
from kajitori.apiserver.http import Request, Response
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.requestinfo import RequestInfo

__all__ = ["Asked", "Trail", "trail_of"]

_READING = frozenset(("get", "list", "watch"))
_LONG_VERBS = frozenset(("watch", "proxy"))
_LONG_SUBRESOURCES = frozenset(("attach", "exec", "log", "portforward", "proxy"))


class Trail(Protocol):
    """What the audit log gets to know of a request on its way; see `audit.trail`."""

    def impersonated(self, user: User, constraint: str) -> None: ...

    def decided(self, decision: Decision) -> None: ...

    def annotate(self, key: str, value: str) -> None: ...

    def sent(self, obj: Any) -> None: ...

    @property
    def has_requests(self) -> bool: ...

    def patched(self, patch: bytes, *, yaml: bool) -> None: ...

    def start(self, status: int) -> None: ...

    def complete(self, status: int, response: Response | None) -> None: ...

    def panicked(self, error: Exception) -> None: ...


class Asked:
    """Filled in step by step: the request's terms first, then who asks, then what is asked for."""

    __slots__ = ("info", "query", "resource", "trail", "user")

    def __init__(self, info: RequestInfo, query: dict[str, list[str]]) -> None:
        self.info = info
        self.query = query
        self.user: User | None = None
        """None: not authenticated."""
        self.resource: Resource | None = None
        """None: there is none, or it has not come so far."""
        self.trail: Trail | None = None
        """What the audit log gets to know; None when it wants nothing of this request."""

    @property
    def is_long(self) -> bool:
        """Whether it goes on until somebody ends it, and so counts against no limit and has no deadline."""
        info = self.info
        return info.verb in _LONG_VERBS or (
            info.subresource in _LONG_SUBRESOURCES if info.subresource else False
        )

    @property
    def is_reading(self) -> bool:
        return self.info.verb in _READING


def trail_of(request: Request) -> Trail | None:
    """What the audit log gets to know of a request; None when it wants nothing of it."""
    asked = request.scope
    return None if asked is None else asked.trail
