"""The code of header strings, beside hpack's own reading of it."""

import contextlib

import pytest
from hpack.huffman_table import decode_huffman
from hypothesis import given
from hypothesis import strategies as st

from kajitori.wire.http2 import huffman

LATIN = st.text(st.characters(max_codepoint=255), max_size=200)


@given(LATIN)
def test_what_was_coded_comes_out(text: str) -> None:  # U1
    coded = huffman.encode(text)
    assert huffman.decode(coded) == text
    assert decode_huffman(coded) == text.encode("latin-1")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_others_read_them(data: bytes) -> None:  # U1, U2
    try:
        expected = decode_huffman(data)
    except Exception:
        with pytest.raises(huffman.HuffmanError):
            huffman.decode(data)
    else:
        assert huffman.decode(data) == expected.decode("latin-1")


@pytest.mark.parametrize(
    ("coded", "why"),
    [
        (b"\xff", "eight bits of padding"),
        (b"\x1f\xff", "thirteen bits of padding"),
        (b"\x18", "padding of zeros"),
        (b"\xff\xff\xff\xff", "the end mark itself"),
    ],
)
def test_bad_padding(coded: bytes, why: str) -> None:  # U2
    with pytest.raises(huffman.HuffmanError):
        huffman.decode(coded)


def test_the_example_of_the_rfc() -> None:  # C.4.1
    coded = bytes.fromhex("f1e3c2e5f23a6ba0ab90f4ff")
    assert huffman.decode(coded) == "www.example.com"
    assert huffman.encode("www.example.com") == coded


def test_no_more_is_remembered_than_there_is() -> None:  # U3
    for octet in range(256):
        for second in range(256):
            with contextlib.suppress(huffman.HuffmanError):
                huffman.decode(bytes((octet, second, octet ^ second)))
    assert len(huffman._steps) <= huffman.STEPS_MAX  # pyright: ignore[reportPrivateUsage]
