"""Tests that the documentation names are there."""

import re
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, pages

NAMED = re.compile(r"`(test_[a-z_0-9]+)[\[`]|`(tests/[a-z_0-9/]+\.py)`")
TESTS = "\n".join(each.read_text() for each in sorted((ROOT / "tests").rglob("test_*.py")))


@pytest.mark.parametrize("page", [each for each in pages() if NAMED.search(each.read_text())], ids=str)
def test_tests_that_are_named_are_there(page: Path) -> None:
    for name, file in NAMED.findall(page.read_text()):
        assert not name or f"def {name}(" in TESTS or name.endswith(".py"), name
        assert not file or (ROOT / file).exists(), file
