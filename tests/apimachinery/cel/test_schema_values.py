"""Sets and keyed lists: equality without order, addition that merges. Objects that hide something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.schema_values import FaultyList, FaultyMap, KeyedList, PartialObject, SetList
from kajitori.apimachinery.cel.standard.arithmetic import add
from kajitori.apimachinery.cel.values import equal

SCALARS = st.lists(st.one_of(st.integers(-2, 2), st.booleans(), st.text("ab", max_size=1)), max_size=5).map(
    lambda found: list({(type(each), each): each for each in found}.values())
)


@given(SCALARS, st.randoms(use_true_random=False))
def test_a_set_has_no_order(elements: list[object], random: object) -> None:  # L1
    shuffled = list(elements)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert equal(SetList(elements), SetList(shuffled)) and equal(SetList(elements), shuffled)
    assert not equal(SetList(elements), [*shuffled, "c"])


@given(SCALARS, SCALARS)
def test_adding_sets_adds_what_is_new(one: list[object], other: list[object]) -> None:  # L2
    merged = add(SetList(one), SetList(other))
    assert type(merged) is SetList and merged[: len(one)] == one
    assert equal(merged, add(merged, SetList(other)))
    for each in other:
        assert any(type(known) is type(each) and known == each for known in merged)


def test_one_and_true_are_two_elements() -> None:
    assert not equal(SetList([1]), SetList([True]))
    assert add(SetList([1]), [True]) == [1, True]


def test_a_set_is_never_equal_to_what_is_no_list() -> None:
    assert not equal(SetList([]), {}) and not equal(SetList(["a"]), [["a"]])


def keyed(*elements: object) -> KeyedList:
    return KeyedList(list(elements), ("name",))


def test_keyed_lists_have_no_order() -> None:  # L1
    one, two = {"name": "a", "x": 1}, {"name": "b", "x": 2}
    assert equal(keyed(one, two), keyed(two, one)) and equal(keyed(one, two), [two, one])
    assert not equal(keyed(one, two), keyed(one, {"name": "b", "x": 3}))
    assert not equal(keyed(one, two), keyed(one, {"name": "c", "x": 2}))
    assert not equal(keyed(one), keyed(one, two))
    assert not equal(keyed(one), ["a"])


def test_adding_keyed_lists_takes_over_in_place() -> None:  # L2
    merged = add(keyed({"name": "a", "x": 1}, {"name": "b"}), [{"name": "c"}, {"name": "a", "x": 2}])
    assert type(merged) is KeyedList
    assert merged == [{"name": "a", "x": 2}, {"name": "b"}, {"name": "c"}]
    assert equal(merged, keyed({"name": "c"}, {"name": "b"}, {"name": "a", "x": 2}))


def test_a_plain_list_on_the_left_is_plain() -> None:
    assert not equal(["b", "a"], SetList(["a", "b"]))
    assert type(add(["a"], SetList(["a"]))) is list


def partial(**members: object) -> PartialObject:
    return PartialObject(members, frozenset(name for name in members if name.startswith("x")))


def test_what_is_hidden_cannot_be_read() -> None:  # L3
    found = partial(a=1, x=2)
    assert "x" not in found and found.get("x") is None and found.get("x", 3) == 3 and len(found) == 2
    with pytest.raises(KeyError):
        found["x"]
    assert found["a"] == 1


def test_objects_that_hide_something_are_equal_as_kubernetes_has_it() -> None:  # L3
    assert equal(partial(a=1, x=2), partial(a=1, x=2))
    assert not equal(partial(a=1, x=2), partial(a=1, x=3))
    # Kubernetes counts members, and looks at what only one side has no further.
    assert equal(partial(a=1, x=2), partial(a=1, xx=3))
    assert equal(partial(a=None, b=1), {"b": 1, "c": None})
    assert not equal(partial(a=None), {})
    assert not equal(partial(a=None), {"a": 1})
    assert not equal(partial(a=1, b=None), partial(a=2, b=None))
    with pytest.raises(EvaluationError, match="no such overload"):
        equal(partial(a=None), [1])


def test_comparing_what_cannot_be_had_is_an_error_on_the_left_and_unequal_on_the_right() -> None:  # L4
    faulty = FaultyMap({"a": 1, "b": "x"}, {"b": "invalid data"})
    above = FaultyMap({"deep": faulty}, {})
    with pytest.raises(EvaluationError, match="invalid data"):
        equal(faulty, {"a": 1, "b": "x"})
    with pytest.raises(EvaluationError, match="invalid data"):
        equal(above, above)
    assert not equal({"a": 1, "b": "x"}, faulty)
    assert not equal(faulty, {"a": 1})
    elements = FaultyList([1, "x"], {1: "invalid data"})
    with pytest.raises(EvaluationError, match="invalid data"):
        equal(elements, [1, "x"])
    assert not equal(elements, [2, "x"]) and not equal([1, "x"], elements)
