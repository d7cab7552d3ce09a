"""YAML as it is written: the bytes are kube-apiserver's, and what is read back is what was written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apimachinery.yaml_text import encode_yaml

texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["y", "0x1", "1:30", "~", "<<"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_what_is_written_reads_back(value: Any) -> None:  # E1
    assert decode_yaml(encode_yaml(value)) == (value, [])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", '""'),
        ("y", '"y"'),
        ("No", '"No"'),
        ("~", '"~"'),
        ("1.5", '"1.5"'),
        ("0b1", '"0b1"'),
        ("1_000", '"1_000"'),
        ("190:20:30", '"190:20:30"'),
        ("2001-01-01", '"2001-01-01"'),
        ("2001-01-01T00:00:00Z", '"2001-01-01T00:00:00Z"'),
        ("08", '"08"'),
        (".nan", '".nan"'),
        ("nan", "nan"),
        ("0o8", "0o8"),
        ("_1", "_1"),
        ("=", "="),
        ("a: b", "'a: b'"),
        ("- a", "'- a'"),
        ("'q'", "'''q'''"),
        (" lead", "' lead'"),
        ("tab\there", '"tab\\there"'),
        ("日本語", "日本語"),
        ("\U0001f600", '"\\U0001F600"'),
        ("multi\nline", "|-\n  multi\n  line"),
        ("multi\n\n", "|+\n  multi\n"),
        ("a\u2028b", '"a\\Lb"'),
        ("x\n ", '"x\\n "'),
        ("x\r\ny", '"x\\r\\ny"'),
    ],
)
def test_texts_are_quoted_as_kubernetes_quotes_them(text: str, written: str) -> None:  # E2
    assert encode_yaml({"k": text}).decode() == f"k: {written}\n"


def test_keys_are_in_kubernetes_order() -> None:  # E2
    keys = ["-a", ".a", "_b", "0x1", "1", "1.5", "A", "a9", "a10", "a010", "n", "true", "y"]
    written = encode_yaml(dict.fromkeys(reversed(keys), 1)).decode()
    assert [line.split(": ")[0].strip('"') for line in written.splitlines()] == [
        *("-a", ".a", "_b", "0x1", "1", "1.5", "A", "a9", "a10", "a010", "n", "true", "y")
    ]


def test_long_texts_are_folded_and_lists_are_not_indented() -> None:  # E2
    assert encode_yaml({"k": "word " * 20}).decode() == (
        "k: '" + "word " * 15 + "word\n  word word word word '\n"
    )
    assert encode_yaml({"a": [1, {"b": True, "a": None}], "e": {}, "f": []}).decode() == (
        "a:\n- 1\n- a: null\n  b: true\ne: {}\nf: []\n"
    )
