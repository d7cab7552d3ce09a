"""Sets and keyed lists: equality without order, addition that merges."""

from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.cel.list_types import KeyedList, SetList
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
