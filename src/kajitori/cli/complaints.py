"""What the parts of kajitori log, as lines that a user can read: warnings and errors, with what they are about.

    Reconciler error controller=statefulset namespace=foo object_name=db: Forbidden: … is being terminated

Promises
    G1  a record is one line, its keys and values in it; a traceback follows only for what nobody has foreseen
    G2  an answer of the API server that is tried again soon (RETRY_SECONDS_TOLD) is not told yet: mostly somebody
        was faster, and the next try finds it so
    G3  what repeats from one place is told at most LINES_A_MINUTE_MAX times a minute; what was left out is counted
"""

import logging
import time
from collections.abc import Callable

from kajitori.apimachinery.errors import ApiError
from kajitori.cli.printing import Printer

__all__ = ["Complaints", "line_of", "listen"]

LINES_A_MINUTE_MAX = 20
"""From one line of code: a disk that is full would otherwise be told of thousands of times a second."""

RETRY_SECONDS_TOLD = 1.0
"""Back-off doubles from 5 ms: this is the ninth failure in a row, after two seconds and a half."""

_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_FORESEEN = (ApiError, OSError)


def line_of(record: logging.LogRecord) -> str:
    """The record in one line, or more when a traceback belongs to it."""
    words = [record.getMessage()]
    words += [f"{key}={value}" for key, value in vars(record).items() if key not in _USUAL]
    text = " ".join(words)
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return text
    kind = type(error)
    told = " ".join(str(error).split())
    if issubclass(kind, _FORESEEN):
        return f"{text}: {kind.__name__}: {told}"
    import traceback

    return f"{text}: {kind.__name__}: {told}\n" + "".join(traceback.format_exception(error)).rstrip()


def _settles_itself(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    seconds: float = getattr(record, "retry_in_seconds", 0.0)
    return isinstance(error, ApiError) and 0 < seconds < RETRY_SECONDS_TOLD


class Complaints(logging.Handler):
    """Tells warnings and errors, each place's own within bounds."""

    def __init__(
        self,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        *,
        level: int = logging.WARNING,
    ) -> None:
        super().__init__(level)
        self._tell = tell
        self._clock = clock
        self._minute = 0
        self._told: dict[tuple[str, int], int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if _settles_itself(record):
            return
        minute = int(self._clock() // 60)
        if minute != self._minute:
            for (path, line), times in self._told.items():
                if times > LINES_A_MINUTE_MAX:
                    self._tell(f"({times - LINES_A_MINUTE_MAX} more like this, from {path}:{line})")
            self._minute = minute
            self._told.clear()
        place = (record.module, record.lineno)
        times = self._told[place] = self._told.get(place, 0) + 1
        if times <= LINES_A_MINUTE_MAX:
            try:
                self._tell(line_of(record))
            except Exception:
                self.handleError(record)


def listen(printer: Printer, level: str = "warning") -> Complaints:
    """From now on everything that is logged, from `level` on, goes to the printer."""
    number = logging.getLevelNamesMapping()[level.upper()]
    complaints = Complaints(printer.print, level=number)
    root = logging.getLogger()
    root.addHandler(complaints)
    root.setLevel(number)
    return complaints
