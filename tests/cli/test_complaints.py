"""What is logged, as a user reads it."""

import logging
from collections.abc import Callable

import pytest

from kajitori.apimachinery.errors import Conflict
from kajitori.cli.complaints import LINES_A_MINUTE_MAX, Complaints

Log = Callable[..., list[str]]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> Log:
    told: list[str] = []
    logger = logging.Logger("test")
    logger.addHandler(Complaints(told.append, clock))

    def log(
        message: str, error: Exception | None = None, *, level: int = logging.ERROR, **extra: object
    ) -> list[str]:
        logger.log(level, message, exc_info=error, extra=extra)
        return told

    return log


def test_keys_and_values_stand_behind_the_message(log: Log) -> None:  # G1
    assert log("Reconciler error", controller="sets", namespace="foo") == [
        "Reconciler error controller=sets namespace=foo"
    ]


def test_what_is_no_complaint_is_not_told(log: Log) -> None:
    assert log("all is well", level=logging.INFO) == []


def test_an_error_is_named_in_the_same_line(log: Log) -> None:  # G1
    assert log("Reconciler error", Conflict("somebody\nwas faster"), name_of="x") == [
        "Reconciler error name_of=x: Conflict: somebody was faster"
    ]
    assert log("not written", OSError(28, "No space left on device"))[1:] == [
        "not written: OSError: [Errno 28] No space left on device"
    ]


def test_what_nobody_foresaw_has_its_traceback(log: Log) -> None:  # G1
    (told,) = log("Reconciler error", KeyError("spec"))
    assert told.startswith("Reconciler error: KeyError: 'spec'\n") and told.endswith("KeyError: 'spec'")


def test_what_settles_itself_is_not_told(log: Log) -> None:  # G2
    assert log("Reconciler error", Conflict("somebody was faster"), retry_in_seconds=0.64) == []
    assert log("Reconciler error", ValueError("a mistake"), retry_in_seconds=0.64) != []
    told = log("Reconciler error", Conflict("somebody was faster"), retry_in_seconds=1.28)
    assert told[-1] == "Reconciler error retry_in_seconds=1.28: Conflict: somebody was faster"


def test_what_repeats_is_counted(log: Log, clock: Clock) -> None:  # G3
    told: list[str] = []
    for _ in range(LINES_A_MINUTE_MAX + 7):
        told = log("the disk is full")
    assert told == ["the disk is full"] * LINES_A_MINUTE_MAX
    clock.now = 61
    told = log("the disk is full")
    assert told[LINES_A_MINUTE_MAX].startswith("(7 more like this, from test_complaints:")
    assert told[-1] == "the disk is full"


def test_the_level_decides_what_is_told() -> None:
    shown: list[str] = []
    logger = logging.Logger("test")
    logger.addHandler(Complaints(shown.append, level=logging.INFO))
    logger.debug("small")
    logger.info("middling")
    assert shown == ["middling"]
