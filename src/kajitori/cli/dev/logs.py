"""What is logged while code is being developed: told as happenings, errors with the user's own lines.

Promises
    G1  that a reconcile failed is told once, by its decision, which gets the user's lines from here (`lines_of`)
    G2  what is printed where lines are not free (a screen, JSON) is told too (`Printed`)
    G3  of the cluster in this process only errors are told: what its controllers retry is no business of the user's
"""

import io
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from kajitori.cli.complaints import line_of
from kajitori.cli.dev.happenings import Happening, Logged
from kajitori.ctrl import current_reconcile

__all__ = ["CLUSTER_THREAD", "LEVELS", "Logs", "Printed"]

CLUSTER_THREAD = "kajitori up"
"""The thread that the cluster of this process runs in."""

LEVELS = ("debug", "info", "warning", "error")

_CONTROLLERS = "kajitori.ctrl.controller"
"""The logger that says that a reconcile has failed."""

_OF_RECONCILE = frozenset({"controller", "namespace", "object_name", "reconcile_id"})

_REMEMBERED_MAX = 1000
"""Failed reconciles whose lines are kept until they are told, a fraction of a second later."""


class Logs(logging.Handler):
    """From `with` to the end of the block everything that is logged comes here."""

    def __init__(
        self, tell: Callable[[Happening], None], told: Callable[[BaseException], str], level: str
    ) -> None:
        """`told` gives the user's lines of an error."""
        super().__init__(logging.getLevelNamesMapping()[level.upper()])
        self._tell = tell
        self._told = told
        self._lines: OrderedDict[str, str] = OrderedDict()
        self._before = logging.WARNING
        self._lock_of_lines = threading.Lock()
        self._thread = threading.get_ident()
        self.before: Callable[[], None] = _nothing
        """Called before anything of this thread is told: what happened earlier is to be told first."""

    def lines_of(self, reconcile_id: str) -> str:
        """The user's lines of the error with which a reconcile failed; empty when nothing is known. Asked once."""
        with self._lock_of_lines:
            return self._lines.pop(reconcile_id, "")

    def __enter__(self) -> "Logs":
        root = logging.getLogger()
        self._before = root.level
        root.setLevel(self.level)
        # What kajitori does in between is of interest to those who ask for everything.
        ours = self.level if self.level < logging.INFO else max(self.level, logging.WARNING)
        logging.getLogger("kajitori").setLevel(ours)
        root.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._before)
        logging.getLogger("kajitori").setLevel(logging.NOTSET)

    def emit(self, record: logging.LogRecord) -> None:
        if record.threadName == CLUSTER_THREAD and (
            record.levelno < logging.ERROR or record.name == _CONTROLLERS
        ):
            return
        error = record.exc_info[1] if record.exc_info else None
        lines = "" if error is None else self._told(error)
        reconcile_id = getattr(record, "reconcile_id", "")
        if reconcile_id and error is not None and record.name == _CONTROLLERS:
            with self._lock_of_lines:
                self._lines[reconcile_id] = lines
                if len(self._lines) > _REMEMBERED_MAX:
                    self._lines.popitem(last=False)
            return
        if threading.get_ident() == self._thread:
            self.before()
        current = current_reconcile.get()
        self._tell(
            Logged(
                time=record.created,
                level=record.levelname.lower(),
                logger=record.name,
                text=line_of(_shortened(record, of_reconcile=current is not None)),
                lines=lines,
                about="" if current is None else f"{current.controller} {current.request}",
            )
        )


class Printed(io.TextIOBase):
    """In the place of standard output: what is printed is told line by line."""

    def __init__(self, tell: Callable[[Happening], None]) -> None:
        self._tell = tell
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for each in lines:
            self._tell(Logged(time=time.time(), level="print", logger="", text=each))
        return len(text)


def _nothing() -> None:
    pass


def _shortened(record: logging.LogRecord, *, of_reconcile: bool) -> logging.LogRecord:
    """Without what is told beside it: the error, and of which reconcile it is."""
    left_out = _OF_RECONCILE if of_reconcile else frozenset[str]()
    copy = logging.makeLogRecord({key: value for key, value in vars(record).items() if key not in left_out})
    copy.exc_info = None
    return copy
