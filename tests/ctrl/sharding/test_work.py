"""Whether a shard may work, and when its work on something has ended."""

from kajitori.ctrl.lease import LeaseRecord
from kajitori.ctrl.sharding.work import Work

NOW = "2026-01-01T00:01:00.000000Z"


def granted(work: Work, sent_at: float, now: float | None = None) -> LeaseRecord:
    record = work.claim(NOW)
    work.granted(record, sent_at, sent_at if now is None else now)
    return record


def test_work_begins_only_while_the_lease_is_kept() -> None:  # W1
    work = Work("a")
    assert not work.begin("x", None, 0.0)
    assert granted(work, 0.0) == LeaseRecord("a", 15, NOW, NOW, 0)
    assert work.begin("x", None, 9.9) and work.may_write(9.9)
    assert not work.begin("y", None, 10.0) and not work.may_write(10.0)
    granted(work, 9.0, 9.5)
    assert work.until() == 19.0


def test_a_renewal_that_is_granted_too_late_is_lost() -> None:  # W1
    work = Work("a")
    granted(work, 0.0)
    granted(work, 9.0, 10.5)
    assert not work.may_write(10.5)


def test_what_is_lost_stays_lost() -> None:  # W1, W3
    work = Work("a")
    granted(work, 0.0)
    assert work.begin("x", 3, 1.0)
    work.lose()
    assert not work.may_write(1.0) and not work.begin("y", None, 1.0)
    granted(work, 2.0)
    assert not work.may_write(2.0)


def test_the_end_of_the_last_work_is_told() -> None:  # W2
    work, told = Work("a"), list[object]()
    work.on_idle, work.on_idle_slot = told.append, told.append
    granted(work, 0.0)
    for name in ("x", "x", "y"):
        assert work.begin(name, 7, 1.0)
    work.end("x", 7)
    assert told == [] and not work.is_idle("x")
    work.end("x", 7)
    assert told == ["x"] and work.is_idle("x") and not work.is_idle_slot(7)
    work.end("y", 7)
    assert told == ["x", "y", 7] and work.is_idle_slot(7)
