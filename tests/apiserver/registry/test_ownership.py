"""Field ownership and patches through the whole server, where they once differed from Kubernetes."""

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
)

SCALERS = "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers"
TARGET = {"kind": "Deployment", "name": "x", "apiVersion": "apps/v1"}


def owners(obj: Any) -> dict[str, Any]:
    return {each["manager"]: each["fieldsV1"] for each in obj["metadata"].get("managedFields", [])}


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ({"metadata": {"managedFields": []}}, MERGE),
        ({"metadata": {"managedFields": [{}]}}, MERGE),
        ([{"op": "replace", "path": "/metadata/managedFields", "value": []}], JSON_PATCH),
    ],
)
@served
async def test_an_empty_list_resets_ownership(api: Api, body: Any, media: str) -> None:  # W4
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
    told = await api.ok("PATCH", f"{CONFIG_MAPS}/a", body, type=media)
    assert "managedFields" not in told.body["metadata"]
    again = await api.ok("PATCH", f"{CONFIG_MAPS}/a", {"data": {"k": "w"}}, type=MERGE)
    assert "managedFields" not in again.body["metadata"], "an update does not start it again"
    config = {**config_map("a"), "data": {"n": "1"}}
    after = await api.ok("PATCH", f"{CONFIG_MAPS}/a?fieldManager=m", config, type=APPLY)
    assert owners(after.body) == {
        "before-first-apply": {"f:data": {".": {}, "f:k": {}}},
        "m": {"f:data": {"f:n": {}}},
    }


@pytest.mark.parametrize("media", [MERGE, STRATEGIC])
@served
async def test_a_patch_leaves_the_name_of_the_path(api: Api, media: str) -> None:
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
    other = await api.refused(400, "PATCH", f"{CONFIG_MAPS}/a", {"metadata": {"name": "b"}}, type=media)
    assert other.message == "the name of the object (b) does not match the name on the URL (a)"
    none = await api.refused(400, "PATCH", f"{CONFIG_MAPS}/a", {"metadata": {"name": None}}, type=media)
    assert none.message == (
        "the name of the object (a based on URL) was undeterminable: name must be provided"
    )


@served
async def test_a_patch_leaves_the_kind(api: Api) -> None:
    await define(api, definition())
    widgets = "/apis/example.com/v1/namespaces/default/widgets"
    await api.ok("POST", CONFIG_MAPS, config_map("a", k="v"))
    await api.ok(
        "POST", widgets, {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}}
    )
    await api.ok("PATCH", f"{CONFIG_MAPS}/a", {"kind": None}, type=MERGE)
    for path, patch, status, message in (
        (CONFIG_MAPS, {"kind": "Foo"}, 422, 'no kind "Foo" is registered for version "v1" in scheme'),
        (CONFIG_MAPS, {"apiVersion": 1}, 422, "couldn't get version/kind; json parse error"),
        (CONFIG_MAPS, {"apiVersion": None}, 400, "was undeterminable: name must be provided"),
        (widgets, {"kind": "Foo"}, 422, 'Widget.example.com "a" is invalid: kind: Invalid value: "Foo"'),
        (widgets, {"kind": None}, 422, "Object 'Kind' is missing in '{"),
        (widgets, {"apiVersion": "v3"}, 422, 'apiVersion: Invalid value: "v3": must be example.com/v1'),
        (widgets, {"metadata": 1}, 422, "json: cannot unmarshal number into Go value of type v1.ObjectMeta"),
    ):
        told = await api.refused(status, "PATCH", f"{path}/a", patch, type=MERGE)
        assert message in told.message, (patch, told.message)


@served
async def test_an_apply_with_a_uid_creates_nothing(api: Api) -> None:
    config = config_map("a")
    config["metadata"]["uid"] = "5ab1a3e3-25f8-4e0d-9a0c-8d6a2d7e7d6e"
    told = await api.refused(409, "PATCH", f"{CONFIG_MAPS}/a?fieldManager=m", config, type=APPLY)
    assert "uid mismatch: the provided object specified uid 5ab1a3e3" in told.message


@served
async def test_a_value_that_is_no_quantity_is_told_as_a_failed_conversion(api: Api) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "a"},
        "spec": {"hard": {"pods": ""}},
    }
    path = f"{CORE}/resourcequotas/a?fieldManager=m"
    told = await api.refused(500, "PATCH", path, config, type=APPLY)
    assert told.message.startswith(
        "failed to convert new object (/a; /v1, Kind=ResourceQuota) to proper version: unable to convert"
        " unstructured object to /v1, Kind=ResourceQuota: quantities must match"
    )
    config["spec"] = {"hard": {"pods": {}}}
    told = await api.refused(500, "PATCH", path, config, type=APPLY)
    assert told.message.endswith(".spec.hard.pods: expected any scalar, got &{map[]}")


@served
async def test_what_was_applied_in_another_version_is_taken_away(api: Api) -> None:  # O4, A1
    metadata = {"name": "a", "annotations": {"b": "z", "c": "x"}}
    v1 = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata,
        "spec": {"maxReplicas": 5, "scaleTargetRef": TARGET, "targetCPUUtilizationPercentage": 60},
    }
    await api.ok("PATCH", f"{SCALERS.format('v1')}/a?fieldManager=m", v1, type=APPLY)
    v2 = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a", "annotations": {"b": "z"}},
        "spec": {"maxReplicas": 4, "scaleTargetRef": TARGET, "behavior": {"scaleUp": {"policies": [None]}}},
    }
    told = await api.ask("PATCH", f"{SCALERS.format('v2')}/a?fieldManager=m", v2, type=APPLY)
    assert told.status < 500, told.message
    del v2["spec"]["behavior"]  # type: ignore[attr-defined]
    told = await api.ok("PATCH", f"{SCALERS.format('v2')}/a?fieldManager=m", v2, type=APPLY)
    assert told.body["metadata"]["annotations"] == {"b": "z"}
    assert told.body["spec"]["maxReplicas"] == 4


@served
async def test_what_defaults_say_is_the_creators(api: Api) -> None:  # W1
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "a"},
        "spec": {"maxReplicas": 5, "scaleTargetRef": TARGET},
    }
    made = await api.ok("POST", f"{SCALERS.format('v1')}?fieldManager=m", scaler)
    assert set(owners(made.body)["m"]["f:spec"]) == {
        "f:maxReplicas",
        "f:minReplicas",
        "f:scaleTargetRef",
        "f:targetCPUUtilizationPercentage",
    }
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod("a")["spec"]}
    daemons = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "a"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    made = await api.ok("POST", "/apis/apps/v1/namespaces/default/daemonsets?fieldManager=m", daemons)
    counter = "f:deprecated.daemonset.template.generation"
    assert owners(made.body)["m"]["f:metadata"] == {"f:annotations": {".": {}, counter: {}}}


def scaled_definition() -> dict[str, Any]:
    paths = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    made = definition(subresources={"scale": paths, "status": {}})
    (version,) = made["spec"]["versions"]
    made["spec"]["versions"].append({**version, "name": "v2", "storage": False})
    return made


@served
async def test_a_scale_gives_a_custom_object_its_first_replicas(api: Api) -> None:
    await define(api, scaled_definition())
    path = "/apis/example.com/{}/namespaces/default/widgets"
    body = {"apiVersion": "example.com/v2", "kind": "Widget", "metadata": {"name": "a"}, "x": 1}
    await api.ok("PATCH", f"{path.format('v2')}/a?fieldManager=first", body, type=APPLY)
    scale = f"{path.format('v1')}/a/scale?fieldManager=second"
    told = await api.refused(400, "PATCH", scale, {"metadata": {}}, type=MERGE)
    assert told.message == 'the spec replicas field ".spec.replicas" cannot be empty'
    await api.refused(415, "PATCH", scale, {"spec": {"replicas": 2}}, type=STRATEGIC)
    await api.ok("PATCH", scale, {"spec": {"replicas": 2}}, type=MERGE)
    told = await api.ok("GET", f"{path.format('v1')}/a")
    assert told.body["spec"]["replicas"] == 2
    assert owners(told.body) == {"first": {"f:x": {}}}, "owners of other versions stay"


@served
async def test_a_scale_that_is_none_is_told_as_every_patch_is(api: Api) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod("a")["spec"]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    path = "/apis/apps/v1/namespaces/default/deployments"
    await api.ok("POST", path, deployment)
    scale = f"{path}/a/scale"
    told = await api.refused(422, "PATCH", scale, {"spec": "x"}, type=MERGE)
    assert "cannot unmarshal string" in told.message
    told = await api.refused(400, "PATCH", scale, {"$retainKeys": ["x"], "spec": {}}, type=STRATEGIC)
    assert told.message == "invalid patch format of retainKeys"
    await api.ok("PATCH", scale, {"spec": {"replicas": 3}}, type=STRATEGIC)


@served
async def test_managed_fields_that_are_given_are_read_as_the_schema_is_now(api: Api) -> None:  # W4
    given = {
        "manager": "given",
        "operation": "Update",
        "apiVersion": "autoscaling/v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:scaleTargetRef": {"f:kind": {}}}},
    }
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "a", "managedFields": [given]},
        "spec": {"maxReplicas": 5, "scaleTargetRef": TARGET},
    }
    made = await api.ok("POST", f"{SCALERS.format('v1')}?fieldManager=m", scaler)
    assert list(owners(made.body)) == ["m"], "a part of what is atomic is owned by nobody but its writer"


@served
async def test_a_patch_that_drops_the_version_is_no_blind_write(api: Api) -> None:
    path = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "a"}, "spec": {}}
    await api.ok("POST", path, budget)
    patch = [{"op": "replace", "path": "/metadata", "value": {"name": "a"}}]
    told = await api.refused(422, "PATCH", f"{path}/a", patch, type=JSON_PATCH)
    assert told.message.endswith(
        "metadata.resourceVersion: Invalid value: 0: must be specified for an update"
    )


@served
async def test_only_the_main_and_status_paths_of_a_pod_reset_fields(api: Api) -> None:  # W3
    await api.ok("POST", PODS, pod("a"))
    config = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "status": {"phase": "Pending"},
        "spec": {"ephemeralContainers": [{"name": "e", "image": "i"}]},
    }
    path = f"{PODS}/a/ephemeralcontainers?fieldManager=m&force=true"
    told = await api.ok("PATCH", path, config, type=APPLY)
    assert owners(told.body)["m"]["f:status"] == {"f:phase": {}}


@served
async def test_an_apply_to_a_custom_object_writes_whole_numbers(api: Api) -> None:
    await define(api, definition())
    path = "/apis/example.com/v1/namespaces/default/widgets/a?fieldManager=m"
    body = b'{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "n": 2.0}'
    assert b'"n":2,' in (await api.ok("PATCH", path, body, type=APPLY)).raw.replace(b'"n":2}', b'"n":2,')
