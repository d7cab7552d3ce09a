"""B1 and B2 of `builtins`, F1 of `go_format`. The values are OPA's own."""

from typing import Any

import pytest

from kajitori.operators.kubewarden.runtime.builtins import builtins_at
from kajitori.operators.kubewarden.runtime.go_format import sprintf
from kajitori.wire.wasm.opa import Undefined

FUNCTIONS = builtins_at(now_ns=1_700_000_000_000_000_000)


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("base64url.encode_no_pad", ["a?b>c~"], "YT9iPmN-"),
        ("crypto.md5", ["a"], "0cc175b9c0f1b6a831c399e269772661"),
        ("crypto.sha1", ["a"], "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("crypto.sha256", ["a"], "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        (
            "crypto.hmac.sha256",
            ["a", "k"],
            "78da91511e675587f5b9df78bedebaf5560da2abb88162ee875dcdf744951d9e",
        ),
        ("glob.quote_meta", ["*.a[b]"], "\\*.a\\[b\\]"),
        ("hex.encode", ["é"], "c3a9"),
        ("hex.decode", ["c3a9"], "é"),
        ("json.is_valid", ['{"a":1}'], True),
        ("json.is_valid", ["{"], False),
        ("json.patch", [{"a": 1}, [{"op": "replace", "path": "/a", "value": 2}]], {"a": 2}),
        ("regex.find_n", ["a.", "abacad", 2], ["ab", "ac"]),
        ("regex.find_n", ["a.", "abacad", -1], ["ab", "ac", "ad"]),
        ("regex.replace", ["foo bar", "(o+) (b)", "$2-$1"], "fb-ooar"),
        ("regex.split", ["/", "a/b//c"], ["a", "b", "", "c"]),
        ("regex.template_match", ["urn:{[a-z]+}:x", "urn:abc:x", "{", "}"], True),
        ("regex.template_match", ["urn.{[a-z]+}:x", "urnXabc:x", "{", "}"], False),
        ("semver.compare", ["1.0.0", "1.0.0-rc.1"], 1),
        ("semver.compare", ["1.0.0-rc.2", "1.0.0-rc.10"], -1),
        ("semver.compare", ["1.2.3+a", "1.2.3"], 0),
        ("semver.is_valid", ["1.2"], False),
        ("strings.any_prefix_match", [["ab", "cd"], "c"], True),
        ("strings.any_suffix_match", ["ab", ["x", "y"]], False),
        ("strings.count", ["cheese", "e"], 3),
        ("strings.replace_n", [{"a": "b", "c": "d"}, "ac"], "bd"),
        ("time.now_ns", [], 1_700_000_000_000_000_000),
        ("time.clock", [1_700_000_000_000_000_000], [22, 13, 20]),
        ("time.date", [1_700_000_000_000_000_000], [2023, 11, 14]),
        ("time.date", [[1_700_000_000_000_000_000, "Asia/Tokyo"]], [2023, 11, 15]),
        ("time.weekday", [1_700_000_000_000_000_000], "Tuesday"),
        ("time.parse_duration_ns", ["1h30m"], 5_400_000_000_000),
        ("time.parse_rfc3339_ns", ["2023-11-14T22:13:20.5Z"], 1_700_000_000_500_000_000),
        ("trace", ["x"], True),
        ("units.parse", ["10Ki"], 10240),
        ("units.parse", ["200m"], 0.2),
        ("units.parse_bytes", ["1.5MiB"], 1572864),
        ("units.parse_bytes", ["2k"], 2000),
        ("urlquery.encode", ["a b&c"], "a+b%26c"),
        ("urlquery.decode", ["a+b%26c"], "a b&c"),
        ("urlquery.encode_object", [{"b": ["1", "2"], "a": "x"}], "a=x&b=1&b=2"),
        ("urlquery.decode_object", ["a=x&b=1&b=2"], {"a": ["x"], "b": ["1", "2"]}),
        ("yaml.is_valid", ["a: [1"], False),
        ("yaml.marshal", [{"a": [1]}], "a:\n- 1\n"),
        ("yaml.unmarshal", ["a: [1, x]"], {"a": [1, "x"]}),
    ],
)
def test_a_function(name: str, arguments: list[Any], value: Any) -> None:
    assert FUNCTIONS[name](*arguments) == value


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("hex.decode", ["xy"]),
        ("json.patch", [{"a": 1}, [{"op": "remove", "path": "/b"}]]),
        ("regex.find_n", ["(", "a", 1]),
        ("regex.split", [1, 2]),
        ("semver.compare", ["1", "2"]),
        ("time.parse_rfc3339_ns", ["yesterday"]),
        ("time.parse_duration_ns", ["1 hour"]),
        ("time.date", [[0, "Nowhere/There"]]),
        ("units.parse", ["x"]),
        ("yaml.unmarshal", ["a: ["]),
        ("sprintf", ["%99999999d", [1]]),
    ],
)
def test_a_function_without_a_value(name: str, arguments: list[Any]) -> None:
    with pytest.raises(Undefined):
        FUNCTIONS[name](*arguments)


@pytest.mark.parametrize(
    ("text", "values", "printed"),
    [
        ("%v %s %d", ["a", "b", 3], "a b 3"),
        ("%q", ['a"b'], '"a\\"b"'),
        ("%5d|%-5d|%05d|%+d", [1, 2, 3, 4], "    1|2    |00003|+4"),
        ("%x %X %o %b %c", [255, 255, 8, 5, 65], "ff FF 10 101 A"),
        ("%.2f %6.1f", [1.005, 2.25], "1.00    2.2"),
        ("%v", [{"b": [1, "x", True], "a": None}], '{"a": null, "b": [1, "x", true]}'),
        ("%s", [["a"]], '["a"]'),
        ("%v", [True], "true"),
        ("100%%", [], "100%"),
        ("%d", [], "%!d(MISSING)"),
        ("%d", ["x"], "%!d(string=x)"),
        ("%s", [1], "%!s(int=1)"),
        ("a", [1, "b"], "a%!(EXTRA int=1, string=b)"),
        ("%", [], "%!(NOVERB)"),
        ("%T %T %T", [1, 1.5, "a"], "int float64 string"),
    ],
)
def test_formats(text: str, values: list[Any], printed: str) -> None:
    assert sprintf(text, values) == printed
