"""The reflector against servers that stream, refuse, break, forget."""

import asyncio
import logging
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from tests.ctrl.scripted import PODS, Asked, Script, bookmark, event, pod, pod_list

from kajitori.apimachinery.errors import (
    ApiError,
    BadRequest,
    Cause,
    Expired,
    Forbidden,
    InternalError,
    Invalid,
    NotFound,
    Timeout,
    TooManyRequests,
    Unauthorized,
)
from kajitori.client import Client, TransportError, WatchEvent
from kajitori.client.objects import codec_of
from kajitori.ctrl.reflector import INITIAL_EVENTS_QUIET_SECONDS, ClientSource, Reflector
from kajitori.testing import run_virtual
from kajitori.world.random import SeededRandom

NO_STREAMING = Invalid(
    "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
)


class Recorder:
    """A sink that writes down what it is told."""

    def __init__(self) -> None:
        self.told = list[Any]()

    async def replace(self, objects: list[Any], resource_version: str) -> None:
        self.told.append(("replace", sorted(each.name for each in objects), resource_version))

    def apply(self, event: WatchEvent[Any]) -> None:
        self.told.append((event.type, event.object.name, event.resource_version))


def reflect(
    respond: Callable[[Asked], Any], *, seconds: float = 100.0, stream_initial: bool = False
) -> tuple[list[Any], list[Asked], Reflector]:
    sink, script = Recorder(), Script(respond)
    source = ClientSource(Client(script), codec_of(PODS), namespace="n", labels="app=x")
    reflector = Reflector(source, sink, random=SeededRandom(1), stream_initial=stream_initial)

    async def run() -> None:
        task = asyncio.create_task(reflector.run())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run_virtual(run())
    return sink.told, script.asked, reflector


def in_turn(*answers: Any) -> Callable[[Asked], Any]:
    left = list(answers)
    return lambda asked: left.pop(0) if left else []


def test_lists_then_watches_from_there() -> None:  # F1
    told, asked, reflector = reflect(
        in_turn(pod_list(5, pod("a", 3), pod("b", 5)), [event("ADDED", pod("c", 6)), bookmark(9)])
    )
    assert told == [("replace", ["a", "b"], "5"), ("ADDED", "c", "6"), ("BOOKMARK", "", "9")]
    assert asked[0].query == {"labelSelector": "app=x", "resourceVersion": "0", "limit": "500"}
    watch = dict(asked[1].query)
    assert 300 <= int(watch.pop("timeoutSeconds")) <= 600
    assert watch == {
        "watch": "1",
        "labelSelector": "app=x",
        "resourceVersion": "5",
        "allowWatchBookmarks": "true",
    }
    assert reflector.resource_version == "9"


def test_streams_what_exists_and_goes_on_with_the_same_watch() -> None:  # F1
    lines = [
        event("ADDED", pod("a", 3)),
        event("ADDED", pod("b", 4)),
        event("MODIFIED", pod("a", 6)),
        event("DELETED", pod("b", 7)),
        bookmark(7, initial_events_end=True),
        event("ADDED", pod("c", 8)),
    ]
    told, asked, _ = reflect(in_turn(lines), stream_initial=True)
    assert told == [("replace", ["a"], "7"), ("ADDED", "c", "8")]
    query = dict(asked[0].query)
    del query["timeoutSeconds"]
    assert query == {
        "watch": "1",
        "labelSelector": "app=x",
        "allowWatchBookmarks": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
    }


def test_a_server_that_refuses_to_stream_is_listed_and_not_asked_again() -> None:  # F4
    answers = in_turn(NO_STREAMING, pod_list(5, pod("a", 5)), Expired("gone"), pod_list(8), [])
    told, asked, _ = reflect(answers, stream_initial=True)
    assert told == [("replace", ["a"], "5"), ("replace", [], "8")]
    assert ["sendInitialEvents" in each.query for each in asked] == [True, False, False, False, False]


def test_a_server_that_ignores_the_wish_to_stream_is_listed() -> None:  # F4
    answers = in_turn([event("ADDED", pod("a", 5))], pod_list(5, pod("a", 5)))
    told, _, _ = reflect(answers, stream_initial=True, seconds=INITIAL_EVENTS_QUIET_SECONDS + 1)
    assert told == [("replace", ["a"], "5")]


def test_a_stream_that_breaks_before_its_end_tells_nothing_and_begins_again() -> None:  # F1
    lines = [event("ADDED", pod("b", 6)), bookmark(6, initial_events_end=True)]
    told, _, _ = reflect(
        in_turn([event("ADDED", pod("a", 5)), TransportError("reset")], lines), stream_initial=True
    )
    assert told == [("replace", ["b"], "6")]


def test_a_broken_watch_goes_on_from_the_last_event() -> None:  # F2
    told, asked, _ = reflect(
        in_turn(
            pod_list(5),
            [event("ADDED", pod("a", 6)), TransportError("reset")],
            [event("ADDED", pod("b", 7)), "end"],
            [bookmark(20), "end"],
            [],
        )
    )
    assert told[1:] == [("ADDED", "a", "6"), ("ADDED", "b", "7"), ("BOOKMARK", "", "20")]
    assert [each.query["resourceVersion"] for each in asked] == ["0", "5", "6", "7", "20"]


def test_a_forgotten_version_is_listed_anew() -> None:  # F3
    """From what has at least that version, which a cache of the server's may have; not from its storage."""
    forgotten = [event("ERROR", Expired("too old").to_status())]
    told, asked, _ = reflect(in_turn(pod_list(5), forgotten, pod_list(50, pod("a", 50)), []))
    assert told == [("replace", [], "5"), ("replace", ["a"], "50")]
    assert [each.query.get("resourceVersion") for each in asked] == ["0", "5", "5", "50"]


def test_a_version_that_cannot_be_listed_either_is_given_up() -> None:  # F3
    forgotten = [event("ERROR", Expired("too old").to_status())]
    _, asked, _ = reflect(in_turn(pod_list(5), forgotten, Expired("too old"), pod_list(50), []))
    assert [each.query.get("resourceVersion") for each in asked] == ["0", "5", "5", None, "50"]


def test_a_relist_asks_for_nothing_older_and_no_pages() -> None:  # F3
    told, asked, _ = reflect(
        in_turn(pod_list(5), [event("ERROR", InternalError("boom").to_status())], pod_list(9), [])
    )
    assert told == [("replace", [], "5"), ("replace", [], "9")]
    assert asked[2].query == {"labelSelector": "app=x", "resourceVersion": "5"}


def test_a_version_the_server_does_not_know_yet_is_given_up_at_once() -> None:  # F3
    too_large = Timeout("Too large resource version", causes=[Cause("ResourceVersionTooLarge")])
    broken = [event("ERROR", InternalError("boom").to_status())]
    _, asked, _ = reflect(in_turn(pod_list(5), broken, too_large, pod_list(3), []))
    assert [each.query.get("resourceVersion") for each in asked] == ["0", "5", "5", None, "3"]


def test_a_first_list_in_pages_makes_relists_paged() -> None:
    broken = [event("ERROR", InternalError("boom").to_status())]
    told, asked, _ = reflect(
        in_turn(
            *(pod_list(5, pod("a", 1), token="t"), pod_list(5, pod("b", 2)), broken),
            *(pod_list(8, pod("a", 1), token="u"), Expired("token"), pod_list(9, pod("c", 9)), []),
        )
    )
    assert told == [("replace", ["a", "b"], "5"), ("replace", ["c"], "9")]
    assert asked[3].query == {"labelSelector": "app=x", "resourceVersion": "5", "limit": "500"}
    assert asked[5].query == {"labelSelector": "app=x", "resourceVersion": "5"}


def times_of(error: Exception, *, watches: bool, seconds: float) -> list[float]:
    times = list[float]()

    def respond(asked: Asked) -> Any:
        if asked.is_watch != watches:
            return pod_list(5)
        times.append(asyncio.get_running_loop().time())
        return error

    reflect(respond, seconds=seconds)
    return times


def test_failures_are_waited_out_longer_and_longer() -> None:
    times = times_of(BadRequest("no"), watches=False, seconds=600)
    waits = [after - before for before, after in pairwise(times)]
    assert 0.8 <= waits[0] <= 1.6 and 1.6 <= waits[1] <= 3.2
    assert all(30 <= wait <= 60 for wait in waits[7:])


def test_a_busy_or_restarting_server_is_watched_again_without_a_list() -> None:
    for error in (TooManyRequests("busy"), TransportError("refused", sent=False, refused=True)):
        lists = list[Asked]()

        def respond(asked: Asked, error: Exception = error, lists: list[Asked] = lists) -> Any:
            if asked.is_watch:
                return error
            lists.append(asked)
            return pod_list(5)

        _, asked, _ = reflect(respond, seconds=100)
        assert len(lists) == 1 and len(asked) > 4


def test_a_watch_that_ends_at_once_is_not_hammered() -> None:
    _, asked, _ = reflect(lambda asked: ["end"] if asked.is_watch else pod_list(5), seconds=60)
    assert len(asked) < 20


def test_a_dead_connection_is_noticed() -> None:
    _, asked, _ = reflect(in_turn(pod_list(5), [bookmark(6)], []), seconds=640)
    assert [each.query["resourceVersion"] for each in asked] == ["0", "5", "6"]


def test_an_error_that_no_one_expects_ends_nothing() -> None:
    told, _, _ = reflect(in_turn(ApiError("teapot", code=418), pod_list(5, pod("a", 1))))
    assert told == [("replace", ["a"], "5")]


def test_a_server_that_fails_to_stream_is_listed_this_time() -> None:  # F4
    told, asked, _ = reflect(
        in_turn(
            InternalError("boom"),
            pod_list(5, pod("a", 5)),
            [event("ERROR", InternalError("boom").to_status())],
            [event("ADDED", pod("a", 5)), bookmark(9, initial_events_end=True)],
        ),
        stream_initial=True,
    )
    assert told == [("replace", ["a"], "5"), ("replace", ["a"], "9")]
    assert ["sendInitialEvents" in each.query for each in asked] == [True, False, False, True]
    assert asked[3].query["resourceVersion"] == "5"


def test_a_stream_from_a_version_that_is_gone_begins_anew_at_once_and_then_less_often() -> None:  # F3
    _, asked, _ = reflect(lambda asked: Expired("gone"), stream_initial=True, seconds=60)
    assert len(asked) < 40
    streams = [each for each in asked if "sendInitialEvents" in each.query]
    assert "resourceVersion" not in streams[1].query


def test_versions_that_come_in_no_order_are_not_gone_on_from() -> None:  # F2
    """Of a server whose lists have no version: what exists is told first, in any order."""
    told, asked, _ = reflect(
        in_turn(
            pod_list(0),
            [event("ADDED", pod("b", 9)), event("ADDED", pod("a", 3)), TransportError("reset")],
            [
                event("ADDED", pod("a", 3)),
                event("MODIFIED", pod("b", 10)),
                event("ADDED", pod("c", 11)),
                "end",
            ],
            [],
        )
    )
    assert [each.query["resourceVersion"] for each in asked] == ["0", "0", "0", "11"]
    assert told[-1] == ("ADDED", "c", "11")


def test_a_busy_server_is_not_asked_before_it_says() -> None:
    times = list[float]()

    def respond(asked: Asked) -> Any:
        if not asked.is_watch:
            return pod_list(5)
        times.append(asyncio.get_running_loop().time())
        return TooManyRequests("busy", details={"retryAfterSeconds": 20})

    reflect(respond, seconds=60)
    assert all(after - before >= 20 for before, after in pairwise(times)) and len(times) >= 2


def test_an_event_of_an_unknown_type_is_left_out() -> None:
    told, asked, _ = reflect(
        in_turn(pod_list(5), [event("RENAMED", pod("a", 6)), event("ADDED", pod("b", 7)), "end"], [])
    )
    assert told[1:] == [("ADDED", "b", "7")]
    assert asked[-1].query["resourceVersion"] == "7"


def test_a_line_that_is_no_event_makes_it_begin_again() -> None:
    told, _, _ = reflect(
        in_turn(pod_list(5), [b"{]\n"], pod_list(6, pod("a", 6)), [b'{"type":"ADDED"}\n'], pod_list(7))
    )
    assert told == [("replace", [], "5"), ("replace", ["a"], "6"), ("replace", [], "7")]


def test_a_server_that_lost_its_state_and_keeps_silent_is_found_out() -> None:  # F6
    told, asked, _ = reflect(
        in_turn(
            pod_list(500, pod("a", 400)),
            [2, TransportError("reset")],
            TransportError("refused", sent=False, refused=True),
            [],  # it is there again, and waits for version 500
            pod_list(7),
            pod_list(8, pod("b", 8)),
            [],
        ),
        seconds=200,
    )
    assert told == [("replace", ["a"], "500"), ("replace", ["b"], "8")]
    assert [each.query.get("resourceVersion") for each in asked] == [
        "0",
        "500",
        "500",
        "500",
        None,
        None,
        "8",
    ]
    assert asked[4].query["limit"] == "1"


def test_a_server_that_only_has_nothing_to_say_is_watched_on() -> None:  # F6
    told, asked, _ = reflect(
        in_turn(pod_list(5), [2, TransportError("reset")], [], pod_list(5), [event("ADDED", pod("a", 6))]),
        seconds=200,
    )
    assert told == [("replace", [], "5"), ("ADDED", "a", "6")]
    assert [each.is_watch for each in asked] == [False, True, True, False, True]


def test_a_server_that_is_heard_of_is_not_asked_more() -> None:  # F6
    _, asked, _ = reflect(
        in_turn(pod_list(5), [2, TransportError("reset")], [bookmark(6), 250, "end"], []), seconds=300
    )
    assert [each.is_watch for each in asked] == [False, True, True, True]


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (Forbidden('User "u" cannot list resource "pods"'), logging.ERROR),
        (Unauthorized("Unauthorized"), logging.ERROR),
        (NotFound("the server could not find the requested resource"), logging.INFO),
        (InternalError("the server is ill"), logging.INFO),
    ],
)
def test_what_people_must_mend_is_an_error_and_told_once_a_try(
    error: ApiError, level: int, caplog: pytest.LogCaptureFixture
) -> None:  # F7
    caplog.set_level(logging.INFO)
    reflect(lambda asked: error, seconds=0.1, stream_initial=True)
    last = caplog.records[-1]
    assert (last.levelno, last.getMessage()) == (level, "listing or watching failed; trying again")
    assert str(error) in last.__dict__["error"]
    assert len(caplog.records) == (2 if isinstance(error, InternalError) else 1)
