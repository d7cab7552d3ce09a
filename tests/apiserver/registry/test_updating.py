"""Updates: what changes, what cannot, and who wins."""

import asyncio
import random
from typing import Any

import pytest
from tests.apiserver.support import (
    APPLY,
    CONFIG_MAPS,
    CORE,
    JSON_PATCH,
    MERGE,
    PODS,
    STRATEGIC,
    Api,
    config_map,
    define,
    definition,
    pod,
    served,
    served_on_disk,
)


@served
async def test_what_changes_nothing_writes_nothing(api: Api) -> None:  # U1
    made = await api.ok("POST", CONFIG_MAPS, config_map("a", labels={"x": "y"}, k="v"))
    async with api.watch(f"{CONFIG_MAPS}?resourceVersion={made.revision}") as watch:
        for method, body, media in (
            ("PUT", made.body, ""),
            ("PUT", config_map("a", labels={"x": "y"}, k="v"), ""),
            ("PATCH", {"data": {"k": "v"}}, MERGE),
            ("PATCH", {"data": {"none": None}}, STRATEGIC),
            ("PATCH", [{"op": "test", "path": "/data/k", "value": "v"}], JSON_PATCH),
            ("PATCH", [], JSON_PATCH),
        ):
            told = await api.ok(method, f"{CONFIG_MAPS}/a", body, type=media)
            assert told.revision == made.revision, (method, body)
        config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "v"}}
        applied = await api.ok("PATCH", f"{CONFIG_MAPS}/a?fieldManager=m", config, type=APPLY)
        again = await api.ok("PATCH", f"{CONFIG_MAPS}/a?fieldManager=m", config, type=APPLY)
        assert again.body == applied.body
        await api.ok("DELETE", f"{CONFIG_MAPS}/a")
        # The first apply did write who owns the field.
        assert await watch.take(2) == [("MODIFIED", "a"), ("DELETED", "a")]


@pytest.mark.parametrize("media", [MERGE, JSON_PATCH, STRATEGIC, APPLY])
@served_on_disk
async def test_concurrent_patches_of_one_object_all_count(api: Api, media: str) -> None:  # U2
    await api.ok("POST", CONFIG_MAPS, config_map("a", first="x"))

    async def patch(number: int) -> None:
        body: Any = {"data": {f"k{number}": "v"}}
        path = f"{CONFIG_MAPS}/a?fieldManager=m{number}"
        if media == JSON_PATCH:
            body = [{"op": "add", "path": f"/data/k{number}", "value": "v"}]
        if media == APPLY:
            body |= {"apiVersion": "v1", "kind": "ConfigMap"}
        await api.ok("PATCH", path, body, type=media)

    await asyncio.gather(*map(patch, range(50)))
    assert len((await api.ok("GET", f"{CONFIG_MAPS}/a")).body["data"]) == 51


@served_on_disk
async def test_readers_who_name_the_version_they_read_never_lose_a_count(api: Api) -> None:  # U2
    await api.ok("POST", CONFIG_MAPS, config_map("a", count="0"))
    conflicts = 0

    async def count() -> None:
        nonlocal conflicts
        while True:
            seen = (await api.ok("GET", f"{CONFIG_MAPS}/a")).body
            await asyncio.sleep(0)
            seen["data"]["count"] = str(int(seen["data"]["count"]) + 1)
            told = await api.ask("PUT", f"{CONFIG_MAPS}/a", seen)
            if told.status == 200:
                return
            assert told.status == 409 and "please apply your changes to the latest version" in told.message
            conflicts += 1

    await asyncio.gather(*(count() for _ in range(10)))
    assert (await api.ok("GET", f"{CONFIG_MAPS}/a")).body["data"]["count"] == "10"
    assert conflicts


@served
async def test_a_stale_version_is_a_conflict_and_no_version_is_not(api: Api) -> None:
    made = (await api.ok("POST", CONFIG_MAPS, config_map("a"))).body
    await api.ok("PATCH", f"{CONFIG_MAPS}/a", {"data": {"k": "1"}}, type=MERGE)
    told = await api.refused(409, "PUT", f"{CONFIG_MAPS}/a", made)
    assert told.body["details"] == {"name": "a", "kind": "configmaps"}
    told = await api.refused(
        409, "PATCH", f"{CONFIG_MAPS}/a", {"metadata": {"resourceVersion": "1"}}, type=MERGE
    )
    del made["metadata"]["resourceVersion"]
    await api.ok("PUT", f"{CONFIG_MAPS}/a", made)
    made["metadata"]["resourceVersion"] = "nonsense"
    await api.refused(422, "PUT", f"{CONFIG_MAPS}/a", made)


@served
async def test_kinds_that_want_a_version_get_one(api: Api) -> None:
    path = await define(api, definition())
    await api.ok("POST", path, {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}})
    sent = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "x": 1}
    told = await api.refused(422, "PUT", f"{path}/a", sent)
    assert told.message == (
        'widgets.example.com "a" is invalid: metadata.resourceVersion: Invalid value: 0: '
        "must be specified for an update"
    )


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"uid": "other"}, 409),
        ({"creationTimestamp": "2001-01-01T00:00:00Z"}, 200),
        ({"generation": 99}, 200),
        ({"selfLink": "/x"}, 200),
        ({"deletionTimestamp": "2001-01-01T00:00:00Z"}, 422),
        ({"deletionGracePeriodSeconds": 5}, 422),
        ({"name": "b"}, 400),
        ({"namespace": "kube-system"}, 400),
        ({"finalizers": ["nonsense"]}, 422),
    ],
)
@served
async def test_what_the_server_owns_stays(api: Api, change: dict[str, Any], status: int) -> None:
    made = (await api.ok("POST", CONFIG_MAPS, config_map("a"))).body
    sent = {**made, "metadata": {**made["metadata"], **change}}
    assert (await api.ask("PUT", f"{CONFIG_MAPS}/a", sent)).status == status
    assert (await api.ok("GET", f"{CONFIG_MAPS}/a")).body == made


LIMITS = f"{CORE}/limitranges"


def limit_range(name: str, **metadata: str) -> dict[str, Any]:
    limit = {"type": "Container", "max": {"cpu": "1"}}
    return {"metadata": {"name": name, **metadata}, "spec": {"limits": [limit]}}


@served
async def test_a_put_creates_only_what_may_be_created_so(api: Api) -> None:
    assert (await api.ask("PUT", f"{LIMITS}/l", limit_range("l"))).status == 201
    assert (await api.ask("PUT", f"{LIMITS}/l", limit_range("l"))).status == 200
    await api.refused(404, "PUT", f"{CONFIG_MAPS}/a", config_map("a"))
    told = await api.refused(409, "PUT", f"{LIMITS}/m", limit_range("m", uid="known"))
    assert "UID in precondition: known" in told.message


@served_on_disk
async def test_puts_that_race_to_create_an_object_all_succeed(api: Api) -> None:
    told = await asyncio.gather(*(api.ask("PUT", f"{LIMITS}/l", limit_range("l")) for _ in range(8)))
    assert sorted(each.status for each in told) == [200] * 7 + [201]


@served
async def test_a_dry_run_changes_nothing(api: Api) -> None:
    made = await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
    told = await api.ok("PATCH", f"{CONFIG_MAPS}/a?dryRun=All", {"data": {"k": "w"}}, type=MERGE)
    assert told.body["data"] == {"k": "w"} and told.revision == made.revision
    assert (await api.ok("GET", f"{CONFIG_MAPS}/a")).body == made.body


@served
async def test_the_status_is_changed_below_and_nowhere_else(api: Api) -> None:
    made = (await api.ok("POST", PODS, pod("a"))).body
    sent = {**made, "status": {"phase": "Running"}, "metadata": {**made["metadata"], "labels": {"a": "b"}}}
    whole = (await api.ok("PUT", f"{PODS}/a", sent)).body
    assert whole["status"]["phase"] == "Pending" and whole["metadata"]["labels"] == {"a": "b"}
    sent["metadata"] = whole["metadata"]
    sent["spec"] = {**made["spec"], "activeDeadlineSeconds": 5}
    status = (await api.ok("PUT", f"{PODS}/a/status", sent)).body
    assert status["status"]["phase"] == "Running" and "activeDeadlineSeconds" not in status["spec"]


async def finalized(api: Api, *finalizers: str) -> None:
    sent = config_map("a")
    sent["metadata"]["finalizers"] = list(finalizers)
    await api.ok("POST", CONFIG_MAPS, sent)
    await api.ok("DELETE", f"{CONFIG_MAPS}/a")


@served
async def test_the_last_finalizer_takes_the_object_with_it(api: Api) -> None:
    await finalized(api, "example.com/a", "example.com/b")
    standing = await api.ok("GET", f"{CONFIG_MAPS}/a")
    async with api.watch(f"{CONFIG_MAPS}?resourceVersion={standing.revision}") as watch:
        body = {"metadata": {"finalizers": ["example.com/b"]}}
        left = await api.ok("PATCH", f"{CONFIG_MAPS}/a", body, type=MERGE)
        gone = await api.ok("PATCH", f"{CONFIG_MAPS}/a", {"metadata": {"finalizers": None}}, type=MERGE)
        assert "finalizers" not in gone.body["metadata"] and gone.revision == left.revision
        await api.refused(404, "GET", f"{CONFIG_MAPS}/a")
        assert (await watch.next())[0] == "MODIFIED"
        type_, last = await watch.next()
    # The last event shows it as it was stored, with the revision of its deletion.
    assert type_ == "DELETED" and last["metadata"]["finalizers"] == ["example.com/b"]
    assert int(last["metadata"]["resourceVersion"]) > int(left.revision)


@served_on_disk
async def test_everybody_may_take_the_last_finalizer(api: Api) -> None:
    await finalized(api, *(f"example.com/{number}" for number in range(20)))

    async def take(number: int) -> None:
        while True:
            told = await api.ask("GET", f"{CONFIG_MAPS}/a")
            if told.status == 404:
                return
            finalizers = [
                each for each in told.body["metadata"]["finalizers"] if each != f"example.com/{number}"
            ]
            body = {"metadata": {"resourceVersion": told.revision, "finalizers": finalizers}}
            await asyncio.sleep(0)
            if (await api.ask("PATCH", f"{CONFIG_MAPS}/a", body, type=MERGE)).status in (200, 404):
                return

    numbers = list(range(20))
    random.Random(5).shuffle(numbers)
    await asyncio.gather(*map(take, numbers))
    await api.refused(404, "GET", f"{CONFIG_MAPS}/a")


@served
async def test_no_finalizer_is_added_to_what_is_being_deleted(api: Api) -> None:
    await finalized(api, "example.com/a")
    body = {"metadata": {"finalizers": ["example.com/a", "example.com/b"]}}
    told = await api.refused(422, "PATCH", f"{CONFIG_MAPS}/a", body, type=MERGE)
    assert "no new finalizers can be added if the object is being deleted" in told.message


@served
async def test_a_dry_run_of_the_last_finalizer_leaves_the_object(api: Api) -> None:
    await finalized(api, "example.com/a")
    body = {"metadata": {"finalizers": None}}
    await api.ok("PATCH", f"{CONFIG_MAPS}/a?dryRun=All", body, type=MERGE)
    await api.ok("GET", f"{CONFIG_MAPS}/a")


@served
async def test_a_body_is_about_the_object_of_the_path(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    told = await api.refused(400, "PUT", f"{CONFIG_MAPS}/a", {"data": {}})
    assert "name must be provided" in told.message
    told = await api.refused(400, "PUT", f"{CONFIG_MAPS}/a", config_map("b"))
    assert told.message == "the name of the object (b) does not match the name on the URL (a)"


@served
async def test_a_service_keeps_its_address(api: Api) -> None:
    sent = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}
    made = (await api.ok("POST", f"{CORE}/services", sent)).body
    again = (await api.ok("PUT", f"{CORE}/services/s", {**sent, "spec": {"ports": [{"port": 81}]}})).body
    assert again["spec"]["clusterIP"] == made["spec"]["clusterIP"]
