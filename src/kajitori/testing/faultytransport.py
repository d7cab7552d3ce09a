"""A transport on which things go wrong as `Faults` says.

Promises
    T1  what a client sees of a fault is what it would see of the real one: the answer, or a TransportError
    T2  a request that the fault lets through, before or after, reaches the server once
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec

from kajitori.apimachinery.errors import ApiError
from kajitori.client.transport import RawResponse, RawStream, Transport, TransportError
from kajitori.testing.calls import Call, call_of
from kajitori.testing.faultkinds import Fault, NoAnswer, Refused, Reset, Slow, Stale
from kajitori.testing.faults import Faults
from kajitori.testing.faultywatch import OpenWatch

__all__ = ["NOT_STARTED", "FaultyTransport"]


class FaultyTransport:
    """A `Transport` around another."""

    def __init__(self, inner: Transport, faults: Faults) -> None:
        self.inner = inner
        """The way to the server; another one after it was restarted."""
        self._faults = faults

    async def request(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> RawResponse:
        faults = self._faults
        if not faults.may_strike and faults.told is None:
            return await self.inner.request(method, path_and_query, headers, body, timeout)
        call = call_of(method, path_and_query, headers, body)
        outcome = "no answer"
        try:
            fault = faults.strike(call)
            await asyncio.sleep(faults.latency_seconds(call))
            if isinstance(fault, ApiError):
                answer = _answer(fault)
            else:
                left = await _before(fault, call, timeout)
                if isinstance(fault, Stale) and (query := fault.query(call)) is not None:
                    path_and_query = f"{call.path}?{query}"
                answer = await self.inner.request(method, path_and_query, headers, body, left)
                await _after(fault, call, timeout)
            await asyncio.sleep(faults.latency_seconds(call))
            outcome = str(answer.status)
        finally:
            if faults.told is not None:
                faults.told(call, outcome)
        return answer

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> AsyncGenerator[RawStream, None]:
        call = call_of(method, path_and_query, headers)
        fault = self._faults.strike(call)
        if isinstance(fault, ApiError):
            answer = _answer(fault)
            yield RawStream(answer.status, answer.headers, _once(answer.body))
            return
        left = await _before(fault, call, timeout)
        async with self.inner.stream(method, path_and_query, headers, body, left) as stream:
            await _after(fault, call, timeout)
            if call.verb != "watch" or stream.status >= 300:
                yield stream
                return
            with self._faults.opened(OpenWatch(call, fault, self._faults)) as watch:
                yield RawStream(stream.status, stream.headers, watch.read(stream.chunks))

    async def close(self) -> None:
        await self.inner.close()


class _NotStarted:
    """The transport of a server that is not there yet."""

    async def request(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> RawResponse:
        raise TransportError("the API server has not been started", sent=False, refused=True)

    def stream(
        self,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float | None,
    ) -> AbstractAsyncContextManager[RawStream]:
        raise TransportError("the API server has not been started", sent=False, refused=True)

    async def close(self) -> None:
        """There is nothing to hang up."""


NOT_STARTED: Transport = _NotStarted()


async def _before(fault: Fault | None, call: Call, timeout: float | None) -> float | None:
    """What happens on the way to the server; gives the time that is left for the answer.

    Raises: TransportError.
    """
    match fault:
        case Refused():
            raise TransportError(f"{call}: nobody listens, by a fault of the test", sent=False, refused=True)
        case Reset(acted=False):
            raise _broken(call)
        case NoAnswer(acted=False):
            await _silence(call, timeout)
        case Slow(seconds=seconds, acted=False):
            if timeout is not None and seconds >= timeout:
                await _silence(call, timeout)
            await asyncio.sleep(seconds)
            return None if timeout is None else timeout - seconds
        case _:
            pass
    return timeout


async def _after(fault: Fault | None, call: Call, timeout: float | None) -> None:
    """What happens to the answer. Raises: TransportError."""
    match fault:
        case Reset(acted=True):
            raise _broken(call)
        case NoAnswer(acted=True):
            await _silence(call, timeout)
        case Slow(seconds=seconds, acted=True):
            if timeout is not None and seconds >= timeout:
                await _silence(call, timeout)
            await asyncio.sleep(seconds)
        case _:
            pass


async def _silence(call: Call, timeout: float | None) -> None:
    """Waits as long as the client would. Raises: TransportError."""
    if timeout is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(timeout)
    raise TransportError(f"{call}: no answer within {timeout} s, by a fault of the test")


def _broken(call: Call) -> TransportError:
    return TransportError(f"{call}: the connection broke, by a fault of the test")


def _answer(error: ApiError) -> RawResponse:
    headers = {"content-type": "application/json"}
    if error.retry_after_seconds:
        headers["retry-after"] = str(error.retry_after_seconds)
    return RawResponse(error.code, headers, msgspec.json.encode(error.to_status()))


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
