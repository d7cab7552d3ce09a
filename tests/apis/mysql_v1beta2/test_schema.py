"""The CustomResourceDefinitions: every field of the contract is there, with its default and its bounds."""

from functools import cache
from typing import Any

import msgspec
import pytest
from tests.operators.mysql.golden import EVERYTHING
from tests.operators.mysql.support import cluster_object

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.mysql_v1beta2 import BackupPolicy, MySQLCluster
from kajitori.operators.mysql import crds


@cache
def _definitions() -> dict[str, JsonObject]:
    return {each["metadata"]["name"]: each for each in crds()}


def _schema(name: str = "mysqlclusters.moco.cybozu.com") -> JsonObject:
    schema: JsonObject = _definitions()[name]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _at(path: str, name: str = "mysqlclusters.moco.cybozu.com") -> JsonObject:
    schema = _schema(name)
    for part in path.split("."):
        schema = schema["items"] if part == "[]" else schema["properties"][part]
    return schema


def test_there_are_two_kinds() -> None:
    assert set(_definitions()) == {"mysqlclusters.moco.cybozu.com", "backuppolicies.moco.cybozu.com"}


def test_names_and_version() -> None:
    spec = _definitions()["mysqlclusters.moco.cybozu.com"]["spec"]
    assert (spec["group"], spec["scope"]) == ("moco.cybozu.com", "Namespaced")
    version = spec["versions"][0]
    assert (version["name"], version["served"], version["storage"]) == ("v1beta2", True, True)
    assert version["subresources"] == {"status": {}}
    titles = [each["name"] for each in version["additionalPrinterColumns"]]
    assert titles == [
        "Available",
        "Healthy",
        "Primary",
        "Synced replicas",
        "Errant replicas",
        "Clustering Active",
        "Reconcile Active",
        "Last backup",
    ]


SPEC_FIELDS = """
replicas podTemplate volumeClaimTemplates primaryServiceTemplate replicaServiceTemplate mysqlConfigMapName
replicationSourceSecretName collectors serverIDBase maxDelaySeconds maxDelaySecondsForPodDeletion
startupWaitSeconds logRotationSchedule logRotationSize backupPolicyName restore disableSlowQueryLogContainer
slowQueryLogConfigTmpl agentUseLocalhost initializeTimezoneData offline
"""
STATUS_FIELDS = """
conditions currentPrimaryIndex syncedReplicas errantReplicas errantReplicaList backup restoredTime cloned
reconcileInfo
"""
BACKUP_FIELDS = """
time elapsed sourceIndex sourceUUID uuidSet binlogFilename gtidSet dumpSize binlogSize workDirUsage warnings
"""
JOB_FIELDS = """
serviceAccountName bucketConfig workVolume threads cpu maxCpu memory maxMemory env envFrom affinity volumes
volumeMounts
"""
POLICY_FIELDS = """
schedule timeZone jobConfig startingDeadlineSeconds activeDeadlineSeconds concurrencyPolicy backoffLimit
successfulJobsHistoryLimit failedJobsHistoryLimit
"""
BUCKET_FIELDS = "bucketName region endpointURL usePathStyle backendType caCert"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("spec", SPEC_FIELDS),
        ("status", STATUS_FIELDS),
        ("status.backup", BACKUP_FIELDS),
        ("status.reconcileInfo", "generation reconcileVersion"),
        ("spec.podTemplate", "metadata spec overwriteContainers"),
        ("spec.podTemplate.metadata", "name labels annotations"),
        ("spec.podTemplate.overwriteContainers.[]", "name resources securityContext"),
        ("spec.volumeClaimTemplates.[]", "metadata spec"),
        ("spec.primaryServiceTemplate", "metadata spec"),
        ("spec.restore", "sourceName sourceNamespace restorePoint jobConfig schema users"),
        ("spec.restore.jobConfig", JOB_FIELDS),
        ("spec.restore.jobConfig.bucketConfig", BUCKET_FIELDS),
    ],
)
def test_every_field_is_there(path: str, fields: str) -> None:
    assert set(_at(path)["properties"]) == set(fields.split())


def test_every_field_of_a_policy_is_there() -> None:
    name = "backuppolicies.moco.cybozu.com"
    assert set(_at("spec", name)["properties"]) == set(POLICY_FIELDS.split())
    assert set(_at("spec", name)["required"]) == {"schedule", "jobConfig"}
    assert "status" not in _schema(name)["properties"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.replicas", {"default": 1, "minimum": 1, "format": "int32", "type": "integer"}),
        ("spec.maxDelaySeconds", {"default": 60, "minimum": 0, "type": "integer"}),
        ("spec.maxDelaySecondsForPodDeletion", {"minimum": 0, "format": "int64"}),
        ("spec.startupWaitSeconds", {"default": 3600, "minimum": 0, "format": "int32"}),
        ("spec.logRotationSize", {"minimum": 0}),
        ("spec.mysqlConfigMapName", {"nullable": True, "type": "string"}),
        ("spec.backupPolicyName", {"nullable": True}),
        ("spec.replicationSourceSecretName", {"nullable": True}),
        ("spec.volumeClaimTemplates", {"minItems": 1, "type": "array"}),
        (
            "spec.podTemplate.overwriteContainers.[].name",
            {"enum": ["agent", "copy-moco-init", "moco-init", "slow-log", "mysqld-exporter"]},
        ),
        ("spec.restore.sourceName", {"minLength": 1}),
        ("spec.restore.restorePoint", {"format": "date-time"}),
        ("spec.restore.jobConfig.threads", {"default": 4, "minimum": 1}),
        ("spec.restore.jobConfig.cpu", {"default": 4, "nullable": True, "x-kubernetes-int-or-string": True}),
        ("spec.restore.jobConfig.memory", {"default": "4Gi"}),
        (
            "spec.restore.jobConfig.bucketConfig.backendType",
            {"default": "s3", "enum": ["s3", "gcs", "azure"]},
        ),
        ("spec.restore.jobConfig.bucketConfig.endpointURL", {"pattern": "^https?://.*"}),
        ("status.conditions", {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}),
        ("status.backup.time", {"nullable": True, "format": "date-time"}),
    ],
)
def test_defaults_and_bounds(path: str, expected: dict[str, Any]) -> None:
    schema = _at(path)
    assert {key: schema.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.concurrencyPolicy", {"default": "Allow", "enum": ["Allow", "Forbid", "Replace"]}),
        ("spec.backoffLimit", {"minimum": 0, "nullable": True, "format": "int32"}),
        ("spec.timeZone", {"nullable": True}),
    ],
)
def test_defaults_and_bounds_of_a_policy(path: str, expected: dict[str, Any]) -> None:
    schema = _at(path, "backuppolicies.moco.cybozu.com")
    assert {key: schema.get(key) for key in expected} == expected


def test_required_fields() -> None:
    assert set(_at("spec")["required"]) == {"podTemplate", "volumeClaimTemplates"}
    assert _at("spec.podTemplate")["required"] == ["spec"]
    assert set(_at("spec.volumeClaimTemplates.[]")["required"]) == {"metadata", "spec"}
    assert set(_at("spec.restore.jobConfig")["required"]) == {
        "serviceAccountName",
        "bucketConfig",
        "workVolume",
    }


def test_every_field_of_an_embedded_pod_is_optional() -> None:
    pod = _at("spec.podTemplate.spec")
    assert "required" not in pod and "required" not in pod["properties"]["containers"]["items"]
    assert "ephemeralContainers" in pod["properties"]


def test_every_own_field_is_explained() -> None:
    for path in ("spec", "status", "spec.restore", "spec.restore.jobConfig", "spec.podTemplate"):
        for name, schema in _at(path)["properties"].items():
            assert schema.get("description"), f"{path}.{name}"


def test_rules_that_only_cel_can_say() -> None:
    rules = [each["rule"] for each in _at("spec.replicas")["x-kubernetes-validations"]]
    assert rules == ["self % 2 == 1", "self >= oldSelf"]
    assert "size(self.metadata.name) <= 40" in str(_schema()["x-kubernetes-validations"])
    assert "oldSelf.restore" in str(_at("spec")["x-kubernetes-validations"])


def test_objects_become_structs_and_come_back() -> None:
    cluster = msgspec.convert(cluster_object(EVERYTHING), MySQLCluster)
    assert cluster.spec.server_id_base == 100 and cluster.metadata.name == "default"
    assert cluster.spec.restore is not None
    assert cluster.spec.restore.job_config.bucket_config.endpoint_url == "https://storage.example"
    again = msgspec.to_builtins(cluster)
    assert again["spec"]["mysqlConfigMapName"] == "mycnf"
    assert msgspec.convert(again, MySQLCluster) == cluster


def test_a_policy_becomes_a_struct() -> None:
    job = {"serviceAccountName": "s", "bucketConfig": {"bucketName": "b"}, "workVolume": {"emptyDir": {}}}
    policy = msgspec.convert({"spec": {"schedule": "@daily", "jobConfig": job}}, BackupPolicy)
    assert policy.spec.concurrency_policy == "Allow" and policy.spec.job_config.threads == 4
