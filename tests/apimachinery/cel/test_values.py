"""Values of CEL: equality, members of maps, sizes."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.types import INT, object_type
from kajitori.apimachinery.cel.values import (
    LIST,
    MAP,
    MISSING,
    NONE,
    UINT_MAX,
    Duration,
    MapValue,
    Optional,
    Struct,
    Timestamp,
    UInt,
    actual_size,
    contains,
    equal,
    find,
    index_of,
    keys_of,
    type_of,
)

numbers = st.one_of(
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(0, UINT_MAX).map(UInt),
    st.floats(),
    st.integers(-3, 3),
)
scalars = st.one_of(numbers, st.booleans(), st.none(), st.text(max_size=3), st.binary(max_size=3))


@given(numbers, numbers)
def test_numbers_are_equal_by_value_across_types(left: Any, right: Any) -> None:  # V1
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)
    assert equal(left, right) == (left == right)


def test_a_double_equals_the_integers_that_round_to_it() -> None:  # V1
    assert equal(2**53 + 1, 2.0**53) and equal(UInt(UINT_MAX), 2.0**64)


def test_nan_equals_nothing() -> None:  # V1
    assert not equal(math.nan, math.nan)
    assert not equal([math.nan], [math.nan])


def test_a_key_is_found_by_any_number_of_its_value() -> None:  # V2
    of_one = MapValue([(1, "a"), (UInt(2), "b")])
    assert [find(of_one, key) for key in (1, UInt(1), 1.0)] == ["a"] * 3
    assert [find(of_one, key) for key in (2, UInt(2), 2.0)] == ["b"] * 3
    assert find(of_one, 1.5) is MISSING and find(of_one, "1") is MISSING and find(of_one, math.inf) is MISSING


def test_true_and_one_are_different_keys() -> None:  # V2
    both = MapValue([(True, "yes"), (1, "one")])
    assert len(both) == 2
    assert (find(both, True), find(both, 1), find(both, UInt(1))) == ("yes", "one", "one")
    assert find(MapValue([(1, "one")]), True) is MISSING
    assert find({"1": 1}, 1) is MISSING


@given(scalars, scalars)
def test_equality_of_different_types_is_false(left: Any, right: Any) -> None:  # V3
    kinds = {type_of(left), type_of(right)}
    if len(kinds) == 2 and not all(one.name in ("int", "uint", "double") for one in kinds):
        assert not equal(left, right)


@given(scalars, scalars)
def test_equality_has_no_side(left: Any, right: Any) -> None:
    assert equal(left, right) == equal(right, left)
    assert equal([left], [right]) == equal(left, right) == equal({"a": left}, {"a": right})


def test_maps_are_equal_by_their_entries() -> None:
    assert equal({"a": 1}, {"a": 1.0})
    assert equal({"a": 1}, MapValue([("a", 1)]))
    assert not equal({"a": 1}, {"b": 1})
    assert not equal({}, [])
    assert equal(MapValue([(1, 2)]), MapValue([(UInt(1), 2)]))


def test_optionals_are_equal_when_both_are_empty_or_hold_equal_values() -> None:
    assert equal(NONE, NONE) and not equal(NONE, Optional(None))
    assert equal(Optional(1), Optional(1.0)) and not equal(Optional(1), 1)


def test_messages_of_different_types_are_not_equal() -> None:
    one, other = object_type("A", {"x": INT}), object_type("B", {"x": INT})
    assert equal(Struct(one, [("x", 1)]), Struct(one, [("x", 1)]))
    assert not equal(Struct(one, [("x", 1)]), Struct(other, [("x", 1)]))
    assert type_of(Struct(one, [])).name == "A"


def test_types_of_values() -> None:
    empty: tuple[Any, ...] = ([], (), {}, MapValue([]))
    assert [type_of(one) for one in empty] == [LIST, LIST, MAP, MAP]
    assert equal(type_of(1), INT)


def test_membership() -> None:
    assert contains([1, 2], 2.0) and not contains([1], True) and contains({"a": None}, "a")
    with pytest.raises(EvaluationError, match="no such overload"):
        contains(1, 1)


def test_a_range_is_a_list_or_a_map() -> None:
    assert list(keys_of(MapValue([(2, "x")]))) == [2]
    with pytest.raises(EvaluationError, match=r"got 'types.Int', expected iterable type"):
        keys_of(3)


def test_positions_in_lists() -> None:
    assert [index_of(one) for one in (1, UInt(1), 1.0)] == [1, 1, 1]
    for wrong in (1.5, "1", UInt(UINT_MAX)):
        with pytest.raises(EvaluationError, match="unsupported index"):
            index_of(wrong)


def test_sizes_for_costs() -> None:
    sized = ("日本", b"abc", [1], {"a": 1}, Optional("abcd"), NONE, 7, None, Duration(1), Timestamp(0))
    assert [actual_size(one) for one in sized] == [2, 3, 1, 1, 4, 1, 1, 1, 1, 1]
