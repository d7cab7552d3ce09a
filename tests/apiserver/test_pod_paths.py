"""Eviction, binding and tokens: what is asked of objects by paths of their own, bad wishes included."""

from typing import Any

from tests.apiserver.support import CORE, MERGE, PODS, Api, pod, served

BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
ACCOUNTS = f"{CORE}/serviceaccounts"
PLACE = {"topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r"}


def eviction(name: str = "a", **options: Any) -> dict[str, Any]:
    return {"apiVersion": "policy/v1", "metadata": {"name": name}, "deleteOptions": options}


def binding(name: str = "a", **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}, "target": {"kind": "Node", "name": "n"}}


async def running(api: Api, name: str = "a") -> None:
    made = pod(name, nodeName="n")
    made["metadata"]["labels"] = {"app": "x"}
    await api.ok("POST", PODS, made)
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    await api.ok("PATCH", f"{PODS}/{name}/status", {"status": ready}, type=MERGE)


async def budget(api: Api, **status: Any) -> None:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}}
    await api.ok("POST", BUDGETS, {"metadata": {"name": "b"}, "spec": spec})
    await api.ok("PATCH", f"{BUDGETS}/b/status", {"status": {"observedGeneration": 1, **status}}, type=MERGE)


async def conditions(api: Api) -> list[str]:
    held = (await api.ok("GET", f"{PODS}/a")).body["status"].get("conditions") or []
    return [each["type"] for each in held]


@served
async def test_an_eviction_names_its_pod(api: Api) -> None:
    await running(api)
    for body in ({}, eviction("b")):
        told = await api.refused(400, "POST", f"{PODS}/a/eviction", body)
        assert told.message == "name in URL does not match name in Eviction object"


@served
async def test_an_eviction_of_another_pod_of_this_name_leaves_no_trace(api: Api) -> None:
    await running(api)
    asked = eviction(preconditions={"uid": "x"})
    told = await api.refused(409, "POST", f"{PODS}/a/eviction", asked)
    assert "the UID in the precondition (x) does not match the UID in record" in told.message
    assert await conditions(api) == ["Ready"]
    await api.ok("POST", f"{PODS}/a/eviction", eviction(gracePeriodSeconds=5))
    assert await conditions(api) == ["Ready", "DisruptionTarget"]


@served
async def test_the_last_disruption_is_told_in_the_budget(api: Api) -> None:
    await running(api)
    await budget(api, disruptionsAllowed=1, currentHealthy=2, desiredHealthy=1)
    await api.ok("POST", f"{PODS}/a/eviction", eviction())
    status = (await api.ok("GET", f"{BUDGETS}/b")).body["status"]
    assert status["disruptionsAllowed"] == 0
    (condition,) = status["conditions"]
    told = {name: condition[name] for name in ("type", "status", "reason", "observedGeneration")}
    assert told == {
        "type": "DisruptionAllowed",
        "status": "False",
        "reason": "InsufficientPods",
        "observedGeneration": 1,
    }


@served
async def test_a_budget_says_why_it_allows_nothing(api: Api) -> None:
    await running(api)
    await budget(api, disruptionsAllowed=0, currentHealthy=1, desiredHealthy=1)
    now = "2026-01-01T00:00:00Z"
    failed = {"type": "DisruptionAllowed", "status": "False", "lastTransitionTime": now}
    no = "The disruption budget b does not allow evicting pods currently"
    for status, why in (
        ({}, "The disruption budget b needs 1 healthy pods and has 1 currently"),
        ({"currentHealthy": 5}, no),
        ({"conditions": [{**failed, "reason": "R", "message": "m"}]}, f"{no} (R): m"),
        (
            {"conditions": [{**failed, "reason": "SyncFailed", "message": "m"}]},
            f"{no} because it failed sync: m",
        ),
    ):
        await api.ok("PATCH", f"{BUDGETS}/b/status", {"status": status}, type=MERGE)
        told = await api.refused(429, "POST", f"{PODS}/a/eviction", eviction())
        assert told.body["details"]["causes"] == [{"reason": "DisruptionBudget", "message": why}]


@served
async def test_a_binding_is_for_one_pod_only(api: Api) -> None:
    await api.ok("POST", PODS, pod())
    told = await api.refused(409, "POST", f"{PODS}/a/binding", binding(uid="x"))
    assert "Key: /registry/pods/default/a" in told.message and "UID in precondition: x" in told.message
    await api.refused(409, "POST", f"{PODS}/a/binding", binding(resourceVersion="1"))
    told = await api.refused(400, "POST", f"{PODS}/a/binding", binding("b"))
    assert told.message == "name in URL does not match name in Binding object"


@served
async def test_a_bound_pod_gets_labels_from_its_binding_and_its_place_from_its_node(api: Api) -> None:
    await api.ok("POST", "/api/v1/nodes", {"metadata": {"name": "n", "labels": {**PLACE, "x": "y"}}})
    await api.ok("POST", PODS, pod())
    given = binding(labels={"a": "b", "topology.kubernetes.io/zone": "other"}, annotations={"c": "d"})
    await api.ok("POST", f"{PODS}/a/binding", given)
    metadata = (await api.ok("GET", f"{PODS}/a")).body["metadata"]
    assert metadata["labels"] == {"a": "b", **PLACE} and metadata["annotations"] == {"c": "d"}


@served
async def test_a_resize_adds_no_init_containers(api: Api) -> None:
    await api.ok("POST", PODS, pod())
    body = (await api.ok("PATCH", f"{PODS}/a/resize", {"spec": {}}, type=MERGE)).body
    assert "initContainers" not in body["spec"]


@served
async def test_a_token_request_is_for_the_account_of_its_path(api: Api) -> None:
    await api.ok("POST", ACCOUNTS, {"metadata": {"name": "s"}})
    told = await api.refused(422, "POST", f"{ACCOUNTS}/s/token", {"metadata": {"name": "other"}})
    (cause,) = told.body["details"]["causes"]
    assert cause["message"] == 'Invalid value: "other": must match the service account name if specified'
    await api.refused(400, "POST", f"{ACCOUNTS}/s/token", {"metadata": {"namespace": "other"}})
    await api.ok("POST", PODS, pod(serviceAccountName="t"))
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "x"}
    told = await api.refused(400, "POST", f"{ACCOUNTS}/s/token", {"spec": {"boundObjectRef": bound}})
    assert "pod running with different serviceaccount name" in told.message, "before the uid is looked at"


@served
async def test_scales_are_held_to_their_path(api: Api) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    path = "/apis/apps/v1/namespaces/default/deployments"
    await api.ok("POST", path, {"metadata": {"name": "d"}, "spec": spec})
    told = await api.refused(400, "PUT", f"{path}/d/scale", {})
    assert told.message.endswith("was undeterminable: name must be provided")
    other = {"metadata": {"name": "d", "namespace": "other"}, "spec": {"replicas": 3}}
    await api.refused(400, "PUT", f"{path}/d/scale", other)
    told = await api.ok("PATCH", f"{path}/d/scale", {"spec": {"foo": 1}}, type=MERGE)
    assert told.headers["warning"] == '299 - "unknown field \\"spec.foo\\""'
