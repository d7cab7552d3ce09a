"""Containers of all three sorts: what they have in common, and what each sort may not have.

Source: validateContainerCommon and its callers in pkg/apis/core/validation.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_port_name
from kajitori.apis.validation.amounts import check_requirements
from kajitori.apis.validation.checks import Errors, check_enum, check_label, is_label, is_short_port_name
from kajitori.apis.validation.environment import check_environment, check_environment_from
from kajitori.apis.validation.mounts import check_devices, check_mounts
from kajitori.apis.validation.probes import check_lifecycle, check_probes
from kajitori.apis.validation.security import check_security_context

__all__ = [
    "PROTOCOLS",
    "Surroundings",
    "check_containers",
    "check_ephemeral_containers",
    "check_image_padding",
    "check_init_containers",
]

PROTOCOLS = ("SCTP", "TCP", "UDP")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_RESTART_ACTIONS = ("Restart", "RestartAllContainers")
_RESTART_RULES_MAX = 20
_EXIT_CODES_MAX = 255


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What containers share: the parts of their Pod that they are checked against."""

    volumes: Mapping[str, JsonObject]
    claim_names: Collection[str]
    grace_seconds: int | None
    restart_policy: str
    system: str | None
    """The name in `spec.os`; None without one."""
    host_users: bool


def _check_common(container: JsonObject, around: Surroundings, path: str, errors: Errors) -> None:
    name = container.get("name", "")
    if not is_label(name):
        if not name:
            errors.append(FieldError.required(f"{path}.name"))
        else:
            check_label(name, f"{path}.name", errors)
    if not container.get("image"):
        errors.append(FieldError.required(f"{path}.image"))
    policy = container.get("terminationMessagePolicy", "")
    if policy not in _MESSAGE_POLICIES:
        _check_choice(policy, _MESSAGE_POLICIES, f"{path}.terminationMessagePolicy", errors)
    if "ports" in container:
        _check_ports(container["ports"] or (), path, errors)
    if "env" in container:
        check_environment(container["env"] or (), path, errors)
    if "envFrom" in container:
        check_environment_from(container["envFrom"] or (), f"{path}.envFrom", errors)
    mounts, devices = container.get("volumeMounts") or (), container.get("volumeDevices") or ()
    if mounts:
        check_mounts(mounts, devices, around.volumes, container, path, errors)
    if devices:
        check_devices(devices, mounts, around.volumes, f"{path}.volumeDevices", errors)
    policy = container.get("imagePullPolicy", "")
    if policy not in _PULL_POLICIES:
        _check_choice(policy, _PULL_POLICIES, f"{path}.imagePullPolicy", errors)
    resources = container.get("resources")
    if resources:
        check_requirements(resources, around.claim_names, f"{path}.resources", errors)
    if "resizePolicy" in container:
        _check_resize_policies(
            container["resizePolicy"] or (), around.restart_policy, f"{path}.resizePolicy", errors
        )
    context = container.get("securityContext")
    if context:
        check_security_context(context, f"{path}.securityContext", errors, host_users=around.host_users)


def _check_choice(value: str, supported: Sequence[str], path: str, errors: Errors) -> None:
    if not value:
        errors.append(FieldError.required(path))
    else:
        errors.append(FieldError.not_supported(path, value, supported))


def _check_ports(ports: Sequence[JsonObject], path: str, errors: Errors) -> None:
    names: set[str] = set()
    for index, port in enumerate(ports):
        name, number = port.get("name", ""), port.get("containerPort", 0)
        if name:
            if name not in names and is_short_port_name(name):
                names.add(name)
            else:
                _check_port_name(name, names, f"{path}.ports[{index}].name", errors)
        host_port = port.get("hostPort", 0)
        if not 1 <= number <= 65535 or not 0 <= host_port <= 65535:
            _check_port_numbers(number, host_port, f"{path}.ports[{index}]", errors)
        protocol = port.get("protocol", "")
        if protocol not in PROTOCOLS:
            _check_choice(protocol, PROTOCOLS, f"{path}.ports[{index}].protocol", errors)


def _check_port_name(name: str, names: set[str], path: str, errors: Errors) -> None:
    problems = is_port_name(name)
    errors += [FieldError.invalid(path, name, told) for told in problems]
    if not problems:
        if name in names:
            errors.append(FieldError.duplicate(path, name))
        names.add(name)


def _check_port_numbers(number: int, host_port: int, path: str, errors: Errors) -> None:
    told = "must be between 1 and 65535, inclusive"
    if not number:
        errors.append(FieldError.required(f"{path}.containerPort"))
    elif not 1 <= number <= 65535:
        errors.append(FieldError.invalid(f"{path}.containerPort", number, told))
    if not 0 <= host_port <= 65535:
        errors.append(FieldError.invalid(f"{path}.hostPort", host_port, told))


def _check_resize_policies(
    policies: Sequence[JsonObject], restart_policy: str, path: str, errors: Errors
) -> None:
    seen: set[str] = set()
    for index, each in enumerate(policies):
        resource, policy = each.get("resourceName", ""), each.get("restartPolicy", "")
        if resource in seen:
            errors.append(FieldError.duplicate(f"{path}[{index}]", resource))
        seen.add(resource)
        for value, supported in (
            (resource, ("cpu", "memory")),
            (policy, ("NotRequired", "RestartContainer")),
        ):
            if value not in supported:
                _check_choice(value, supported, path, errors)
        if restart_policy == "Never" and policy != "NotRequired":
            told = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            errors.append(FieldError.invalid(path, policy, told))


def _check_restart_policy(container: JsonObject, path: str, errors: Errors) -> None:
    policy = container.get("restartPolicy")
    rules: Sequence[JsonObject] = container.get("restartPolicyRules") or ()
    if policy is None:
        if not rules:
            return
        told = "must specify restartPolicy when restart rules are used"
        errors.append(FieldError.required(f"{path}.restartPolicy", told))
    else:
        check_enum(policy, _RESTART_POLICIES, f"{path}.restartPolicy", errors)
    if len(rules) > _RESTART_RULES_MAX:
        errors.append(FieldError.too_many(f"{path}.restartPolicyRules", len(rules), _RESTART_RULES_MAX))
    for index, rule in enumerate(rules):
        here = f"{path}.restartPolicyRules[{index}]"
        check_enum(rule.get("action", ""), _RESTART_ACTIONS, f"{here}.action", errors)
        codes = rule.get("exitCodes")
        if codes is None:
            errors.append(FieldError.required(f"{here}.exitCodes", "must be specified"))
            continue
        check_enum(codes.get("operator", ""), ("In", "NotIn"), f"{here}.exitCodes.operator", errors)
        count = len(codes.get("values") or ())
        if count > _EXIT_CODES_MAX:
            errors.append(FieldError.too_many(f"{here}.exitCodes.values", count, _EXIT_CODES_MAX))


def _check_host_ports(containers: Sequence[JsonObject], path: str, errors: Errors, *, first: int = 0) -> None:
    """No two containers may have the same port of the machine; `first` is the index of the first one."""
    seen: set[str] = set()
    for index, container in enumerate(containers, first):
        for place, port in enumerate(container.get("ports") or ()):
            number = port.get("hostPort", 0)
            if not number:
                continue
            key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{number}"
            if key in seen:
                errors.append(FieldError.duplicate(f"{path}[{index}].ports[{place}].hostPort", key))
            seen.add(key)


def check_containers(
    containers: Sequence[JsonObject], around: Surroundings, path: str, errors: Errors
) -> None:
    """The containers that a Pod is there for."""
    if not containers:
        errors.append(FieldError.required(path))
        return
    names: set[str] = set()
    for index, container in enumerate(containers):
        here = f"{path}[{index}]"
        _check_common(container, around, here, errors)
        name = container.get("name", "")
        if name in names:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        names.add(name)
        _check_running(container, around, here, errors)
        if "restartPolicy" in container or "restartPolicyRules" in container:
            _check_restart_policy(container, here, errors)
    _check_host_ports(containers, path, errors)


def _check_running(container: JsonObject, around: Surroundings, path: str, errors: Errors) -> None:
    """What only containers have that run as long as their Pod does."""
    if "lifecycle" in container:
        here = f"{path}.lifecycle"
        check_lifecycle(container["lifecycle"], around.grace_seconds, around.system, here, errors)
    check_probes(container, around.grace_seconds, path, errors)


def check_init_containers(
    containers: Sequence[JsonObject],
    regular: Sequence[JsonObject],
    around: Surroundings,
    path: str,
    errors: Errors,
) -> None:
    """Containers that come before the others; those that are restarted always run beside them."""
    names = {each.get("name", "") for each in regular}
    for index, container in enumerate(containers):
        here = f"{path}[{index}]"
        _check_common(container, around, here, errors)
        _check_restart_policy(container, here, errors)
        name = container.get("name", "")
        if name in names:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        elif name:
            names.add(name)
        _check_host_ports([container], path, errors)
        stays = container.get("restartPolicy") == "Always"
        if stays:
            _check_running(container, around, here, errors)
        else:
            _check_not_running(container, here, errors)


def _check_not_running(container: JsonObject, path: str, errors: Errors) -> None:
    for member in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
        if member in container:
            told = "may not be set for init containers without restartPolicy=Always"
            errors.append(FieldError.forbidden(f"{path}.{member}", told))
    for index, policy in enumerate(container.get("resizePolicy") or ()):
        if policy.get("restartPolicy") == "RestartContainer":
            told = "must not be set to 'RestartContainer' for non-sidecar initContainers"
            here = f"{path}.resizePolicy[{index}].restartPolicy"
            errors.append(FieldError.invalid(here, "RestartContainer", told))


_NOT_EPHEMERAL = (
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
)
_EPHEMERAL_TOLD = "cannot be set for an Ephemeral Container"


def check_ephemeral_containers(
    containers: Sequence[JsonObject],
    others: Sequence[JsonObject],
    around: Surroundings,
    path: str,
    errors: Errors,
) -> None:
    """Containers that are added to a running Pod to look at it; `others` are all that are no such containers."""
    targets = {each.get("name", "") for each in others}
    names = set(targets)
    for index, container in enumerate(containers):
        here = f"{path}[{index}]"
        _check_common(container, around, here, errors)
        check_image_padding(container, here, errors)
        name, target = container.get("name", ""), container.get("targetContainerName", "")
        if name in names:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        names.add(name)
        if target and target not in targets:
            errors.append(FieldError.not_found(f"{here}.targetContainerName", target))
        for member in _NOT_EPHEMERAL:
            if container.get(member):
                errors.append(FieldError.forbidden(f"{here}.{member}", _EPHEMERAL_TOLD))
        for place, mount in enumerate(container.get("volumeMounts") or ()):
            for member in ("subPath", "subPathExpr"):
                if mount.get(member):
                    at = f"{here}.volumeMounts[{place}].{member}"
                    errors.append(FieldError.forbidden(at, _EPHEMERAL_TOLD))


def check_image_padding(container: JsonObject, path: str, errors: Errors) -> None:
    """Templates may have blanks around an image, Pods not."""
    image = container.get("image", "")
    if image and (image[0].isspace() or image[-1].isspace()):
        told = "must not have leading or trailing whitespace"
        errors.append(FieldError.invalid(f"{path}.image", image, told))
