"""What backup and restore Jobs have in common: their Pod, their Role and its binding."""

from collections.abc import Mapping, Sequence
from typing import Any

from kajitori.apis import JsonObject, thaw
from kajitori.apis.mysql_v1beta2 import JobConfig
from kajitori.apis.mysql_v1beta2.names import LABEL_CREATED_BY, LABEL_NAME
from kajitori.operators.mysql.objects.base import CONTAINER_ID, Rendering

__all__ = [
    "WORK_DIRECTORY",
    "apart_from_other_jobs",
    "bucket_arguments",
    "job_pod",
    "job_role",
    "job_role_binding",
]

WORK_DIRECTORY = "/work"


def bucket_arguments(config: JobConfig) -> list[str]:
    """Where the bucket is; its name comes last."""
    bucket = config.bucket_config
    arguments: list[str] = []
    if bucket.region:
        arguments.append(f"--region={bucket.region}")
    if bucket.endpoint_url:
        arguments.append(f"--endpoint={bucket.endpoint_url}")
    if bucket.use_path_style:
        arguments.append("--use-path-style")
    arguments.append(f"--backend-type={bucket.backend_type}")
    if bucket.ca_cert:
        arguments.append(f"--ca-cert={bucket.ca_cert}")
    return [*arguments, bucket.bucket_name]


def job_pod(
    rendering: Rendering,
    config: JobConfig,
    *,
    container: str,
    arguments: Sequence[str],
    password_key: str,
    affinity: JsonObject | None = None,
) -> JsonObject:
    """The template of the Pod that dumps or loads."""
    password = {"name": rendering.names.prefixed, "key": password_key}
    step: JsonObject = {
        "name": container,
        "image": rendering.settings.images.backup,
        "args": list(arguments),
        "env": [{"name": "MYSQL_PASSWORD", "valueFrom": {"secretKeyRef": password}}, *thaw(config.env)],
        "volumeMounts": [{"name": "work", "mountPath": WORK_DIRECTORY}, *thaw(config.volume_mounts)],
        "securityContext": {"readOnlyRootFilesystem": True},
    }
    if config.env_from:
        step["envFrom"] = thaw(config.env_from)
    if resources := _resources(config):
        step["resources"] = resources
    pod: JsonObject = {
        "restartPolicy": "Never",
        "serviceAccountName": config.service_account_name,
        "containers": [step],
        "volumes": [{**thaw(config.work_volume), "name": "work"}, *thaw(config.volumes)],
    }
    if rendering.settings.default_security_context:
        step["securityContext"] |= {"runAsUser": CONTAINER_ID, "runAsGroup": CONTAINER_ID}
        pod["securityContext"] = {"fsGroup": CONTAINER_ID, "fsGroupChangePolicy": "OnRootMismatch"}
    if chosen := config.affinity or affinity:
        pod["affinity"] = thaw(chosen)
    return {"metadata": {"labels": rendering.job_labels}, "spec": pod}


def _resources(config: JobConfig) -> dict[str, dict[str, Any]]:
    requests = {"cpu": config.cpu, "memory": config.memory}
    limits = {"cpu": config.max_cpu, "memory": config.max_memory}
    sides = {
        side: {resource: str(amount) for resource, amount in amounts.items() if amount is not None}
        for side, amounts in (("requests", requests), ("limits", limits))
    }
    return {side: amounts for side, amounts in sides.items() if amounts}


def apart_from_other_jobs() -> JsonObject:
    """An affinity for nodes on which no other cluster is being backed up: dumps take bandwidth and disk."""
    expressions = [
        {"key": LABEL_NAME, "operator": "In", "values": ["mysql-backup"]},
        {"key": LABEL_CREATED_BY, "operator": "In", "values": ["moco"]},
    ]
    term = {"labelSelector": {"matchExpressions": expressions}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def job_role(rendering: Rendering, name: str, verbs: Mapping[str, Sequence[str]]) -> JsonObject:
    """What a Job may do: write the cluster's status, and `verbs` on pods and events."""
    role = rendering.owned("rbac.authorization.k8s.io/v1", "Role", name, labels=rendering.job_labels)
    cluster_rule = {
        "apiGroups": ["moco.cybozu.com"],
        "resources": ["mysqlclusters", "mysqlclusters/status"],
        "resourceNames": [rendering.name],
        "verbs": ["get", "update"],
    }
    others = [
        {"apiGroups": [""], "resources": [resource], "verbs": list(allowed)}
        for resource, allowed in verbs.items()
    ]
    return {**role, "rules": [cluster_rule, *others]}


def job_role_binding(rendering: Rendering, name: str, service_account: str) -> JsonObject:
    """Gives the Role to the ServiceAccount that the user chose for the Job."""
    binding = rendering.owned(
        "rbac.authorization.k8s.io/v1", "RoleBinding", name, labels=rendering.job_labels
    )
    subject = {"kind": "ServiceAccount", "name": service_account, "namespace": rendering.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    return {**binding, "roleRef": role, "subjects": [subject]}
