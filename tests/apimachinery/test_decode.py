"""From bytes to JSON values, in Go's words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.decode import (
    DecodeError,
    decode_json,
    duplicate_fields,
    go_quote,
    has_duplicates,
    type_meta,
    untyped_numbers,
)
from kajitori.apimachinery.json_syntax import DEPTH_MAX, syntax_error

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 1]))
def test_what_is_json_has_no_syntax_error_and_no_duplicates(value: Any, indent: int | None) -> None:  # J1 D3
    text = json.dumps(value, indent=indent).encode()
    assert syntax_error(text) is None
    assert decode_json(text) == value
    if isinstance(value, (dict, list)) and "\\u0022" not in text.decode():
        assert not has_duplicates(text, decode_json(text))


@given(values, st.data())
def test_a_cut_text_is_told_like_the_decoder_sees_it(value: Any, data: st.DataObject) -> None:  # J1
    text = json.dumps(value).encode()
    cut = text[: data.draw(st.integers(0, len(text)))]
    try:
        json.loads(cut)
        good = True
    except ValueError:
        good = False
    assert (syntax_error(cut) is None) == good


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{bad", "invalid character 'b' looking for beginning of object key string"),
        (b"", "unexpected end of JSON input"),
        (b'{"a":01}', "invalid character '1' after object key:value pair"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"{} x", "invalid character 'x' after top-level value"),
        (b'{"a":tru }', "invalid character ' ' in literal true (expecting 'e')"),
        (b'{"a":-x}', "invalid character 'x' in numeric literal"),
        (b'{"a":1.}', "invalid character '}' after decimal point in numeric literal"),
        (b'{"a":1e}', "invalid character '}' in exponent of numeric literal"),
        (b'"\x01"', "invalid character '\\x01' in string literal"),
        (b'"\\x"', "invalid character 'x' in string escape code"),
        (b'"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
        (b"{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
        (b"[" * (DEPTH_MAX + 1), "exceeded max depth"),
    ],
)
def test_syntax_errors_are_gos(text: bytes, message: str) -> None:  # J2 D1
    with pytest.raises(DecodeError) as caught:
        decode_json(text)
    assert str(caught.value) == message


def test_broken_texts_are_repaired() -> None:  # D2
    assert decode_json(b'{"a":"\xff"}') == {"a": "\ufffd"}
    assert decode_json(rb'{"a":"x\ud800y"}') == {"a": "x\ufffdy"}
    assert decode_json(rb'"\ud83d\ude00"') == "\U0001f600"


@given(st.lists(st.tuples(st.sampled_from(["a", "b", 'c"']), st.integers(0, 3)), max_size=5))
def test_a_repeated_key_is_always_noticed(pairs: list[tuple[str, int]]) -> None:  # D3
    text = ("{" + ", ".join(f"{json.dumps(name)} : {value}" for name, value in pairs) + "}").encode()
    repeats = len({name for name, _ in pairs}) < len(pairs)
    assert has_duplicates(text, decode_json(text)) == repeats
    assert bool(duplicate_fields(text)) == repeats


def test_repeated_keys_are_told_with_their_path() -> None:  # D4
    text = b'{"metadata":{"name":"d","name":"e"},"l":[{"x":1},{"x":1,"x":2,"x":3}]}'
    assert duplicate_fields(text) == ['duplicate field "metadata.name"', 'duplicate field "l[1].x"']


def test_the_kind_of_a_document() -> None:
    assert type_meta({"apiVersion": "v1", "kind": "Pod"}) == ("v1", "Pod")
    assert type_meta({}) == type_meta(None) == ("", "")
    with pytest.raises(
        DecodeError, match=r"cannot unmarshal number into Go struct field .kind of type string"
    ):
        type_meta({"kind": 1})
    with pytest.raises(
        DecodeError, match="couldn't get version/kind; json parse error: json: cannot unmarshal array"
    ):
        type_meta([])


def test_numbers_without_a_type_are_written_as_go_writes_them() -> None:
    assert json.dumps(untyped_numbers({"a": 1.0, "b": [2.5, 3e2], "c": {"d": -0.0}})) == (
        '{"a": 1, "b": [2.5, 300], "c": {"d": 0}}'
    )


def test_go_quoting() -> None:
    assert go_quote('a"b\\c\n\x01é\u200b') == '"a\\"b\\\\c\\n\\x01é\\u200b"'
