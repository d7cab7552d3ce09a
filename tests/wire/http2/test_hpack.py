"""Header blocks, with hpack on the other end."""

import pytest
from hpack import Decoder as TheirDecoder
from hpack import Encoder as TheirEncoder
from hypothesis import given
from hypothesis import strategies as st

from kajitori.wire.http2 import hpack
from kajitori.wire.http2.hpack import Decoder, HpackError

NAMES = st.sampled_from([":path", ":method", "accept", "x-a", "x-b", "cookie", "x-long-" + "n" * 120])
VALUES = st.one_of(
    st.sampled_from(["GET", "/", "gzip", "", "x" * 300]),
    st.text(st.characters(max_codepoint=255), max_size=40),
)
BLOCKS = st.lists(
    st.tuples(
        st.lists(st.tuples(NAMES, VALUES), max_size=12),
        st.sampled_from([None, 0, 64, 200, 4096]),
        st.booleans(),
    ),
    max_size=12,
)


def decoder(list_bytes_max: int = 1 << 20) -> Decoder:
    return Decoder(list_bytes_max=list_bytes_max)


def read(theirs: Decoder, block: bytes) -> list[tuple[str, str]]:
    return [(name, value) for name, value, _ in theirs.decode(block)]


@given(BLOCKS)
def test_what_others_encode_is_read(
    blocks: list[tuple[list[tuple[str, str]], int | None, bool]],
) -> None:  # K1
    encoder, ours = TheirEncoder(), decoder()
    for fields, size, coded in blocks:
        if size is not None:
            encoder.header_table_size = size
        sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        assert read(ours, encoder.encode(sent, huffman=coded)) == fields
        assert not ours.truncated
        assert ours.table_bytes <= 4096  # K4


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_any_bytes_are_fields_or_an_error(blocks: list[bytes]) -> None:  # K1, K2
    ours, theirs = decoder(), TheirDecoder()
    for block in blocks:
        try:
            expected = list(theirs.decode(block, raw=True))
        except Exception:
            expected = None
        try:
            found = read(ours, block)
        except HpackError:
            return
        # Sizes beyond ours, and integers of many octets, are where we are stricter; nowhere are we laxer.
        assert expected is not None, found
        assert [(n.decode("latin-1"), v.decode("latin-1")) for n, v in expected] == found
        assert ours.table_bytes <= 4096


@given(
    st.lists(st.tuples(NAMES, st.binary(max_size=300)), max_size=10), st.sampled_from([200, 404, 418, 999])
)
def test_what_is_encoded_is_read_by_others(fields: list[tuple[str, bytes]], code: int) -> None:  # K5
    theirs = TheirDecoder()
    block = hpack.status(code) + b"".join(hpack.field(name, value) for name, value in fields)
    for _ in range(2):
        found = list(theirs.decode(block, raw=True))
        assert found == [(b":status", b"%d" % code), *((name.encode(), value) for name, value in fields)]
    theirs.max_allowed_table_size = 0
    assert len(list(theirs.decode(hpack.NO_TABLE + block, raw=True))) == len(fields) + 1
    assert len(list(theirs.decode(block, raw=True))) == len(fields) + 1


def test_the_examples_of_the_rfc() -> None:  # C.4
    ours = decoder()
    first = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")]
    assert read(ours, bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff")) == first
    assert read(ours, bytes.fromhex("828684be5886a8eb10649cbf")) == [*first, ("cache-control", "no-cache")]


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("80", "index zero"),
        ("be", "an index beyond the table"),
        ("ff", "an index without its rest"),
        ("ffffffffffff7f", "an index without end"),
        ("3fe2ff7f", "a table larger than agreed"),
        ("8220", "a size of the table behind a field"),
        ("40", "a literal that ends"),
        ("4003", "a name that is not there"),
        ("4001610a62", "a value that is shorter than it says"),
        ("400161ff", "a value with half a length"),
        ("40016181ff", "a value with bad padding"),
        ("7e0161", "a name of an index beyond the table"),
    ],
)
def test_what_breaks_the_rules(block: str, why: str) -> None:  # K2
    with pytest.raises(HpackError):
        decoder().decode(bytes.fromhex(block))


def test_a_small_block_that_means_much_is_cut_short_but_read_to_its_end() -> None:  # K3
    ours = decoder(list_bytes_max=10_000)
    bomb = hpack.field("x-bomb", b"b" * 4000)
    keeping = bytes((bomb[0] | 0x40,)) + bomb[1:]
    assert len(ours.decode(keeping + b"\xbe" * 8)) == 2
    assert ours.truncated
    assert read(ours, b"\xbe\x82") == [("x-bomb", "b" * 4000), (":method", "GET")]
    assert not ours.truncated
    with pytest.raises(HpackError, match="many times as long"):
        ours.decode(b"\xbe" * 16_000)


def test_an_entry_larger_than_the_table_empties_it() -> None:  # K4
    ours = decoder()
    ours.decode(b"\x40\x01a\x01b")
    assert read(ours, b"\xbe") == [("a", "b")]
    ours.decode(b"\x40\x01a\x7f\xa1\x1f" + b"b" * 4128)
    with pytest.raises(HpackError):
        ours.decode(b"\xbe")
