"""Files that lines are added to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kajitori.apiserver.operating.lines import LineFile, LinesError


class Ticking:
    """A clock that goes on by a day each time it is asked."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(days=1)
        return self._now

    def monotonic(self) -> float:
        return 0.0


def test_lines_are_added_to_what_is_there(tmp_path: Path) -> None:  # L1
    path = tmp_path / "logs" / "a.log"
    for text in (b"one", b"two"):
        file = LineFile(str(path))
        assert file.write(text)
        file.close()
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_long_file_is_laid_aside(tmp_path: Path) -> None:  # L2
    path = tmp_path / "a.log"
    file = LineFile(str(path), bytes_max=10, files_max=2, clock=Ticking())
    for text in (b"1234567", b"2345678", b"3456789", b"4567890"):
        file.write(text)
    file.close()
    assert path.read_bytes() == b"4567890\n"
    aside = sorted(each for each in tmp_path.iterdir() if each != path)
    assert [each.read_bytes() for each in aside] == [b"2345678\n", b"3456789\n"]
    assert all(each.name.startswith("a-2026-01-") and each.suffix == ".log" for each in aside)


def test_what_was_laid_aside_long_ago_goes(tmp_path: Path) -> None:  # L2
    old = tmp_path / "a-2025-01-01T00-00-00.000.log"
    old.touch()
    other = tmp_path / "a-notes.log"
    other.touch()
    file = LineFile(str(tmp_path / "a.log"), bytes_max=1, days_max=30, clock=Ticking())
    file.write(b"one")
    file.write(b"two")
    file.close()
    assert not old.exists() and other.exists()


def test_a_line_that_is_lost_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:  # L3
    file = LineFile("/dev/full")
    assert not file.write(b"one")
    assert file.failed == 1 and "a line could not be written" in caplog.text
    file.close()


def test_a_file_that_cannot_be_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(LinesError, match="cannot write"):
        LineFile(str(tmp_path))
