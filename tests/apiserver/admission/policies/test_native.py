"""What Kubernetes takes for JSON in an `Object{…}`."""

from typing import Any

import pytest

from kajitori.apimachinery.cel import AdmissionVariables
from kajitori.apimachinery.cel.admission import admission_environment
from kajitori.apimachinery.cel.expression import compile_expression
from kajitori.apimachinery.patch.go_text import GoValue, go_name, go_syntax, go_text
from kajitori.apiserver.admission.policies.native import Natives, NotNative

OBJECT: dict[str, Any] = {"labels": {"a": "b"}, "list": [{"x": 1}], "nothing": None, "float": 1.5}


def made(expression: str) -> Any:
    environment = admission_environment(AdmissionVariables(patches=True), stored=True)
    program = compile_expression(f"Object{{f: {expression}}}", environment, None).program
    assert program is not None
    return Natives([OBJECT]).fields(program.evaluate({"object": OBJECT}))["f"]


@pytest.mark.parametrize(
    ("expression", "json"),
    [
        ("1", 1),
        ("2.0", 2),
        ("2.5", 2.5),
        ("true", True),
        ("'x'", "x"),
        ("['1', 'a']", ["1", "a"]),
        ("{'a': 1}", {"a": 1}),
        ("Object.f{g: [Object.f.g{h: 1}]}", {"g": [{"h": 1}]}),
        ("object.labels", {"a": "b"}),
        ("object.list", [{"x": 1}]),
        ("[object.labels]", [{"a": "b"}]),
        ("{'a': object.list}", {"a": [{"x": 1}]}),
        ("object.list.map(e, e)", [{"x": 1}]),
        ("optional.of('x')", "x"),
        ("optional.of([1])", [1]),
        ("optional.none()", None),
        ("type(1)", "int"),
    ],
)
def test_what_is_json(expression: str, json: Any) -> None:  # N1
    assert made(expression) == json


@pytest.mark.parametrize(
    ("expression", "name", "text", "syntax"),
    [
        ("null", "structpb.NullValue", "NULL_VALUE", "0"),
        ("object.nothing", "structpb.NullValue", "NULL_VALUE", "0"),
        ("7u", "uint64", "7", "0x7"),
        ("b'xy'", "[]uint8", "[120 121]", "[]uint8{0x78, 0x79}"),
        ("duration('90s')", "time.Duration", "1m30s", "90000000000"),
        ("timestamp('2020-02-03T04:05:06.5Z')", "time.Time", "2020-02-03 04:05:06.5 +0000 UTC",
         "time.Date(2020, time.February, 3, 4, 5, 6, 500000000, time.UTC)"),
    ],
)  # fmt: skip
def test_what_is_not(expression: str, name: str, text: str, syntax: str) -> None:  # N1
    found = made(expression)
    assert isinstance(found, GoValue)
    assert (go_name(found), go_text(found), go_syntax(found)) == (name, text, syntax)


@pytest.mark.parametrize(
    ("expression", "syntax"),
    [
        ("[['1', 'a']]", '[]ref.Val{"1", "a"}'),
        ("[{'b': 1, 'a': 2}]", 'map[ref.Val]ref.Val{"a":2, "b":1}'),
        ("{'k': {'a': 'b'}}", 'map[ref.Val]ref.Val{"a":"b"}'),
    ],
)
def test_one_level_is_unpacked(expression: str, syntax: str) -> None:  # N1
    found = made(expression)
    [inner] = found.values() if isinstance(found, dict) else found
    assert isinstance(inner, GoValue) and inner.syntax == syntax


def test_keys_are_texts() -> None:
    with pytest.raises(NotNative):
        made("{1: 'a'}")
