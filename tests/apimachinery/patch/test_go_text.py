"""JSON values in Go's words."""

import pytest

from kajitori.apimachinery.patch.go_text import go_name, go_syntax, go_text


@pytest.mark.parametrize(
    ("value", "plain", "syntax", "name"),
    [
        (None, "<nil>", "interface {}(nil)", "<nil>"),
        (True, "true", "true", "bool"),
        (5, "5", "5", "int64"),
        (0.5, "0.5", "0.5", "float64"),
        (3.0, "3", "3", "float64"),
        (1e21, "1e+21", "1e+21", "float64"),
        (1e-7, "1e-07", "1e-07", "float64"),
        ('a"b', 'a"b', '"a\\"b"', "string"),
        ([1, "x"], "[1 x]", '[]interface {}{1, "x"}', "[]interface {}"),
        (
            {"b": 1, "a": {"c": None}},
            "map[a:map[c:<nil>] b:1]",
            'map[string]interface {}{"a":map[string]interface {}{"c":interface {}(nil)}, "b":1}',
            "map[string]interface {}",
        ),
    ],
)
def test_values_read_as_go_prints_them(value: object, plain: str, syntax: str, name: str) -> None:
    assert (go_text(value), go_syntax(value), go_name(value)) == (plain, syntax, name)
