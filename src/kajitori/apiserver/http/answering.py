"""The seam between connections and the request handler, the same for every version of HTTP.

Above it the handler knows requests and answers; under it a connection, or one stream of a connection, knows how an
answer is written. Here the handler is asked and what it gives is sorted.

Promises
    A1  a request is given to the handler once, and whatever the handler does, one answer comes of it
    A2  a handler that waits is a task that `_task` holds until it has ended, for its owner to cancel
    A3  an answer that nobody waits for any more is dropped
"""

import asyncio
from typing import Any

from kajitori.apiserver.http.messages import Answer, Request, Response, Stream, Upgrade
from kajitori.apiserver.http.shared import Shared

__all__ = ["Answering"]


class Answering:
    """Whoever answers one request at a time."""

    _shared: Shared
    _task: asyncio.Future[Any] | None

    # For the connection to do.

    def _wanted(self) -> Request | None:
        """The request that still waits for its answer, if somebody is there to take it."""
        raise NotImplementedError

    def _respond(self, request: Request, response: Response) -> None:
        raise NotImplementedError

    def _start_stream(self, request: Request, stream: Stream) -> None:
        raise NotImplementedError

    def _upgrade(self, request: Request, upgrade: Upgrade) -> None:
        raise NotImplementedError

    def _advance(self) -> None:
        """An answer came later than in the turn of its request."""

    # What it calls.

    def _ask(self, request: Request) -> None:
        try:
            answer = self._shared.handler(request)
        except Exception as error:
            answer = self._shared.failed(request, error)
        if type(answer) is Response:
            self._respond(request, answer)
        else:
            self._take(request, answer)

    def _take(self, request: Request, answer: Any) -> None:
        """An answer of any shape; one that is yet to come is waited for."""
        if isinstance(answer, Response):
            self._respond(request, answer)
        elif isinstance(answer, Stream):
            self._start_stream(request, answer)
        elif isinstance(answer, Upgrade):
            self._upgrade(request, answer)
        else:
            # `ensure_future` takes as long to find out what it was given as a small answer takes in all.
            task: asyncio.Future[Any] = (
                answer if isinstance(answer, asyncio.Future) else asyncio.ensure_future(answer)
            )
            self._task = task
            task.add_done_callback(self._resolved)

    def _resolved(self, waited: "asyncio.Future[Answer]") -> None:
        self._task = None
        failure = asyncio.CancelledError() if waited.cancelled() else waited.exception()
        request = self._wanted()
        if request is None:
            return
        try:
            if failure is None:
                answer: Any = waited.result()
                if not isinstance(answer, Response | Stream | Upgrade):
                    raise TypeError(f"the handler of {request!r} gave {answer!r}")
            elif isinstance(failure, Exception):
                raise failure
            else:
                raise RuntimeError(f"the handler ended with {failure!r}")
        except Exception as error:
            answer = self._shared.failed(request, error)
        self._take(request, answer)
        self._advance()
