"""The apps group: kinds that keep Pods running.

Source: pkg/apis/apps/validation.
"""

from collections.abc import Mapping

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import (
    Errors,
    check_enum,
    check_label,
    check_label_selector,
    check_not_negative,
    selects,
)
from kajitori.apis.validation.claims import check_claim_spec
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.pod_templates import (
    REPLICA_BOUNDS,
    REPLICA_COUNTS,
    check_restarted_template,
    check_status_counts,
    check_template,
    check_template_matches,
)
from kajitori.apis.validation.shares import check_at_most_all, check_share, share_amount
from kajitori.apis.validation.validator import CreateCheck, UpdateCheck, Validator, same_rules

__all__ = ["VALIDATORS"]

_BEYOND = "cannot be greater than status.replicas"


# Selectors and templates.


def _check_selector(spec: JsonObject, kind: str, errors: Errors, told: str) -> bool:
    """Whether the selector, of a spec that must have one that selects something, can be understood."""
    selector = spec.get("selector")
    if selector is None:
        errors.append(FieldError.required("spec.selector"))
    else:
        check_label_selector(selector, "spec.selector", errors)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            empty = f"empty selector is invalid for {kind}"
            errors.append(FieldError.invalid("spec.selector", selector, empty))
    if selects(selector, {}) is None:
        errors.append(FieldError.invalid("spec.selector", selector, told))
        return False
    return True


def _check_replica_template(spec: JsonObject, errors: Errors) -> None:
    template: JsonObject = spec.get("template") or {}
    check_template_matches(template, spec.get("selector"), "spec.template", errors)
    check_template(template, "spec.template", errors)
    check_restarted_template(template, "ReplicaSet", "spec.template", errors)


# Deployments and ReplicaSets.


def _check_deployment(obj: JsonObject, errors: Errors) -> None:
    spec = obj["spec"]
    check_not_negative(spec.get("replicas", 0), "spec.replicas", errors)
    if _check_selector(spec, "deployment", errors, "invalid label selector"):
        _check_replica_template(spec, errors)
    _check_deployment_strategy(spec.get("strategy") or {}, "spec.strategy", errors)
    ready_seconds = spec.get("minReadySeconds", 0)
    check_not_negative(ready_seconds, "spec.minReadySeconds", errors)
    if "revisionHistoryLimit" in spec:
        check_not_negative(spec["revisionHistoryLimit"], "spec.revisionHistoryLimit", errors)
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        path = "spec.progressDeadlineSeconds"
        check_not_negative(deadline, path, errors)
        if deadline <= ready_seconds:
            errors.append(FieldError.invalid(path, deadline, "must be greater than minReadySeconds"))


def _check_deployment_strategy(strategy: JsonObject, path: str, errors: Errors) -> None:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            told = "may not be specified when strategy `type` is 'Recreate'"
            errors.append(FieldError.forbidden(f"{path}.rollingUpdate", told))
    elif kind != "RollingUpdate":
        shown = go_struct("apps.v1.DeploymentStrategy", strategy)
        errors.append(FieldError.not_supported(path, shown, ("Recreate", "RollingUpdate")))
    elif rolling is None:
        told = "this should be defaulted and never be nil"
        errors.append(FieldError.required(f"{path}.rollingUpdate", told))
    else:
        here = f"{path}.rollingUpdate.maxUnavailable"
        unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
        check_share(unavailable, here, errors)
        check_share(surge, f"{path}.rollingUpdate.maxSurge", errors)
        if not share_amount(unavailable) and not share_amount(surge):
            errors.append(FieldError.invalid(here, unavailable, "may not be 0 when `maxSurge` is 0"))
        check_at_most_all(unavailable, here, errors)


def _check_replica_set(obj: JsonObject, errors: Errors) -> None:
    spec = obj["spec"]
    check_not_negative(spec.get("replicas", 0), "spec.replicas", errors)
    check_not_negative(spec.get("minReadySeconds", 0), "spec.minReadySeconds", errors)
    if _check_selector(spec, "deployment", errors, "invalid label selector"):
        _check_replica_template(spec, errors)


# DaemonSets.


def _check_daemon_set(obj: JsonObject, errors: Errors) -> None:
    spec = obj["spec"]
    selector = spec.get("selector")
    check_label_selector(selector, "spec.selector", errors)
    template: JsonObject = spec.get("template") or {}
    labels: Mapping[str, str] | None = (template.get("metadata") or {}).get("labels")
    if selects(selector, labels or {}) is False:
        told = "`selector` does not match template `labels`"
        errors.append(FieldError.invalid("spec.template.metadata.labels", labels, told))
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        told = "empty selector is invalid for daemonset"
        errors.append(FieldError.invalid("spec.selector", selector, told))
    check_template(template, "spec.template", errors)
    check_restarted_template(template, "DaemonSet", "spec.template", errors)
    check_not_negative(spec.get("minReadySeconds", 0), "spec.minReadySeconds", errors)
    _check_daemon_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy", errors)
    if "revisionHistoryLimit" in spec:
        check_not_negative(spec["revisionHistoryLimit"], "spec.revisionHistoryLimit", errors)


def _check_daemon_strategy(strategy: JsonObject, path: str, errors: Errors) -> None:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        shown = go_struct("apps.v1.DaemonSetUpdateStrategy", strategy)
        errors.append(FieldError.not_supported(path, shown, ("RollingUpdate", "OnDelete")))
        return
    if rolling is None:
        errors.append(FieldError.required(f"{path}.rollingUpdate"))
        return
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    here = f"{path}.rollingUpdate"
    for check in (check_share, check_at_most_all):
        check(unavailable, f"{here}.maxUnavailable", errors)
        check(surge, f"{here}.maxSurge", errors)
    if share_amount(unavailable) and share_amount(surge):
        told = "may not be set when maxUnavailable is non-zero"
        errors.append(FieldError.invalid(f"{here}.maxSurge", surge, told))
    elif not share_amount(unavailable) and not share_amount(surge):
        errors.append(FieldError.required(f"{here}.maxUnavailable", "cannot be 0 when maxSurge is 0"))


# StatefulSets.


def _check_stateful_set(obj: JsonObject, errors: Errors, *, is_new: bool = True) -> None:
    spec = obj["spec"]
    policy = spec.get("podManagementPolicy", "")
    if not policy:
        errors.append(FieldError.required("spec.podManagementPolicy"))
    elif policy not in ("OrderedReady", "Parallel"):
        told = "must be 'OrderedReady' or 'Parallel'"
        errors.append(FieldError.invalid("spec.podManagementPolicy", policy, told))
    _check_stateful_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy", errors)
    retention = spec.get("persistentVolumeClaimRetentionPolicy")
    if retention is not None:
        for member in ("whenDeleted", "whenScaled"):
            path = f"spec.persistentVolumeClaimRetentionPolicy.{member}"
            check_enum(retention.get(member, ""), ("Retain", "Delete"), path, errors)
    check_not_negative(spec.get("replicas", 0), "spec.replicas", errors)
    check_not_negative(spec.get("minReadySeconds", 0), "spec.minReadySeconds", errors)
    if "ordinals" in spec:
        check_not_negative((spec["ordinals"] or {}).get("start", 0), "spec.ordinals.start", errors)
    if is_new:
        if spec.get("serviceName"):
            check_label(spec["serviceName"], "spec.serviceName", errors)
        for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
            path = f"spec.volumeClaimTemplates[{index}].spec"
            check_claim_spec(claim.get("spec") or {}, path, errors)
    if _check_selector(spec, "statefulset", errors, ""):
        template = _with_claims(spec)
        check_template_matches(template, spec.get("selector"), "spec.template", errors)
        check_template(template, "spec.template", errors)
    check_restarted_template(spec.get("template") or {}, "StatefulSet", "spec.template", errors)


def _with_claims(spec: JsonObject) -> JsonObject:
    """The template as its Pods will be: with the claims as volumes, before all others."""
    template: JsonObject = spec.get("template") or {}
    claims = {(each.get("metadata") or {}).get("name", "") for each in spec.get("volumeClaimTemplates") or ()}
    if not claims:
        return template
    pod: JsonObject = template.get("spec") or {}
    volumes = [{"name": each, "persistentVolumeClaim": {"claimName": each}} for each in sorted(claims)]
    volumes += [each for each in pod.get("volumes") or () if each.get("name", "") not in claims]
    return {**template, "spec": {**pod, "volumes": volumes}}


def _check_stateful_strategy(strategy: JsonObject, path: str, errors: Errors) -> None:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if not kind:
        errors.append(FieldError.required(path))
    elif kind == "OnDelete":
        if rolling is not None:
            shown = go_struct("apps.v1.RollingUpdateStatefulSetStrategy", rolling)
            told = "only allowed for updateStrategy 'RollingUpdate'"
            errors.append(FieldError.invalid(f"{path}.rollingUpdate", shown, told))
    elif kind != "RollingUpdate":
        shown = go_struct("apps.v1.StatefulSetUpdateStrategy", strategy)
        errors.append(FieldError.invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'"))
    elif rolling is not None:
        check_not_negative(rolling.get("partition") or 0, f"{path}.rollingUpdate.partition", errors)
        unavailable = rolling.get("maxUnavailable")
        if unavailable is not None:
            here = f"{path}.rollingUpdate.maxUnavailable"
            check_share(unavailable, here, errors)
            if not share_amount(unavailable):
                errors.append(FieldError.invalid(here, unavailable, "cannot be 0"))
            check_at_most_all(unavailable, here, errors)


def _check_changed_stateful_set(obj: JsonObject, errors: Errors) -> None:
    # The name of the service and the claims cannot change; old ones may have come in under older rules.
    _check_stateful_set(obj, errors, is_new=False)


def _check_revision(obj: JsonObject, errors: Errors) -> None:
    if obj.get("data") is None:
        errors.append(FieldError.required("data", "data is mandatory"))
    check_not_negative(obj.get("revision", 0), "revision", errors)


# Statuses.

_DEPLOYMENT_COUNTS = (
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
)
_DEPLOYMENT_BOUNDS = {
    "updatedReplicas": ("replicas", _BEYOND),
    "readyReplicas": ("replicas", _BEYOND),
    "availableReplicas": ("replicas", _BEYOND),
    "availableReplicas ready": ("readyReplicas", "cannot be greater than readyReplicas"),
}
_STATEFUL_COUNTS = (
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
)
_STATEFUL_BOUNDS = {
    "readyReplicas": ("replicas", _BEYOND),
    "currentReplicas": ("replicas", _BEYOND),
    "updatedReplicas": ("replicas", _BEYOND),
    "availableReplicas": ("replicas", _BEYOND),
    "availableReplicas ready": ("readyReplicas", "cannot be greater than status.readyReplicas"),
}
_DAEMON_COUNTS = (
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
)


def _update(
    check: CreateCheck, counts: tuple[str, ...], bounds: Mapping[str, tuple[str, str]]
) -> UpdateCheck:
    def update(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
        if subresource:
            check_status_counts(obj["status"], bounds, counts, errors)
        else:
            check(obj, errors)

    return update


VALIDATORS = {
    "controllerrevisions": same_rules(_check_revision),
    "daemonsets": Validator(_check_daemon_set, _update(_check_daemon_set, _DAEMON_COUNTS, {})),
    "deployments": Validator(
        _check_deployment, _update(_check_deployment, _DEPLOYMENT_COUNTS, _DEPLOYMENT_BOUNDS)
    ),
    "replicasets": Validator(
        _check_replica_set,
        _update(_check_replica_set, (*REPLICA_COUNTS, "terminatingReplicas"), REPLICA_BOUNDS),
    ),
    "statefulsets": Validator(
        _check_stateful_set, _update(_check_changed_stateful_set, _STATEFUL_COUNTS, _STATEFUL_BOUNDS)
    ),
}
