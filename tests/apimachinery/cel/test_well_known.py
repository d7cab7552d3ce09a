"""Messages of protobuf that are values of CEL."""

from typing import Any

import pytest

from kajitori.apimachinery.cel.errors import CompileError, EvaluationError
from kajitori.apimachinery.cel.kubernetes import environments
from kajitori.apimachinery.cel.values import Duration, Timestamp, UInt

ENVIRONMENT = environments().new


@pytest.mark.parametrize(
    ("text", "type_name", "value"),
    [
        ("Int64Value{value: 1}", "wrapper(int)", 1),
        ("Int64Value{}", "wrapper(int)", 0),
        ("Int64Value{?value: optional.none()}", "wrapper(int)", 0),
        ("UInt64Value{value: 1u}", "wrapper(uint)", UInt(1)),
        ("BoolValue{value: true} && true", "bool", True),
        ("StringValue{value: 'abc'}.size()", "int", 3),
        ("BytesValue{value: b'a'}", "wrapper(bytes)", b"a"),
        ("FloatValue{value: 1.1}", "wrapper(double)", 1.100000023841858),
        ("FloatValue{value: -1e300}", "wrapper(double)", float("-inf")),
        ("Duration{seconds: 5, nanos: 1}", "google.protobuf.Duration", Duration(5_000_000_001)),
        ("Timestamp{seconds: 5}", "google.protobuf.Timestamp", Timestamp(5_000_000_000)),
        ("Value{}", "dyn", None),
        ("Value{null_value: 0}", "dyn", None),
        ("Value{number_value: 1.0}", "dyn", 1.0),
        ("Struct{fields: {'a': 1}}", "map(string, dyn)", {"a": 1.0}),
        ("Struct{fields: {'a': [b'x']}}", "map(string, dyn)", {"a": ["eA=="]}),
        ("Value{struct_value: {'a': {'b': duration('1s')}}}", "dyn", {"a": {"b": "1s"}}),
        ("Struct{fields: {'a': 9007199254740993}}", "map(string, dyn)", {"a": "9007199254740993"}),
        ("ListValue{values: [1, 2]}", "list(dyn)", [1.0, 2.0]),
        ("NullValue.NULL_VALUE", "int", 0),
    ],
)
def test_what_a_message_stands_for(text: str, type_name: str, value: Any) -> None:
    program = ENVIRONMENT.compile(f"google.protobuf.{text}")
    found = program.evaluate({})
    assert str(program.type) == type_name
    assert found == value and type(found) is type(value)


def test_an_empty_message_is_equal_to_another() -> None:
    text = "google.protobuf.Empty{} == google.protobuf.Empty{}"
    assert ENVIRONMENT.compile(text).evaluate({}) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Int64Value{value: null}", "expected type of field 'value' is 'int' but provided type is 'null'"),
        ("Int64Value{val: 1}", "undefined field 'val'"),
        ("FieldMask{}", "undeclared reference to 'google.protobuf.FieldMask'"),
    ],
)
def test_what_the_checker_refuses(text: str, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        ENVIRONMENT.check(f"google.protobuf.{text}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Int32Value{value: 2147483648}", "google.protobuf.Int32Value.value value type: integer overflow"),
        (
            "UInt32Value{value: 4294967296u}",
            "google.protobuf.UInt32Value.value value type: unsigned integer overflow",
        ),
        ("Int64Value{value: dyn('a')}", "unsupported native conversion from string to 'int64'"),
        ("Any{}", "unsupported conversion to ref.Val"),
    ],
)
def test_what_has_no_value(text: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        ENVIRONMENT.compile(f"google.protobuf.{text}").evaluate({})


def test_what_has_no_value_may_be_absorbed() -> None:
    assert (
        ENVIRONMENT.compile("google.protobuf.Int32Value{value: 2147483648} == 1 || true").evaluate({}) is True
    )
