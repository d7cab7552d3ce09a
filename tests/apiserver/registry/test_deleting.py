"""Deletions: at once, after a while, or when nothing keeps the object any more."""

import asyncio
from typing import Any

import pytest
from tests.apiserver.support import (
    CONFIG_MAPS,
    CORE,
    MERGE,
    PODS,
    Api,
    Told,
    config_map,
    define,
    definition,
    pod,
    served,
    served_on_disk,
)

from kajitori.apiserver.registry.deleting import DELETIONS_AT_ONCE_MAX

NAMESPACES = "/api/v1/namespaces"


async def made_pod(api: Api, **spec: Any) -> Told:
    return await api.ok("POST", PODS, pod("a", **spec))


@served
async def test_a_deletion_tells_what_went(api: Api) -> None:
    made = (await api.ok("POST", CONFIG_MAPS, config_map("a"))).body
    told = (await api.ok("DELETE", f"{CONFIG_MAPS}/a")).body
    assert told["status"] == "Success"
    assert told["details"] == {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    await api.refused(404, "DELETE", f"{CONFIG_MAPS}/a")


@served
async def test_what_has_finalizers_stays_marked(api: Api) -> None:  # X1
    sent = config_map("a")
    sent["metadata"]["finalizers"] = ["example.com/f"]
    await api.ok("POST", CONFIG_MAPS, sent)
    marked = (await api.ok("DELETE", f"{CONFIG_MAPS}/a")).body["metadata"]
    assert marked["deletionTimestamp"] and marked["deletionGracePeriodSeconds"] == 0
    again = (await api.ok("DELETE", f"{CONFIG_MAPS}/a")).body["metadata"]
    assert again == marked, "asking twice changes nothing"


@pytest.mark.parametrize("body", [{"uid": "other"}, {"resourceVersion": "1"}])
@served
async def test_preconditions_are_about_the_object_that_goes(api: Api, body: dict[str, str]) -> None:  # X2
    made = await api.ok("POST", CONFIG_MAPS, config_map("a"))
    told = await api.refused(409, "DELETE", f"{CONFIG_MAPS}/a", {"preconditions": body})
    assert "in the precondition" in told.message and told.body["details"]["kind"] == "ConfigMap"
    query = "&".join(f"{name}={value}" for name, value in body.items())
    await api.refused(409, "DELETE", f"{CONFIG_MAPS}/a?{query}")
    right = {"uid": made.body["metadata"]["uid"], "resourceVersion": made.revision}
    await api.ok("DELETE", f"{CONFIG_MAPS}/a", {"preconditions": right})


@served
async def test_a_pod_on_a_node_gets_its_time(api: Api) -> None:  # X1
    await made_pod(api, nodeName="n", terminationGracePeriodSeconds=20)
    first = (await api.ok("DELETE", f"{PODS}/a")).body["metadata"]
    assert (first["deletionGracePeriodSeconds"], first["generation"]) == (20, 2)
    same = (await api.ok("DELETE", f"{PODS}/a")).body["metadata"]
    longer = (await api.ok("DELETE", f"{PODS}/a?gracePeriodSeconds=99")).body["metadata"]
    assert same == longer == first
    shorter = (await api.ok("DELETE", f"{PODS}/a?gracePeriodSeconds=5")).body["metadata"]
    assert shorter["deletionGracePeriodSeconds"] == 5
    # Counted from when it was first asked for.
    assert shorter["deletionTimestamp"] < first["deletionTimestamp"]
    await api.ok("DELETE", f"{PODS}/a?gracePeriodSeconds=0")
    await api.refused(404, "GET", f"{PODS}/a")


@served
async def test_a_shorter_time_in_the_manifest_does_not_shorten_a_deletion(api: Api) -> None:
    await made_pod(api, nodeName="n", terminationGracePeriodSeconds=5)
    await api.ok("DELETE", f"{PODS}/a?gracePeriodSeconds=60")
    again = (await api.ok("DELETE", f"{PODS}/a")).body["metadata"]
    assert again["deletionGracePeriodSeconds"] == 60


@pytest.mark.parametrize("seconds", [-1, 10**12, 2**63 - 1])
@served
async def test_any_grace_period_is_a_time(api: Api, seconds: int) -> None:
    await made_pod(api, nodeName="n")
    told = (await api.ok("DELETE", f"{PODS}/a?gracePeriodSeconds={seconds}")).body["metadata"]
    assert told["deletionGracePeriodSeconds"] == (1 if seconds < 0 else seconds)
    assert told["deletionTimestamp"]


@served
async def test_a_pod_that_nobody_runs_goes_at_once_and_is_seen_going(api: Api) -> None:
    made = await made_pod(api)
    async with api.watch(f"{PODS}?resourceVersion={made.revision}") as watch:
        answer = (await api.ok("DELETE", f"{PODS}/a")).body
        assert answer["kind"] == "Pod" and answer["metadata"]["deletionGracePeriodSeconds"] == 0
        marked, gone = await watch.next(), await watch.next()
    assert (marked[0], gone[0]) == ("MODIFIED", "DELETED")
    assert marked[1]["metadata"]["deletionTimestamp"] == gone[1]["metadata"]["deletionTimestamp"]
    assert int(gone[1]["metadata"]["resourceVersion"]) > int(marked[1]["metadata"]["resourceVersion"])
    assert gone[1]["metadata"]["resourceVersion"] == answer["metadata"]["resourceVersion"]


@served
async def test_a_pod_with_a_finalizer_and_a_grace_period_waits_for_both(api: Api) -> None:  # X1
    sent = pod("a", nodeName="n")
    sent["metadata"]["finalizers"] = ["example.com/f"]
    await api.ok("POST", PODS, sent)
    await api.ok("DELETE", f"{PODS}/a")
    await api.ok("DELETE", f"{PODS}/a?gracePeriodSeconds=0")
    await api.ok("GET", f"{PODS}/a")
    await api.ok("PATCH", f"{PODS}/a", {"metadata": {"finalizers": None}}, type=MERGE)
    await api.refused(404, "GET", f"{PODS}/a")


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        ({"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ({"propagationPolicy": "Orphan"}, ["orphan"]),
        ({"orphanDependents": True}, ["orphan"]),
    ],
)
@served
async def test_dependents_are_thought_of(api: Api, options: dict[str, Any], finalizers: list[str]) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    told = (await api.ok("DELETE", f"{CONFIG_MAPS}/a", options)).body
    assert told["metadata"]["finalizers"] == finalizers
    # Nobody said anything else: the first wish stands.
    assert (await api.ok("DELETE", f"{CONFIG_MAPS}/a")).body["metadata"]["finalizers"] == finalizers
    # Another wish replaces it, and then nothing keeps the object.
    assert (await api.ok("DELETE", f"{CONFIG_MAPS}/a?propagationPolicy=Background")).body[
        "status"
    ] == "Success"


@served
async def test_events_have_no_dependents(api: Api) -> None:
    event = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}}
    await api.ok("POST", f"{CORE}/events", event)
    told = await api.ok("DELETE", f"{CORE}/events/e?propagationPolicy=Foreground")
    assert told.body["status"] == "Success"


@served
async def test_an_accepted_deletion_says_so_where_it_was_asked_the_old_way(api: Api) -> None:
    sent = config_map("a")
    sent["metadata"]["finalizers"] = ["example.com/f"]
    await api.ok("POST", CONFIG_MAPS, sent)
    assert (await api.ask("DELETE", f"{CONFIG_MAPS}/a?orphanDependents=false")).status == 202


@served
async def test_a_job_that_is_deleted_warns_of_its_pods(api: Api) -> None:
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    for name in ("a", "b"):
        await api.ok("POST", jobs, {"metadata": {"name": name}, "spec": {"template": template}})
    told = await api.ok("DELETE", f"{jobs}/a")
    assert "child pods are preserved by default when jobs are deleted" in told.headers["warning"]
    assert told.body["metadata"]["finalizers"] == ["orphan"]
    assert "warning" not in (await api.ok("DELETE", f"{jobs}/b?propagationPolicy=Background")).headers


@served
async def test_a_namespace_is_marked_and_waits_for_its_content(api: Api) -> None:
    await api.ok("POST", NAMESPACES, {"metadata": {"name": "ns"}})
    marked = (await api.ok("DELETE", f"{NAMESPACES}/ns")).body
    assert marked["status"]["phase"] == "Terminating" and marked["metadata"]["deletionTimestamp"]
    assert "deletionGracePeriodSeconds" not in marked["metadata"]
    assert (await api.ok("DELETE", f"{NAMESPACES}/ns")).body == marked
    marked["spec"]["finalizers"] = []
    await api.ok("PUT", f"{NAMESPACES}/ns/finalize", marked)
    await api.refused(404, "GET", f"{NAMESPACES}/ns")


@served
async def test_a_dry_run_deletes_nothing(api: Api) -> None:
    made = await api.ok("POST", CONFIG_MAPS, config_map("a"))
    await api.ok("DELETE", f"{CONFIG_MAPS}/a?dryRun=All")
    await api.ok("DELETE", f"{CONFIG_MAPS}/a", {"dryRun": ["All"], "propagationPolicy": "Foreground"})
    await api.ok("DELETE", f"{CONFIG_MAPS}?dryRun=All")
    assert (await api.ok("GET", f"{CONFIG_MAPS}/a")).body == made.body


@served_on_disk
async def test_one_of_many_deleters_wins(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    told = await asyncio.gather(*(api.ask("DELETE", f"{CONFIG_MAPS}/a") for _ in range(10)))
    assert sorted(each.status for each in told) == [200] + [404] * 9


@served
async def test_a_collection_goes_as_it_was_listed(api: Api) -> None:
    for name in ("a", "b", "c"):
        await api.ok("POST", CONFIG_MAPS, config_map(name, labels={"g": "1" if name < "c" else "2"}))
    listed = (await api.ok("GET", f"{CONFIG_MAPS}?labelSelector=g%3D1")).body
    told = (await api.ok("DELETE", f"{CONFIG_MAPS}?labelSelector=g%3D1")).body
    assert (told["kind"], told["items"]) == ("ConfigMapList", listed["items"])
    left = (await api.ok("GET", CONFIG_MAPS)).body["items"]
    assert [each["metadata"]["name"] for each in left if "g" in (each["metadata"].get("labels") or {})] == [
        "c"
    ]


@served
async def test_a_collection_keeps_what_its_preconditions_keep(api: Api) -> None:
    for name in ("a", "b", "c"):
        await api.ok("POST", CONFIG_MAPS, config_map(name))
    await api.refused(409, "DELETE", CONFIG_MAPS, {"preconditions": {"uid": "other"}})
    assert len((await api.ok("GET", CONFIG_MAPS)).body["items"]) == 3


@served
async def test_no_collection_spans_namespaces(api: Api) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    await api.refused(405, "DELETE", "/api/v1/configmaps")
    await api.ok("GET", f"{CONFIG_MAPS}/a")


@served_on_disk
async def test_a_deletion_goes_on_when_nobody_waits_for_it(api: Api) -> None:
    await made_pod(api)
    asking = asyncio.get_running_loop().create_task(api.ask("DELETE", f"{PODS}/a"))
    for _ in range(3):
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    # Whatever came of it: never a Pod that is marked and that nobody finishes.
    async with asyncio.timeout(1.5):
        while "deletionTimestamp" in (await api.ask("GET", f"{PODS}/a")).body.get("metadata", {}):  # noqa: ASYNC110
            await asyncio.sleep(0)


async def goes_in_small_steps(api: Api, bucket: str, deleted: str) -> None:
    """Deletes something, and watches what that takes along."""
    left: list[int] = []

    async def look() -> None:
        while api.store.count(bucket):
            left.append(api.store.count(bucket))
            await asyncio.sleep(0)

    looking = asyncio.ensure_future(look())
    await api.ok("DELETE", deleted)
    await looking
    steps = [before - after for before, after in zip(left, [*left[1:], 0], strict=True)]
    assert max(steps) <= DELETIONS_AT_ONCE_MAX, "objects that went between two turns of the loop"


@pytest.mark.parametrize("count", [1, DELETIONS_AT_ONCE_MAX * 8])
@served
async def test_while_a_collection_goes_others_get_their_turn(api: Api, count: int) -> None:  # X3
    for number in range(count):
        await api.ok("POST", CONFIG_MAPS, config_map(f"a-{number:03}"))
    await goes_in_small_steps(api, "/configmaps", CONFIG_MAPS)


@served
async def test_of_a_collection_what_is_kept_stays_and_the_rest_goes(api: Api) -> None:  # X1
    for number in range(100):
        sent = config_map(f"a-{number:03}")
        if number % 10 == 0:
            sent["metadata"]["finalizers"] = ["example.com/f"]
        await api.ok("POST", CONFIG_MAPS, sent)
    told = (await api.ok("DELETE", CONFIG_MAPS)).body
    assert len(told["items"]) == 100, "as they were listed"
    left = (await api.ok("GET", CONFIG_MAPS)).body["items"]
    assert [each["metadata"]["name"] for each in left] == [f"a-{number:03}" for number in range(0, 100, 10)]
    assert all("deletionTimestamp" in each["metadata"] for each in left)


@served
async def test_instances_go_with_their_definition_a_few_at_a_time(api: Api) -> None:  # X3
    path = await define(api, definition())
    body = {"apiVersion": "example.com/v1", "kind": "Widget"}
    for number in range(DELETIONS_AT_ONCE_MAX * 4):
        await api.ok("POST", path, {**body, "metadata": {"name": f"w-{number:03}"}})
    crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com"
    await goes_in_small_steps(api, "example.com/widgets", crd)
    while (await api.ask("GET", crd)).status == 200:  # noqa: ASYNC110 - it takes a few turns of the loop
        await asyncio.sleep(0)


@served_on_disk
async def test_watchers_hear_of_every_object_of_a_collection_once(api: Api) -> None:
    """And of what finalizers keep as changed, not as gone."""
    names = [f"a-{number:03}" for number in range(200)]
    kept = set(names[::7])

    async def create(name: str) -> None:
        sent = config_map(name)
        if name in kept:
            sent["metadata"]["finalizers"] = ["example.com/f"]
        await api.ok("POST", CONFIG_MAPS, sent)

    await asyncio.gather(*map(create, names))
    since = (await api.ok("GET", CONFIG_MAPS)).revision
    async with api.watch(f"{CONFIG_MAPS}?resourceVersion={since}") as watching:
        await api.ok("DELETE", CONFIG_MAPS)
        heard = await watching.take(len(names))
        assert sorted(heard) == sorted(("MODIFIED" if each in kept else "DELETED", each) for each in names)
        versions = [int(obj["metadata"]["resourceVersion"]) for _, obj in watching.seen]
        assert versions == sorted(set(versions))
        await api.ok("POST", CONFIG_MAPS, config_map("last"))
        assert await watching.take(1) == [("ADDED", "last")], "nothing came twice"
