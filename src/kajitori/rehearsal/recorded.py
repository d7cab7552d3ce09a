"""The events of audit logs, as kube-apiserver and kajitori write them, with those of their files that were laid aside.

Promises
    L1  a line that is no event is counted, and stops nothing
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from kajitori.posture.rbac.auditlog import LINE_BYTES_MAX, files_of

__all__ = ["Left", "Recorded", "Reference", "Who", "events", "is_log"]


class Reference(msgspec.Struct, frozen=True, rename="camel"):
    """What a request was about."""

    resource: str = ""
    namespace: str = ""
    name: str = ""
    api_group: str = ""
    api_version: str = ""
    subresource: str = ""


class Who(msgspec.Struct, frozen=True):
    """Who asked."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] | None = None
    extra: dict[str, tuple[str, ...] | None] | None = None


class _Status(msgspec.Struct, frozen=True):
    code: int = 0


class Recorded(msgspec.Struct, frozen=True, rename="camel"):
    """An event, as far as it is needed to ask again."""

    kind: Literal["Event"]
    api_version: str
    level: str = ""
    stage: str = ""
    verb: str = ""
    user: Who = Who()
    impersonated_user: Who | None = None
    object_ref: Reference | None = None
    response_status: _Status | None = None
    request_object: Any = None
    response_object: Any = None


_decode = msgspec.json.Decoder(Recorded).decode
_GZIP = b"\x1f\x8b"
_SIGN = b'"auditID"'
_BAD = "the line is no event"


@dataclass(slots=True)
class Left:
    """What could not be replayed: how often, by the reason."""

    reasons: Counter[str] = field(default_factory=Counter[str])

    def add(self, reason: str) -> None:
        self.reasons[reason] += 1

    @property
    def total(self) -> int:
        return self.reasons.total()


def is_log(path: Path) -> bool:
    """Whether a file is an audit log, by what it begins with. Raises: OSError."""
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP
    try:
        with gzip.open(path) if compressed else path.open("rb") as file:
            return _SIGN in file.read(4096).split(b"\n")[0]
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False


def events(path: Path, left: Left) -> Iterator[tuple[str, Recorded]]:
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
                        event = _decode(line)
                    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                        left.add(_BAD)
                    else:
                        yield f"{each}:{number}", event
            except (EOFError, gzip.BadGzipFile, zlib.error):
                left.add("the compressed file ends too early")
