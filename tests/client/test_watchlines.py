"""Lines come out whole however the chunks are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.client import watchlines
from kajitori.client.watchlines import WatchLines


@given(
    st.lists(st.binary(min_size=1, max_size=20).filter(lambda line: b"\n" not in line and line != b"\r")),
    st.data(),
)
def test_any_cut_gives_the_same_lines(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    reader, got, at = WatchLines(), list[bytes](), 0
    while at < len(whole):
        size = data.draw(st.integers(1, 30))
        got += reader.feed(whole[at : at + size])
        at += size
    assert got == lines


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchlines, "EVENT_BYTES_MAX", 10)
    reader = WatchLines()
    reader.feed(b"123456")
    with pytest.raises(ValueError, match="10 bytes"):
        reader.feed(b"123456")
