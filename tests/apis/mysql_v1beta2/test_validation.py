"""What is refused of a MySQLCluster and a BackupPolicy, and which field is named."""

import copy
from typing import Any

import pytest

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.mysql_v1beta2 import validate_cluster, validate_policy, validate_policy_deletion


def _cluster(**spec: Any) -> JsonObject:
    default: JsonObject = {
        "replicas": 1,
        "serverIDBase": 7,
        "podTemplate": {"spec": {"containers": [{"name": "mysqld", "image": "mysql:8.4"}]}},
        "volumeClaimTemplates": [_template()],
    }
    return {"metadata": {"name": "orders", "namespace": "db"}, "spec": {**default, **spec}}


def _template(name: str = "mysql-data", storage: Any = "1Gi", **spec: Any) -> JsonObject:
    resources = {} if storage is None else {"requests": {"storage": storage}}
    return {"metadata": {"name": name}, "spec": {"resources": resources, **spec}}


def _pod(**spec: Any) -> JsonObject:
    containers = [{"name": "mysqld", "image": "mysql:8.4"}]
    return {"podTemplate": {"spec": {"containers": containers, **spec}}}


def _containers(*more: JsonObject, **mysqld: Any) -> JsonObject:
    return {"podTemplate": {"spec": {"containers": [{"name": "mysqld", "image": "m", **mysqld}, *more]}}}


def _class(name: str, expands: bool | None, *, default: bool = False) -> JsonObject:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    made: JsonObject = {"metadata": {"name": name, "annotations": annotations}}
    return made if expands is None else {**made, "allowVolumeExpansion": expands}


def test_a_plain_cluster_is_accepted() -> None:
    assert validate_cluster(_cluster(), None, ()) == []


PODS = "spec.podTemplate.spec"


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"replicas": 0}, "spec.replicas"),
        ({"replicas": 2}, "spec.replicas"),
        ({"replicas": -1}, "spec.replicas"),
        ({"serverIDBase": 0}, "spec.serverIDBase"),
        ({"serverIDBase": -3}, "spec.serverIDBase"),
        ({"maxDelaySeconds": -1}, "spec.maxDelaySeconds"),
        ({"maxDelaySecondsForPodDeletion": -1}, "spec.maxDelaySecondsForPodDeletion"),
        ({"startupWaitSeconds": -1}, "spec.startupWaitSeconds"),
        ({"logRotationSize": -1}, "spec.logRotationSize"),
        ({"logRotationSchedule": "* * *"}, "spec.logRotationSchedule"),
        ({"volumeClaimTemplates": []}, "spec.volumeClaimTemplates"),
        ({"volumeClaimTemplates": [_template("other")]}, "spec.volumeClaimTemplates"),
        (
            {"volumeClaimTemplates": [_template(), _template()]},
            "spec.volumeClaimTemplates[1].metadata.name",
        ),
        (
            {"volumeClaimTemplates": [_template(), _template("extra", None)]},
            "spec.volumeClaimTemplates[1].spec.resources.requests.storage",
        ),
        (
            {"volumeClaimTemplates": [_template(storage="much")]},
            "spec.volumeClaimTemplates[0].spec.resources.requests.storage",
        ),
        (
            {"volumeClaimTemplates": [_template(storage="0")]},
            "spec.volumeClaimTemplates[0].spec.resources.requests.storage",
        ),
        ({"podTemplate": {"spec": {"containers": [{"name": "other"}]}}}, f"{PODS}.containers"),
        ({"podTemplate": {"spec": {}}}, f"{PODS}.containers"),
        (_containers(image=""), f"{PODS}.containers[0].image"),
        (_containers({"image": "x"}), f"{PODS}.containers[1].name"),
        (_containers({"name": "agent"}), f"{PODS}.containers[1].name"),
        (_containers({"name": "slow-log"}), f"{PODS}.containers[1].name"),
        ({"collectors": ["x"], **_containers({"name": "mysqld-exporter"})}, f"{PODS}.containers[1].name"),
        *(
            (_containers(ports=[{"containerPort": port}]), f"{PODS}.containers[0].ports[0].containerPort")
            for port in (3306, 33060, 33062, 9081)
        ),
        *(
            (_containers(ports=[{"containerPort": 1, "name": name}]), f"{PODS}.containers[0].ports[0].name")
            for name in ("mysql", "mysqlx", "mysql-admin", "health")
        ),
        (_pod(initContainers=[{"name": "moco-init"}]), f"{PODS}.initContainers[0].name"),
        (_pod(initContainers=[{"image": "x"}]), f"{PODS}.initContainers[0].name"),
        *(
            (_pod(volumes=[{"name": name}]), f"{PODS}.volumes[0].name")
            for name in (
                *("tmp", "run", "var-log", "mysql-conf", "mysql-conf-d"),
                *("my-cnf-secret", "slow-fluent-bit-config", "grpc-cert", "shared"),
            )
        ),
        (
            {"restore": {"jobConfig": {"bucketConfig": {"endpointURL": "ftp://x"}}}},
            "spec.restore.jobConfig.bucketConfig.endpointURL",
        ),
        ({"restore": {"restorePoint": "yesterday"}}, "spec.restore.restorePoint"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(spec: JsonObject, path: str) -> None:  # V1
    errors = validate_cluster(_cluster(**spec), None, ())
    assert [each.path for each in errors] == [path], [str(each) for each in errors]


@pytest.mark.parametrize(
    "spec",
    [
        {"disableSlowQueryLogContainer": True, **_containers({"name": "slow-log"})},
        _containers({"name": "mysqld-exporter"}),
        _containers(ports=[{"containerPort": 8000, "name": "extra"}]),
        _pod(volumes=[{"name": "mine"}]),
        {"logRotationSchedule": "@every 1h30m"},
        {"replicas": 7},
    ],
)
def test_what_looks_alike_is_accepted(spec: JsonObject) -> None:
    assert validate_cluster(_cluster(**spec), None, ()) == []


def test_a_name_has_forty_characters_at_most() -> None:
    cluster = _cluster()
    cluster["metadata"]["name"] = "a" * 40
    assert validate_cluster(cluster, None, ()) == []
    cluster["metadata"]["name"] = "a" * 41
    assert [each.path for each in validate_cluster(cluster, None, ())] == ["metadata.name"]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ({"replicas": 3}, {"replicas": 1}, "spec.replicas"),
        ({}, {"replicationSourceSecretName": "s"}, "spec.replicationSourceSecretName"),
        (
            {"replicationSourceSecretName": "s"},
            {"replicationSourceSecretName": "t"},
            "spec.replicationSourceSecretName",
        ),
        ({}, {"restore": {"sourceName": "x"}}, "spec.restore"),
        ({"restore": {"sourceName": "x"}}, {}, "spec.restore"),
    ],
)
def test_some_fields_may_not_change(old: JsonObject, new: JsonObject, path: str) -> None:
    errors = validate_cluster(_cluster(**new), _cluster(**old), ())
    assert [each.path for each in errors] == [path]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"replicas": 1}, {"replicas": 5}),
        ({"replicationSourceSecretName": "s"}, {}),
        ({"replicationSourceSecretName": "s"}, {"replicationSourceSecretName": "s"}),
        ({"restore": {"sourceName": "x"}}, {"restore": {"sourceName": "x"}}),
        ({"offline": False}, {"offline": True}),
    ],
)
def test_others_may(old: JsonObject, new: JsonObject) -> None:
    assert validate_cluster(_cluster(**new), _cluster(**old), ()) == []


def test_nothing_is_refused_that_did_not_change() -> None:  # V2
    old = _cluster(restore={"sourceName": "x"}, replicationSourceSecretName="s", replicas=3)
    old["metadata"]["name"] = "a" * 50  # created before the limit
    assert validate_cluster(copy.deepcopy(old), old, ()) == []


NAMED = {"storageClassName": "chosen"}


@pytest.mark.parametrize(
    ("template", "classes", "accepted"),
    [
        (_template(storage="2Gi", **NAMED), [_class("chosen", True)], True),
        (_template(storage="2Gi", **NAMED), [_class("chosen", False)], False),
        (_template(storage="2Gi", **NAMED), [_class("chosen", None)], False),
        (_template(storage="2Gi", **NAMED), [_class("other", True, default=True)], False),
        (_template(storage="2Gi"), [_class("x", True, default=True)], True),
        (_template(storage="2Gi"), [_class("x", False, default=True), _class("y", True)], False),
        (_template(storage="2Gi"), [], True),
        (_template(storage="1024Mi"), [_class("x", False, default=True)], True),
        (_template(storage="512Mi"), [_class("x", False, default=True)], True),
    ],
)
def test_growing_needs_a_storage_class_that_allows_it(
    template: JsonObject, classes: list[JsonObject], accepted: bool
) -> None:  # V3
    old = _cluster(
        volumeClaimTemplates=[_template(**({} if "storageClassName" not in template["spec"] else NAMED))]
    )
    errors = validate_cluster(_cluster(volumeClaimTemplates=[template]), old, classes)
    assert (errors == []) is accepted
    assert all(each.path.startswith("spec.volumeClaimTemplates[0].spec") for each in errors)


def test_of_several_default_classes_the_newest_counts() -> None:
    older, newer = _class("b", True, default=True), _class("a", False, default=True)
    older["metadata"]["creationTimestamp"] = "2025-01-01T00:00:00Z"
    newer["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    old, new = _cluster(), _cluster(volumeClaimTemplates=[_template(storage="2Gi")])
    assert validate_cluster(new, old, [older, newer])


def _policy(**spec: Any) -> JsonObject:
    return {"metadata": {"name": "daily", "namespace": "db"}, "spec": {"schedule": "@daily", **spec}}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"schedule": "every day"}, "spec.schedule"),
        ({"schedule": ""}, "spec.schedule"),
        ({"schedule": "TZ=Asia/Tokyo 0 0 * * *"}, "spec.schedule"),
        ({"timeZone": ""}, "spec.timeZone"),
        ({"timeZone": "Local"}, "spec.timeZone"),
        ({"timeZone": "../etc/passwd"}, "spec.timeZone"),
        (
            {"jobConfig": {"bucketConfig": {"endpointURL": "storage"}}},
            "spec.jobConfig.bucketConfig.endpointURL",
        ),
    ],
)
def test_what_is_wrong_with_a_policy(spec: JsonObject, path: str) -> None:
    assert [each.path for each in validate_policy(_policy(**spec))] == [path]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Etc/GMT+9", "America/Argentina/Buenos_Aires", "UTC", None])
def test_time_zones_are_accepted_by_form(zone: str | None) -> None:
    assert validate_policy(_policy(timeZone=zone)) == []


def test_a_policy_is_in_use_by_clusters_of_its_namespace() -> None:
    mine, other = _cluster(backupPolicyName="daily"), _cluster(backupPolicyName="daily")
    other["metadata"]["namespace"] = "elsewhere"
    assert validate_policy_deletion(_policy(), [mine, other, _cluster()]) == ["orders"]
