"""Words that must not be there, and pages that must agree."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.house.modules import ROOT

UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b")
"""Written so that this file does not find itself."""
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|farm)/")
TEXTS = (".py", ".md", ".sh", ".toml", ".go", "")
LISTED = ("src", "tests", "tools", "docs", "bench", "README.md", "README.ja.md", "CHANGES.md", "Makefile")


def written() -> Iterator[tuple[Path, str]]:
    """Every text that people have written here."""
    for listed in LISTED:
        top = ROOT / listed
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.suffix in TEXTS and path.is_file() and "__pycache__" not in path.parts:
                yield path, path.read_text(encoding="utf-8")


def test_nothing_is_left_for_later() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, text in written()
        if (match := UNFINISHED.search(text))
    ]
    assert not found


def test_no_page_knows_the_machine_it_was_written_on() -> None:
    me = Path(__file__)
    found = [str(path) for path, text in written() if path != me and MACHINE_PATHS.search(text)]
    assert not found


def commands(page: Path) -> list[str]:
    """The commands that a page shows."""
    return re.findall(r"^\$ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)


def test_both_readmes_show_the_same_commands() -> None:
    pages = ROOT / "README.md", ROOT / "README.ja.md"
    for page in pages:
        if not page.exists():
            pytest.skip(f"there is no {page.name} yet")
    english, japanese = map(commands, pages)
    assert english == japanese and "make up" in english


def test_the_scripts_are_sound() -> None:
    for script in (ROOT / "tools").glob("*.sh"):
        subprocess.run(["sh", "-n", script], check=True)
