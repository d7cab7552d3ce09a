"""Trees as text. U cites `cel.unparse`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.apimachinery.cel.test_parser import MACROS, parsed, shape

from kajitori.apimachinery.cel.errors import CompileError
from kajitori.apimachinery.cel.parser import parse
from kajitori.apimachinery.cel.unparse import unparse

WRITTEN = [
    "a + b * c - (d - e)",
    "(a + b) * c",
    "a && (b || c) && !d",
    "a ? b : (c ? d : e)",
    "(a ? b : c).d[(1 + 2)]",
    "a < b == (c < d)",
    "a in [1, ?b, -2, 3u, 1.5]",
    '{"k": v, ?a: null}',
    '.a.b.C{x: 1, ?`y-z`: b"\\001\\377"}',
    'a.?b[?c].orValue("\\n é")',
    "a.all(x, x > 0) && has(a.b) && a.map(y, y.z).filter(w, w == 1)",
    "a.?b.optMap(x, x + 1).optFlatMap(y, optional.of(y))",
    "(-a).b && (!c).d()",
    "1e+06 + 1e-07 + 2.0",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_what_is_written_is_written_again(text: str) -> None:  # U1, U2
    plain = text.replace("[(1 + 2)]", "[1 + 2]")
    assert unparse(parsed(text)) == plain


def test_brackets_that_say_nothing_go_and_quotes_become_one_kind() -> None:  # U2
    assert unparse(parsed("((a) + (b.c)) == 'x'")) == 'a + b.c == "x"'
    assert unparse(parsed("b'a'")) == 'b"\\141"'


def test_long_conditions_are_wrapped() -> None:  # U2
    text = " && ".join(f"metadata.labels.part_{number} == 1" for number in range(4))
    assert unparse(parsed(text)).split("\n") == [
        "metadata.labels.part_0 == 1 && metadata.labels.part_1 == 1 && metadata.labels.part_2 == 1 &&",
        "metadata.labels.part_3 == 1",
    ]


def test_a_part_can_be_written_alone() -> None:
    tree = parsed("a && b.all(x, x > 1)")
    assert [unparse(tree, one) for one in getattr(tree.root, "args", ())] == ["a", "b.all(x, x > 1)"]


leaves = st.sampled_from(
    ["a", "1", "-2", "3u", "1.5", '"s"', "true", "null", "b.c", "d()", "[1, ?a]", "{1: 2}", "T{x: 1}"]
)
texts = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "<", "==", "in", "&&", "||"]), inner).map(" ".join),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"!({one})"),
        inner.map(lambda one: f"-({one})"),
        inner.map(lambda one: f"({one}).f"),
        inner.map(lambda one: f"({one})[?0]"),
        inner.map(lambda one: f"g({one}, a)"),
        inner.map(lambda one: f"({one}).all(x, {one})"),
        st.tuples(inner, inner, inner).map(lambda three: f"({three[0]}) ? ({three[1]}) : ({three[2]})"),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_it_parses_to_the_same_tree(text: str) -> None:  # U1
    try:
        tree = parse(text, MACROS)
    except CompileError:
        return
    written = unparse(tree)
    again = parse(written, MACROS)
    assert unparse(again) == written
    assert shape(again.root) == shape(tree.root)


def test_depth_costs_no_frames() -> None:
    text = "f(" * 240 + "a" + ")" * 240
    assert unparse(parsed(text)) == text
