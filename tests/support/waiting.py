"""Waiting for what happens in another process: asking again until it has."""

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["until"]

SECONDS_MAX = 20.0
"""How long something may take that takes a fraction of a second on an idle machine."""

Seen = TypeVar("Seen")


def until(look: Callable[[], Seen], holds: Callable[[Seen], object], seconds: float = SECONDS_MAX) -> Seen:
    """The first look for which `holds` is true. Looking must itself take time (a process, a request)."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if holds(seen):
            return seen
        assert time.monotonic() < deadline, f"still so after {seconds} s: {seen}"
