"""The bounds of history in memory, and what they cost whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.storage import Compacted, Event, Item
from kajitori.storage.history import Bucket, History, Span, prefix_end, undone


def created(revision: int, bucket: str, name: str, size_bytes: int = 1) -> Event:
    return Event(revision, bucket, name, Item(name, b"x" * size_bytes, revision, revision), None, False)


def updated(revision: int, before: Event, size_bytes: int = 1) -> Event:
    item = Item(before.name, b"x" * size_bytes, revision, before.item.created)
    return Event(revision, before.bucket, before.name, item, before.item, False)


def record(history: History, event: Event) -> None:
    bucket = history.bucket(event.bucket)
    bucket.apply(event)
    history.record(bucket, event)


def kept(history: History, bucket: str) -> int:
    return len(history.buckets[bucket].events)


def test_no_more_events_than_the_bound_are_kept() -> None:  # H2
    history = History(events_max=100)
    for revision in range(1, 1001):
        record(history, created(revision, "/pods", f"p{revision}"))
        assert kept(history, "/pods") <= 100
    assert kept(history, "/pods") > 80
    oldest = history.buckets["/pods"].events[0].revision
    assert [event.revision for event in history.since(oldest - 1, "/pods")] == list(range(oldest, 1001))
    with pytest.raises(Compacted) as gone:
        history.since(oldest - 2, "/pods")
    assert (gone.value.revision, gone.value.oldest) == (oldest - 2, oldest - 1)


def test_past_values_are_bounded_in_bytes_and_current_ones_cost_nothing() -> None:  # H2
    history = History(bytes_max=10_000)
    for revision in range(1, 101):
        record(history, created(revision, "/pods", f"p{revision}", 1000))
    assert kept(history, "/pods") == 100
    event = created(101, "/nodes", "n", 1000)
    record(history, event)
    for revision in range(102, 200):
        event = updated(revision, event, 1000)
        record(history, event)
        assert (
            sum(len(each.previous.value) for each in history.since(190, "/nodes") if each.previous) <= 10_000
        )
    assert kept(history, "/nodes") <= 11
    assert kept(history, "/pods") == 100


def test_a_single_value_beyond_the_bound_is_not_kept() -> None:  # H2
    history = History(bytes_max=100)
    first = created(1, "/pods", "p", 1000)
    record(history, first)
    record(history, updated(2, first))
    assert history.since(2, "/pods") == []
    with pytest.raises(Compacted):
        history.since(1, "/pods")


def test_a_busy_bucket_does_not_cost_a_quiet_one_its_events() -> None:  # H3
    history = History(events_max=50)
    record(history, created(1, "/quiet", "q"))
    for revision in range(2, 2000):
        record(history, created(revision, "/busy", f"p{revision}"))
    assert [event.revision for event in history.since(0, "/quiet")] == [1]
    with pytest.raises(Compacted):
        history.since(0, "/busy")
    with pytest.raises(Compacted):
        history.since(0, None)


def test_events_of_all_buckets_come_in_order() -> None:  # H4
    history = History()
    for revision in range(1, 30):
        record(history, created(revision, f"/b{revision % 3}", f"p{revision}"))
    assert [event.revision for event in history.since(4, None)] == list(range(5, 30))


def test_forgetting_spares_whoever_lost_nothing() -> None:  # H4
    history = History()
    record(history, created(1, "/a", "x"))
    record(history, created(2, "/b", "x"))
    record(history, created(3, "/b", "y"))
    history.forget(2)
    assert history.compacted == 2
    assert history.since(1, "/a") == []
    with pytest.raises(Compacted):
        history.since(0, "/a")
    with pytest.raises(Compacted):
        history.since(1, "/b")
    assert [event.revision for event in history.since(2, "/b")] == [3]
    with pytest.raises(Compacted):
        history.since(1, "/never-seen")


names = st.text(alphabet="ab/\u00e9\ud7ff\ue000\U0010ffff", max_size=5)


@given(st.sets(names, min_size=1), names, names, st.integers(0, 5))
def test_range_is_in_byte_order_of_the_names(  # H1
    present: set[str], prefix: str, after: str, limit: int
) -> None:
    bucket = Bucket("/pods", 0)
    for revision, name in enumerate(present, 1):
        bucket.apply(created(revision, "/pods", name))
    expected = sorted(
        (name for name in present if name.startswith(prefix) and (not after or name > after)),
        key=lambda name: name.encode(),
    )
    span = Span(bucket, prefix, after)
    assert [item.name for item in span.first(limit)] == expected[: limit or None]
    assert [item.name for item in span] == expected and len(span) == len(expected)


@given(
    st.dictionaries(names.filter(bool), st.tuples(st.booleans(), st.none() | st.booleans())),
    names,
    names,
    st.sets(names.filter(bool)),
)
def test_a_span_of_the_past_is_what_was_there(  # H1
    states: dict[str, tuple[bool, bool | None]], prefix: str, after: str, some: set[str]
) -> None:
    """Each name is there now or not, and was there or not, or is as it was (None)."""
    bucket = Bucket("/pods", 0)
    past: dict[str, Item | None] = {}
    expected: list[Item] = []
    for revision, (name, (now, before)) in enumerate(states.items(), 1):
        event = created(revision, "/pods", name)
        if now:
            bucket.apply(event)
        old = Item(name, b"old", 0, 0) if before else None
        if before is not None:
            past[name] = old
        was = old if before is not None else event.item if now else None
        if was is not None and name.startswith(prefix) and name > after:
            expected.append(was)
    expected.sort(key=lambda item: item.name)
    span = Span(bucket, prefix, after, past)
    assert list(span) == expected and len(span) == len(expected)
    for number, item in enumerate(expected):
        assert span.left(item.name) == len(expected) - number - 1
    there = sorted(some & bucket.items.keys())
    among = list(span.among(there))
    assert among == [item for item in expected if item.name in there or item.name in past]


def test_a_long_span_is_read_only_as_far_as_it_is_asked_for() -> None:  # H1
    bucket = Bucket("/pods", 0)
    for revision in range(1, 2001):
        bucket.apply(created(revision, "/pods", f"p{revision:05}"))
    items = iter(Span(bucket, "p"))
    assert next(items).name == "p00001"
    del bucket.items["p01500"]
    assert sum(1 for _, _ in zip(items, range(1000), strict=False)) == 1000
    with pytest.raises(KeyError):
        list(items)


@given(names, names)
def test_prefix_end_divides_what_starts_with_the_prefix_from_what_follows(prefix: str, rest: str) -> None:
    end = prefix_end(prefix)
    assert not end or prefix + rest < end
    assert not end or not end.startswith(prefix) or not prefix


def test_undone_tells_the_state_before_the_first_change() -> None:
    made = created(1, "/pods", "p")
    changed = updated(2, made)
    other = created(3, "/pods", "q")
    assert undone([changed, updated(4, changed), other]) == {"p": made.item, "q": None}
