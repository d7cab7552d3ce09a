"""Every snippet of the documentation does what the page says.

The convention is in docs/README.md, section "Snippets". One test a page, with a cluster of its own.
"""

from pathlib import Path

import pytest
from tests.docs.pages import LANGUAGES, ROOT, matches, pages, snippets
from tests.docs.session import Session


def _cases() -> list[object]:
    cases: list[object] = []
    for page in pages():
        # The Japanese README has the English one's snippets, as a test below makes sure.
        if page.name != "README.ja.md" and any(each.language != "text" for each in snippets(page)):
            cases.append(pytest.param(page, id=str(page.relative_to(ROOT)), marks=pytest.mark.e2e))
    return cases


@pytest.mark.parametrize("page", _cases())
def test_page(page: Path, tmp_path: Path, kubectl_path: Path) -> None:
    with Session(tmp_path, kubectl_path) as session:
        for snippet in snippets(page):
            session.run(snippet)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_fences_say_what_is_in_them(page: Path) -> None:
    for snippet in snippets(page):
        assert snippet.language in LANGUAGES, f"{snippet.where}: one of {sorted(LANGUAGES)}"


def test_the_readmes_have_the_same_snippets() -> None:
    english, japanese = (snippets(ROOT / name) for name in ("README.md", "README.ja.md"))
    assert [(each.language, each.lines) for each in english] == [
        (each.language, each.lines) for each in japanese
    ]


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        (["NAME   AGE", "a  ...s"], "NAME AGE\na    3s\n"),
        (["first", "...", "last"], "first\nsecond\nthird\nlast\n"),
        (["...", "last"], "last\n"),
        (["..."], ""),
        (["a (b) [c]"], "a (b) [c]"),
        (["one", "", "two"], "one\n\ntwo\n\n"),
    ],
)
def test_what_matches(expected: list[str], printed: str) -> None:
    assert matches(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        (["first"], "first\nsecond\n"),
        (["second"], "first\nsecond\n"),
        (["a  3s"], "a  4s\n"),
        (["first", "...", "last"], "first\nsecond\n"),
        (["one", "two"], "one\n\ntwo\n"),
    ],
)
def test_what_does_not(expected: list[str], printed: str) -> None:
    assert not matches(expected, printed)
