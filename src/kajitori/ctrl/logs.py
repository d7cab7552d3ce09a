"""Log records of a process full of controllers: which reconcile they belong to, and how they are written.

    log_to(sys.stderr, level="info", format="json")

What is logged in a reconcile, by the runtime, the client or the operator's own `logging.getLogger(...)`, names the
controller, the object and the id of the reconcile, under controller-runtime's keys. The `extra` of a record are its
further keys: `_log.info("no such colour", extra={"colour": "blau"})`.

    text   2026-01-02T03:04:05.678Z  INFO     my_operator  no such colour  controller=widgets name=a colour=blau
    json   {"level":"info","ts":"2026-01-02T03:04:05.678Z","logger":"my_operator","msg":"no such colour","controller":…}

Promises
    L1  a record of a reconcile has `controller`, `controllerGroup`, `controllerKind`, `namespace`, `name`,
        `reconcileID`, and where it is traced `trace_id` and `span_id`; so have those of tasks and threads
        (`asyncio.to_thread`) that it starts
    L2  a record is one line in JSON, and in text too but for the traceback, which follows; nothing in a message, a key
        or a value commands a terminal or looks like another record
    L3  of failures of one object that are all the same, the first has a traceback
    L4  a value that is no JSON is written as `str` gives it; a record that cannot be formatted loses its arguments,
        not the process

Source: controller-runtime's pkg/log/zap and the keys that its controllers put into loggers.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import msgspec

from kajitori.ctrl.controller import current_reconcile
from kajitori.ctrl.outcome import told

__all__ = [
    "LEVELS",
    "JsonFormatter",
    "LogFormat",
    "ReconcileFilter",
    "TextFormatter",
    "log_to",
    "reconcile_keys",
    "takes_colour",
]

LogFormat = Literal["text", "json"]

LEVELS = ("debug", "info", "warning", "error")

_OF_LOGGING = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the rest are keys of its own."""

_RENAMED = {"object_name": "name", "reconcile_id": "reconcileID"}
"""Keys that a record of Python cannot have, or that have another name in Kubernetes' logs."""

_ZAP_LEVELS = {"WARNING": "warn", "CRITICAL": "fatal"}

_COLOURS = {"DEBUG": "2", "INFO": "36", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}
"""Of levels, as ANSI codes: dim, cyan, yellow, red, bold red."""

_is_plain = re.compile(r"[^\s\"'=\\]+").fullmatch


class ReconcileFilter(logging.Filter):
    """Gives records what is known of the reconcile they belong to. Put it on handlers: on a logger it would not see
    records of the loggers below.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        for key, value in reconcile_keys().items():
            record.__dict__.setdefault("object_name" if key == "name" else key, value)
        return True


def reconcile_keys() -> dict[str, Any]:
    """The keys that tell of the running reconcile; none outside of one."""
    current = current_reconcile.get()
    if current is None:
        return {}
    keys: dict[str, Any] = {"controller": current.controller}
    request = current.request
    kind = current.kind
    if kind is not None:
        keys |= {"controllerGroup": kind.group, "controllerKind": kind.kind}
    name = getattr(request, "name", None)
    if isinstance(name, str):
        keys |= {"namespace": getattr(request, "namespace", ""), "name": name}
        cluster = getattr(request, "cluster", "")
        if cluster:
            keys["cluster"] = cluster
    else:
        keys["request"] = str(request)
    keys["reconcileID"] = current.reconcile_id
    if "opentelemetry.trace" in sys.modules:
        from opentelemetry.trace import get_current_span

        span = get_current_span().get_span_context()
        if span.is_valid:
            keys |= {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}
    return keys


def log_to(
    where: TextIO | Callable[[str], object],
    *,
    level: str = "info",
    format: LogFormat = "text",
    colour: bool | None = None,
) -> logging.Handler:
    """Lets all loggers of the process write there, from `level` on, instead of where they wrote: to a stream, or line
    by line to a function. `colour` None: on a stream that is a terminal, when NO_COLOR is not set.
    """
    handler: logging.Handler
    if callable(where):
        handler = _LineHandler(where)
    else:
        handler = logging.StreamHandler(where)
        if colour is None:
            colour = takes_colour(where)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter(colour=bool(colour)))
    handler.addFilter(ReconcileFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    return handler


def takes_colour(stream: TextIO) -> bool:
    """Whether it is a terminal whose user has not asked for plain text (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


class _LineHandler(logging.Handler):
    def __init__(self, tell: Callable[[str], object]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._tell(self.format(record))
        except Exception:
            self.handleError(record)


class _Formatter(logging.Formatter):
    def formatException(self, ei: Any) -> str:
        """The traceback from where it leaves the runtime, whose part of it is always the same."""
        kind, error, trace = ei
        begin = trace
        while begin is not None and begin.tb_frame.f_globals.get("__name__", "").startswith("kajitori.ctrl"):
            begin = begin.tb_next
        return super().formatException((kind, error, begin or trace))


class JsonFormatter(_Formatter):
    """One JSON object a line, as controller-runtime's production logs."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "level": _ZAP_LEVELS.get(record.levelname, record.levelname.lower()),
            "ts": _time(record),
            "logger": record.name,
            "msg": _message(record),
            **_keys(record),
        }
        if record.exc_info and record.exc_info[1] is not None:
            fields.setdefault("error", told(record.exc_info[1]))
            if not _is_repeated(record):
                fields["stacktrace"] = self.formatException(record.exc_info)
        elif record.stack_info:
            fields["stacktrace"] = record.stack_info
        try:
            text = msgspec.json.encode(fields, enc_hook=str).decode()
        except Exception:  # Half of a surrogate pair, an object that holds itself, a `__str__` that fails.
            text = json.dumps({str(key): _described(value) for key, value in fields.items()})
        if text.isprintable():
            return text
        return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


class TextFormatter(_Formatter):
    """For people: time, level, logger, message, then `key=value`; the traceback below."""

    def __init__(self, *, colour: bool = False) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        level = f"{record.levelname:<7}"
        keys = _keys(record)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            keys.setdefault("error", told(error))
        pairs = " ".join(
            f"{self._dim(f'{_plain(key)}=')}{_plain(value)}" for key, value in keys.items() if value != ""
        )
        if self._colour:
            level = f"\x1b[{_COLOURS.get(record.levelname, '0')}m{level}\x1b[0m"
        words = [self._dim(_time(record)), level, self._dim(record.name), _visible(_message(record)), pairs]
        line = "  ".join(word for word in words if word)
        if record.exc_info and error is not None and not _is_repeated(record):
            line += "\n" + _visible(self.formatException(record.exc_info), keep="\n")
        if record.stack_info:
            line += "\n" + _visible(record.stack_info, keep="\n")
        return line

    def _dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self._colour and text else text


def _is_repeated(record: logging.LogRecord) -> bool:
    """Whether the same has been logged before, of the same object: then the traceback is in the log already."""
    return bool(getattr(record, "repeated", False))


def _keys(record: logging.LogRecord) -> dict[str, Any]:
    """Those of the reconcile first, in their order, then the record's own."""
    own = {
        _RENAMED.get(key, key): value
        for key, value in record.__dict__.items()
        if key not in _OF_LOGGING and not key.startswith("_")
    }
    order = ("controller", "controllerGroup", "controllerKind", "namespace", "name", "cluster", "reconcileID")
    return {**{key: own.pop(key) for key in order if key in own}, **own}


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # Arguments that do not fit the message are a mistake, which must not cost the record.
        return str(record.msg)


def _time(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{int(record.msecs):03}Z"
    )


def _described(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _plain(value: Any) -> str:
    """A value as one word, or quoted."""
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    text = _compact(value)
    if text and text.isprintable() and _is_plain(text):
        return text
    return f'"{_visible(text).replace(chr(34), chr(92) + chr(34))}"'


def _compact(value: Any) -> str:
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        try:
            return msgspec.json.encode(value, enc_hook=str).decode()
        except Exception:
            return _described(value)
    return _described(value)


def _visible(text: str, keep: str = "") -> str:
    """Control and direction characters written out, so that a terminal shows them and does nothing else."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in keep else each.encode("unicode_escape").decode()
        for each in text
    )
