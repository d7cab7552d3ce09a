"""Frames out of bytes that come in any pieces, with hyperframe on the other end."""

import pytest
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, SettingsFrame
from hypothesis import given
from hypothesis import strategies as st

from kajitori.wire.http2 import frames
from kajitori.wire.http2.frames import Code, FrameError, FrameReader, Kind, Setting

FRAMES = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 255), st.integers(0, 2**31 - 1), st.binary(max_size=100)),
    max_size=12,
)


@given(FRAMES, st.lists(st.integers(1, 60), min_size=1), st.integers(1, 5))
def test_frames_come_out_however_they_were_cut(
    sent: list[tuple[int, int, int, bytes]], cuts: list[int], read_every: int
) -> None:  # F1
    data = b"".join(frames.frame(*each) for each in sent)
    reader = FrameReader()
    found: list[frames.Frame] = []
    at = number = 0
    while at < len(data):
        size = cuts[number % len(cuts)]
        reader.feed(data[at : at + size])
        at += size
        number += 1
        for _ in range(number % read_every):
            if (each := reader.next()) is not None:
                found.append(each)
    while (each := reader.next()) is not None:
        found.append(each)
    assert found == sent
    assert all(type(payload) is bytes for *_, payload in found)
    assert not reader.is_within_frame


@given(st.binary(max_size=200))
def test_any_bytes_give_frames_or_an_error(data: bytes) -> None:  # F1, F2
    reader = FrameReader()
    reader.feed(data)
    taken = 0
    while taken + 9 <= len(data):
        size = int.from_bytes(data[taken : taken + 3], "big")
        if size > frames.FRAME_BYTES:
            with pytest.raises(FrameError):
                reader.next()
            return
        if taken + 9 + size > len(data):
            break
        assert reader.next() is not None
        taken += 9 + size
    assert reader.next() is None
    assert reader.is_within_frame == (taken < len(data))


def test_a_frame_that_is_too_long_is_refused_at_its_head() -> None:  # F2
    reader = FrameReader()
    reader.feed(frames.frame(0, 0, 1, bytes(16_385))[:9])
    with pytest.raises(FrameError, match="larger than agreed"):
        reader.next()


def test_a_frame_in_single_bytes_is_put_together_in_place() -> None:  # F3
    reader = FrameReader(1 << 18)
    data = frames.frame(0, 0, 1, bytes(200_000))
    for at in range(0, len(data), 7):
        assert reader.next() is None
        reader.feed(data[at : at + 7])
    assert reader.next() == (0, 0, 1, bytes(200_000))


@given(st.binary(max_size=50), st.integers(0, 255))
def test_padding_is_taken_off(data: bytes, padding: int) -> None:
    sent = DataFrame(1, data, pad_length=padding, flags=["PADDED"])
    assert frames.unpadded(sent.serialize_body()) == data


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x05abcd", b"\xff" * 200])
def test_padding_that_is_too_long(payload: bytes) -> None:
    with pytest.raises(FrameError):
        frames.unpadded(payload)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("0002" + "00000002", Code.PROTOCOL_ERROR),
        ("0004" + "80000000", Code.FLOW_CONTROL_ERROR),
        ("0005" + "00003fff", Code.PROTOCOL_ERROR),
        ("0005" + "01000000", Code.PROTOCOL_ERROR),
        ("000500", Code.FRAME_SIZE_ERROR),
    ],
)
def test_settings_out_of_bounds(payload: str, code: Code) -> None:
    with pytest.raises(FrameError) as raised:
        frames.read_settings(bytes.fromhex(payload))
    assert raised.value.code is code


def test_others_read_what_is_made_here() -> None:
    def read(data: bytes) -> Frame:
        frame, size = Frame.parse_frame_header(memoryview(data[:9]))
        frame.parse_body(memoryview(data[9:]))
        assert size == len(data) - 9
        return frame

    told = read(frames.settings([(Setting.MAX_CONCURRENT_STREAMS, 100), (99, 7)]))
    assert isinstance(told, SettingsFrame) and told.settings == {3: 100, 99: 7}
    assert frames.read_settings(told.serialize_body()) == [(3, 100), (99, 7)]
    ended = read(frames.goaway(5, Code.ENHANCE_YOUR_CALM, "so"))
    assert isinstance(ended, GoAwayFrame)
    assert (ended.last_stream_id, ended.error_code, ended.additional_data) == (5, 11, b"so")
    assert type(read(frames.reset(3, Code.CANCEL))).__name__ == "RstStreamFrame"
    assert type(read(frames.window_update(3, 9))).__name__ == "WindowUpdateFrame"


@given(st.binary(max_size=5000), st.integers(16, 500), st.booleans())
def test_long_headers_go_on_in_further_frames(block: bytes, size_max: int, ends: bool) -> None:
    reader = FrameReader()
    reader.feed(frames.headers(block, 3, size_max, ends=ends))
    parts: list[frames.Frame] = []
    while (found := reader.next()) is not None:
        parts.append(found)
    assert [kind for kind, *_ in parts] == [Kind.HEADERS, *[Kind.CONTINUATION] * (len(parts) - 1)]
    assert b"".join(payload for *_, payload in parts) == block
    assert bool(parts[0][1] & frames.END_STREAM) == ends
    assert [bool(flags & frames.END_HEADERS) for _, flags, _, _ in parts] == [False] * (len(parts) - 1) + [
        True
    ]
