"""Pages lead where they say, and what they name is there."""

import re
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, anchors, links, pages

from kajitori.cluster.admission import DEFAULT_PLUGINS

_PAGES = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


@_PAGES
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.relative_to(ROOT)}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.relative_to(ROOT)}: no heading {link}"


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    told = {(index.parent / link).resolve() for link in links(index)}
    assert {page for page in pages() if page.parent not in (ROOT, index.parent)} <= told


@_PAGES
def test_modules_and_scripts_that_are_named_are_there(page: Path) -> None:
    """`storage/log.py`, `apimachinery/managedfields`, `tools/gen_reference.py`: below the package or the repository."""
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.read_text())
    tops = {each.name for each in (ROOT / "src/kajitori").iterdir() if each.is_dir()} | {
        "tools",
        "tests",
        "bench",
    }
    for name in re.findall(r"`((\w+)/[\w./*]+)`", text):
        if name[1] in tops:
            places = [ROOT, ROOT / "src/kajitori"]
            found = [
                each for place in places for suffix in ("", ".py") for each in place.glob(name[0] + suffix)
            ]
            assert found, f"{page.relative_to(ROOT)}: {name[0]}"


_MODULES = {
    "consistency-and-durability": (
        *("interface", "format", "log", "tail", "listing", "watching", "history", "backup", "restore"),
    ),
    "the-road-of-a-request": (
        *(
            "connection",
            "reader",
            "connection",
            "authenticator",
            "rbac",
            "chain",
            "mutating",
            "podsecurity",
            "quotas",
            "accounts",
            "directories",
        ),
        *("updating", "observer", "inflight", "trail", "tracing"),
    ),
    "the-controller-runtime": (
        *(
            "controller",
            "calling",
            "watching",
            "source",
            "clusters",
            "http_source",
            "providers",
            "rate_limit",
            "symptoms",
        ),
        *("queue_state", "workqueue", "object_reconciler", "manager"),
    ),
    "cel": (
        *(
            "lexer",
            "parser",
            "macros",
            "diagnosis",
            "unparse",
            "checker",
            "environment",
            "kubernetes",
            "schemas",
        ),
        *("conversion", "values", "compiler", "estimator", "explaining"),
    ),
}


def _tables(page: str) -> list[tuple[str, str]]:
    return re.findall(
        r"(?m)^Promises of `([\w/]+)\.py`:\n\n\| \| promise \| tests \|\n\|---\|---\|---\|\n((?:\|.*\n)+)",
        (ROOT / f"docs/explanation/{page}.md").read_text(),
    )


_TABLES = [table for page in _MODULES for table in _tables(page)]


@pytest.mark.parametrize("page", _MODULES)
def test_the_page_has_a_table_for_each_of_these_modules(page: str) -> None:
    assert tuple(module.rpartition("/")[2] for module, _ in _tables(page)) == _MODULES[page]


@pytest.mark.parametrize(("module", "table"), _TABLES, ids=[module for module, _ in _TABLES])
def test_promises_have_the_tests_that_the_page_names(module: str, table: str) -> None:
    source = (ROOT / "src/kajitori" / f"{module}.py").read_text().split('"""')[1]
    rows = re.findall(r"(?m)^\| ([A-Z]\d+) \| .* \| (.*) \|$", table)
    assert [name for name, _ in rows] == re.findall(r"(?m)^    ([A-Z]\d+)  ", source), "all, and no others"
    folder = ROOT / "tests" / Path(module).parent
    definitions = "\n".join(path.read_text() for path in folder.glob("test_*.py"))
    for promise, cell in rows:
        tests = re.findall(r"`(test_\w+)`", cell)
        assert tests, f"{promise} has no test"
        for test in tests:
            _assert_is_of(test, promise, definitions)


def _assert_is_of(test: str, promise: str, definitions: str) -> None:
    found = re.search(rf"(?m)^(?:async )?def {test}\((?:.|\n)*?\) -> None:  # (.*)$", definitions)
    assert found, f"{promise}: there is no {test} with a promise behind it"
    assert promise in re.split(r"[,\s]+", found[1]), f"{test} says {found[1]}, the page says {promise}"


def test_what_follows_from_each_outcome_and_fault_is_held_by_tests() -> None:
    text = (ROOT / "docs/explanation/the-controller-runtime.md").read_text()
    tables = re.findall(
        r"(?m)^\| .* tests \|\n\|[-|]+\|\n((?:\|.*\n)+)", text.partition("## What is promised")[0]
    )
    definitions = "\n".join(path.read_text() for path in (ROOT / "tests/ctrl").glob("test_*.py"))
    assert [len(table.splitlines()) for table in tables] == [17, 13]
    for row in "".join(tables).splitlines():
        tests = re.findall(r"`(test_\w+)`", row)
        assert tests, row
        assert all(f"def {test}(" in definitions for test in tests), row


def test_the_laws_of_field_ownership_have_the_tests_that_the_page_names() -> None:
    text = (ROOT / "docs/explanation/field-ownership.md").read_text()
    files = [each for folder in ("api*", "fuzz") for each in ROOT.glob(f"tests/{folder}/**/test_*.py")]
    definitions = "\n".join(path.read_text() for path in files)
    rows = re.findall(r"(?m)^\| ([A-Z]\d) \| .* \| (.*) \|$", text)
    assert [name for name, _ in rows] == ["O1", "O2", "O3", "O4", "W1", "W2", "W3", "W4", "W5", "F1"]
    for promise, cell in rows:
        tests = re.findall(r"`(test_\w+)`", cell)
        assert tests, f"{promise} has no test"
        for test in tests:
            _assert_is_of(test, promise, definitions)


@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_the_readme_names_the_admission_plugins_that_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    assert [plugin for plugin in DEFAULT_PLUGINS if plugin not in text] == []
