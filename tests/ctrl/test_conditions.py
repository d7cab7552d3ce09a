"""Conditions: the transition time moves with the status, everything else stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kajitori.ctrl import find_condition, is_condition_true, set_condition, without_condition

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STAMP = "2026-01-02T03:04:05Z"

statuses = st.sampled_from(["True", "False", "Unknown"])
conditions = st.lists(
    st.builds(
        lambda type, status: {
            "type": type,
            "status": status,
            "reason": "Before",
            "message": "",
            "lastTransitionTime": "2020-01-01T00:00:00Z",
            "extra": 1,
        },
        st.sampled_from(["Available", "Progressing", "Degraded"]),
        statuses,
    ),
    unique_by=lambda each: each["type"],
)


@given(conditions, statuses)
def test_the_time_moves_exactly_with_the_status(
    before: list[dict[str, Any]], status: Any
) -> None:  # K1, K2, K3
    copies = [dict(each) for each in before]
    after = set_condition(before, "Available", status=status, reason="Now", message="m", now=NOW)
    assert before == copies
    old, new = find_condition(before, "Available"), find_condition(after, "Available")
    assert new is not None and (new["status"], new["reason"], new["message"]) == (status, "Now", "m")
    if old is None:
        assert new["lastTransitionTime"] == STAMP and len(after) == len(before) + 1
    else:
        assert (new["lastTransitionTime"] == STAMP) == (old["status"] != status)
        assert new["extra"] == 1 and [each["type"] for each in after] == [each["type"] for each in before]
    assert [each for each in after if each["type"] != "Available"] == [
        each for each in before if each["type"] != "Available"
    ]


def test_setting_the_same_again_gives_the_same() -> None:  # K3
    once = set_condition(None, "Ready", status="True", reason="Up", observed_generation=3, now=NOW)
    later = NOW + timedelta(hours=1)
    assert set_condition(once, "Ready", status="True", reason="Up", observed_generation=3, now=later) == once
    assert once[0]["observedGeneration"] == 3


def test_absent_means_unknown() -> None:
    ready = set_condition(None, "Ready", status="True", reason="Up", now=NOW)
    assert is_condition_true(ready, "Ready") and not is_condition_true(ready, "Other")
    assert not is_condition_true(None, "Ready") and without_condition(ready, "Ready") == []
