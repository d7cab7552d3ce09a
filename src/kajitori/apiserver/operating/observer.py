"""The one place where the handler chain meets what operates it: counters, limits, audit log, access log, traces.

Each step of a request's road is told here once; a step that nobody wants to know of costs one comparison.

Promises
    O1  every request that is answered is told once, with its status, its time and its size: a stream when it ends
    O2  nothing that goes wrong in here changes an answer
"""

import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from time import monotonic
from typing import Any, Protocol

from kajitori.apimachinery.errors import ApiError, Timeout
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization.attributes import Decision
from kajitori.apiserver.http import BodyWriter, Request, Response, Stream
from kajitori.apiserver.http.bodies import size_of
from kajitori.apiserver.http.heads import AuditIds
from kajitori.apiserver.operating.asked import Asked
from kajitori.apiserver.operating.figures import Figures
from kajitori.apiserver.operating.inflight import InFlight, RequestLimits

__all__ = ["Observer", "Told", "Witness"]

_log = logging.getLogger(__name__)

Answer = Response | Stream


class Told:
    """One request at its end."""

    __slots__ = ("asked", "request", "response", "seconds", "size", "status")

    def __init__(
        self, request: Request, asked: Asked, *, status: int, seconds: float, response: Response | None
    ) -> None:
        self.request = request
        self.asked = asked
        self.status = status
        """0: its client went away before it had an answer."""
        self.seconds = seconds
        self.response = response
        """None for a stream, and where there was no answer."""
        self.size = 0 if response is None else size_of(response.body)


class Witness(Protocol):
    """Who wants to know of requests one by one."""

    def received(self, request: Request, asked: Asked) -> None:
        """Somebody asks; who is known, whether they may is not."""
        ...

    def unauthenticated(self, request: Request, asked: Asked, error: ApiError) -> None:
        """Somebody asks who is not known."""
        ...

    def started(self, request: Request, asked: Asked, status: int) -> None:
        """A long-running request is being answered."""
        ...

    def ended(self, told: Told) -> None:
        """It is over."""
        ...


class Observer:
    """What is told of requests, and to whom."""

    def __init__(
        self,
        limits: RequestLimits | None = None,
        *,
        witnesses: Sequence[Witness] = (),
        slow_seconds: float = 0.0,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.figures = Figures()
        self.in_flight = InFlight(limits or RequestLimits())
        self._witnesses = tuple(witnesses)
        self._audit_ids = AuditIds(random_bytes(16))
        self._slow_seconds = slow_seconds or float("inf")

    # Steps of the road.

    def arrived(self, request: Request, asked: Asked) -> None:
        """A request came in. Raises: BadRequest for a timeout that is none, TurnedAway while the server stops."""
        if not request.received:
            request.received = monotonic()  # it comes from this very process
            if self._witnesses:
                request.audit_id = request.headers.get("audit-id") or self._audit_ids.next()
        if self.in_flight.refusing:
            self.in_flight.check_open(request)
        if asked.query and "timeout" in asked.query:
            self.in_flight.seconds(asked)

    def received(self, request: Request, asked: Asked, user: User) -> None:
        """Somebody who is authenticated asks."""
        asked.user = user
        self.figures.authenticated(user)
        for witness in self._witnesses:
            self._tell(witness.received, request, asked)

    def unauthenticated(self, request: Request, asked: Asked, error: ApiError) -> None:
        """Somebody asks and is not who they say, or do not say it."""
        self.figures.unauthenticated += 1
        for witness in self._witnesses:
            self._tell(witness.unauthenticated, request, asked, error)

    def impersonated(self, asked: Asked, user: User, constraint: str) -> None:
        """The request goes on as somebody else's."""
        if user is not asked.user:
            if asked.trail is not None:
                asked.trail.impersonated(user, constraint)
            asked.user = user

    def decided(self, asked: Asked, decision: Decision, seconds: float) -> None:
        """Whether they may, and how long it took to say so."""
        self.figures.decided(decision, seconds)
        if asked.trail is not None:
            asked.trail.decided(decision)

    def turned_away(self, asked: Asked) -> None:
        """There are too many requests, or the server is stopping."""
        self.figures.terminated(asked, 429)

    def wait(
        self, request: Request, work: Coroutine[Any, Any, Answer], drop: Callable[[], None]
    ) -> "Awaitable[Answer]":
        """Goes on with a request whose answer takes a while; `drop` is called when nobody waits for it any more.

        When it takes too long, `work` is cancelled, and learns why from `overdue`.
        """
        return self.in_flight.begin(request.scope, work, partial(self._gone, request, drop))

    def overdue(self, request: Request) -> Timeout | None:
        """What to answer in the task of a request that was cancelled; None where nobody waits for an answer."""
        error = self.in_flight.overdue()
        if error is not None:
            self.figures.terminated(request.scope, error.code)
        return error

    def _gone(self, request: Request, drop: Callable[[], None]) -> None:
        asked: Asked = request.scope
        drop()
        self.figures.aborted(asked)
        self._end(request, asked, 0, None)

    def failed(self, request: Request, error: Exception) -> None:
        """A request has no answer because of a mistake in the server."""
        asked = request.scope
        if asked is not None:
            if asked.trail is not None:
                asked.trail.panicked(error)
            self._end(request, asked, 500, None)

    def answered(self, request: Request, answer: Answer) -> None:
        """A request is answered; a stream's end is told later."""
        asked = request.scope
        if asked is None:
            return
        if type(answer) is not Response:
            if isinstance(answer, Stream):
                self._follow(request, asked, answer)
            return
        seconds = monotonic() - request.received
        if asked.resource is not None or not asked.info.is_resource:
            body = answer.body
            self.figures.answered(
                asked,
                answer.status,
                seconds,
                size=len(body) if type(body) is bytes else size_of(body),
                apply=asked.info.verb == "patch" and _is_apply(request),
            )
        if self._witnesses or seconds > self._slow_seconds:
            self._end(request, asked, answer.status, answer, seconds)

    # Streams.

    def _follow(self, request: Request, asked: Asked, stream: Stream) -> None:
        self.figures.began(asked)
        start, close, status = stream.on_start, stream.on_close, stream.status
        over = False

        def ended() -> None:
            nonlocal over
            if over:
                return
            over = True
            self.figures.ended(asked)
            self.figures.answered(asked, status, monotonic() - request.received, size=0, apply=False)
            if self._witnesses:
                self._end(request, asked, status, None)

        def on_start(writer: BodyWriter) -> None:
            for witness in self._witnesses:
                self._tell(witness.started, request, asked, status)
            start(_Ending(writer, ended))

        def on_close() -> None:
            try:
                if close is not None:
                    close()
            finally:
                ended()

        stream.on_start, stream.on_close = on_start, on_close

    def _end(
        self,
        request: Request,
        asked: Asked,
        status: int,
        response: Response | None,
        seconds: float | None = None,
    ) -> None:
        if seconds is None:
            seconds = monotonic() - request.received
        if response is not None and seconds > self._slow_seconds:
            _log.warning(
                "slow request",
                extra={
                    "verb": asked.info.verb,
                    "path": request.target,
                    "user": "" if asked.user is None else asked.user.name,
                    "status": status,
                    "seconds": round(seconds, 3),
                },
            )
        told = Told(request, asked, status=status, seconds=seconds, response=response)
        for witness in self._witnesses:
            self._tell(witness.ended, told)

    def _tell(self, step: Callable[..., None], *what: object) -> None:
        try:
            step(*what)
        except Exception:
            _log.exception("a request could not be told of")


class _Ending:
    """A writer that says when its stream ends; writing through it costs nothing."""

    __slots__ = ("_ended", "_writer", "write")

    def __init__(self, writer: BodyWriter, ended: Callable[[], None]) -> None:
        self.write = writer.write
        self._writer = writer
        self._ended = ended

    def close(self) -> None:
        self._writer.close()
        self._ended()

    def abort(self) -> None:
        self._writer.abort()
        self._ended()


def _is_apply(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/apply-patch+")
