"""What a client sends, what it makes of the answers, and when it sends again."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
from tests.ctrl.scripted import PODS, WIDGETS, Asked, Script, answer, bookmark, event, pod, pod_list

from kajitori.apimachinery import declare
from kajitori.apimachinery.errors import (
    ApiError,
    Conflict,
    Expired,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
)
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.client import Client, PatchType, RawResponse, TransportError
from kajitori.client.writes import WriteLog, current_writes
from kajitori.testing import run_virtual


class WidgetSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    disk_size: int = 0


@declare.kind(group="example.com", version="v1", plural="widgets")
class Widget(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: WidgetSpec = WidgetSpec()


WIDGET = {
    "apiVersion": "example.com/v1",
    "kind": "Widget",
    "metadata": {"name": "a", "namespace": "n", "resourceVersion": "5", "managedFields": [{"manager": "x"}]},
    "spec": {"diskSize": 3, "unknown": 1},
}


def talk(
    conversation: Callable[[Client], Coroutine[Any, Any, Any]], *answers: Any, **options: Any
) -> tuple[Any, list[Asked]]:
    left = list(answers)
    script = Script(lambda asked: left.pop(0))
    return run_virtual(conversation(Client(script, **options))), script.asked


def test_get_gives_a_frozen_object() -> None:
    got, asked = talk(lambda client: client.get(PODS, "db", "a"), answer(pod("a", 1, "db")))
    assert isinstance(got, Unstructured) and got.name == "a"
    assert (asked[0].method, asked[0].path) == ("GET", "/api/v1/namespaces/db/pods/a")


def test_an_empty_name_is_never_sent() -> None:
    # The path of the collection would be asked for, or deleted.
    for verb in (
        lambda client: client.get(PODS, "db", ""),
        lambda client: client.delete(PODS, "db", ""),
        lambda client: client.patch(PODS, "db", "", {}),
        lambda client: client.update(PODS, {"metadata": {"namespace": "db"}}),
    ):
        with pytest.raises(ValueError, match="name"):
            talk(verb)


def test_an_empty_namespace_is_not_mistaken_for_an_object_that_is_not_there() -> None:
    for verb in (
        lambda client: client.get(PODS, "", "a"),
        lambda client: client.delete(PODS, "", "a"),
        lambda client: client.patch(PODS, "", "a", {}),
        lambda client: client.apply(PODS, {"metadata": {"name": "a"}}, field_manager="m"),
        lambda client: client.update(PODS, {"metadata": {"name": "a"}}),
    ):
        with pytest.raises(
            ValueError, match=r"Pod.* a is asked for without a namespace; Pod objects are in one"
        ):
            talk(verb)


def test_lists_fill_in_what_servers_leave_out() -> None:  # O1
    bare = {"metadata": {"name": "a"}}
    got, asked = talk(
        lambda client: client.list(PODS, "db", labels="app=x,y", limit=5), pod_list(7, bare, token="t")
    )
    assert [dict(each) for each in got] == [{"apiVersion": "v1", "kind": "Pod", **bare}]
    assert (got.resource_version, got.continue_token, len(got)) == ("7", "t", 1)
    assert asked[0].query == {"labelSelector": "app=x,y", "limit": "5"}


def test_pages_follow_the_token_and_leave_out_the_version() -> None:
    async def read(client: Client) -> list[list[str]]:
        pages = client.list_pages(PODS, resource_version="3", resource_version_match="NotOlderThan")
        return [[each.name for each in page] async for page in pages]

    got, asked = talk(read, pod_list(7, pod("a", 1), token="t"), pod_list(7, pod("b", 2)))
    assert got == [["a"], ["b"]]
    assert asked[0].query["resourceVersion"] == "3"
    assert asked[1].query == {"limit": "500", "continue": "t"}


def test_writes_name_their_path_type_and_manager() -> None:
    async def write(client: Client) -> None:
        value = {"metadata": {"name": "a", "namespace": "n"}}
        await client.create(WIDGETS, value, dry_run=True, field_validation="Strict")
        await client.update(WIDGETS, value, subresource="status")
        await client.patch(WIDGETS, "n", "a", [{"op": "remove", "path": "/x"}], PatchType.JSON)
        await client.apply(WIDGETS, value, force=True, field_manager="other")
        await client.create(WIDGETS, {"metadata": {"generateName": "x-"}}, namespace="m")

    _, asked = talk(write, *[answer(WIDGET)] * 5, field_manager="me")
    shown = [(each.method, each.path, each.query, each.headers["content-type"]) for each in asked]
    collection = "/apis/example.com/v1/namespaces/n/widgets"
    create = {"fieldManager": "me", "dryRun": "All", "fieldValidation": "Strict"}
    assert shown == [
        ("POST", collection, create, "application/json"),
        ("PUT", f"{collection}/a/status", {"fieldManager": "me"}, "application/json"),
        ("PATCH", f"{collection}/a", {"fieldManager": "me"}, "application/json-patch+json"),
        (
            "PATCH",
            f"{collection}/a",
            {"fieldManager": "other", "force": "true"},
            "application/apply-patch+yaml",
        ),
        ("POST", "/apis/example.com/v1/namespaces/m/widgets", {"fieldManager": "me"}, "application/json"),
    ]
    assert all(asked[i].body["kind"] == "Widget" for i in (0, 1, 3))  # O2
    assert asked[2].body == [{"op": "remove", "path": "/x"}]


def test_apply_needs_a_manager() -> None:
    with pytest.raises(ValueError, match="field manager"):
        talk(lambda client: client.apply(WIDGETS, {"metadata": {"name": "a"}}))


def test_delete_says_its_conditions() -> None:
    gone = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    _, asked = talk(
        lambda client: client.delete(
            PODS, "n", "a", propagation="Foreground", grace_seconds=0, uid="u", resource_version="4"
        ),
        answer(gone),
    )
    assert asked[0].body == {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Foreground",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": "u", "resourceVersion": "4"},
    }
    _, asked = talk(lambda client: client.delete_collection(PODS, "n", labels="a=b"), answer(gone))
    assert (asked[0].path, asked[0].query, asked[0].body) == (
        "/api/v1/namespaces/n/pods",
        {"labelSelector": "a=b"},
        None,
    )


def test_subresources_of_other_kinds() -> None:
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 2}}
    got, asked = talk(
        lambda client: client.subresource(WIDGETS, "n", "a", "scale").patch({"spec": {"replicas": 2}}),
        answer(scale),
    )
    assert got == scale and asked[0].path == "/apis/example.com/v1/namespaces/n/widgets/a/scale"


def test_a_declared_class_is_read_and_written() -> None:
    async def both(client: Client) -> tuple[Widget, Widget, list[Widget]]:
        got = await client.get(Widget, "n", "a")
        listed = await client.list(Widget)
        changed = msgspec.structs.replace(got, spec=WidgetSpec(9))
        return got, await client.update(Widget, changed), list(listed)

    listed = {"metadata": {"resourceVersion": "6"}, "items": [{"metadata": {"name": "b"}}]}
    (got, updated, several), asked = talk(both, answer(WIDGET), answer(listed), answer(WIDGET))
    assert got.spec.disk_size == 3 and got.metadata.name == "a" and updated == got
    assert several == [Widget(ObjectMeta(name="b"))]
    assert asked[2].body == {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "a", "namespace": "n", "resourceVersion": "5"},
        "spec": {"diskSize": 9},
    }


def test_a_class_without_metadata_is_refused_with_the_remedy() -> None:
    @declare.kind(group="example.com", version="v1", plural="bares")
    class Bare(msgspec.Struct, frozen=True):
        spec: WidgetSpec = WidgetSpec()

    with pytest.raises(TypeError, match="metadata: ObjectMeta"):
        talk(lambda client: client.get(Bare, "n", "a"))


def test_errors_are_those_of_the_server() -> None:  # C1
    with pytest.raises(NotFound) as caught:
        talk(lambda client: client.get(PODS, "n", "a"), NotFound('pods "a" not found', details={"name": "a"}))
    assert caught.value.message == 'pods "a" not found' and caught.value.details == {"name": "a"}


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFound), (409, Conflict), (503, ServiceUnavailable), (418, ApiError)]
)
def test_answers_that_are_no_status_are_errors_too(status: int, kind: type[ApiError]) -> None:  # C1
    with pytest.raises(kind) as caught:
        talk(
            lambda client: client.patch(PODS, "n", "a", {}),
            RawResponse(status, {}, b"<html>the proxy says no</html>"),
        )
    assert "the proxy says no" in caught.value.message and caught.value.code == status


BUSY = RawResponse(429, {"retry-after": "3"}, b"")
DOWN = RawResponse(503, {"retry-after": "1"}, b"")


def timed(
    verb: Callable[[Client], Coroutine[Any, Any, Any]],
) -> Callable[[Client], Coroutine[Any, Any, float]]:
    async def run(client: Client) -> float:
        await verb(client)
        return asyncio.get_running_loop().time()

    return run


def test_what_was_refused_for_load_is_sent_again_when_told() -> None:  # R1
    seconds, asked = talk(
        timed(lambda client: client.create(PODS, pod("a", 1))), BUSY, BUSY, answer(pod("a", 1))
    )
    assert (seconds, len(asked)) == (6, 3)


def test_a_server_that_stays_busy_is_an_error_in_the_end() -> None:  # R4
    with pytest.raises(TooManyRequests):
        talk(lambda client: client.get(PODS, "n", "a"), *[BUSY] * 11)


@pytest.mark.parametrize(
    "response", [RawResponse(429, {}, b""), RawResponse(429, {"retry-after": "3600"}, b"")]
)
def test_without_a_reasonable_delay_the_caller_decides(response: RawResponse) -> None:  # R1, R4
    with pytest.raises(TooManyRequests):
        talk(lambda client: client.get(PODS, "n", "a"), response)


def test_after_a_failure_of_the_server_only_reads_are_sent_again() -> None:  # R2
    _, asked = talk(lambda client: client.get(PODS, "n", "a"), DOWN, answer(pod("a", 1)))
    assert len(asked) == 2
    with pytest.raises(ServiceUnavailable):
        talk(lambda client: client.create(PODS, pod("a", 1)), DOWN)


def test_after_a_break_only_reads_are_sent_again() -> None:  # R3
    _, asked = talk(lambda client: client.get(PODS, "n", "a"), TransportError("reset"), answer(pod("a", 1)))
    assert len(asked) == 2
    for verb, error in (
        (lambda client: client.patch(PODS, "n", "a", {}), TransportError("reset")),
        (lambda client: client.get(PODS, "n", "a"), TransportError("refused", sent=False, refused=True)),
    ):
        with pytest.raises(TransportError):
            talk(verb, error)


def test_warnings_reach_the_caller() -> None:  # C3
    heard = list[str]()
    headers = {
        "warning": '299 - "unknown field \\"spec.x\\"", 299 - "old, and going", 199 - "not from the server"'
    }
    talk(
        lambda client: client.create(PODS, pod("a", 1)),
        answer(pod("a", 1), 201, headers),
        on_warning=heard.append,
    )
    assert heard == ['unknown field "spec.x"', "old, and going"]


def test_the_default_tells_each_warning_once(caplog: pytest.LogCaptureFixture) -> None:  # C3
    said = answer(pod("a", 1), 200, {"warning": '299 - "v1beta1 is going"'})

    async def twice(client: Client) -> None:
        await client.get(PODS, "n", "a")
        await client.get(PODS, "n", "a")

    talk(twice, said, said)
    assert len(caplog.records) == 1


def test_who_asks_about_everything_need_not_be_warned(caplog: pytest.LogCaptureFixture) -> None:  # C3
    said = answer(pod("a", 1), 200, {"warning": '299 - "v1beta1 is going"'})
    talk(lambda client: client.without_warnings().get(PODS, "n", "a"), said)
    assert not caplog.records


def test_a_watch_gives_events_until_its_end() -> None:
    async def follow(client: Client) -> list[tuple[str, str]]:
        async with client.watch(PODS, "n", resource_version="3", bookmarks=True) as events:
            return [(each.type, each.resource_version) async for each in events]

    lines = event("ADDED", pod("a", 4)) + event("MODIFIED", pod("a", 5))
    got, asked = talk(
        follow, [lines[:30], lines[30:90], lines[90:], bookmark(9), event("DELETED", pod("a", 10)), "end"]
    )
    assert got == [("ADDED", "4"), ("MODIFIED", "5"), ("BOOKMARK", "9"), ("DELETED", "10")]
    assert asked[0].query == {"watch": "1", "resourceVersion": "3", "allowWatchBookmarks": "true"}


def test_a_watch_raises_the_error_that_the_server_sends() -> None:  # C1
    async def follow(client: Client) -> None:
        async with client.watch(PODS) as events:
            async for _ in events:
                pass

    with pytest.raises(Expired):
        talk(follow, [event("ERROR", Expired("too old").to_status())])
    with pytest.raises(Expired):
        talk(follow, Expired("too old"))


def test_leaving_a_watch_hangs_up() -> None:
    script = Script(lambda asked: [event("ADDED", pod("a", 1))])

    async def leave() -> int:
        async with Client(script).watch(PODS) as events:
            async for _ in events:
                break
        return script.open_streams

    assert run_virtual(leave()) == 0


def test_a_typed_watch_gives_instances() -> None:
    async def follow(client: Client) -> list[Any]:
        async with client.watch(Widget) as events:
            return [each.object async for each in events if each.type != "BOOKMARK"]

    got, _ = talk(follow, [event("ADDED", WIDGET), bookmark(9), "end"])
    assert got == [Widget(ObjectMeta(name="a", namespace="n", resource_version="5"), WidgetSpec(3))]


def test_writes_are_noted_for_who_must_read_them_back() -> None:  # C4
    async def write(client: Client) -> list[tuple[str, str, str]]:
        log = WriteLog()
        current_writes.set(log)
        await client.patch(PODS, "n", "a", {})
        await asyncio.create_task(client.patch(PODS, "n", "a", {}))
        await client.patch(PODS, "n", "b", {}, dry_run=True)
        await client.delete(PODS, "n", "c")
        await client.get(PODS, "n", "d")
        return [(each.name, each.resource_version, each.gone_uid) for each in log.writes.values()]

    gone = {"kind": "Status", "metadata": {}, "status": "Success", "details": {"uid": "u"}}
    answers = [
        answer(pod("a", 7, "n")),
        answer(pod("a", 8, "n")),
        answer(pod("b", 9)),
        answer(gone),
        answer(pod("d", 1)),
    ]
    noted, _ = talk(write, *answers)
    assert noted == [("a", "8", ""), ("c", "", "u")]


def test_defaults_of_a_client_count_where_a_call_says_nothing() -> None:
    async def write(client: Client) -> None:
        dry = client.with_options(dry_run=True, field_validation="Strict", field_manager="me")
        await dry.create(PODS, pod("a", 1))
        await dry.patch(PODS, "n", "a", {}, dry_run=False, field_validation="Warn", field_manager="you")
        await dry.delete(PODS, "n", "a")
        await dry.delete_collection(PODS, "n")
        await dry.subresource(PODS, "n", "a", "eviction").create({"kind": "Eviction"})
        await dry.with_options(dry_run=False).update(PODS, pod("a", 1))
        await client.update(PODS, pod("a", 1))

    _, asked = talk(write, *[answer(pod("a", 1))] * 7, field_manager="first")
    create, patch, delete, collection, evict, update, plain = asked
    assert create.query == {"fieldManager": "me", "dryRun": "All", "fieldValidation": "Strict"}
    assert patch.query == {"fieldManager": "you", "fieldValidation": "Warn"}
    assert delete.body["dryRun"] == collection.body["dryRun"] == ["All"]
    assert evict.query == create.query
    assert update.query == {"fieldManager": "me", "fieldValidation": "Strict"}
    assert plain.query == {"fieldManager": "first"}


def test_a_client_may_be_patient_and_listen_to_warnings_otherwise() -> None:
    heard = list[str]()

    async def read(client: Client) -> None:
        await client.with_options(on_warning=heard.append, timeout_seconds=5).get(PODS, "n", "a")

    talk(read, answer(pod("a", 1), headers={"warning": '299 - "old"'}))
    assert heard == ["old"]
