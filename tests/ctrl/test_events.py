"""Events: counted, combined, throttled, and never in the way."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.ctrl.scripted import Asked, Script, answer, pod

from kajitori.apimachinery.errors import Forbidden, NotFound, ServiceUnavailable
from kajitori.apimachinery.frozen import freeze
from kajitori.client import Client
from kajitori.ctrl import EventRecorder
from kajitori.ctrl.events import BURST_MAX, REFILL_SECONDS, SIMILAR_MAX, WAITING_MAX
from kajitori.testing import VirtualClock, run_virtual

POD = freeze(pod("a", 7, "db"))


def record(
    scene: Callable[[EventRecorder], Any], respond: Callable[[Asked], Any] = lambda asked: answer(pod("e", 1))
) -> tuple[list[Asked], EventRecorder]:
    script = Script(respond)

    async def run() -> EventRecorder:
        recorder = EventRecorder(Client(script), clock=VirtualClock(), component="me")
        task = asyncio.create_task(recorder.run())
        waiting = scene(recorder)
        if waiting is not None:
            await waiting
        await recorder.flush()
        task.cancel()
        return recorder

    return script.asked, run_virtual(run())


def test_an_event_says_what_happened_to_whom() -> None:
    asked, _ = record(lambda recorder: recorder.event(POD, "Warning", "Failed", "no image"))
    assert asked[0].path == "/api/v1/namespaces/db/events"
    body = asked[0].body
    assert body["metadata"].pop("name").startswith("a.")
    assert body == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "db"},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": "db",
            "name": "a",
            "uid": "uid-a",
            "resourceVersion": "7",
        },
        "type": "Warning",
        "reason": "Failed",
        "message": "no image",
        "source": {"component": "me"},
        "reportingComponent": "me",
        "reportingInstance": "",
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "count": 1,
    }


def test_repetitions_are_counted() -> None:  # V2
    async def scene(recorder: EventRecorder) -> None:
        recorder.event(POD, "Normal", "Pulled", "ok")
        await asyncio.sleep(60)
        recorder.event(POD, "Normal", "Pulled", "ok")

    asked, _ = record(scene)
    assert [each.method for each in asked] == ["POST", "PATCH"]
    assert asked[1].body == {"count": 2, "lastTimestamp": "2026-01-01T00:01:00Z", "message": "ok"}
    assert asked[1].path.endswith(asked[0].body["metadata"]["name"])


def test_an_expired_event_is_told_anew() -> None:  # V2
    def respond(asked: Asked) -> Any:
        return NotFound("expired") if asked.method == "PATCH" else answer(pod("e", 1))

    def scene(recorder: EventRecorder) -> None:
        recorder.event(POD, "Normal", "Pulled", "ok")
        recorder.event(POD, "Normal", "Pulled", "ok")

    asked, _ = record(scene, respond)
    assert [each.method for each in asked] == ["POST", "PATCH", "POST"] and asked[2].body["count"] == 2


def test_many_different_messages_become_one_event() -> None:  # V3
    def scene(recorder: EventRecorder) -> None:
        for number in range(SIMILAR_MAX + 3):
            recorder.event(POD, "Warning", "Failed", f"try {number}")

    asked, _ = record(scene)
    assert [each.method for each in asked] == ["POST"] * (SIMILAR_MAX + 1) + ["PATCH"] * 2
    assert asked[-1].body["message"] == f"(combined from similar events): try {SIMILAR_MAX + 2}"


def test_one_object_cannot_flood() -> None:  # V4
    async def scene(recorder: EventRecorder) -> None:
        for number in range(100):
            recorder.event(POD, "Normal", f"Reason{number}", "")
        await asyncio.sleep(REFILL_SECONDS)
        recorder.event(POD, "Normal", "Later", "")

    asked, recorder = record(scene)
    assert len(asked) == BURST_MAX + 1 and recorder.dropped == 100 - BURST_MAX


@pytest.mark.parametrize("value", [None, {}, {"metadata": {"name": "a"}}, object()])
def test_nothing_that_is_noted_raises(value: Any) -> None:  # V1, V5
    asked, recorder = record(lambda recorder: recorder.event(value, "Normal", "Reason", ""))
    assert not asked and recorder.dropped == 1


def test_an_event_that_is_rejected_is_dropped_and_one_that_fails_is_retried() -> None:  # V5
    answers: list[Any] = [
        ServiceUnavailable("later"),
        answer(pod("e", 1)),
        Forbidden("the namespace is going"),
    ]

    def scene(recorder: EventRecorder) -> None:
        recorder.event(POD, "Normal", "One", "")
        recorder.event(POD, "Normal", "Two", "")

    asked, recorder = record(scene, lambda asked: answers.pop(0))
    assert [each.body["reason"] for each in asked] == ["One", "One", "Two"] and recorder.dropped == 1


def test_a_server_that_does_not_answer_holds_nobody_up() -> None:  # V1, V5
    async def run() -> int:
        recorder = EventRecorder(Client(Script(lambda asked: None)), clock=VirtualClock(), component="me")
        for number in range(WAITING_MAX + 5):
            recorder.event(freeze(pod(f"p{number}", 1)), "Normal", "Reason", "")
        return recorder.dropped

    assert run_virtual(run()) == 5


def test_two_events_of_the_same_instant_have_different_names() -> None:
    def scene(recorder: EventRecorder) -> None:
        recorder.event(POD, "Normal", "Pulled", "one")
        recorder.event(POD, "Normal", "Pulled", "two")

    asked, _ = record(scene)
    assert len({each.body["metadata"]["name"] for each in asked}) == 2


def test_another_version_of_the_object_is_the_same_object() -> None:  # V2
    def scene(recorder: EventRecorder) -> None:
        recorder.event(POD, "Normal", "Pulled", "ok")
        recorder.event(freeze(pod("a", 8, "db")), "Normal", "Pulled", "ok")

    asked, _ = record(scene)
    assert [each.method for each in asked] == ["POST", "PATCH"]


def test_a_part_of_the_manager_can_report_under_its_own_name() -> None:
    asked, _ = record(lambda recorder: recorder.event(POD, "Normal", "Pulled", "ok", component="part"))
    assert asked[0].body["source"] == {"component": "part"} and asked[0].body["reportingComponent"] == "part"
