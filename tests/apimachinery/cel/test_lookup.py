"""What selecting and indexing find."""

from typing import Any

import pytest

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.lookup import probe, qualify
from kajitori.apimachinery.cel.types import INT, object_type
from kajitori.apimachinery.cel.values import MISSING, NONE, MapValue, Struct


def test_null_is_absent_in_objects_and_a_value_in_maps() -> None:  # S1
    assert probe({"a": None}, "a", declared=True) is MISSING
    assert probe({"a": None}, "a", declared=False) is None


@pytest.mark.parametrize(
    ("holder", "key", "message"),
    [
        ({"a": 1}, "b", "no such key: b"),
        ({"a": 1}, 1, "no such key: 1"),
        ({"a": 1}, True, "no such key: true"),
        (None, "b", "no such key: b"),
        ("text", "b", "no such key: b"),
        ([1], 1, "index out of bounds: 1"),
        ([1], -1, "index out of bounds: -1"),
        ([1], "a", "unsupported index type 'string' in list"),
        ([1], 0.5, "unsupported index value 0.5 in list"),
        ({}, None, "invalid qualifier type: types.Null"),
        ({}, NONE, "invalid qualifier type: *types.Optional"),
    ],
)
def test_what_is_absent_is_an_error(holder: Any, key: Any, message: str) -> None:  # S2
    with pytest.raises(EvaluationError) as error:
        qualify(holder, key, key, declared=False)
    assert str(error.value) == message


def test_what_is_absent_is_optionally_nothing() -> None:  # S2
    for holder, key in (({"a": 1}, "b"), (None, "b"), ([1], 1), ([], -1), (5, 5)):
        assert probe(holder, key, declared=False) is MISSING


def test_positions_and_keys_may_be_any_number_of_the_same_value() -> None:
    assert qualify([7], 0.0, 0.0, declared=False) == 7
    assert qualify(MapValue([(1, "a")]), 1.0, 1.0, declared=False) == "a"


def test_fields_of_messages_that_were_not_set_are_null() -> None:
    message = Struct(object_type("M", {"a": INT}), [("a", 1)])
    assert qualify(message, "a", "a", declared=True) == 1
    assert qualify(message, "b", "b", declared=True) is None
