"""The access log: one JSON line a request, when it is over.

For people and for what gathers logs; what may be relied on as evidence is the audit log.

Promises
    C1  every request has one line, a watch when it ends; one whose client went away has status 0
"""

import msgspec

from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.http import Request
from kajitori.apiserver.operating.asked import Asked
from kajitori.apiserver.operating.lines import LineFile
from kajitori.apiserver.operating.observer import Told
from kajitori.world.clock import SYSTEM_CLOCK, Clock

__all__ = ["AccessLog"]


class _Line(msgspec.Struct, omit_defaults=True, rename="camel"):
    time: str
    verb: str
    method: str
    path: str
    user: str
    status: int
    seconds: float
    bytes: int
    audit_id: str = msgspec.field(name="auditID")
    remote: str = ""
    user_agent: str = ""
    slow: bool = False


_encode = msgspec.json.Encoder().encode


class AccessLog:
    """A witness of requests; see `Observer`."""

    def __init__(self, lines: LineFile, *, slow_seconds: float = 0.0, clock: Clock = SYSTEM_CLOCK) -> None:
        """`slow_seconds`: from when on a line says that its request was slow; 0: never."""
        self._lines = lines
        self._slow_seconds = slow_seconds or float("inf")
        self._clock = clock

    def received(self, request: Request, asked: Asked) -> None:
        """Nothing: the line is written at the end."""

    def unauthenticated(self, request: Request, asked: Asked, error: ApiError) -> None:
        """Nothing: the answer is still to come."""

    def started(self, request: Request, asked: Asked, status: int) -> None:
        """Nothing: a watch is written when it ends."""

    def ended(self, told: Told) -> None:
        request, asked = told.request, told.asked
        line = _Line(
            time=self._clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z"),
            verb=asked.info.verb,
            method=request.method,
            path=request.target,
            user="" if asked.user is None else asked.user.name,
            status=told.status,
            seconds=round(told.seconds, 6),
            bytes=told.size,
            audit_id=request.audit_id,
            remote=request.remote,
            user_agent=request.headers.get("user-agent", ""),
            slow=told.seconds > self._slow_seconds and not asked.is_long,
        )
        self._lines.write(_encode(line))
