"""The getters of timestamps and durations."""

from functools import partial

from kajitori.apimachinery.cel.functions import Function, Overload, function
from kajitori.apimachinery.cel.times import duration_part, timestamp_part
from kajitori.apimachinery.cel.types import DURATION, INT, STRING, TIMESTAMP

__all__ = ["FUNCTIONS"]

_OF_TIMESTAMPS = {
    "getFullYear": "year",
    "getMonth": "month",
    "getDayOfYear": "day_of_year",
    "getDayOfMonth": "day_of_month",
    "getDate": "day_of_month_1_based",
    "getDayOfWeek": "day_of_week",
    "getHours": "hours",
    "getMinutes": "minutes",
    "getSeconds": "seconds",
    "getMilliseconds": "milliseconds",
}
_OF_DURATIONS = ("getHours", "getMinutes", "getSeconds", "getMilliseconds")


def _getter(name: str, part: str) -> Function:
    read = partial(timestamp_part, name)
    with_zone = "timestamp_to_seconds_tz" if part == "seconds" else f"timestamp_to_{part}_with_tz"
    overloads = [
        Overload(f"timestamp_to_{part}", (TIMESTAMP,), INT, read, member=True),
        Overload(with_zone, (TIMESTAMP, STRING), INT, read, member=True),
    ]
    if name in _OF_DURATIONS:
        measure = partial(duration_part, name)
        overloads.append(Overload(f"duration_to_{part}", (DURATION,), INT, measure, member=True))
    return function(name, *overloads)


FUNCTIONS = tuple(_getter(name, part) for name, part in _OF_TIMESTAMPS.items())
