"""Path elements: their canonical text, their order, and how messages show them."""

import pytest

from kajitori.apimachinery.managedfields.elements import (
    canonical,
    element_text,
    key_element,
    order,
    value_element,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f:name", "f:name"),
        ("f:", "f:"),
        ('k:{"b":1, "a":"x"}', 'k:{"a":"x","b":1}'),
        ('k:{"port":80.0}', 'k:{"port":80}'),
        ('v:"a"', 'v:"a"'),
        ("v: 1 ", "v:1"),
        ("i:007", "i:7"),
        ('v:"<&>"', 'v:"\\u003c\\u0026\\u003e"'),
        ("x:unknown", None),
    ],
)
def test_texts_that_mean_the_same_get_the_same_one(text: str, expected: str | None) -> None:  # E1
    assert canonical(text) == expected
    if expected is not None:
        assert canonical(expected) == expected


@pytest.mark.parametrize("text", ["", "f", "name", "v:{", "k:[]", "i:x", "i:1_0"])
def test_what_is_no_element_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(text)


def test_the_order_is_kubernetes_order() -> None:  # E2
    expected = [
        ".",
        "f:a",
        "f:b",
        'k:{"name":"c"}',
        'k:{"port":80}',
        'k:{"port":443}',
        'k:{"port":443,"protocol":"TCP"}',
        'k:{"port":"80"}',
        "v:9",
        "v:10",
        'v:"1"',
        "v:true",
        "v:null",
        "i:2",
        "i:10",
    ]
    mixed = expected[::-1]
    assert sorted(mixed, key=order) == expected


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ("f:spec", ".spec"),
        (key_element({"containerPort": 80, "protocol": "TCP"}), '[containerPort=80,protocol="TCP"]'),
        (value_element('a"b'), '[="a\\"b"]'),
        (value_element(True), "[=true]"),
        ("i:3", "[3]"),
    ],
)
def test_messages_show_elements_as_kubernetes_does(element: str, text: str) -> None:
    assert element_text(element) == text
