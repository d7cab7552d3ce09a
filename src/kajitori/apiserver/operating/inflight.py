"""How many requests may be under way, how long each may take, and what happens to them when the server stops.

Long-running requests (watches, and what is like them) count against nothing and have no deadline. A request that is
answered in the turn in which it came in is never under way: only those that wait are counted.

Promises
    I1  of requests that wait, at most so many read and so many write; further ones are answered 429 and told when to
        come back. Members of system:masters always get an answer; requests of whom nobody knows yet who asks count
        against nothing
    I2  a request that takes longer than it may is ended and answered 504
    I3  from `refuse` on, new requests are turned away with Retry-After; `empty` waits for those under way

Source: apiserver/pkg/server/filters (maxinflight.go, timeout.go, with_retry_after.go, waitgroup.go) and
endpoints/filters/request_deadline.go.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from kajitori.apimachinery.errors import BadRequest, Timeout
from kajitori.apiserver.authentication.user import MASTERS
from kajitori.apiserver.http import Request, Response
from kajitori.apiserver.operating.asked import Asked
from kajitori.apiserver.operating.exposition import family
from kajitori.wire.go_time import parse_duration

__all__ = ["InFlight", "RequestLimits", "TurnedAway"]

REQUESTS_MAX = 400
MUTATING_REQUESTS_MAX = 200
REQUEST_SECONDS_MAX = 60.0
"""kube-apiserver's defaults."""

_SWEEP_SECONDS = 0.25
"""How late a deadline may be noticed; nothing ticks while no request waits."""
_EXEMPT = ("/readyz", "/livez", "/healthz", "/metrics")
"""Paths that are answered to the end: they tell that it comes."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """0 of either number means any number."""

    requests_max: int = REQUESTS_MAX
    mutating_requests_max: int = MUTATING_REQUESTS_MAX
    seconds_max: float = REQUEST_SECONDS_MAX


class TurnedAway(Exception):
    """A request is not dealt with; `response` says why and when to come back."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class _Waiting:
    """One request under way."""

    __slots__ = ("deadline", "gone", "late", "reading")

    def __init__(self, deadline: float, gone: Callable[[], None], *, reading: bool | None) -> None:
        self.deadline = deadline
        self.gone = gone
        self.reading = reading
        self.late = False


class InFlight:
    """The requests that wait for something."""

    def __init__(self, limits: RequestLimits) -> None:
        self._limits = limits
        self._waiting: dict[asyncio.Task[Any], _Waiting] = {}
        self._reading = self._writing = 0
        self._highest = {True: [0, 0], False: [0, 0]}
        """The most there were of reading and of others, in this second and the one before."""
        self._second = 0
        self._sweep: asyncio.TimerHandle | None = None
        self.refusing = False
        """Whether new requests are turned away."""
        self._empty: asyncio.Future[None] | None = None

    def admit(self, asked: Asked) -> None:
        """Lets a request in. Raises: TurnedAway."""
        info = asked.info
        if info.verb in ("get", "list", "watch"):
            if self._reading < self._limits.requests_max or not self._limits.requests_max:
                return
        elif self._writing < self._limits.mutating_requests_max or not self._limits.mutating_requests_max:
            return
        if asked.is_long or (asked.user is not None and MASTERS in asked.user.groups):
            return
        raise TurnedAway(_plain("Too many requests, please try again later.", retry_after=1))

    def check_open(self, request: Request) -> None:
        """Turns requests away that come after `refuse`. Raises: TurnedAway."""
        if not request.path.startswith(_EXEMPT):
            request.keep_alive = False
            told = "The apiserver is shutting down, please try again later."
            raise TurnedAway(_plain(told, retry_after=5))

    def begin(
        self, asked: Asked, work: Coroutine[Any, Any, Result], gone: Callable[[], None]
    ) -> "Awaitable[Result]":
        """Goes on with a request that has to wait. When it takes too long, `work` is cancelled and asks `overdue`.

        `gone` is told when it was cancelled otherwise, since its client did not wait.
        """
        if asked.is_long:
            return work
        loop = asyncio.get_running_loop()
        # Who is not known yet takes nobody's place: strangers could take all.
        reading = None if asked.user is None else asked.is_reading
        task = loop.create_task(work)
        self._waiting[task] = _Waiting(loop.time() + self.seconds(asked), gone, reading=reading)
        # Called also for a task that was cancelled before its first step, which runs nothing of its own.
        task.add_done_callback(self._ended)
        if self._sweep is None:
            self._turn()
            self._sweep = loop.call_later(_SWEEP_SECONDS, self._check)
        if reading is None:
            return task
        if reading:
            self._reading = number = self._reading + 1
        else:
            self._writing = number = self._writing + 1
        highest = self._highest[reading]
        if number > highest[1]:
            highest[1] = number
        return task

    def overdue(self) -> Timeout | None:
        """Why the current task was cancelled: it took too long; None where it was for another reason."""
        task = asyncio.current_task()
        waiting = None if task is None else self._waiting.get(task)
        if task is None or waiting is None or not waiting.late or task.uncancel() > 0:
            return None
        return Timeout("Timeout: request did not complete within the allotted timeout", details={})

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        waiting = self._waiting.pop(task)
        if waiting.reading:
            self._reading -= 1
        elif waiting.reading is not None:
            self._writing -= 1
        if task.cancelled():
            waiting.gone()
        if self._empty is not None and not self._waiting and not self._empty.done():
            self._empty.set_result(None)

    def seconds(self, asked: Asked) -> float:
        """How long a request may take: as long as it says itself, within the server's limit.

        Raises: BadRequest where it names a time that is none.
        """
        longest = self._limits.seconds_max
        named = asked.query.get("timeout") if asked.query else None
        if not named or not named[0] or asked.is_long:
            return longest
        try:
            seconds = parse_duration(named[0]) / 1e9
        except ValueError as error:
            raise BadRequest(f"invalid timeout specified in the request URL - {error}") from None
        return seconds if 0 < seconds < longest else longest

    def _turn(self) -> None:
        """Lets the seconds since the last call pass."""
        second = int(asyncio.get_running_loop().time())
        if second == self._second:
            return
        for reading, highest in self._highest.items():
            under_way = self._reading if reading else self._writing
            highest[0] = highest[1] if second == self._second + 1 else under_way
            highest[1] = under_way
        self._second = second

    def _check(self) -> None:
        now = asyncio.get_running_loop().time()
        self._turn()
        for task, waiting in tuple(self._waiting.items()):
            if now >= waiting.deadline and not waiting.late:
                waiting.late = True
                task.cancel()
        self._sweep = None
        if self._waiting:
            self._sweep = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._check)

    # The end.

    def refuse(self) -> None:
        """From now on new requests are turned away."""
        self.refusing = True

    async def empty(self) -> None:
        """Waits until no request is under way; none takes longer than it may."""
        if self._waiting:
            self._empty = asyncio.get_running_loop().create_future()
            await self._empty

    # What is read.

    def lines(self) -> Iterator[str]:
        """The family of what is under way. It is being read by a request, so there is one at least."""
        self._turn()
        reading, writing = (max(self._highest[each]) for each in (True, False))
        yield from family(
            "apiserver_current_inflight_requests",
            "gauge",
            "The most requests that were under way at once in the last second.",
            (('request_kind="mutating"', writing), ('request_kind="readOnly"', max(1, reading))),
        )


def _plain(text: str, *, retry_after: int) -> Response:
    headers = (("Retry-After", str(retry_after)), ("X-Content-Type-Options", "nosniff"))
    return Response(429, f"{text}\n".encode(), "text/plain; charset=utf-8", headers)
