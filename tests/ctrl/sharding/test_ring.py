"""Where objects are on a ring, and what moves when shards come and go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.ctrl.sharding.ring import HashRing, object_key
from kajitori.ctrl.sharding.xxh64 import xxh64

KEYS = [object_key("example.com", "Widget", "default", f"w-{number}") for number in range(200)]
shards = st.sets(st.sampled_from([f"op-{number}" for number in range(15)]), max_size=6)


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("", 0xEF46DB3751D8E999),
        ("a", 0xD24EC4F1A98C6E5B),
        ("abc", 0x44BC2CF5AD770999),
        ("abcd", 0xDE0327B0D25D92CC),
        ("abcdefg", 0x1860940E2902822D),
        ("abcdefgh", 0x3AD351775B4634B7),
        ("op-10", 0xB91EB1F7158A46D8),
        ("example.com/Widget/default/w-1", 0x46A30E69FCAA9E32),
        ("x" * 31, 0x60DD0D01083B99F0),
        ("01234567890123456789012345678901", 0xE5CC9F411EA110BA),
        ("0123456789" * 10, 0xF80E7B96315AFFFA),
        ("舵取り", 0x5C82C4E603E1B0E6),
    ],
)
def test_hashes_are_those_of_the_go_sharder(text: str, hashed: int) -> None:
    """As cespare/xxhash v2.3.0 gives them, which the Go sharder uses."""
    assert xxh64(text) == hashed


def test_objects_are_where_the_go_sharder_puts_them() -> None:  # H1
    """As its ring, with 100 tokens of node and number, gives them; `op-1` and `op-11` have a token in common."""
    ring = HashRing(["op-0", "op-1", "op-2", "op-11"])
    assert [ring.shard_of(key) for key in KEYS[:12]] == [
        *("op-11", "op-1", "op-1", "op-0", "op-2", "op-2", "op-0", "op-2", "op-0", "op-2", "op-11", "op-0")
    ]


@given(shards, st.randoms())
def test_the_order_of_shards_makes_no_difference(names: set[str], random: object) -> None:  # H1
    listed = list(names)
    random.shuffle(listed)  # type: ignore[attr-defined]
    one, other = HashRing(names), HashRing(listed)
    assert [one.shard_of(key) for key in KEYS] == [other.shard_of(key) for key in KEYS]


@given(shards, st.sampled_from(["op-3", "op-14", "new"]))
def test_only_what_must_move_moves(names: set[str], comer: str) -> None:  # H2
    before, after = HashRing(names - {comer}), HashRing(names | {comer})
    for key in KEYS:
        assert after.shard_of(key) in (before.shard_of(key), comer)


def test_shares_are_about_equal() -> None:
    ring = HashRing([f"shard-{number}" for number in range(5)])
    keys = [object_key("", "ConfigMap", "default", f"c-{number}") for number in range(2_000)]
    counts = [sum(ring.shard_of(key) == shard for key in keys) for shard in ring.shards]
    assert min(counts) > 250 and max(counts) < 600


def test_without_shards_an_object_is_nobodys() -> None:
    assert HashRing([]).shard_of(KEYS[0]) == ""
