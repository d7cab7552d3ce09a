"""Requests under way: how many, how long, and what happens to them at the end."""

import asyncio
from collections.abc import Awaitable, Coroutine

import pytest

from kajitori.apimachinery.errors import BadRequest, Timeout
from kajitori.apiserver.authentication.user import MASTERS, User
from kajitori.apiserver.http import Request, Response
from kajitori.apiserver.operating.asked import Asked
from kajitori.apiserver.operating.inflight import InFlight, RequestLimits, TurnedAway
from kajitori.apiserver.options import parse_query
from kajitori.apiserver.requestinfo import parse_request
from kajitori.testing import run_virtual

PODS = "/api/v1/namespaces/default/pods"


def asked(method: str, target: str = PODS, *groups: str) -> Asked:
    path, _, query = target.partition("?")
    parsed = parse_query(query)
    made = Asked(parse_request(method, path, parsed), parsed)
    made.user = User("jane", groups=groups)
    return made


def begin(in_flight: InFlight, what: Asked, work: "Coroutine[None, None, str]") -> "Awaitable[str]":
    async def answered() -> str:
        try:
            return await work
        except asyncio.CancelledError:
            late = in_flight.overdue()
            if late is None:
                raise
            return late.message

    in_flight.admit(what)
    return in_flight.begin(what, answered(), work.close)


async def result(future: "asyncio.Future[str]") -> str:
    return await future


def test_so_many_read_and_so_many_write_at_once() -> None:  # I1
    async def main() -> None:
        in_flight = InFlight(RequestLimits(2, 1))
        loop = asyncio.get_running_loop()
        waited = [loop.create_future() for _ in range(3)]
        running = [
            begin(in_flight, asked(m), result(f)) for m, f in zip(("GET", "GET", "POST"), waited, strict=True)
        ]
        for method in ("GET", "POST"):
            with pytest.raises(TurnedAway) as refused:
                in_flight.admit(asked(method))
            answer = refused.value.response
            assert answer.status == 429 and ("Retry-After", "1") in answer.headers
            assert answer.body == b"Too many requests, please try again later.\n"
        in_flight.admit(asked("GET", PODS, MASTERS))
        in_flight.admit(asked("GET", f"{PODS}?watch=1"))
        waited[0].set_result("done")
        assert await running[0] == "done"
        in_flight.admit(asked("GET"))
        lines = list(in_flight.lines())
        assert 'apiserver_current_inflight_requests{request_kind="readOnly"} 2' in lines
        assert 'apiserver_current_inflight_requests{request_kind="mutating"} 1' in lines
        for future in waited[1:]:
            future.set_result("done")
        assert await asyncio.gather(*running[1:]) == ["done", "done"]

    run_virtual(main())


def test_a_request_cancelled_before_it_began_is_no_longer_counted() -> None:  # I1
    async def main() -> None:
        in_flight = InFlight(RequestLimits(1, 1))
        running = asyncio.ensure_future(begin(in_flight, asked("GET"), asyncio.sleep(1, "late")))
        running.cancel()
        await asyncio.wait([running])
        in_flight.admit(asked("GET"))

    run_virtual(main())


@pytest.mark.parametrize(
    ("target", "seconds"), [(PODS, 60), (f"{PODS}?timeout=2s", 2), (f"{PODS}?timeout=2h", 60)]
)
def test_what_takes_too_long_is_ended(target: str, seconds: float) -> None:  # I2
    async def main() -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        in_flight = InFlight(RequestLimits())
        told = await begin(in_flight, asked("GET", target), asyncio.sleep(3600, "done"))
        assert told == "Timeout: request did not complete within the allotted timeout"
        assert seconds <= loop.time() - begun <= seconds + 1

    run_virtual(main())


def test_a_watch_has_no_deadline() -> None:  # I2
    async def main() -> None:
        in_flight = InFlight(RequestLimits())
        what = asked("GET", f"{PODS}?watch=1&timeout=1s")
        assert await begin(in_flight, what, asyncio.sleep(3600, "done")) == "done"

    run_virtual(main())


def test_a_timeout_that_is_none_is_refused() -> None:  # I2
    with pytest.raises(
        BadRequest, match=r'invalid timeout specified in the request URL - time: invalid dur.* "x"'
    ):
        InFlight(RequestLimits()).seconds(asked("GET", f"{PODS}?timeout=x"))
    assert Timeout.code == 504


class _Peer:
    remote = ""

    def certificate(self) -> bytes | None:
        return None


def test_the_end_turns_away_and_waits() -> None:  # I3
    async def main() -> None:
        in_flight = InFlight(RequestLimits())
        running = asyncio.ensure_future(begin(in_flight, asked("POST"), asyncio.sleep(5, "done")))
        in_flight.refuse()
        request = Request(_Peer(), "GET", PODS, headers={}, body=b"")
        with pytest.raises(TurnedAway) as refused:
            in_flight.check_open(request)
        answer: Response = refused.value.response
        assert answer.status == 429 and ("Retry-After", "5") in answer.headers
        assert answer.body == b"The apiserver is shutting down, please try again later.\n"
        assert not request.keep_alive
        in_flight.check_open(Request(_Peer(), "GET", "/readyz", headers={}, body=b""))
        await in_flight.empty()
        assert running.done() and await running == "done"

    run_virtual(main())
