"""JSONPath as kubectl and custom columns use it."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apimachinery.jsonpath import JsonPathError, parse_jsonpath, value_text

DATA: dict[str, Any] = {
    "spec": {
        "a": 1,
        "c": [1, 2, 3, 4],
        "none": None,
        "f": 1.5,
        "items": [
            {"name": "p", "v": 1, "type": "Ready"},
            {"name": "q", "v": 2, "type": "Bad"},
            {"v": 3},
        ],
        "m": {"k.x": "dot", "y": {"z": ["<&>"]}},
        "e": [],
    }
}


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("plain", "plain"),
        ("{.spec.a}", "1"),
        ("{$.spec.a}", "1"),
        ("{@.spec.a}", "1"),
        ("{.spec['a']}", "1"),
        ("{.spec.m.k\\.x}", "dot"),
        ("{.spec.m['k\\.x']}", "dot"),
        ("{.spec.items[*].name}", "p q"),
        ("{.spec.items[-1].v}", "3"),
        ("{.spec.c[1:3]}", "2 3"),
        ("{.spec.c[::2]}", "1 3"),
        ("{.spec.c[0,2]}", "1 3"),
        ("{.spec.c[:-1]}", "1 2 3"),
        ('{.spec.items[?(@.type=="Ready")].name}', "p"),
        ("{.spec.items[?(@.v>1)].v}", "2 3"),
        ("{.spec.items[?(@.v<=2)].v}", "1 2"),
        ("{.spec.items[?(@.type!='Ready')].v}", "2"),
        ("{.spec.items[?(@.name)].v}", "1 2"),
        ("{..name}", "p q"),
        ("{.spec['a','f']}", "1 1.5"),
        ("{.spec.m.y}", '{"z":["\\u003c\\u0026\\u003e"]}'),
        ("{.spec.none}", "null"),
        ("{'a'}{\"\\t\"}{12}{true}{1.5}", "a\t12true1.5"),
        ('{range .spec.items[*]}{.v}{"\\n"}{end}done', "1\n2\n3\ndone"),
        ("{range .spec.items[*]}[{.v}{range $.type}x{end}]{end}", "[1x][2x][3]"),
        ("{range .spec.e[*]}{.v}{end}", ""),
    ],
)
def test_templates(template: str, rendered: str) -> None:  # J2
    assert parse_jsonpath(template, allow_missing=True).render(DATA) == rendered


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{.spec.x}", "x is not found"),
        ("{range .spec.e[*]}{.v}{end}", "v is not found"),
        ("{.spec.c[9]}", "array index out of bounds: index 9, length 4"),
        ("{.spec.c[2:1]}", "starting index 2 is greater than ending index 1"),
        ("{.spec.c[::0]}", "step must be > 0"),
        ("{.spec.m[0]}", "map[string]interface {} is not array or slice"),
        ("{.spec.a[?(@.x)]}", "1 is not array or slice and cannot be filtered"),
        ("{.spec.m.y[?(@.x)]}", "map[z:[<&>]] is not array or slice and cannot be filtered"),
        ("{.spec.items[?(@.v=='x')]}", "incompatible types for comparison"),
        ("{word}", "unrecognized identifier word"),
        ("{end}", "not in range, nothing to end"),
    ],
)
def test_data_that_does_not_fit(template: str, message: str) -> None:  # J2
    with pytest.raises(JsonPathError) as caught:
        parse_jsonpath(template).render(DATA)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{.a", "unclosed action"),
        ("{.a[0}", "unterminated array"),
        ("{.a[x]}", "invalid array index x"),
        ("{.a[?(@.b}", "unterminated filter"),
        ("{.a[?(@.b)}", "unclosed array expect ]"),
        ("{'a}", "unterminated quoted string"),
        ("{....}", "invalid multiple recursive descent"),
        ("{1.2.3}", "cannot parse number 1.2.3"),
        ("{#}", "unrecognized character in action: U+0023 '#'"),
        ('{"\\q"}', 'unquote string "\\q" error invalid syntax'),
    ],
)
def test_templates_that_do_not_parse(template: str, message: str) -> None:  # J2
    with pytest.raises(JsonPathError) as caught:
        parse_jsonpath(template)
    assert str(caught.value) == message


def test_missing_fields_may_be_allowed() -> None:
    path = parse_jsonpath("{.spec.x.y}", allow_missing=True)
    assert path.results(DATA) == [[]]
    assert path.first(DATA) == (False, None)
    assert parse_jsonpath("{.spec.none}").first(DATA) == (True, None)


def test_values_are_printed_as_go_prints_them() -> None:
    assert [
        value_text(each) for each in (True, 2.0, 1e21, 0.00001, "x", None, ["b", {"z": 1, "a": None}])
    ] == [
        "true",
        "2",
        "1e+21",
        "1e-05",
        "x",
        "null",
        '["b",{"a":null,"z":1}]',
    ]


@given(st.text(alphabet="{}.[]?()@$=<>'\"*,:-12ab \\", max_size=30))
@settings(deadline=None)
def test_any_text_parses_or_is_refused(template: str) -> None:  # J1
    with suppress(JsonPathError):
        parse_jsonpath(template).render(DATA)


def test_nesting_is_bounded() -> None:
    with pytest.raises(JsonPathError):
        parse_jsonpath("{" + "[?(" * 5000 + "}").render(DATA)
