"""What a MySQLCluster and a BackupPolicy must satisfy beyond their schemas.

Called by admission where the API server has ours, and by the reconciler everywhere, so that a cluster that
slipped in on another API server is reported instead of acted on. Objects are taken as JSON, after defaulting.

Promises
    V1  every complaint names its field by the path a user writes
    V2  what was accepted before is accepted again when nothing changed
    V3  a volume may be asked to grow only where the StorageClass, named or default, allows expansion

Where a claim names no class and the cluster has no default one, nothing forbids growing here: whether a claim
that exists can grow is for the reconciler to see, since only the claim knows the class that it got.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import parse_time
from kajitori.apis.mysql_v1beta2.names import (
    DATA_VOLUME,
    NAME_LENGTH_MAX,
    RESERVED_PORT_NAMES,
    RESERVED_PORTS,
    RESERVED_VOLUMES,
)
from kajitori.apis.mysql_v1beta2.quantities import quantity_or_none
from kajitori.apis.validation.schedules import schedule_problem, time_zone_problems

__all__ = [
    "allows_expansion",
    "default_storage_class",
    "validate_cluster",
    "validate_cluster_spec",
    "validate_policy",
    "validate_policy_deletion",
]

_DEFAULT_CLASS_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def validate_cluster(
    new: JsonObject, old: JsonObject | None, storage_classes: Iterable[JsonObject]
) -> list[FieldError]:
    """Complaints about a cluster that is created, or changed from `old`."""
    errors = _validate_name(new) if old is None else []
    spec: JsonObject = new.get("spec") or {}
    errors += validate_cluster_spec(spec)
    if old is not None:
        errors += _validate_change(spec, old.get("spec") or {}, storage_classes)
    return errors


def _validate_name(cluster: JsonObject) -> list[FieldError]:
    name = cluster.get("metadata", {}).get("name") or ""
    if len(name) <= NAME_LENGTH_MAX:
        return []
    return [FieldError.invalid("metadata.name", name, f"must be no more than {NAME_LENGTH_MAX} characters")]


def validate_cluster_spec(spec: JsonObject) -> list[FieldError]:
    """Complaints that need no earlier object to see."""
    return [
        *_validate_replicas(spec),
        *_validate_claim_templates(spec.get("volumeClaimTemplates") or ()),
        *_validate_numbers(spec),
        *_validate_log_rotation(spec),
        *_validate_containers(spec),
        *_validate_init_containers(_pod_spec(spec).get("initContainers") or ()),
        *_validate_volumes(_pod_spec(spec).get("volumes") or ()),
        *_validate_restore(spec.get("restore") or {}),
    ]


def _pod_spec(spec: JsonObject) -> JsonObject:
    return (spec.get("podTemplate") or {}).get("spec") or {}


def _validate_replicas(spec: JsonObject) -> list[FieldError]:
    replicas = spec.get("replicas", 1)
    if replicas > 0 and replicas % 2 == 1:
        return []
    return [FieldError.invalid("spec.replicas", replicas, "must be a positive odd number, such as 1, 3 or 5")]


def _validate_claim_templates(templates: Sequence[JsonObject]) -> list[FieldError]:
    path = "spec.volumeClaimTemplates"
    errors: list[FieldError] = []
    names = [(each.get("metadata") or {}).get("name") or "" for each in templates]
    if DATA_VOLUME not in names:
        errors.append(FieldError.required(path, f"one template must be named {DATA_VOLUME}"))
    for index, (name, template) in enumerate(zip(names, templates, strict=True)):
        if not name:
            errors.append(FieldError.required(f"{path}[{index}].metadata.name"))
        elif name in names[:index]:
            errors.append(FieldError.duplicate(f"{path}[{index}].metadata.name", name))
        size_path = f"{path}[{index}].spec.resources.requests.storage"
        size = _storage_request(template)
        if size is None:
            errors.append(FieldError.required(size_path, "every template must say how much storage it wants"))
        elif not _is_positive(size):
            errors.append(
                FieldError.invalid(size_path, size, "must be a quantity greater than zero, such as 1Gi")
            )
    return errors


def _is_positive(size: Any) -> bool:
    amount = quantity_or_none(size)
    return amount is not None and amount.unscaled > 0


def _storage_request(template: Mapping[str, Any]) -> Any:
    resources = (template.get("spec") or {}).get("resources") or {}
    return (resources.get("requests") or {}).get("storage")


def _validate_numbers(spec: JsonObject) -> list[FieldError]:
    errors: list[FieldError] = []
    base = spec.get("serverIDBase") or 0
    if base <= 0:
        errors.append(FieldError.invalid("spec.serverIDBase", base, "must be greater than zero"))
    for name in ("maxDelaySeconds", "maxDelaySecondsForPodDeletion", "startupWaitSeconds", "logRotationSize"):
        value = spec.get(name) or 0
        if value < 0:
            errors.append(FieldError.invalid(f"spec.{name}", value, "must be greater than or equal to 0"))
    return errors


def _validate_log_rotation(spec: JsonObject) -> list[FieldError]:
    schedule = spec.get("logRotationSchedule") or ""
    problem = _schedule_problem(schedule) if schedule else ""
    return [FieldError.invalid("spec.logRotationSchedule", schedule, problem)] if problem else []


def _validate_containers(spec: JsonObject) -> list[FieldError]:
    path = "spec.podTemplate.spec.containers"
    reserved = {"agent"}
    if not spec.get("disableSlowQueryLogContainer"):
        reserved.add("slow-log")
    if spec.get("collectors"):
        reserved.add("mysqld-exporter")
    errors: list[FieldError] = []
    has_mysqld = False
    for index, container in enumerate(_pod_spec(spec).get("containers") or ()):
        name = container.get("name")
        if not name:
            errors.append(FieldError.required(f"{path}[{index}].name", "every container needs a name"))
        elif name in reserved:
            errors.append(
                FieldError.forbidden(f"{path}[{index}].name", f"{name} is the operator's own container")
            )
        elif name == "mysqld":
            has_mysqld = True
            errors += _validate_mysqld(container, f"{path}[{index}]")
    if not has_mysqld:
        errors.append(FieldError.required(path, "one container must be named mysqld"))
    return errors


def _validate_mysqld(container: JsonObject, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not container.get("image"):
        errors.append(FieldError.required(f"{path}.image", "the operator knows no image of mysqld"))
    for index, port in enumerate(container.get("ports") or ()):
        number, name = port.get("containerPort"), port.get("name")
        if number in RESERVED_PORTS.values():
            errors.append(
                FieldError.invalid(
                    f"{path}.ports[{index}].containerPort", number, "the operator uses this port itself"
                )
            )
        if name in RESERVED_PORT_NAMES:
            errors.append(
                FieldError.invalid(f"{path}.ports[{index}].name", name, "the operator uses this name itself")
            )
    return errors


def _validate_init_containers(containers: Sequence[JsonObject]) -> list[FieldError]:
    path = "spec.podTemplate.spec.initContainers"
    errors: list[FieldError] = []
    for index, container in enumerate(containers):
        name = container.get("name")
        if not name:
            errors.append(FieldError.required(f"{path}[{index}].name", "every init container needs a name"))
        elif name in ("moco-init", "copy-moco-init"):
            errors.append(
                FieldError.invalid(f"{path}[{index}].name", name, "this is the operator's own init container")
            )
    return errors


def _validate_volumes(volumes: Sequence[JsonObject]) -> list[FieldError]:
    path = "spec.podTemplate.spec.volumes"
    return [
        FieldError.invalid(f"{path}[{index}].name", volume["name"], "the operator uses this name itself")
        for index, volume in enumerate(volumes)
        if volume.get("name") in RESERVED_VOLUMES
    ]


def _validate_restore(restore: JsonObject) -> list[FieldError]:
    errors = _validate_bucket(restore, "spec.restore")
    point = restore.get("restorePoint")
    if point is not None:
        try:
            parse_time(point)
        except ValueError:
            why = "must be a time such as 2006-01-02T15:04:05Z"
            errors.append(FieldError.invalid("spec.restore.restorePoint", point, why))
    return errors


def _validate_change(
    spec: JsonObject, old: JsonObject, storage_classes: Iterable[JsonObject]
) -> list[FieldError]:
    errors: list[FieldError] = []
    before, after = old.get("replicas", 1), spec.get("replicas", 1)
    if after < before:
        errors.append(FieldError.forbidden("spec.replicas", f"cannot be lowered from {before} to {after}"))
    errors += _validate_source_change(
        spec.get("replicationSourceSecretName"), old.get("replicationSourceSecretName")
    )
    if spec.get("restore") != old.get("restore"):
        errors.append(FieldError.forbidden("spec.restore", "cannot be changed; restore into a new cluster"))
    errors += _validate_growth(
        spec.get("volumeClaimTemplates") or (), old.get("volumeClaimTemplates") or (), storage_classes
    )
    return errors


def _validate_source_change(source: str | None, old_source: str | None) -> list[FieldError]:
    path = "spec.replicationSourceSecretName"
    if source is None or source == old_source:
        return []
    if old_source is None:
        return [FieldError.forbidden(path, "only a new cluster can begin to follow another server")]
    return [FieldError.forbidden(path, "can be removed, but not changed")]


def _validate_growth(
    templates: Sequence[JsonObject],
    old_templates: Sequence[JsonObject],
    storage_classes: Iterable[JsonObject],
) -> list[FieldError]:
    sizes = {
        (each.get("metadata") or {}).get("name"): quantity_or_none(_storage_request(each))
        for each in old_templates
    }
    classes = {each["metadata"]["name"]: each for each in storage_classes}
    errors: list[FieldError] = []
    for index, template in enumerate(templates):
        before = sizes.get((template.get("metadata") or {}).get("name"))
        after = quantity_or_none(_storage_request(template))
        if before is None or after is None or after <= before:
            continue
        path = f"spec.volumeClaimTemplates[{index}].spec"
        name = (template.get("spec") or {}).get("storageClassName")
        chosen = classes.get(name) if name else default_storage_class(classes.values())
        if chosen is None and name:
            why = f'the StorageClass "{name}" does not exist, so volumes cannot grow'
            errors.append(FieldError.forbidden(f"{path}.storageClassName", why))
        elif chosen is not None and not allows_expansion(chosen):
            why = f'the StorageClass "{chosen["metadata"]["name"]}" does not allow volumes to grow'
            errors.append(FieldError.forbidden(f"{path}.resources.requests.storage", why))
    return errors


def allows_expansion(storage_class: Mapping[str, Any]) -> bool:
    """Whether volumes of the class may grow."""
    return storage_class.get("allowVolumeExpansion") is True


def default_storage_class(storage_classes: Iterable[JsonObject]) -> JsonObject | None:
    """The class that a claim without one gets: of several default ones the newest, then the first by name."""
    marked = [each for each in storage_classes if _is_default(each)]
    marked.sort(key=lambda each: each["metadata"]["name"])
    marked.sort(key=lambda each: each["metadata"].get("creationTimestamp") or "", reverse=True)
    return marked[0] if marked else None


def _is_default(storage_class: JsonObject) -> bool:
    annotations = storage_class["metadata"].get("annotations") or {}
    return any(annotations.get(each) == "true" for each in _DEFAULT_CLASS_ANNOTATIONS)


def validate_policy(policy: JsonObject) -> list[FieldError]:
    """Complaints about a BackupPolicy that is created or changed."""
    spec: JsonObject = policy.get("spec") or {}
    errors: list[FieldError] = []
    schedule = spec.get("schedule") or ""
    problem = _schedule_problem(schedule) if schedule else "must be a cron expression"
    if problem:
        errors.append(FieldError.invalid("spec.schedule", schedule, problem))
    zone = spec.get("timeZone")
    if zone is not None:
        errors += [FieldError.invalid("spec.timeZone", zone, told) for told in time_zone_problems(zone)]
    return errors + _validate_bucket(spec, "spec")


def _schedule_problem(schedule: str) -> str:
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"  # CronJobs refuse it
    return schedule_problem(schedule)


def _validate_bucket(holder: JsonObject | None, path: str) -> list[FieldError]:
    bucket = ((holder or {}).get("jobConfig") or {}).get("bucketConfig") or {}
    url = bucket.get("endpointURL") or ""
    if not url or url.startswith(("http://", "https://")):
        return []
    where = f"{path}.jobConfig.bucketConfig.endpointURL"
    return [FieldError.invalid(where, url, "must start with http:// or https://")]


def validate_policy_deletion(policy: JsonObject, clusters: Iterable[JsonObject]) -> list[str]:
    """The MySQLClusters, in order, that keep a policy from being deleted: those of its namespace that name
    it."""
    metadata = policy["metadata"]
    return sorted(
        cluster["metadata"]["name"]
        for cluster in clusters
        if cluster["metadata"].get("namespace") == metadata.get("namespace")
        and (cluster.get("spec") or {}).get("backupPolicyName") == metadata["name"]
    )
