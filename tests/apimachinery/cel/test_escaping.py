"""Names of properties as identifiers, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.cel.escaping import escape, unescape


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("spec", "spec"),
        ("a_b", "a_b"),
        ("_", "_"),
        ("a__b", "a__underscores__b"),
        ("a.b/c-d", "a__dot__b__slash__c__dash__d"),
        ("namespace", "__namespace__"),
        ("namespaces", "namespaces"),
        ("___", "__underscores___"),
        ("", None),
        ("2nd", None),
        ("a b", None),
        ("ä", None),
        ("$ref", None),
    ],
)
def test_names_become_identifiers(name: str, identifier: str | None) -> None:
    assert escape(name) == identifier


@given(st.from_regex(r"[A-Za-z_./-][A-Za-z0-9_./-]*", fullmatch=True))
def test_there_and_back(name: str) -> None:  # E1
    identifier = escape(name)
    assert identifier is not None and unescape(identifier) == name


@pytest.mark.parametrize("identifier", ["__other__", "a__namespace__", "__in__b"])
def test_sequences_that_stand_for_nothing(identifier: str) -> None:
    assert unescape(identifier) is None
