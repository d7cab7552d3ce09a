"""No call does more work or makes more than a budget could pay for, even where Kubernetes would try."""

import pytest

from kajitori.apimachinery import cel
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.libraries.lists import lists
from kajitori.apimachinery.cel.libraries.strings import strings
from kajitori.apimachinery.cel.prices import traversed
from kajitori.apimachinery.cel.standard import STANDARD

PLAIN = Environment([STANDARD, strings(4), lists(3)])


def manifold(depth: int, inner: str) -> str:
    """A list of a hundred lists, each of a hundred lists, and so on, all of them the same ones."""
    text = inner
    for level in range(depth):
        name = f"x{level}"
        text = f"[{text}].map({name}, [{', '.join([name] * 100)}])[0]"
    return text


@pytest.mark.parametrize(
    "text",
    [
        "lists.range(1000001)",
        "lists.range(1001).map(i, [i]).distinct()",
        "'%.10000001f'.format([1.0])",
        f"'{'x' * 4000}'.replace('x', '{'y' * 4000}')",
        f"lists.range(1300).map(i, 'x').join('{'y' * 8000}')",
        f"sets.contains({manifold(1, '1')}.map(i, lists.range(1001))[0], lists.range(1001))",
        f"{manifold(4, '1')}.flatten(4)",
        f"'%s'.format([{manifold(4, '[1]')}])",
        f"{manifold(4, '[]')}.indexOf([])",
    ],
)
def test_a_call_that_would_never_end_is_stopped(text: str) -> None:
    with pytest.raises(cel.CostLimitExceeded):
        cel.environments().new.compile(text).evaluate({})


def test_so_it_is_in_plain_formats() -> None:
    with pytest.raises(cel.CostLimitExceeded):
        PLAIN.compile(f"'%s'.format([{manifold(4, '[1]')}])").evaluate({})


def test_what_a_value_holds_is_counted_once_for_each_place() -> None:
    assert traversed([[1, 2], ["x" * 25, "é" * 10], {"a" * 10: 1}, b"y" * 19]) == 2 + 2 + 2 + 2 + 1
