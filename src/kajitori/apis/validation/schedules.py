"""Whether a schedule is one that CronJobs take, and what Kubernetes says when it is not.

Source: robfig/cron's ParseStandard, and validateTimeZone in pkg/apis/batch/validation.
"""

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass

from kajitori.wire.go_time import parse_duration

__all__ = ["is_time_zone", "schedule_problem", "time_zone_problems"]

_INT64_MAX = (1 << 63) - 1
_integer_matches = re.compile("[+-]?[0-9]+").fullmatch
_zone_part_matches = re.compile("[A-Za-z.\\-_0-9+]{1,14}").fullmatch
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
    smallest: int
    largest: int
    names: Mapping[str, int]


_FIELDS = (
    _Field(0, 59, {}),
    _Field(0, 23, {}),
    _Field(1, 31, {}),
    _Field(1, 12, _MONTHS),
    _Field(0, 6, _DAYS),
)


class _Problem(ValueError):
    """Why an expression is not understood, in the parser's words."""


def schedule_problem(schedule: str) -> str:
    """What is wrong with a schedule; empty when it is understood."""
    try:
        _parse(schedule)
    except _Problem as problem:
        return str(problem)
    return ""


def _parse(schedule: str) -> None:
    if not schedule:
        raise _Problem("empty spec string")
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        zone, _, schedule = schedule.partition("=")[2].partition(" ")
        if not is_time_zone(zone):
            raise _Problem(f"provided bad location {zone}: unknown time zone {zone}")
        schedule = schedule.strip()
    if schedule.startswith("@"):
        _parse_word(schedule)
        return
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        told = f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]"
        raise _Problem(told)
    for text, field in zip(fields, _FIELDS, strict=True):
        for expression in filter(None, text.split(",")):
            _parse_range(expression, field)


def _parse_word(schedule: str) -> None:
    if schedule in _WORDS:
        return
    if not schedule.startswith("@every "):
        raise _Problem(f"unrecognized descriptor: {schedule}")
    try:
        parse_duration(schedule.removeprefix("@every "))
    except ValueError as error:
        raise _Problem(f"failed to parse duration {schedule}: {error}") from None


def _parse_range(expression: str, field: _Field) -> None:
    span, *steps = expression.split("/")
    low, *highs = span.split("-")
    if low in ("*", "?"):
        start, end = field.smallest, field.largest
    else:
        start = end = _number(low, field.names)
        if len(highs) > 1:
            raise _Problem(f"too many hyphens: {expression}")
        if highs:
            end = _number(highs[0], field.names)
    step = 1
    if len(steps) > 1:
        raise _Problem(f"too many slashes: {expression}")
    if steps:
        step = _number(steps[0], {})
        if not highs:
            end = field.largest
    if start < field.smallest:
        told = f"beginning of range ({start}) below minimum ({field.smallest}): {expression}"
        raise _Problem(told)
    if end > field.largest:
        raise _Problem(f"end of range ({end}) above maximum ({field.largest}): {expression}")
    if start > end:
        raise _Problem(f"beginning of range ({start}) beyond end of range ({end}): {expression}")
    if not step:
        raise _Problem(f"step of range should be a positive number: {expression}")


def _number(text: str, names: Mapping[str, int]) -> int:
    named = names.get(text.lower())
    if named is not None:
        return named
    if not _integer_matches(text):
        problem = "invalid syntax"
    elif len(text) > 20 or not -_INT64_MAX - 1 <= int(text) <= _INT64_MAX:
        problem = "value out of range"
    elif int(text) < 0:
        raise _Problem(f"negative number ({int(text)}) not allowed: {text}")
    else:
        return int(text)
    raise _Problem(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": {problem}')


def is_time_zone(name: str) -> bool:
    """Whether the zone is known; the empty one is UTC."""
    if name in ("", "UTC", "Local"):
        return True
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def time_zone_problems(name: str) -> list[str]:
    """What is wrong with the time zone of a schedule."""
    if not name:
        return ["timeZone must be nil or non-empty string"]
    unknown = f"unknown time zone {name}"
    for part in name.split("/"):
        if part in (".", "..") or part.startswith("-") or not _zone_part_matches(part):
            return [unknown]
    told: list[str] = []
    if name.lower() == "local":
        told.append("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
    if not is_time_zone(name):
        told.append(unknown)
    return told
