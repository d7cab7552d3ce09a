"""The screen of `kajitori dev`: what goes on, drawn into a rectangle. Pure: values in, lines out.

Promises
    D1  a frame is exactly as high as the terminal, and no line of it is wider, whatever the texts are
    D2  names and texts of others cannot command the terminal (lines L2)
    D3  what a user must act on comes first: broken code, then what runs, then what was decided, then the log
"""

import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kajitori.cli.dev.happenings import Decision
from kajitori.cli.dev.lines import clean, lasted, sentence

__all__ = ["CacheRow", "ControllerRow", "Line", "View", "frame", "rendered"]

Line = tuple[tuple[str, str], ...]
"""Pieces of text, each with its style: `""`, or ANSI's code for one."""

BOLD, DIM, RED, GREEN, YELLOW, INVERSE = "1", "2", "31", "32", "33", "7"

CONTROLLERS_MAX = 12
CACHES_MAX = 8
BROKEN_LINES_MAX = 14

KEYS = "q quit   r reload   ↑↓ choose   e explain"


@dataclass(frozen=True, slots=True)
class ControllerRow:
    """One controller."""

    name: str
    state: str
    ready: int
    waiting: int
    busy: int
    failing: int
    done: int
    errors: int
    p50_seconds: float | None
    p99_seconds: float | None


@dataclass(frozen=True, slots=True)
class CacheRow:
    """One informer."""

    kind: str
    synced: bool
    objects: int
    memory_bytes: int
    seconds_since_event: float | None


@dataclass(frozen=True, slots=True)
class View:
    """All that is shown."""

    title: str
    state: str
    hint: str = ""
    """A line that helps; empty: none."""
    broken: str = ""
    """What is wrong with the code that was saved last; empty: nothing."""
    controllers: Sequence[ControllerRow] = ()
    caches: Sequence[CacheRow] = ()
    decisions: Sequence[Decision] = ()
    """Latest first."""
    chosen: int = -1
    """Which of them; -1: none."""
    explained: Sequence[str] = ()
    """What is known of the chosen one; shown in place of the log."""
    log: Sequence[str] = ()
    """Latest last."""
    local: Callable[[float], time.struct_time] = field(default=time.localtime)


def frame(view: View, width: int, height: int) -> list[Line]:
    """The lines of a terminal."""
    head = [*_head(view), *_controllers(view), *_caches(view)]
    below = view.explained or view.log
    title = "EXPLAINED (e: back to the log)" if view.explained else "LOG"
    rest = max(0, height - len(head) - 3)
    # The log has what it needs, up to half; decisions have the rest.
    under = min(len(below), rest // 2 if not view.explained else rest * 2 // 3)
    over = rest - under
    lines = [
        *head,
        _heading("DECISIONS"),
        *_filled(_decisions(view, over), over),
        _heading(title),
        *(((("", clean(each)),)) for each in _part(below, under, last=not view.explained)),
    ]
    lines = [*lines[: max(0, height - 1)], ((DIM, KEYS),)][:height]
    return [_clipped(each, width) for each in _filled(lines, height)]


def rendered(line: Line, *, colours: bool = True) -> str:
    """The line as a terminal takes it."""
    return "".join(f"\x1b[{style}m{text}\x1b[0m" if style and colours else text for style, text in line)


def _head(view: View) -> list[Line]:
    lines: list[Line] = [
        ((BOLD, clean(view.title)), ("", "  "), (RED if view.broken else GREEN, clean(view.state)))
    ]
    if view.hint:
        lines.append(((DIM, clean(view.hint)),))
    for text in view.broken.split("\n")[-BROKEN_LINES_MAX:] if view.broken else ():
        lines.append(((RED, clean(text)),))
    return lines


def _heading(text: str) -> Line:
    return ((INVERSE, f" {text} "),)


def _controllers(view: View) -> list[Line]:
    rows = [
        [
            *(clean(each.name), each.state, str(each.ready), str(each.waiting), str(each.busy)),
            *(str(each.failing), str(each.done), str(each.errors)),
            *(
                "-" if seconds is None else lasted(seconds)
                for seconds in (each.p50_seconds, each.p99_seconds)
            ),
        ]
        for each in view.controllers[:CONTROLLERS_MAX]
    ]
    titles = ["CONTROLLER", "STATE", "READY", "WAITING", "BUSY", "FAILING", "DONE", "ERRORS", "P50", "P99"]
    styles = [RED if each.failing else "" for each in view.controllers[:CONTROLLERS_MAX]]
    return _table(titles, rows, styles, left=2, more=len(view.controllers) - CONTROLLERS_MAX)


def _caches(view: View) -> list[Line]:
    rows = [
        [
            *(clean(each.kind), "synced" if each.synced else "listing", str(each.objects)),
            *(_bytes(each.memory_bytes), _ago(each.seconds_since_event)),
        ]
        for each in view.caches[:CACHES_MAX]
    ]
    styles = ["" if each.synced else YELLOW for each in view.caches[:CACHES_MAX]]
    titles = ["CACHE", "STATE", "OBJECTS", "MEMORY", "LAST EVENT"]
    return _table(titles, rows, styles, left=2, more=len(view.caches) - CACHES_MAX)


def _table(
    titles: list[str], rows: list[list[str]], styles: list[str], *, left: int, more: int
) -> list[Line]:
    """Columns as wide as their widest; the first `left` flush left."""
    if not rows:
        return []
    widths = [max(map(_width, column)) for column in zip(titles, *rows, strict=True)]

    def row(cells: list[str]) -> str:
        return "  ".join(
            _padded(cell, width, at_left=number < left)
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()

    lines: list[Line] = [((BOLD, row(titles)),)]
    lines += [((style, row(cells)),) for style, cells in zip(styles, rows, strict=True)]
    if more > 0:
        lines.append(((DIM, f"and {more} more"),))
    return lines


def _decisions(view: View, most: int) -> list[Line]:
    # The chosen one stays in sight.
    first = max(0, view.chosen - most + 1)
    lines: list[Line] = []
    for number, each in enumerate(view.decisions[first : first + most], first):
        stamp = time.strftime("%H:%M:%S", view.local(each.time))
        style = RED if each.error else GREEN if each.writes else ""
        marker = "▸ " if number == view.chosen else "  "
        lines.append((("", marker), (DIM, f"{stamp} "), (style, sentence(each)[0])))
    return lines


def _part(lines: Sequence[str], most: int, *, last: bool) -> Sequence[str]:
    if len(lines) <= most:
        return lines
    return lines[len(lines) - most :] if last else lines[:most]


def _filled(lines: list[Line], height: int) -> list[Line]:
    return [*lines, *[()] * (height - len(lines))]


def _clipped(line: Line, width: int) -> Line:
    pieces: list[tuple[str, str]] = []
    for style, text in line:
        kept = _cut(text, width)
        pieces.append((style, kept))
        width -= _width(kept)
        if kept != text:
            break
    return tuple(pieces)


def _cut(text: str, width: int) -> str:
    if len(text) <= width and text.isascii():
        return text
    taken = 0
    for number, each in enumerate(text):
        taken += _width_of(each)
        if taken > width:
            return text[:number]
    return text


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_width_of, text))


def _width_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _padded(text: str, width: int, *, at_left: bool) -> str:
    blanks = " " * (width - _width(text))
    return text + blanks if at_left else blanks + text


def _bytes(size: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size}{unit}"
        size //= 1024
    return f"{size}GiB"


def _ago(seconds: float | None) -> str:
    return "-" if seconds is None else f"{lasted(seconds)} ago" if seconds >= 1 else "now"
