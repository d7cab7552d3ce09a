"""Conditions: the transition time moves with the status, everything else stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kajitori.apis.core_v1 import Pod, PodCondition, PodStatus
from kajitori.apis.meta_v1 import Condition
from kajitori.ctrl import (
    find_condition,
    is_condition_true,
    set_condition,
    with_condition,
    without_condition,
)
from kajitori.testing import condition_true, pod_ready

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


def test_conditions_of_a_class_are_set_alike() -> None:  # K1, K2, K3
    old = Condition(type="Ready", status="False", reason="Waits", last_transition_time="2020-01-01T00:00:00Z")
    other = Condition(type="Degraded", status="False", reason="Fine")
    same = with_condition((old, other), Condition(type="Ready", status="False", reason="StillWaits"), now=NOW)
    assert same[0].reason == "StillWaits" and same[0].last_transition_time == old.last_transition_time
    assert same[1] is other
    done = with_condition(same, Condition(type="Ready", status="True", reason="Done"), now=NOW)
    assert done[0].last_transition_time == STAMP and len(done) == 2
    assert is_condition_true(done, "Ready") and not is_condition_true(done, "Degraded")
    assert find_condition(done, "Ready") is done[0] and find_condition(done, "Other") is None
    assert without_condition(done, "Ready") == (other,)
    assert with_condition((), PodCondition(type="Ready", status="True"), now=NOW) == (
        PodCondition(type="Ready", status="True", last_transition_time=STAMP),
    )


def test_what_tests_wait_for_is_asked_of_instances_too() -> None:
    ready = PodStatus(conditions=(PodCondition(type="Ready", status="True"),))
    assert pod_ready(Pod(status=ready)) and not pod_ready(Pod())
    assert not condition_true("Initialized")(Pod(status=ready))
