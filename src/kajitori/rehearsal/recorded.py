"""The events of audit logs, as kube-apiserver and kajitori write them, with those of their files that were laid aside.

Promises
    L1  a line that is no event is counted, and stops nothing
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kajitori.posture.rbac.auditlog import LINE_BYTES_MAX, files_of
from kajitori.rehearsal.writes import Left

__all__ = ["events", "is_log"]

_GZIP = b"\x1f\x8b"
_SIGN = b'"auditID"'
_BAD = "the line is no event"


def is_log(path: Path) -> bool:
    """Whether a file is an audit log, by what it begins with. Raises: OSError."""
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP
    try:
        with gzip.open(path) if compressed else path.open("rb") as file:
            return _SIGN in file.read(4096).split(b"\n")[0]
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False


def events(path: Path, left: Left) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every event with the place where it stands, `audit.log:17`; what is none is counted in `left`.

    Raises: OSError.
    """
    for each in files_of(path):
        with each.open("rb") as file:
            compressed = file.read(2) == _GZIP
        with gzip.open(each) if compressed else each.open("rb") as file:
            try:
                number = 0
                while line := file.readline(LINE_BYTES_MAX + 1):
                    number += 1
                    if not line.strip():
                        continue
                    try:
                        event = msgspec.json.decode(line)
                    except msgspec.DecodeError:
                        left.add(_BAD)
                        continue
                    if isinstance(event, dict):
                        yield f"{each}:{number}", event
                    else:
                        left.add(_BAD)
            except (EOFError, gzip.BadGzipFile, zlib.error):
                left.add("the compressed file ends too early")
