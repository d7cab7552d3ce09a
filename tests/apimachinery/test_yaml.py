"""YAML as Kubernetes reads it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.yaml import decode_yaml, warnings_of

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(categories=["L", "N", "P"], max_codepoint=0xFFFF)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcz", max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(values)
def test_json_is_yaml(value: Any) -> None:
    assert decode_yaml(json.dumps(value).encode()) == (value, [])


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("yes", True), ("Off", False), ("y", True), ("N", False), ("~", None), ("", None), ("Null", None),
        ("0x1F", 31), ("010", 8), ("0o17", 15), ("0b101", 5), ("1_000", 1000), ("-12", -12), ("+3", 3),
        ("1.5", 1.5), ("1e3", 1000), (".5", 0.5), ("1.0", 1), ("09", 9), ("0x", "0x"), ("1:20", "1:20"),
        ("2001-01-01", "2001-01-01"), ("1.2.3", "1.2.3"), ("abc", "abc"), ("'1'", "1"), ("!!str 1", "1"),
        ("!!int '7'", 7), ("!!float 1", 1), ("!!binary aGk=", "hi"), ("18446744073709551615", 18446744073709551615),
    ],
)  # fmt: skip
def test_plain_words_mean_what_they_mean_to_go(word: str, value: Any) -> None:  # Y1
    decoded = decode_yaml(f"a: {word}\n".encode())[0]["a"]
    assert decoded == value and type(decoded) is type(value)


def test_keys_are_texts_and_sorted() -> None:  # Y1
    text = b"z: 1\n1: a\n1.5: b\ntrue: c\n"
    assert json.dumps(decode_yaml(text)[0]) == '{"1": "a", "1.5": "b", "true": "c", "z": 1}'


def test_only_the_first_document_is_read() -> None:  # Y1
    assert decode_yaml(b"---\na: 1\n---\nb: 2\n")[0] == {"a": 1}
    assert decode_yaml(b"") == (None, [])


def test_a_repeated_key_is_told_with_its_line() -> None:  # Y2
    text = (
        b'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yy}\ndata:\n  a: "1"\n  a: "2"\n  9: b\n  9: c\n'
    )
    value, repeated = decode_yaml(text)
    assert value["data"] == {"9": "c", "a": "2"}
    assert repeated == [
        'yaml: unmarshal errors:\n  line 6: key "a" already set in map\n  line 8: key 9 already set in map'
    ]
    assert warnings_of(repeated[0]) == [
        'line 6: key "a" already set in map',
        "line 8: key 9 already set in map",
    ]
    assert warnings_of('unknown field "x"') == ['unknown field "x"']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: b\nc:\n\td: 1", "yaml: line 3: found character that cannot start any token"),
        (b"a: b: c", "yaml: mapping values are not allowed in this context"),
        (b"a: *x", "yaml: unknown anchor 'x' referenced"),
        (b'a: "\x01"', "yaml: control characters are not allowed"),
        (b"a: .nan", "json: unsupported value: NaN"),
        (b"a: !!int x", "yaml: cannot decode !!str `x` as a !!int"),
        (b"<<: 1", "yaml: map merge requires map or sequence of maps as the value"),
        (b"a: &a [*a]", "yaml: anchor value contains itself"),
    ],
)
def test_errors_are_go_yamls(text: bytes, message: str) -> None:  # Y3
    with pytest.raises(DecodeError) as caught:
        decode_yaml(text)
    assert str(caught.value) == message


def test_maps_are_merged_where_the_merge_stands() -> None:
    text = b"base: &b {x: 1, z: 2}\nafter: {<<: *b, x: 9}\nbefore: {x: 9, <<: *b}\n"
    value = decode_yaml(text)[0]
    assert value["after"] == {"x": 9, "z": 2} and value["before"] == {"x": 1, "z": 2}


def test_aliases_cannot_make_a_small_text_huge() -> None:  # Y4
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(DecodeError, match="excessive aliasing"):
        decode_yaml("\n".join(lines).encode())


@pytest.mark.parametrize("sign", [b"[", b"{", b"- ", b"? ", b"{a: ", b"? - ", b"[&a "])
def test_what_is_nested_without_end_is_refused(sign: bytes) -> None:  # Y5
    """The C library would run out of its stack, and the process with it."""
    with pytest.raises(DecodeError, match=r"^yaml: exceeded max depth of 10000$"):
        decode_yaml(sign * 100_000)


def test_many_signs_are_not_deep() -> None:  # Y5
    text = b"".join(b"a%d: [1, {b: -2}]\n" % number for number in range(3000))
    assert len(decode_yaml(text)[0]) == 3000
    with pytest.raises(DecodeError, match="did not find expected"):
        decode_yaml(b"- a\n" * 3000 + b"- ]")
