"""Following over breaks, and waiting for an object to be as wanted."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.ctrl.scripted import PODS, Asked, Script, bookmark, event, pod, pod_list

from kajitori.apimachinery.errors import ApiError, Expired, Forbidden, ServiceUnavailable, TooManyRequests
from kajitori.client import Client, TransportError, follow, wait_until
from kajitori.client.transport import RawResponse
from kajitori.testing import run_virtual


def in_turn(*answers: Any) -> Callable[[Asked], Any]:
    left = list(answers)
    return lambda asked: left.pop(0) if left else []


def told(*answers: Any, seconds: float = 100, **options: Any) -> tuple[list[Any], list[Asked]]:
    """What a follower is told, and at the end the error."""
    script, heard = Script(in_turn(*answers)), list[Any]()

    async def run() -> None:
        try:
            async with asyncio.timeout(seconds):
                async for each in follow(Client(script), PODS, "n", **options):
                    heard.append((each.type, each.object.name))
        except (ApiError, TimeoutError) as error:
            heard.append(type(error))

    run_virtual(run())
    return heard, script.asked


def test_what_is_there_comes_first_and_then_what_happens_over_breaks() -> None:  # W1, W2
    heard, asked = told(
        pod_list(5, pod("a", 3), token="t"),
        pod_list(5, pod("b", 4)),
        [event("ADDED", pod("c", 6)), TransportError("reset")],
        TransportError("refused", sent=False, refused=True),
        [event("MODIFIED", pod("c", 7)), bookmark(20), "end"],
        ServiceUnavailable("starting"),
        [event("ERROR", TooManyRequests("busy").to_status())],
        [event("DELETED", pod("c", 21))],
        labels="app=x",
    )
    assert heard == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("ADDED", "c"),
        ("MODIFIED", "c"),
        ("DELETED", "c"),
        TimeoutError,
    ]
    assert [each.query["resourceVersion"] for each in asked[2:]] == ["5", "6", "6", "20", "20", "20"]
    assert {each.query.get("labelSelector") for each in asked[:1] + asked[2:]} == {"app=x"}


def test_what_does_not_pass_is_raised() -> None:  # W2
    for error in (Expired("gone"), Forbidden("no")):
        heard, asked = told(error, resource_version="3")
        assert heard == [type(error)] and asked[0].query["resourceVersion"] == "3"


def wait(*answers: Any, holds: Callable[[Any], object], seconds: float = 100) -> Any:
    script = Script(in_turn(*answers))

    async def run() -> Any:
        return await wait_until(Client(script), PODS, "n", "a", holds, timeout_seconds=seconds)

    return run_virtual(run()), script.asked


def is_at(version: str) -> Callable[[Any], object]:
    return lambda value: value is not None and value.resource_version == version


def listed(*pods: Any, version: int = 5) -> RawResponse:
    return pod_list(version, *pods)


def test_an_object_that_is_as_wanted_is_given_at_once() -> None:  # W3
    found, asked = wait(listed(pod("a", 3)), holds=is_at("3"))
    assert found.name == "a" and len(asked) == 1
    assert asked[0].query["fieldSelector"] == "metadata.name=a"


def test_it_is_waited_for_over_faults_and_forgotten_versions() -> None:  # W3
    found, _ = wait(
        ServiceUnavailable("starting"),
        listed(),
        [event("ADDED", pod("a", 6)), TransportError("reset")],
        [event("ERROR", Expired("gone").to_status())],
        listed(pod("a", 8), version=9),
        [event("MODIFIED", pod("a", 10))],
        holds=is_at("10"),
    )
    assert found.resource_version == "10"


def test_its_end_may_be_waited_for() -> None:  # W3
    found, _ = wait(listed(pod("a", 3)), [event("DELETED", pod("a", 6))], holds=lambda value: value is None)
    assert found is None


def test_a_wait_in_vain_says_what_was_there() -> None:  # W3
    with pytest.raises(TimeoutError, match=r"Pod n/a was not as wanted within 5 s; it was at version 3"):
        wait(listed(pod("a", 3)), holds=is_at("4"), seconds=5)
    with pytest.raises(TimeoutError, match=r"there was none"):
        wait(listed(), holds=is_at("4"), seconds=5)


def test_what_the_condition_raises_is_the_callers() -> None:
    def fail(value: Any) -> bool:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match=r"^mine$"):
        wait(listed(), holds=fail)
