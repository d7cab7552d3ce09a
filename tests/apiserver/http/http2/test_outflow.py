"""What is sent, whatever the windows do."""

from hypothesis import given
from hypothesis import strategies as st

from kajitori.apiserver.http.http2.outflow import Outbox, Outflow
from kajitori.wire.http2.frames import END_STREAM, FrameReader, Kind

STREAMS = 4


class Box(Outbox):
    def __init__(self, stream: int, window: int) -> None:
        super().__init__(stream, window)
        self.done = 0
        self.reliefs = 0

    def sent(self) -> None:
        self.done += 1

    def relieved(self) -> None:
        self.reliefs += 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, STREAMS - 1), st.integers(0, 40_000)),
        st.tuples(st.just("end"), st.integers(0, STREAMS - 1), st.integers(0, 500)),
        st.tuples(st.just("widen"), st.integers(0, STREAMS - 1), st.integers(1, 50_000)),
        st.tuples(st.just("connection"), st.just(0), st.integers(1, 70_000)),
        st.tuples(st.just("initial"), st.just(0), st.integers(0, 100_000)),
        st.tuples(st.just("pause"), st.just(0), st.just(0)),
        st.tuples(st.just("resume"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS)
def test_everything_in_order_and_within_the_windows(steps: list[tuple[str, int, int]]) -> None:  # O1, O2, O4
    written: list[bytes] = []
    outflow = Outflow(written.append)
    boxes = [Box(2 * number + 1, outflow.initial_window) for number in range(STREAMS)]
    given_ = [b""] * STREAMS
    ended = [False] * STREAMS
    allowed = {0: outflow.window, **{box.stream: box.window for box in boxes}}
    got = {box.stream: b"" for box in boxes}
    finished: set[int] = set()
    reader = FrameReader()

    def take() -> None:
        data = b"".join(written)
        written.clear()
        reader.feed(data)
        while (found := reader.next()) is not None:
            kind, flags, stream, payload = found
            assert kind == Kind.DATA and stream not in finished
            if payload:
                allowed[0] -= len(payload)
                allowed[stream] -= len(payload)
                assert allowed[0] >= 0 and allowed[stream] >= 0
            got[stream] += payload
            if flags & END_STREAM:
                finished.add(stream)

    for step, at, size in steps:
        box = boxes[at]
        if step in ("send", "end") and not ended[at]:
            data = bytes([len(given_[at]) % 251]) * size
            given_[at] += data
            ended[at] = step == "end"
            outflow.send(box, data, ends=ended[at])
        elif step == "widen":
            assert outflow.widen(box, size)
            allowed[box.stream] += size
        elif step == "connection":
            outflow.window += size
            allowed[0] += size
        elif step == "initial":
            change = size - outflow.initial_window
            outflow.initial_window = size
            for each in boxes:
                assert outflow.widen(each, change)
                allowed[each.stream] += change
        elif step == "pause":
            outflow.paused = True
        elif step == "resume":
            outflow.paused = False
        before = len(written)
        outflow.flush()
        if outflow.paused:
            assert len(written) == before
        take()
    outflow.paused = False
    outflow.window += 10_000_000
    allowed[0] += 10_000_000
    for box in boxes:
        assert outflow.widen(box, 10_000_000)
        allowed[box.stream] += 10_000_000
    outflow.flush()
    take()
    for number, box in enumerate(boxes):
        assert got[box.stream] == given_[number]
        assert (box.stream in finished) == ended[number] == bool(box.done)
    assert not outflow.waiting and sum(box.waiting_bytes for box in boxes) == 0


def test_streams_take_turns_and_a_stuck_one_holds_up_nobody() -> None:  # O3
    written: list[bytes] = []
    outflow = Outflow(written.append)
    outflow.window = 1 << 30
    outflow.paused = True
    boxes = [Box(1, 1 << 30), Box(3, 0), Box(5, 1 << 30)]
    for box in boxes:
        outflow.send(box, bytes(50_000), ends=True)
    outflow.paused = False
    outflow.flush()
    reader = FrameReader()
    reader.feed(b"".join(written))
    order: list[int] = []
    while (found := reader.next()) is not None:
        order.append(found[2])
    assert order == [1, 5] * 4
    assert [box.done for box in boxes] == [1, 0, 1]
    assert outflow.waiting == {3: boxes[1]}
    outflow.forget(boxes[1])
    assert not outflow.waiting and not boxes[1].waiting_bytes


def test_the_end_of_a_stream_with_nothing_to_send_needs_no_window() -> None:
    written: list[bytes] = []
    outflow = Outflow(written.append)
    outflow.window = 0
    box = Box(1, -5)
    outflow.send(box, b"", ends=True)
    assert written == [b"\0\0\0\0\x01\0\0\0\x01"] and box.done == 1
