"""What a candidate for a Lease decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.ctrl.lease import Decision, LeaseRecord, View

THEN, NOW = "2026-01-01T00:00:00.000000Z", "2026-01-01T00:01:00.000000Z"
ME = View("me", 15, 10.0)


def held_by(holder: str, seconds: int = 15, transitions: int = 3) -> LeaseRecord:
    return LeaseRecord(holder, seconds, THEN, THEN, transitions)


@pytest.mark.parametrize(
    ("record", "now", "decision"),
    [
        (None, 0, Decision.CREATE),
        (held_by("other"), 0, Decision.WAIT),
        (held_by("other"), 14.9, Decision.WAIT),
        (held_by("other"), 15, Decision.TAKE_OVER),
        (held_by("other", 60), 15, Decision.WAIT),
        (held_by("", 60), 0, Decision.TAKE_OVER),
        (held_by("me"), 0, Decision.RENEW),
        (LeaseRecord.of({}), 0, Decision.TAKE_OVER),
    ],
)
def test_who_does_not_lead(record: LeaseRecord | None, now: float, decision: Decision) -> None:  # L1
    assert ME.observe(record, 0).decide(now) is decision


@pytest.mark.parametrize(
    ("record", "now", "decision"),
    [
        (held_by("me"), 9.9, Decision.RENEW),
        (held_by("me"), 10, Decision.STEP_DOWN),
        (held_by("other"), 1, Decision.STEP_DOWN),
        (held_by(""), 1, Decision.TAKE_OVER),
        (None, 1, Decision.CREATE),
    ],
)
def test_who_leads(record: LeaseRecord | None, now: float, decision: Decision) -> None:  # L2
    leader = ME.granted(held_by("me"), 0).observe(record, 0.5)
    assert leader.decide(now) is decision
    assert leader.leads(now) is (decision is not Decision.STEP_DOWN)


def test_a_record_that_stays_the_same_grows_old_and_one_that_changes_is_new() -> None:  # L1
    view = ME.observe(held_by("other"), 0).observe(held_by("other"), 14)
    assert view.decide(15) is Decision.TAKE_OVER
    assert view.observe(held_by("other", transitions=4), 14).decide(15) is Decision.WAIT


def test_times_in_the_record_are_never_compared() -> None:  # L1
    for renewed in ("1970-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z", ""):
        view = ME.observe(LeaseRecord("other", 15, renewed, renewed, 0), 100)
        assert view.decide(114) is Decision.WAIT and view.decide(115) is Decision.TAKE_OVER


def test_what_is_written() -> None:  # L3
    assert ME.claim(NOW) == LeaseRecord("me", 15, NOW, NOW, 0)
    assert ME.observe(held_by("other"), 0).claim(NOW) == LeaseRecord("me", 15, NOW, NOW, 4)
    assert ME.observe(held_by(""), 0).claim(NOW) == LeaseRecord("me", 15, NOW, NOW, 4)
    assert ME.observe(held_by("me"), 0).claim(NOW) == LeaseRecord("me", 15, THEN, NOW, 3)
    assert ME.observe(held_by("me"), 0).release(NOW) == LeaseRecord("", 1, NOW, NOW, 3)


records = st.builds(
    LeaseRecord,
    st.sampled_from(["", "me", "other"]),
    *[st.integers(1, 99), *[st.just(THEN)] * 2, st.integers(0, 9)],
)


@given(records)
def test_a_record_is_read_as_it_was_written(record: LeaseRecord) -> None:
    assert LeaseRecord.of({"spec": record.spec()}) == record


@given(records, st.floats(0, 1000), st.floats(0, 1000))
def test_nobody_takes_over_while_the_holder_may_lead(
    record: LeaseRecord, sent: float, later: float
) -> None:  # L1, L2
    leader = View("leader", 15, 10.0).observe(record, sent)
    claimed = leader.claim(NOW)
    leader = leader.granted(claimed, sent)
    seen_at = sent + 0.5
    follower = ME.observe(claimed, seen_at)
    if follower.decide(seen_at + later) is Decision.TAKE_OVER:
        assert not leader.leads(seen_at + later)
