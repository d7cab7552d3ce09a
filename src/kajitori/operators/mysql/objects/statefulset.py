"""The StatefulSet of a cluster, and a claim as its controller would make it from a template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.apis import JsonObject, thaw
from kajitori.apis.mysql_v1beta2.names import (
    ANNOTATION_FORCE_ROLLING_UPDATE,
    LABEL_CREATED_BY,
    LABEL_INSTANCE,
    LABEL_NAME,
)
from kajitori.operators.mysql.objects.base import CONTAINER_ID, Rendering
from kajitori.operators.mysql.objects.containers import containers, init_containers

__all__ = ["PodSources", "claim_for", "claim_templates", "statefulset"]

GRACE_PERIOD_SECONDS = 300
"""mysqld writes its dirty pages when it stops."""
_FILE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class PodSources:
    """Names and values from other objects that end up in the Pods."""

    my_cnf: str
    slow_log_config: str = ""
    lower_case_table_names: str = ""
    grpc_secret_required: bool = True
    """False where nobody issues certificates: the Pods start without one."""
    kept_slow_log: JsonObject | None = None


def statefulset(
    rendering: Rendering,
    sources: PodSources,
    *,
    replicas: int,
    volume_claim_templates: Sequence[JsonObject],
    force_rolling_update: bool = False,
) -> JsonObject:
    """Pods start and stop in parallel: who is primary does not follow from the ordinals."""
    sts = rendering.owned("apps/v1", "StatefulSet", rendering.names.prefixed)
    if force_rolling_update:
        sts["metadata"]["annotations"] = {ANNOTATION_FORCE_ROLLING_UPDATE: "true"}
    sts["spec"] = {
        "replicas": replicas,
        "serviceName": rendering.names.prefixed,
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "RollingUpdate"},
        "selector": {"matchLabels": rendering.labels},
        "template": _pod_template(rendering, sources),
        "volumeClaimTemplates": [thaw(each) for each in volume_claim_templates],
    }
    return sts


def claim_templates(rendering: Rendering) -> list[JsonObject]:
    """The user's templates.

    They carry no owner reference, so that claims outlive the cluster: deleting an object by mistake must not
    delete a database.
    """
    templates: list[JsonObject] = []
    for given in rendering.spec.volume_claim_templates:
        metadata: JsonObject = {"name": given.metadata.name}
        if given.metadata.labels:
            metadata["labels"] = dict(given.metadata.labels)
        if given.metadata.annotations:
            metadata["annotations"] = dict(given.metadata.annotations)
        templates.append({"metadata": metadata, "spec": thaw(given.spec)})
    return templates


def claim_for(rendering: Rendering, template: Mapping[str, Any], name: str) -> JsonObject:
    """The claim that the StatefulSet's controller makes from a template: labelled as the Pods are
    selected."""
    metadata = template["metadata"]
    claim: JsonObject = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name,
            "namespace": rendering.namespace,
            "labels": {**(metadata.get("labels") or {}), **rendering.labels},
        },
        "spec": thaw(template["spec"]),
    }
    if metadata.get("annotations"):
        claim["metadata"]["annotations"] = dict(metadata["annotations"])
    return claim


def _pod_template(rendering: Rendering, sources: PodSources) -> JsonObject:
    given = rendering.spec.pod_template
    metadata: JsonObject = {"labels": {**given.metadata.labels, **rendering.labels}}
    if given.metadata.annotations:
        metadata["annotations"] = dict(given.metadata.annotations)
    pod: JsonObject = thaw(given.spec)
    pod["serviceAccountName"] = rendering.names.prefixed
    pod.setdefault("terminationGracePeriodSeconds", GRACE_PERIOD_SECONDS)
    pod["containers"] = containers(rendering, sources.kept_slow_log)
    pod["initContainers"] = init_containers(rendering, sources.lower_case_table_names)
    pod["volumes"] = [*(pod.get("volumes") or ()), *_volumes(rendering, sources)]
    if rendering.settings.default_security_context:
        filesystem = {"fsGroup": CONTAINER_ID, "fsGroupChangePolicy": "OnRootMismatch"}
        pod["securityContext"] = filesystem | (pod.get("securityContext") or {})
    if not pod.get("affinity"):
        pod["affinity"] = _apart_from_each_other(rendering)
    return {"metadata": metadata, "spec": pod}


def _volumes(rendering: Rendering, sources: PodSources) -> list[JsonObject]:
    names = rendering.names
    volumes: list[JsonObject] = [
        {"name": name, "emptyDir": {}} for name in ("tmp", "run", "var-log", "mysql-conf-d", "shared")
    ]
    volumes += [
        {"name": "mysql-conf", "configMap": {"name": sources.my_cnf, "defaultMode": _FILE_MODE}},
        {"name": "my-cnf-secret", "secret": {"secretName": names.my_cnf_secret, "defaultMode": _FILE_MODE}},
    ]
    grpc: JsonObject = {"secretName": names.grpc_secret, "defaultMode": _FILE_MODE}
    if not sources.grpc_secret_required:
        grpc["optional"] = True
    volumes.append({"name": "grpc-cert", "secret": grpc})
    if sources.slow_log_config:
        config = {"name": sources.slow_log_config, "defaultMode": _FILE_MODE}
        volumes.append({"name": "slow-fluent-bit-config", "configMap": config})
    return volumes


def _apart_from_each_other(rendering: Rendering) -> JsonObject:
    """Preferred, not required: a small cluster of nodes may still run a large cluster of databases."""
    labels = rendering.labels
    expressions = [
        {"key": key, "operator": "In", "values": [labels[key]]}
        for key in (LABEL_NAME, LABEL_INSTANCE, LABEL_CREATED_BY)
    ]
    term = {"labelSelector": {"matchExpressions": expressions}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
