"""Whatever frames a client sends: answers, resets or a GOAWAY, never an exception, and nothing is left behind."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.http2 import Client

from kajitori.apiserver.http import Joined, Limits, Request, Response, Stream
from kajitori.wire.http2 import hpack
from kajitori.wire.http2.frames import frame

Speak = Any
LIMITS = Limits(body_bytes_max=3000, uploads_bytes_max=2000, streams_max=6, head_bytes_max=4000)

FIELDS = st.lists(
    st.sampled_from(
        [
            (":method", b"GET"),
            (":method", b"POST"),
            (":method", b"HEAD"),
            (":path", b"/watch"),
            (":path", b"/late"),
            (":path", b"/large"),
            (":scheme", b"https"),
            ("content-length", b"10"),
            ("content-length", b"5000"),
            ("expect", b"100-continue"),
            ("connection", b"close"),
            ("x", b"x" * 3000),
        ]
    ),
    max_size=6,
).map(lambda fields: b"".join(hpack.field(name, value) for name, value in fields))
GOOD = st.sampled_from([b"/", b"/watch", b"/late", b"/large"]).map(
    lambda path: b"\x87" + hpack.field(":method", b"GET") + hpack.field(":path", path)
)
BLOCKS = st.one_of(GOOD, GOOD, FIELDS, st.binary(max_size=30))
STREAMS = st.integers(0, 15)
FLAGS = st.one_of(st.sampled_from([0, 1, 4, 5]), st.integers(0, 255))
SIZES = st.sampled_from([0, 1, 10, 100, 2500, 20_000])
NUMBERS = st.sampled_from([0, 1, 100, 65_536, 2**31 - 1, 2**32 - 1]).map(
    lambda number: number.to_bytes(4, "big")
)
FRAMES = st.one_of(
    st.builds(lambda flags, stream, block: frame(1, flags, stream, block), FLAGS, STREAMS, BLOCKS),
    st.builds(lambda stream, block: frame(1, 5, 2 * stream + 1, block), STREAMS, GOOD),
    st.builds(lambda stream, block: frame(1, 4, 2 * stream + 1, block), STREAMS, GOOD),
    st.builds(lambda flags, stream, size: frame(0, flags, stream, bytes(size)), FLAGS, STREAMS, SIZES),
    st.builds(lambda flags, stream, block: frame(9, flags, stream, block), FLAGS, STREAMS, BLOCKS),
    st.builds(lambda stream, number: frame(8, 0, stream, number), STREAMS, NUMBERS),
    st.builds(lambda stream, number: frame(3, 0, stream, number), STREAMS, NUMBERS),
    st.builds(lambda name, number: frame(4, 0, 0, bytes((0, name)) + number), st.integers(0, 8), NUMBERS),
    st.builds(lambda flags, data: frame(6, flags, 0, data), FLAGS, st.binary(min_size=8, max_size=8)),
    st.builds(frame, st.integers(0, 12), FLAGS, STREAMS, st.binary(max_size=12)),
    st.binary(max_size=20),
)
HAPPENINGS = st.lists(
    st.tuples(FRAMES, st.sampled_from(["", "", "", "turn", "second", "full", "read", "drain"])), max_size=25
)


def answer(request: Request) -> Any:
    async def late() -> Response:
        await asyncio.sleep(0.5)
        return Response(200, b"late")

    match request.path:
        case "/watch":
            return Stream(lambda writer: writer.write(b"event\n" * 100))
        case "/late":
            return late()
        case "/large":
            return Response(200, Joined(b"[", [b"x" * 1000] * 200, b"]", separator=b","))
        case _:
            return Response(200, request.body)


@given(happenings=HAPPENINGS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_frames(speak: Speak, happenings: list[tuple[bytes, str]]) -> None:  # B2, B3
    async def conversation(line: Any) -> None:
        problems: list[Any] = []
        line.loop.set_exception_handler(lambda loop, context: problems.append(context))
        for data, then in happenings:
            if line.pipe.ended:
                break
            if line.pipe.reading:
                line.connection.data_received(data)
            match then:
                case "turn":
                    await line.hear()
                case "second":
                    await line.wait(1)
                case "full":
                    line.stop_reading()
                case "read":
                    await line.read_on()
                case "drain":
                    line.connection.drain()
                case _:
                    pass
        client: Client = await line.read_on()
        assert not problems, problems
        assert len(line.connection._streams) <= 6
        assert line.connection._uploads._held_bytes <= 6 * (3000 + 256 * 1024)
        # Whoever is still connected is served.
        if not line.pipe.ended and not client.goaways and not line.connection._frames.is_within_frame:
            await line.send(frame(6, 0, 0, b"are you?"))
            assert b"are you?" in client.pongs or client.goaways

    speak(answer, conversation, LIMITS)


@given(data=st.binary(max_size=300), split=st.integers(1, 50))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes(speak: Speak, data: bytes, split: int) -> None:  # X1, X2
    async def conversation(line: Any) -> None:
        for at in range(0, len(data), split):
            if not line.pipe.ended:
                line.connection.data_received(data[at : at + split])
        await line.hear()

    speak(answer, conversation, LIMITS, greets=False)
