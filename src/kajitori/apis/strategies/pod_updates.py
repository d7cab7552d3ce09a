"""What may change in a Pod once it is there: almost nothing in its spec, and some of its status only forwards.

Source: ValidatePodUpdate, ValidatePodStatusUpdate, ValidatePodResize and their parts in
pkg/apis/core/validation/validation.go.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.strategies.qos import qos_class
from kajitori.apis.validation.go_values import go_difference, go_struct
from kajitori.apis.validation.node_selection import check_tolerations

__all__ = ["pod_update_errors", "resize_errors", "status_update_errors"]

_INT32_MAX = (1 << 31) - 1
_MIRROR = "kubernetes.io/config.mirror"
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
_UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_SPEC = "core.v1.PodSpec"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def pod_update_errors(obj: JsonObject, old: JsonObject, subresource: str) -> list[FieldError]:
    """Complaints about a change of a Pod or of its ephemeral containers."""
    errors = _annotation_errors(obj["metadata"], old["metadata"])
    if subresource == "ephemeralcontainers":
        return errors + _ephemeral_errors(obj, old)
    spec, before = obj["spec"], old["spec"]
    for member in ("containers", "initContainers"):
        new, kept = spec.get(member) or [], before.get(member) or []
        if len(new) != len(kept):
            told = "pod updates may not add or remove containers"
            return [*errors, FieldError.forbidden(f"spec.{member}", told)]
        errors += _image_errors(f"spec.{member}", new)
    deadline_errors, stop = _deadline_errors(spec, before)
    errors += deadline_errors
    if stop:
        return errors
    if "tolerations" in spec:
        # They are checked again here, so that what is wrong with them is told twice.
        check_tolerations(spec["tolerations"] or (), "spec.tolerations", errors)
    errors += _toleration_errors(spec, before) + _gate_errors(spec, before)
    if spec == before:
        return errors
    munged = _munged(spec, before)
    if before.get("schedulingGates"):
        errors += _gated_errors(munged, before)
    if munged != before:
        difference = go_difference(go_struct(_SPEC, before), go_struct(_SPEC, munged))
        told = f"pod updates may not change fields other than {_UPDATABLE}\n{difference}"
        errors.append(FieldError.forbidden("spec", told))
    return errors


def _annotation_errors(metadata: JsonObject, old: JsonObject) -> list[FieldError]:
    new: dict[str, str] = metadata.get("annotations") or {}
    kept: dict[str, str] = old.get("annotations") or {}
    errors: list[FieldError] = []
    for key, value in kept.items():
        if new.get(key) != value:
            errors += _annotation_error(key, "remove or update")
    for key in new:
        if key not in kept:
            errors += _annotation_error(key, "add")
    return errors


def _annotation_error(key: str, verb: str) -> list[FieldError]:
    path = f"metadata.annotations[{key}]"
    if key.startswith(_APP_ARMOR):
        return [FieldError.forbidden(path, f"may not {verb} AppArmor annotations")]
    if key == _MIRROR:
        return [FieldError.forbidden(path, f"may not {verb} mirror pod annotation")]
    return []


def _image_errors(path: str, containers: list[JsonObject]) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, container in enumerate(containers):
        image = container.get("image", "")
        if not image:
            errors.append(FieldError.required(f"{path}[{index}].image"))
        if image.strip() != image:
            told = "must not have leading or trailing whitespace"
            errors.append(FieldError.invalid(f"{path}[{index}].image", image, told))
    return errors


def _deadline_errors(spec: JsonObject, old: JsonObject) -> tuple[list[FieldError], bool]:
    """Complaints, and whether they are the last that are told."""
    path = "spec.activeDeadlineSeconds"
    new, kept = spec.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds")
    if new is None:
        if kept is None:
            return [], False
        return [FieldError.invalid(path, None, "must not update from a positive integer to nil value")], False
    if not 0 <= new <= _INT32_MAX:
        return [FieldError.invalid(path, new, f"must be between 0 and {_INT32_MAX}, inclusive")], True
    if kept is not None and kept < new:
        return [FieldError.invalid(path, new, "must be less than or equal to previous value")], True
    return [], False


def _toleration_errors(spec: JsonObject, old: JsonObject) -> list[FieldError]:
    def lasting(toleration: JsonObject) -> JsonObject:
        return {name: value for name, value in toleration.items() if name != "tolerationSeconds"}

    new = [lasting(each) for each in spec.get("tolerations") or ()]
    for each in old.get("tolerations") or ():
        if lasting(each) not in new:
            told = "existing toleration can not be modified except its tolerationSeconds"
            return [FieldError.forbidden("spec.tolerations", told)]
    return []


def _gate_errors(spec: JsonObject, old: JsonObject) -> list[FieldError]:
    kept = {each["name"] for each in old.get("schedulingGates") or ()}
    return [
        FieldError.forbidden(
            f"spec.schedulingGates[{index}].name",
            f"only deletion is allowed, but found new scheduling gate '{each['name']}'",
        )
        for index, each in enumerate(spec.get("schedulingGates") or ())
        if each["name"] not in kept
    ]


def _munged(spec: JsonObject, old: JsonObject) -> JsonObject:
    """The new spec with everything that may change as it was before."""
    munged = dict(spec)
    for member in ("containers", "initContainers"):
        if member in munged:
            munged[member] = [
                {**new, "image": kept["image"]} if "image" in kept else new
                for new, kept in zip(munged[member], old[member], strict=True)
            ]
    for member in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        _restore(munged, old, member)
    if (old.get("terminationGracePeriodSeconds") or 0) < 0 and munged.get(
        "terminationGracePeriodSeconds"
    ) == 1:
        _restore(munged, old, "terminationGracePeriodSeconds")
    return munged


def _restore(munged: JsonObject, old: Mapping[str, Any], member: str) -> None:
    if member in old:
        munged[member] = old[member]
    else:
        munged.pop(member, None)


def _gated_errors(munged: JsonObject, old: JsonObject) -> list[FieldError]:
    """Complaints about where a Pod that waits at a gate may run, which may only become narrower; `munged` loses
    these changes."""
    errors: list[FieldError] = []
    selector: dict[str, str] = munged.get("nodeSelector") or {}
    if any(selector.get(key) != value for key, value in (old.get("nodeSelector") or {}).items()):
        told = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        errors.append(FieldError.invalid("spec.nodeSelector", selector or None, told))
    _restore(munged, old, "nodeSelector")
    old_affinity: JsonObject = old.get("affinity") or {}
    new_affinity: JsonObject = munged.get("affinity") or {}
    if old_affinity.get("nodeAffinity") == new_affinity.get("nodeAffinity"):
        return errors
    errors += _node_affinity_errors(new_affinity.get("nodeAffinity"), old_affinity.get("nodeAffinity"))
    affinity = dict(new_affinity)
    _restore(affinity, old_affinity, "nodeAffinity")
    if affinity or "affinity" in old:
        munged["affinity"] = affinity
    else:
        munged.pop("affinity", None)
    return errors


def _node_affinity_errors(new: JsonObject | None, old: JsonObject | None) -> list[FieldError]:
    if not old or _REQUIRED not in old:
        return []
    path = f"spec.affinity.nodeAffinity.{_REQUIRED}.nodeSelectorTerms"
    kept: list[JsonObject] = old[_REQUIRED].get("nodeSelectorTerms") or []
    terms: list[JsonObject] = ((new or {}).get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    if kept and len(kept) != len(terms):
        told = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        return [FieldError.invalid(path, terms or None, told)]
    told = "only additions are allowed (no mutations or deletions)"
    return [
        FieldError.invalid(f"{path}[{index}]", go_struct("core.v1.NodeSelectorTerm", term), told)
        for index, (term, before) in enumerate(zip(terms, kept, strict=False))
        if not _only_adds(term, before)
    ]


def _only_adds(term: JsonObject, old: JsonObject) -> bool:
    members = ("matchExpressions", "matchFields")
    if not any(old.get(each) for each in members):
        return not any(term.get(each) for each in members)
    return all(
        (term.get(each) or [])[: len(old.get(each) or ())] == (old.get(each) or []) for each in members
    )


def _ephemeral_errors(obj: JsonObject, old: JsonObject) -> list[FieldError]:
    if _MIRROR in (old["metadata"].get("annotations") or {}):
        return [FieldError.forbidden("", "static pods do not support ephemeral containers")]
    errors: list[FieldError] = []
    path = "spec.ephemeralContainers"
    new = {each.get("name"): each for each in obj["spec"].get("ephemeralContainers") or ()}
    for container in old["spec"].get("ephemeralContainers") or ():
        name = go_quote(container.get("name", ""))
        if container.get("name") not in new:
            told = f"existing ephemeral containers {name} may not be removed\n"
            errors.append(FieldError.forbidden(path, told))
        elif new[container["name"]] != container:
            shown = [
                go_struct("core.v1.EphemeralContainer", each) for each in (container, new[container["name"]])
            ]
            told = f"existing ephemeral containers {name} may not be changed\n{go_difference(*shown)}"
            errors.append(FieldError.forbidden(path, told))
    return errors


def status_update_errors(obj: JsonObject, old: JsonObject) -> list[FieldError]:
    """Complaints about a change of a Pod's status: no other class of service, no container back from the dead."""
    errors = _annotation_errors(obj["metadata"], old["metadata"])
    new, kept = obj["status"], old["status"]
    nominated = new.get("nominatedNodeName")
    if nominated and nominated != kept.get("nominatedNodeName") and old["spec"].get("nodeName"):
        told = "may not be set on pods that are already bound to a node"
        errors.append(FieldError.forbidden("status.nominatedNodeName", told))
    if new.get("qosClass") != kept.get("qosClass"):
        errors.append(FieldError.invalid("status.qosClass", new.get("qosClass", ""), "field is immutable"))
    for member, containers in (
        ("containerStatuses", "containers"),
        ("initContainerStatuses", "initContainers"),
        ("ephemeralContainerStatuses", ""),
    ):
        errors += _transition_errors(member, containers, obj["status"], old)
    return errors


def _transition_errors(member: str, containers: str, status: JsonObject, old: JsonObject) -> list[FieldError]:
    if containers and _all_could_restart(old["spec"]):
        return []
    errors: list[FieldError] = []
    for index, before in enumerate(old["status"].get(member) or ()):
        ended = before["state"].get("terminated")
        if ended is None:
            continue
        again = next((each for each in status.get(member) or () if each["name"] == before["name"]), None)
        if again is None or "terminated" in again["state"]:
            continue
        if containers and _may_restart(old["spec"], containers, before["name"], ended.get("exitCode", 0)):
            continue
        told = "may not be transitioned to non-terminated state"
        errors.append(FieldError.forbidden(f"status.{member}[{index}].state", told))
    return errors


def _all_could_restart(spec: JsonObject) -> bool:
    """Whether some container's rules may restart the whole Pod."""
    return any(
        rule.get("action") == "RestartAllContainers"
        for member in ("containers", "initContainers")
        for container in spec.get(member) or ()
        for rule in container.get("restartPolicyRules") or ()
    )


def _may_restart(spec: JsonObject, containers: str, name: str, exit_code: int) -> bool:
    container = next((each for each in spec.get(containers) or () if each["name"] == name), None)
    if container is None:
        return False
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        listed = exit_code in (codes.get("values") or ())
        if codes and listed == (codes.get("operator") == "In"):
            return bool(rule.get("action") == "Restart")
    policy = container.get("restartPolicy") or spec.get("restartPolicy")
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def resize_errors(obj: JsonObject, old: JsonObject) -> list[FieldError]:
    """Complaints about a change of a Pod's resources in place."""
    if _MIRROR in (old["metadata"].get("annotations") or {}):
        return [FieldError.forbidden("", "static pods cannot be resized")]
    spec, before = obj["spec"], old["spec"]
    if (before.get("os") or {}).get("name") == "windows":
        return [FieldError.forbidden("", "windows pods cannot be resized")]
    errors: list[FieldError] = []
    if (old["status"].get("qosClass") or qos_class(before)) != qos_class(spec):
        told = "Pod QOS Class may not change as a result of resizing"
        errors.append(FieldError.invalid("spec", obj["status"].get("qosClass", ""), told))
    if not _supports_resize(old["status"]):
        errors.append(FieldError.forbidden("spec", "Pod running on node without support for resize"))
    errors += _whole_resize_errors(spec.get("resources"), before.get("resources"))
    misplaced = _order_errors(spec, before)
    if misplaced:
        return errors + misplaced
    for member in ("initContainers", "containers"):
        for index, (new, kept) in enumerate(
            zip(spec.get(member) or (), before.get(member) or (), strict=True)
        ):
            path = f"spec.{member}[{index}].resources"
            errors += _removed(path, new.get("resources") or {}, kept.get("resources") or {}, "resource")
    for new, kept in zip(spec.get("containers") or (), before.get("containers") or (), strict=True):
        if _without_compute(new, kept) != kept:
            errors.append(FieldError.forbidden("spec", "only cpu and memory resources are mutable"))
    for index, new in enumerate(spec.get("initContainers") or ()):
        errors += _init_resize_errors(f"spec.initContainers[{index}]", new, before["initContainers"][index])
    return errors


def _supports_resize(status: JsonObject) -> bool:
    for container in status.get("containerStatuses") or ():
        if "running" in container["state"]:
            return "resources" in container
    return True


def _whole_resize_errors(new: JsonObject | None, old: JsonObject | None) -> list[FieldError]:
    if old is None:
        return []
    if new is None:
        return [FieldError.forbidden("spec.resources", "pod-level resources cannot be removed")]
    errors = _removed("spec.resources", new, old, "pod-level resource")
    if _without_compute({"resources": new}, {"resources": old}) != {"resources": old}:
        errors.append(FieldError.forbidden("spec", "only cpu and memory resources are mutable at pod-level"))
    return errors


def _order_errors(spec: JsonObject, old: JsonObject) -> list[FieldError]:
    errors: list[FieldError] = []
    for member in ("containers", "initContainers"):
        new, kept = spec.get(member) or [], old.get(member) or []
        if len(new) != len(kept):
            errors.append(
                FieldError.forbidden(f"spec.{member}", f"{member} may not be added or removed on resize")
            )
            continue
        told = f"{member} may not be renamed or reordered on resize"
        errors += [
            FieldError.forbidden(f"spec.{member}[{index}].name", told)
            for index, (each, before) in enumerate(zip(new, kept, strict=True))
            if each.get("name") != before.get("name")
        ]
    return errors


def _removed(path: str, new: JsonObject, old: JsonObject, what: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for member in ("requests", "limits"):
        if set(old.get(member) or ()) - set(new.get(member) or ()):
            errors.append(FieldError.forbidden(f"{path}.{member}", f"{what} {member} cannot be removed"))
    return errors


def _without_compute(new: JsonObject, old: JsonObject) -> JsonObject:
    """The new container with the cpu and memory of the old one."""
    resources: JsonObject = {}
    for member in ("limits", "requests"):
        amounts = dict((new.get("resources") or {}).get(member) or {})
        for name in ("cpu", "memory"):
            _restore(amounts, (old.get("resources") or {}).get(member) or {}, name)
        if amounts:
            resources[member] = amounts
    claims = (old.get("resources") or {}).get("claims")
    if claims:
        resources["claims"] = claims
    return {**new, "resources": resources}


def _init_resize_errors(path: str, new: JsonObject, old: JsonObject) -> list[FieldError]:
    errors: list[FieldError] = []
    if _without_compute(new, old) != {**old, "resources": old.get("resources") or {}}:
        told = "only cpu and memory resources for init or sidecar containers are mutable"
        errors.append(FieldError.forbidden(path, told))
    if new != old and new.get("restartPolicy") != "Always":
        told = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"
        errors += [
            FieldError.forbidden(path, told)
            for policy in new.get("resizePolicy") or ()
            if policy.get("restartPolicy") == "RestartContainer"
        ]
    return errors
