"""Versions, and ranges of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.posture.cves.versions import Range, Version, fixed_in, parse_version, range_of

versions = st.builds(Version, st.integers(0, 2), st.integers(0, 3), st.integers(0, 3))


def version(text: str) -> Version:
    found = parse_version(text)
    assert found is not None
    return found


def test_order() -> None:  # V1
    ordered = [
        "1.9.0",
        "1.36.0-alpha.1",
        "1.36.0-alpha.2",
        "1.36.0-beta.0",
        "1.36.0-rc.1",
        "1.36.0",
        "1.36.1",
        "2.0.0",
    ]
    assert sorted(map(version, reversed(ordered))) == list(map(version, ordered))
    assert [str(version(each)) for each in ordered] == ordered


@pytest.mark.parametrize(
    "text", ["v1.29.3", "1.29.3-gke.1282000", "v1.29.3-eks-1a2b3c", "v1.29.3+k3s1", "1.29.3-debian-12-r0"]
)
def test_what_a_vendor_adds_does_not_count(text: str) -> None:  # V1
    assert version(text) == Version(1, 29, 3)


@pytest.mark.parametrize("text", ["", "latest", "v1", "1.2.x", "main", "sha-1234", "1.2.3.4", "１.2.3" * 9])
def test_what_is_no_version(text: str) -> None:
    assert parse_version(text) is None


@given(st.lists(st.tuples(versions, versions), max_size=3), versions)
def test_several_ranges_are_their_union(bounds: list[tuple[Version, Version]], one: Version) -> None:  # V2
    ranges = [Range(introduced, fixed) for introduced, fixed in bounds]
    assert any(one in each for each in ranges) == any(since <= one < fixed for since, fixed in bounds)


def test_bounds() -> None:
    assert version("1.0.0") in range_of() and version("1.0.0") in range_of("0", "1.0.1")
    assert version("1.0.1") not in range_of("0", "1.0.1") and version("1.0.1") in range_of(last="1.0.1")
    assert [str(each) for each in (range_of(), range_of("1.0.0", "1.0.2"), range_of(last="1.4.0"))] == [
        "all versions",
        ">= 1.0.0 < 1.0.2",
        "<= 1.4.0",
    ]
    with pytest.raises(ValueError, match="'soon' is no version"):
        range_of(fixed="soon")


def test_the_nearest_fix_of_the_same_minor() -> None:  # V3
    ranges = [range_of("0", "1.27.13"), range_of("1.28.0", "1.28.9"), range_of("1.29.0", "1.29.4")]
    told = {each: fixed_in(version(each), ranges) for each in ("1.27.1", "1.28.8", "1.26.0", "1.29.9")}
    assert {name: each and str(each) for name, each in told.items()} == {
        "1.27.1": "1.27.13",
        "1.28.8": "1.28.9",
        "1.26.0": "1.27.13",
        "1.29.9": None,
    }
