"""Creates: what the server puts into an object, and what it refuses."""

import asyncio

import pytest
from tests.apiserver.support import (
    APPLY,
    CONFIG_MAPS,
    CORE,
    STRATEGIC,
    Api,
    config_map,
    pod,
    served,
    served_on_disk,
)

from kajitori.apiserver.registry.registry import OBJECT_BYTES_MAX

OWNER = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u-1"}


@served
async def test_the_server_says_who_and_when(api: Api) -> None:
    sent = config_map("a", k="v")
    sent["metadata"] |= {
        "uid": "mine",
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "deletionTimestamp": "2001-01-01T00:00:00Z",
        "deletionGracePeriodSeconds": 3,
        "selfLink": "/x",
        "generation": 7,
    }
    made = (await api.ok("POST", CONFIG_MAPS, sent)).body
    metadata = made["metadata"]
    assert metadata["uid"] != "mine" and not metadata["creationTimestamp"].startswith("2001")
    assert not metadata.keys() & {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"}
    assert metadata["namespace"] == "default"
    assert (await api.ok("GET", f"{CONFIG_MAPS}/a")).body == made


@served
async def test_a_generated_name_fits_a_label(api: Api) -> None:
    names = set()
    for base in ("job-", "x" * 80):
        sent = {"metadata": {"generateName": base}}
        for _ in range(3):
            name = (await api.ok("POST", CONFIG_MAPS, sent)).body["metadata"]["name"]
            assert name.startswith(base[:58]) and len(name) <= 63
            names.add(name)
    assert len(names) == 6
    both = {"metadata": {"generateName": "job-", "name": "own"}}
    assert (await api.ok("POST", CONFIG_MAPS, both)).body["metadata"]["name"] == "own"


@served
async def test_a_namespace_of_another_path_is_refused(api: Api) -> None:
    sent = config_map("a")
    sent["metadata"]["namespace"] = "kube-system"
    told = await api.refused(400, "POST", CONFIG_MAPS, sent)
    assert told.message == (
        "the namespace of the provided object does not match the namespace sent on the request"
    )


@served
async def test_what_belongs_to_the_cluster_has_no_namespace(api: Api) -> None:
    sent = {"metadata": {"name": "n", "namespace": "default"}}
    assert "namespace" not in (await api.ok("POST", "/api/v1/nodes", sent)).body["metadata"]


@pytest.mark.parametrize(("version", "status"), [("", 201), ("0", 201), ("nonsense", 201), ("5", 500)])
@served
async def test_a_new_object_has_no_version_yet(api: Api, version: str, status: int) -> None:
    sent = config_map("a")
    sent["metadata"]["resourceVersion"] = version
    # Kubernetes answers 500 here, without a reason.
    assert (await api.ask("POST", CONFIG_MAPS, sent)).status == status


@served
async def test_an_owner_that_is_named_twice_is_named_once_and_warned_about(api: Api) -> None:
    sent = config_map("a")
    sent["metadata"]["ownerReferences"] = [OWNER, OWNER, {**OWNER, "controller": True}]
    made = await api.ok("POST", CONFIG_MAPS, sent)
    assert made.body["metadata"]["ownerReferences"] == [OWNER, {**OWNER, "controller": True}]
    assert "contains duplicate entries; API server dedups" in made.headers["warning"]
    assert "duplicate UID(s) observed: u-1" in made.headers["warning"]
    # A patch is only looked at after admission.
    patch = {"metadata": {"ownerReferences": [OWNER, OWNER]}}
    changed = await api.ok("PATCH", f"{CONFIG_MAPS}/a", patch, type="application/merge-patch+json")
    assert changed.body["metadata"]["ownerReferences"] == [OWNER]
    assert "duplicate entries after mutating admission happens" in changed.headers["warning"]


@served
async def test_a_name_that_is_taken(api: Api) -> None:
    sent = config_map("a")
    sent["metadata"]["finalizers"] = ["example.com/f"]
    await api.ok("POST", CONFIG_MAPS, sent)
    told = await api.refused(409, "POST", CONFIG_MAPS, sent)
    assert told.message == 'configmaps "a" already exists'
    await api.ok("DELETE", f"{CONFIG_MAPS}/a")
    told = await api.refused(409, "POST", CONFIG_MAPS, sent)
    assert told.message == 'object is being deleted: configmaps "a" already exists'


@served
async def test_a_dry_run_leaves_nothing(api: Api) -> None:
    made = (await api.ok("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("a"))).body
    assert made["metadata"]["uid"] and "resourceVersion" not in made["metadata"]
    await api.refused(404, "GET", f"{CONFIG_MAPS}/a")
    await api.ok("POST", CONFIG_MAPS, config_map("a"))
    await api.refused(409, "POST", f"{CONFIG_MAPS}?dryRun=All", config_map("a"))


@served_on_disk
async def test_one_of_many_creators_wins(api: Api) -> None:
    told = await asyncio.gather(*(api.ask("POST", CONFIG_MAPS, config_map("a")) for _ in range(20)))
    assert sorted(each.status for each in told) == [201] + [409] * 19


@served_on_disk
async def test_applies_that_race_to_create_an_object_all_succeed(api: Api) -> None:
    async def apply(manager: int) -> int:
        config = {**config_map("a"), "data": {f"k{manager}": "v"}}
        path = f"{CONFIG_MAPS}/a?fieldManager=m{manager}"
        return (await api.ask("PATCH", path, config, type=APPLY)).status

    assert sorted(await asyncio.gather(*map(apply, range(8)))) == [200] * 7 + [201]
    assert len((await api.ok("GET", f"{CONFIG_MAPS}/a")).body["data"]) == 8


@served
async def test_an_object_cannot_grow_beyond_its_limit(api: Api) -> None:
    await api.ok("POST", f"{CORE}/pods", pod("a"))
    told: list[int] = []
    for number in range(6):
        condition = {"type": f"c{number}", "status": "True", "message": "m" * 1_000_000}
        body = {"status": {"conditions": [condition]}}
        told.append((await api.ask("PATCH", f"{CORE}/pods/a/status", body, type=STRATEGIC)).status)
    assert told == [200, 200, 200, 200, 413, 413]
    assert len((await api.ok("GET", f"{CORE}/pods/a")).raw) < OBJECT_BYTES_MAX + 10


@served
async def test_a_generation_begins_with_one(api: Api) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    sent = {
        "metadata": {"name": "d", "generation": 9},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
        "status": {"replicas": 5},
    }
    made = (await api.ok("POST", "/apis/apps/v1/namespaces/default/deployments", sent)).body
    assert made["metadata"]["generation"] == 1 and made["status"] == {}
