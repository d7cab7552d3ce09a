"""The operator of the tutorial: as short as promised, and typed to the last word."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, snippets

PAGE = ROOT / "docs" / "tutorial" / "first-operator.md"
LINES_MAX = 79


def files() -> dict[str, str]:
    return {
        each.file_name: each.text for each in snippets(PAGE) if each.file_name and each.language == "python"
    }


def test_it_is_short() -> None:
    assert len(files()["teams.py"].splitlines()) <= LINES_MAX


@pytest.mark.slow
def test_it_is_typed_strictly(tmp_path: Path) -> None:
    for name, text in files().items():
        (tmp_path / name).write_text(text)
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--cache-dir",
            str(ROOT / ".mypy_cache" / "tutorial"),
            *files(),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
