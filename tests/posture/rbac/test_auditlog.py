"""Reading audit logs from files."""

import gzip
import io
import os
from pathlib import Path

import pytest
from tests.posture.rbac.events import event, lines

from kajitori.posture.rbac import auditlog
from kajitori.posture.rbac.auditlog import files_of, read_log


def users(read: auditlog.LogRead) -> set[str]:
    return {each.user for each in read.recorded.asked}


def everything(group: str, resource: str) -> bool:
    return True


def test_what_was_laid_aside_belongs_to_a_log(tmp_path: Path) -> None:  # R1
    for name in (
        "audit.log", "audit-2026-01-02T00-00-00.000.log", "audit-2026-01-01T00-00-00.000.log.gz", "audit.log.1",
        "audit.log.2.gz", "audit.log.bak", "other-2026-01-02T00-00-00.000.log", "audit-notes.log",
    ):  # fmt: skip
        content = lines(event(name, "get", "//x"))
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    log = tmp_path / "audit.log"
    assert [each.name for each in files_of(log)] == [
        "audit.log.2.gz",
        "audit.log.1",
        "audit-2026-01-01T00-00-00.000.log.gz",
        "audit-2026-01-02T00-00-00.000.log",
        "audit.log",
    ]
    read = read_log([str(log), str(log)], everything)
    assert len(read.files) == 5 and read.recorded.events == 5, "each file once"
    assert len(read_log([str(tmp_path)], everything).files) == 8


def test_bad_lines_are_counted_and_named(tmp_path: Path) -> None:  # R2
    log = tmp_path / "audit.log"
    good = lines(event("jane", "get", "//x"))
    log.write_bytes(b"W0101 a warning of a server\n\n" + good + b"{}\n" * 9 + good + good[:40])
    read = read_log([str(log)], everything)
    assert (read.recorded.events, read.bad_lines) == (2, 11)
    assert len(read.named) == auditlog.NAMED_MAX
    assert read.named[0].startswith(f"{log}:1: JSON is malformed")
    assert read.named[1].startswith(f"{log}:4: ")


def test_a_line_without_end_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # R3
    monkeypatch.setattr(auditlog, "LINE_BYTES_MAX", 2048)
    log = tmp_path / "audit.log"
    log.write_bytes(b"x" * 9000 + b"\n" + lines(event("jane", "get", "//x")))
    read = read_log([str(log)], everything)
    assert (read.recorded.events, read.bad_lines) == (1, 1)
    assert read.named[0].startswith(f"{log}:1: it is longer than")


def test_a_compressed_file_that_ends_too_early(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    content = b"".join(lines(event(f"user-{os.urandom(8).hex()}", "get", "//x")) for _ in range(200))
    log.write_bytes(gzip.compress(content)[:-100])
    read = read_log([str(log)], everything)
    assert 0 < read.recorded.events < 200 and read.bad_lines == 1
    assert "the compressed file ends here" in read.named[0]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(lines(event("jane", "get", "//x")))

    monkeypatch.setattr("sys.stdin", Input())
    assert users(read_log(["-"], everything)) == {"jane"}


@pytest.mark.parametrize("name", ["gone.log", "gone/audit.log"])
def test_a_log_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError):
        read_log([str(tmp_path / name)], everything)


def test_a_folder_without_logs(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="there is no log in this folder"):
        read_log([str(tmp_path)], everything)
