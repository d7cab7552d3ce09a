"""`kajitori backup` and `restore`: what they print, what they refuse, and with which code."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from tests.storage.support import run, value

from kajitori.cli.main import main
from kajitori.cli.snapshots import Meter
from kajitori.storage import Store
from kajitori.storage.restore import BUMP_REVISION


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with three objects at revision 4."""
    folder = tmp_path / "data"
    folder.mkdir()

    async def body(store: Store) -> None:
        for n in range(3):
            await store.put("/pods", f"p{n}", value("x"), expect=0)
        await store.put("/pods", "p0", value("x"), expect=1)

    run(folder / "state.db", body)
    return folder


Told = Any


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Runs a command; gives its code and what it printed to both streams."""

    def tell(*words: object) -> tuple[int, str, str]:
        code = main([str(each) for each in words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return tell


def test_from_one_folder_to_another(data: Path, tmp_path: Path, told: Told) -> None:
    backup, restored = tmp_path / "monday.db", tmp_path / "restored"
    code, out, err = told("backup", "--data-dir", data, backup)
    head, row = out.splitlines()
    assert (code, err) == (0, "")
    assert head.split() == ["FILE", "REVISION", "OBJECTS", "SIZE", "FORMAT"]
    assert row.split() == [str(backup), "4", "3", "32.0", "KiB", "1"]
    assert told("backup", "--status", backup) == (0, out, "")
    code, out, err = told("restore", backup, "--data-dir", restored, "-o", "json")
    assert (code, err) == (0, "")
    assert msgspec.json.decode(out) == {
        "file": str(restored / "state.db"),
        "revision": 4 + BUMP_REVISION,
        "objects": 3,
        "sizeBytes": (restored / "state.db").stat().st_size,
        "format": 1,
    }
    code, out, _ = told(
        "restore", backup, "--data-dir", restored, "--force", "--bump-revision", "0", "-o", "yaml"
    )
    assert code == 0 and yaml.safe_load(out)["revision"] == 4


def test_every_failure_is_one_sentence_and_a_code(data: Path, tmp_path: Path, told: Told) -> None:  # S2
    backup = tmp_path / "monday.db"
    told("backup", "--data-dir", data, backup)
    broken = tmp_path / "broken.db"
    content = bytearray(backup.read_bytes())
    content[content.index(b"x@4")] ^= 1
    broken.write_bytes(content)
    for words, code, sentence in (
        (("backup", "--data-dir", data, backup), 1, f"{backup}: this file exists already; name another one"),
        (("backup", "--data-dir", data, tmp_path / "no" / "b"), 1, "there is no directory"),
        (("backup", "--data-dir", tmp_path, "b"), 3, f"{tmp_path}: no state is kept here"),
        (("backup", "--status", tmp_path / "nope"), 3, f"{tmp_path / 'nope'}: there is no such file"),
        (("backup", "--status", broken), 3, f"{broken}: this file is damaged (the write of /pods p0"),
        (("restore", backup, "--data-dir", data), 1, "this state exists already and would be lost"),
        (("restore", broken, "--data-dir", tmp_path / "new"), 3, f"{broken}: this file is damaged"),
        (("restore", tmp_path / "nope"), 3, "there is no such file"),
        (("restore", __file__, "--data-dir", tmp_path / "new"), 3, "this is no store and no backup of one"),
    ):
        found, out, err = told(*words)
        assert (found, out) == (code, "") and err.count("\n") == 1, words
        assert err.startswith(f"kajitori {words[0]}: ") and sentence in err, err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("number", ["-1", "many", "999999999999999999999"])
def test_a_bump_is_a_number(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["restore", "file", f"--bump-revision={number}"])
    assert "use 0 or more" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    seconds = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


def test_how_far_it_is_is_shown_on_a_terminal_only(data: Path) -> None:  # S1
    terminal, pipe, clock = Terminal(), io.StringIO(), Clock()
    for stream in (terminal, pipe):
        clock.seconds = 0
        meter = Meter(stream, clock)
        for step in range(101):
            clock.seconds += 0.01
            meter.told("copying" if step < 50 else "verifying", step / 100)
        meter.clear()
    assert pipe.getvalue() == ""
    shown = [each for each in terminal.getvalue().split("\r") if each.strip()]
    assert 8 <= len(shown) <= 10, "ten times a second is enough"
    assert shown[0].startswith("copying ...") and shown[-1].startswith("verifying ...")
    assert terminal.getvalue().endswith("\r") and not terminal.getvalue().rstrip("\r").endswith("%")
