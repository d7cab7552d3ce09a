"""Which schedules cron understands."""

import pytest

from kajitori.apis.mysql_v1beta2.cron import cron_error


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "*/5 0-23/2 1,15 jan-Mar MON",
        "0 0 ? * sun",
        "59 23 31 12 6",
        "5/10 * * * *",
        "@daily",
        "@midnight",
        "@every 1h30m",
        "  0  3 * * * ",
    ],
)
def test_understood(schedule: str) -> None:
    assert cron_error(schedule) == ""


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("", "found 0"),
        ("* * * *", "found 4"),
        ("* * * * * *", "found 6"),
        ("60 * * * *", "outside of 0 to 59"),
        ("* 24 * * *", "outside of 0 to 23"),
        ("* * 0 * *", "outside of 1 to 31"),
        ("* * * 13 *", "outside of 1 to 12"),
        ("* * * * 7", "outside of 0 to 6"),
        ("5-1 * * * *", "5 comes after 1"),
        ("*/0 * * * *", "positive number"),
        ("*/x * * * *", "positive number"),
        ("a * * * *", "is not a number"),
        ("1-2-3 * * * *", "is not a number"),
        (", * * * *", "is not a number"),
        ("@often", "not a word"),
        ("@every day", "invalid duration"),
        ("TZ=UTC 0 0 * * *", "timeZone"),
        ("\N{ARABIC-INDIC DIGIT ONE} * * * *", "is not a number"),
    ],
)
def test_not_understood(schedule: str, why: str) -> None:
    assert why in cron_error(schedule)
