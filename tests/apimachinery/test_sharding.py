"""Shard selectors: the hash, the ranges, what is refused."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.sharding import ShardRange, ShardSelector, fnv1a_64, parse_shard_selector

UID, NAMESPACE = "object.metadata.uid", "object.metadata.namespace"
LOW = f"shardRange({UID}, '0x0000000000000000', '0x8000000000000000')"
HIGH = f"shardRange({UID}, '0x8000000000000000', '0x10000000000000000')"


def test_the_hash_is_fnv() -> None:  # K1
    assert fnv1a_64(b"") == 0xCBF29CE484222325
    assert fnv1a_64(b"foobar") == 0x85944171F73967E8


def test_a_range_holds_its_start_and_not_its_end() -> None:  # K1
    hashed = fnv1a_64(b"foobar")
    assert ShardSelector(UID, (ShardRange(hashed, hashed + 1),)).matches("foobar")
    assert not ShardSelector(UID, (ShardRange(hashed - 1, hashed),)).matches("foobar")
    assert not ShardSelector(UID, (ShardRange(hashed + 1, 1 << 64),)).matches("foobar")


cuts = st.lists(st.integers(1, (1 << 64) - 1), max_size=6, unique=True).map(sorted)


@given(cuts, st.text(max_size=40))
def test_ranges_without_gaps_divide_the_objects(between: list[int], value: str) -> None:  # K2
    bounds = [0, *between, 1 << 64]
    shards = [ShardSelector(UID, (ShardRange(a, b),)) for a, b in pairwise(bounds)]
    assert sum(shard.matches(value) for shard in shards) == 1


@given(st.sampled_from((UID, NAMESPACE)), cuts.filter(bool))
def test_what_is_told_back_says_the_same(field: str, between: list[int]) -> None:  # K3
    ranges = tuple(ShardRange(cut, 1 << 64) for cut in between)
    selector = ShardSelector(field, ranges)
    assert parse_shard_selector(str(selector)) == selector


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LOW, LOW),
        (f"{LOW}||{HIGH}", f"{LOW} || {HIGH}"),
        (f"  ( {LOW} )\n|| (({HIGH}))  // the rest", f"{LOW} || {HIGH}"),
        (LOW.replace("'0x8", "r'0x8").replace("'", '"'), LOW),
    ],
)
def test_the_form_that_is_told_back_is_kubernetes(text: str, told: str) -> None:  # K3
    assert str(parse_shard_selector(text)) == told


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" ", "empty shard selector is not allowed; omit the parameter for unfiltered lists"),
        ("x", "unexpected expression kind 3; expected shardRange() call or || operator"),
        ("x.y", "unexpected expression kind 7; expected shardRange() call or || operator"),
        ("1", "unexpected expression kind 5; expected shardRange() call or || operator"),
        ("f(1)", 'unsupported function "f"; only shardRange() and || are allowed'),
        ("shardRange()", "shardRange() requires exactly 3 arguments, got 0"),
        (
            "shardRange(1, '0x0', '0x1')",
            "shardRange() first argument: expected field path (e.g. object.metadata.uid), got expression kind 5",
        ),
        (
            "shardRange(object.metadata.name, '0x0', '0x1')",
            'unsupported field path "object.metadata.name"; '
            "supported: object.metadata.uid, object.metadata.namespace",
        ),
        (f"shardRange({UID}, 1, 2)", "hexStart must be a string literal, got int64"),
        (
            f"shardRange({UID}, a, 2)",
            "hexStart must be a string literal (e.g. '0xff'), got expression kind 3",
        ),
        (f"shardRange({UID}, '1', '2')", "hexStart must have '0x' prefix, got \"1\""),
        (f"shardRange({UID}, '0x', '0x')", "hexStart: hex value is required after '0x'"),
        (
            f"shardRange({UID}, '0x0', '0x8')",
            'hexStart must be a 0x-prefixed 16-digit hex value, got "0x0" (did you mean "0x0000000000000000"?)',
        ),
        (
            LOW.replace("0x8", "0xF"),
            'hexEnd: invalid hex character "F" in "0xF000000000000000"',
        ),
        (
            HIGH.replace("0x10", "0x20"),
            "hexEnd: 17-digit hex value must be '0x10000000000000000' (2^64), got \"0x20000000000000000\"",
        ),
        (
            HIGH.replace("0x10", "0x100"),
            'hexEnd: hex value too long (18 chars, max 17): "100000000000000000"',
        ),
        (
            LOW.replace("0x0", "0x8"),
            "shard range start 0x8000000000000000 must be less than end 0x8000000000000000",
        ),
        (
            f"{LOW} || {LOW.replace('uid', 'namespace')}",
            'all shard ranges must use the same field, got "object.metadata.uid" and "object.metadata.namespace"',
        ),
        ("(" * 300, "CEL parse error: expression recursion limit exceeded: 250"),
        (f"{LOW} ||", "CEL parse error: Syntax error: mismatched input '<EOF>'"),
        (f"({LOW}", "CEL parse error: Syntax error: missing ')' at '<EOF>'"),
        (f"{LOW} {LOW}", "CEL parse error: Syntax error: extraneous input 'shardRange' expecting <EOF>"),
        (f"{LOW} | {HIGH}", "CEL parse error: Syntax error: token recognition error at: '|'"),
    ],
)
def test_what_is_wrong_is_told(text: str, why: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_shard_selector(text)
    assert str(refused.value) == why


@given(st.text(alphabet="shardRange(object.metadata.uid,'0x8 \"|)/", max_size=60))
def test_any_text_is_a_selector_or_a_complaint(text: str) -> None:
    try:
        selector = parse_shard_selector(text)
    except ValueError:
        return
    assert parse_shard_selector(str(selector)) == selector
