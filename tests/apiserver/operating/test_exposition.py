"""Prometheus' text format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apiserver.operating.exposition import Histogram, family, labelled


def test_a_histogram_counts_what_is_at_most_its_bounds() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.add(value)
    assert list(family("a", "histogram", "What.", [('x="y"', histogram)])) == [
        "# HELP a What.",
        "# TYPE a histogram",
        'a_bucket{x="y",le="1"} 2',
        'a_bucket{x="y",le="2"} 3',
        'a_bucket{x="y",le="+Inf"} 4',
        'a_sum{x="y"} 12',
        'a_count{x="y"} 4',
    ]


def test_a_family_without_samples_is_not_there() -> None:
    assert list(family("a", "gauge", "What.", [])) == []


@pytest.mark.parametrize(
    ("value", "shown"), [(3, "3"), (1000.0, "1000"), (1e6, "1e+06"), (1.05e6, "1.05e+06"), (0.005, "0.005")]
)
def test_numbers_are_as_go_writes_them(value: float, shown: str) -> None:
    assert list(family("a", "gauge", "What.", [("", value)]))[-1] == f"a {shown}"


def test_labels_are_sorted_and_escaped() -> None:
    assert labelled({"b": 'a "quote"\n', "a": "\\"}) == r'a="\\",b="a \"quote\"\n"'


@given(st.lists(st.floats(0, 100)))
def test_merging_into_coarser_bounds_is_as_having_counted_there(values: list[float]) -> None:
    fine, coarse, counted = Histogram((1.0, 5.0, 10.0, 50.0)), Histogram((5.0, 50.0)), Histogram((5.0, 50.0))
    for value in values:
        fine.add(value)
        counted.add(value)
    coarse.merge(fine)
    assert coarse.counts == counted.counts and coarse.sum == counted.sum
