"""Small files that only their owner may read, replaced whole or not at all."""

import os
from pathlib import Path

__all__ = ["make_private_folder", "write_private"]


def write_private(path: Path, content: bytes) -> None:
    """Writes `path` (mode 0600) so that a reader sees the old content or the new, never half of it.

    A symbolic link is followed: the file that it names is replaced, the link stays.
    """
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever a left-over had
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def make_private_folder(path: Path) -> None:
    """Makes `path` (mode 0700) with its parents where it is missing; one that is there is left as it is."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
