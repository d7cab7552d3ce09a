"""Whether a schedule is one that cron understands, and why not.

Five fields (minute, hour, day of month, month, day of week) with `*`, `?`, ranges, steps and lists, names of
months and days, or one of the words `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`,
`@hourly` and `@every DURATION`. Times are computed by whoever runs the schedule; here it is only read.

Source: robfig/cron's standard parser, whose expressions Kubernetes' CronJob accepts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kajitori.wire.go_time import parse_duration

__all__ = ["cron_error"]

_WORDS = frozenset(("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"))
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}


@dataclass(frozen=True, slots=True)
class _Field:
    title: str
    smallest: int
    largest: int
    names: Mapping[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)


def cron_error(schedule: str) -> str:
    """What is wrong with a schedule, in one sentence; empty when it is understood."""
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        return "the time zone does not belong into the schedule; use timeZone"
    if schedule.startswith("@"):
        return _word_error(schedule)
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"expected 5 fields (minute hour day month weekday), found {len(fields)}"
    for text, field in zip(fields, _FIELDS, strict=True):
        for item in text.split(","):
            if error := _item_error(item, field):
                return f"{field.title} {text!r}: {error}"
    return ""


def _word_error(schedule: str) -> str:
    if schedule in _WORDS:
        return ""
    if schedule.startswith("@every "):
        try:
            parse_duration(schedule.removeprefix("@every "))
        except ValueError as error:
            return str(error)
        return ""
    return f"{schedule!r} is not a word that cron knows"


def _item_error(item: str, field: _Field) -> str:
    span, slash, step = item.partition("/")
    if slash and (not step.isascii() or not step.isdigit() or int(step) == 0):
        return f"a step is a positive number, not {step!r}"
    if span in ("*", "?"):
        return ""
    low_text, dash, high_text = span.partition("-")
    low = _number(low_text, field)
    high = _number(high_text, field) if dash else low
    if low is None or high is None:
        return f"{low_text if low is None else high_text!r} is not a number"
    if low < field.smallest or high > field.largest:
        return f"outside of {field.smallest} to {field.largest}"
    return f"{low} comes after {high}" if low > high else ""


def _number(text: str, field: _Field) -> int | None:
    named = field.names.get(text.lower())
    if named is not None:
        return named
    return int(text) if text.isascii() and text.isdigit() else None
