"""What happens, as lines: one a decision, for pipes, files and grep.

    12:00:01 widgets default/a success 3ms: create Widget default/a 12 (1 write)
    12:00:02 widgets default/b error 1ms: create Widget default/b 13; again in 5ms: ValueError: no size
               File "widgets.py", line 12, in reconcile
                 raise ValueError("no size")
             ValueError: no size

Promises
    L1  what happened is one line that begins with the time; lines that belong to it are indented
    L2  names and texts of others cannot command the terminal
"""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from kajitori.cli.dev.happenings import (
    Applied,
    Broken,
    Decision,
    Definition,
    Ended,
    Happening,
    Logged,
    Note,
    Reloaded,
    Started,
)

__all__ = ["INDENT", "clean", "json_line", "lasted", "lines_of", "sentence"]

INDENT = " " * 9
"""As wide as the time and a blank."""


def json_line(happening: Happening) -> str:
    """One JSON object."""
    return msgspec.json.encode(happening).decode()


def lines_of(happening: Happening, local: Callable[[float], time.struct_time] = time.localtime) -> list[str]:
    """One line, and those that belong to it."""
    first, *rest = sentence(happening)
    stamp = time.strftime("%H:%M:%S", local(happening.time))
    return [f"{stamp} {first}", *(f"{INDENT}{each}" for each in rest)]


def sentence(happening: Happening) -> list[str]:
    """The same without the time and the indentation."""
    return [clean(each) for text in _texts(happening) for each in text.split("\n")]


def clean(text: str) -> str:
    """Without what would command a terminal."""
    if text.isprintable():
        return text
    expanded = text.expandtabs(4)
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in expanded
    )


def _texts(happening: Happening) -> Iterator[str]:
    match happening:
        case Decision():
            yield from _decision(happening)
        case Started():
            yield f"{happening.target} on {happening.cluster}"
        case Reloaded():
            yield from _reloaded(happening)
        case Broken():
            before = "; what ran before goes on" if happening.still_runs else "; save it mended, and it runs"
            yield f"broken{before}"
            yield happening.text
        case Definition():
            yield f"definition {happening.name} " + ("installed" if happening.is_new else "changed")
            yield from happening.changes
        case Applied():
            yield f"{happening.object} {happening.what}"
        case Logged():
            about = f"{happening.about}: " if happening.about else ""
            yield f"{happening.level} {about}{happening.text}"
            if happening.lines:
                yield happening.lines
        case Note():
            yield happening.text
        case Ended():
            yield from _ended(happening)
        case _:
            raise AssertionError(happening)


def _decision(done: Decision) -> Iterator[str]:
    text = f"{done.controller} {done.name} {done.outcome} {lasted(done.took_seconds)}"
    if done.causes:
        text += f": {_some(done.causes)}"
    if done.writes:
        text += f" ({done.writes} {'write' if done.writes == 1 else 'writes'})"
    if done.requeue_seconds:
        text += f"; again in {lasted(done.requeue_seconds)}"
    yield f"{text}: {_first_line(done.error)}" if done.error else text
    if done.lines:
        yield done.lines


def _reloaded(loaded: Reloaded) -> Iterator[str]:
    if loaded.is_first:
        what = "running"
    else:
        what = f"reloaded {', '.join(loaded.files)}" if loaded.files else "reloaded"
    yield f"{what} in {lasted(loaded.seconds)}: {', '.join(loaded.controllers) or 'no controllers'}"
    if loaded.kept:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in loaded.kept.items())
        yield f"kept in the cache: {kinds}"
    if loaded.listed and not loaded.is_first:
        yield f"listed anew: {', '.join(loaded.listed)}"
    if loaded.replayed:
        yield f"queued before, and first now: {loaded.replayed}"
    if loaded.not_ready:
        yield f"still waiting for the first lists: {', '.join(loaded.not_ready)}"


def _ended(end: Ended) -> Iterator[str]:
    if end.settled:
        yield f"settled after {lasted(end.seconds)}: {end.reconciles} reconciles"
    else:
        yield f"not settled after {lasted(end.seconds)}"
    yield from end.failing


def _some(texts: Sequence[str], most: int = 3) -> str:
    more = f", and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def lasted(seconds: float) -> str:
    """`0.4ms`, `12ms`, `1.2s`, `3m`."""
    if seconds < 0.001:
        return f"{seconds * 1000:.1f}ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    return f"{seconds:.1f}s" if seconds < 120 else f"{seconds / 60:.0f}m"
