"""What a Pod's spec may say, in a Pod or in what Pods are made from.

Promises
    P1  complaints come in Kubernetes' order
    P2  a common Pod costs only a look at what it says: nothing is done for what is absent

Source: ValidatePodSpec in pkg/apis/core/validation.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.addresses import check_address
from kajitori.apis.validation.amounts import check_requirements
from kajitori.apis.validation.checks import (
    INT32_MAX,
    Errors,
    check_label,
    check_labels,
    check_qualified_name,
    check_required_enum,
    check_subdomain,
)
from kajitori.apis.validation.containers import (
    Surroundings,
    check_containers,
    check_ephemeral_containers,
    check_init_containers,
)
from kajitori.apis.validation.dns import check_dns_config
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.node_selection import (
    check_affinity,
    check_spread_constraints,
    check_tolerations,
)
from kajitori.apis.validation.pod_resources import check_pod_resources
from kajitori.apis.validation.pod_systems import check_host_users, check_system
from kajitori.apis.validation.security import (
    check_host_process,
    check_pod_security_context,
    containers_of,
)
from kajitori.apis.validation.volumes import check_volumes

__all__ = ["check_pod_spec"]

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_HOSTNAME_BYTES_MAX = 64
_RARE = (
    # Members that few Pods have; what is checked when one of them is there is in `_check_rare`.
    "activeDeadlineSeconds",
    "hostAliases",
    "hostUsers",
    "hostname",
    "hostnameOverride",
    "os",
    "overhead",
    "preemptionPolicy",
    "priorityClassName",
    "runtimeClassName",
    "schedulingGroup",
    "subdomain",
)


def check_pod_spec(
    spec: JsonObject, path: str, errors: Errors, *, pod_name: str = "", is_pod: bool = False
) -> None:
    """A whole spec; `pod_name` and `is_pod` tell a Pod from a template."""
    grace_seconds = spec.get("terminationGracePeriodSeconds")
    if grace_seconds is None:
        errors.append(FieldError.required(f"{path}.terminationGracePeriodSeconds"))
    listed = spec.get("volumes")
    volumes = check_volumes(listed, pod_name, f"{path}.volumes", errors) if listed else {}
    claims: Sequence[JsonObject] = spec.get("resourceClaims") or ()
    restart_policy = spec.get("restartPolicy", "")
    around = Surroundings(
        volumes=volumes,
        claim_names={each["name"] for each in claims if each.get("name")},
        grace_seconds=grace_seconds,
        restart_policy=restart_policy,
        system=(spec.get("os") or {}).get("name", "") if "os" in spec else None,
        host_users=spec.get("hostUsers", True),
    )
    if claims:
        _check_resource_claims(claims, f"{path}.resourceClaims", errors)
    _check_all_containers(spec, around, path, errors)
    if "resources" in spec:
        check_pod_resources(spec, around, path, errors)
    if spec.get("hostNetwork"):
        _check_host_ports(spec, path, errors, is_pod=is_pod)
    if restart_policy not in _RESTART_POLICIES:
        check_required_enum(restart_policy, _RESTART_POLICIES, f"{path}.restartPolicy", errors)
    dns_policy = spec.get("dnsPolicy", "")
    if dns_policy not in _DNS_POLICIES:
        check_required_enum(dns_policy, _DNS_POLICIES, f"{path}.dnsPolicy", errors)
    if "nodeSelector" in spec:
        check_labels(spec["nodeSelector"] or {}, f"{path}.nodeSelector", errors)
    context = spec.get("securityContext")
    if context:
        check_pod_security_context(context, spec, f"{path}.securityContext", errors)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        told = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.append(FieldError.invalid(f"{path}.securityContext.shareProcessNamespace", True, told))
    if "affinity" in spec:
        check_affinity(spec["affinity"] or {}, f"{path}.affinity", errors)
    if "dnsConfig" in spec or dns_policy == "None":
        check_dns_config(spec.get("dnsConfig"), dns_policy, f"{path}.dnsConfig", errors)
    _check_gates(spec, path, errors)
    if "topologySpreadConstraints" in spec:
        constraints = spec["topologySpreadConstraints"] or ()
        check_spread_constraints(constraints, f"{path}.topologySpreadConstraints", errors)
    if _has_windows_options(spec):
        check_host_process(spec, path, errors)
    _check_names(spec, path, errors)
    if "tolerations" in spec:
        check_tolerations(spec["tolerations"] or (), f"{path}.tolerations", errors)
    if not spec.keys().isdisjoint(_RARE):
        _check_rare(spec, path, errors)
    _check_file_keys(spec, path, errors)


def _check_all_containers(spec: JsonObject, around: Surroundings, path: str, errors: Errors) -> None:
    regular: Sequence[JsonObject] = spec.get("containers") or ()
    first: Sequence[JsonObject] = spec.get("initContainers") or ()
    check_containers(regular, around, f"{path}.containers", errors)
    if first:
        check_init_containers(first, regular, around, f"{path}.initContainers", errors)
    if spec.get("ephemeralContainers"):
        here = f"{path}.ephemeralContainers"
        check_ephemeral_containers(spec["ephemeralContainers"], [*regular, *first], around, here, errors)


def _check_resource_claims(claims: Sequence[JsonObject], path: str, errors: Errors) -> None:
    seen: set[str] = set()
    for index, claim in enumerate(claims):
        here, name = f"{path}[{index}]", claim.get("name", "")
        if not name:
            errors.append(FieldError.required(f"{here}.name"))
        elif name in seen:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        else:
            check_label(name, f"{here}.name", errors)
            seen.add(name)
        given = [each for each in ("resourceClaimName", "resourceClaimTemplateName") if each in claim]
        if len(given) != 1:
            told = (
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
                if given
                else "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            )
            errors.append(FieldError.invalid(here, go_struct("core.v1.PodResourceClaim", claim), told))
        for member in given:
            check_subdomain(claim[member], f"{here}.{member}", errors)


def _check_host_ports(spec: JsonObject, path: str, errors: Errors, *, is_pod: bool) -> None:
    """On the machine's own network a container's port is the machine's; templates may leave that out."""
    for index, container in enumerate(spec.get("containers") or ()):
        for place, port in enumerate(container.get("ports") or ()):
            number = port.get("hostPort", 0)
            if (number or is_pod) and number != port.get("containerPort", 0):
                here = f"{path}.containers[{index}].ports[{place}].hostPort"
                told = "must match `containerPort` when `hostNetwork` is true"
                errors.append(FieldError.invalid(here, number, told))


def _check_gates(spec: JsonObject, path: str, errors: Errors) -> None:
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        here = f"{path}.readinessGates[{index}].conditionType"
        check_qualified_name(gate.get("conditionType", ""), here, errors)
    seen: set[str] = set()
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        here, name = f"{path}.schedulingGates[{index}]", gate.get("name", "")
        check_qualified_name(name, here, errors)
        if name in seen:
            errors.append(FieldError.duplicate(here, name))
        seen.add(name)


def _has_windows_options(spec: JsonObject) -> bool:
    if "windowsOptions" in (spec.get("securityContext") or ()):
        return True
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(member) or ():
            if "windowsOptions" in (container.get("securityContext") or ()):
                return True
    return False


def _reads_files(spec: JsonObject) -> bool:
    """Whether a variable of any container comes from a file."""
    for member in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(member) or ():
            for variable in container.get("env") or ():
                if "valueFrom" in variable and "fileKeyRef" in variable["valueFrom"]:
                    return True
    return False


def _check_names(spec: JsonObject, path: str, errors: Errors) -> None:
    """Other objects that the Pod is told about by name."""
    for member in ("serviceAccountName", "nodeName"):
        name = spec.get(member)
        if name:
            check_subdomain(name, f"{path}.{member}", errors)


def _check_rare(spec: JsonObject, path: str, errors: Errors) -> None:
    if spec.get("hostUsers") is False:
        check_host_users(spec, path, errors)
    if "hostnameOverride" in spec:
        _check_hostname_override(spec, f"{path}.hostnameOverride", errors)
    seconds = spec.get("activeDeadlineSeconds")
    if seconds is not None and not 1 <= seconds <= INT32_MAX:
        told = f"must be between 1 and {INT32_MAX}, inclusive"
        errors.append(FieldError.invalid(f"{path}.activeDeadlineSeconds", seconds, told))
    for member in ("hostname", "subdomain"):
        if spec.get(member):
            check_label(spec[member], f"{path}.{member}", errors)
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        here = f"{path}.hostAliases[{index}]"
        check_address(alias.get("ip", ""), f"{here}.ip", errors)
        for place, name in enumerate(alias.get("hostnames") or ()):
            check_subdomain(name, f"{here}.hostnames[{place}]", errors)
    if spec.get("priorityClassName"):
        check_subdomain(spec["priorityClassName"], f"{path}.priorityClassName", errors)
    if "runtimeClassName" in spec:
        check_subdomain(spec["runtimeClassName"], f"{path}.runtimeClassName", errors)
    if "preemptionPolicy" in spec:
        policies = ("PreemptLowerPriority", "Never")
        check_required_enum(spec["preemptionPolicy"], policies, f"{path}.preemptionPolicy", errors)
    if "overhead" in spec:
        check_requirements({"limits": spec["overhead"]}, (), f"{path}.overhead", errors)
    if "os" in spec:
        check_system(spec, path, errors)
    if "schedulingGroup" in spec:
        _check_scheduling_group(spec["schedulingGroup"] or {}, f"{path}.schedulingGroup", errors)


def _check_scheduling_group(group: JsonObject, path: str, errors: Errors) -> None:
    name = group.get("podGroupName")
    if name is None:
        told = "must specify one of: `podGroupName`"
        errors.append(FieldError.invalid(f"{path}.podGroupName", None, told))
    else:
        check_subdomain(name, f"{path}.podGroupName", errors)


def _check_hostname_override(spec: JsonObject, path: str, errors: Errors) -> None:
    name = spec["hostnameOverride"]
    for member in ("setHostnameAsFQDN", "hostNetwork"):
        if spec.get(member):
            errors.append(FieldError.forbidden(path, f"may not be specified when {member} is true"))
    if len(name.encode()) > _HOSTNAME_BYTES_MAX:
        errors.append(FieldError.too_long(path, "", _HOSTNAME_BYTES_MAX))
    check_subdomain(name, path, errors)


def _check_file_keys(spec: JsonObject, path: str, errors: Errors) -> None:
    """Variables can be read from files only in volumes that are empty to begin with."""
    if not _reads_files(spec):
        return
    volumes = {each.get("name", ""): each for each in spec.get("volumes") or ()}
    for here, container in containers_of(spec, path):
        for index, variable in enumerate(container.get("env") or ()):
            reference = (variable.get("valueFrom") or {}).get("fileKeyRef")
            if reference is None:
                continue
            name = reference.get("volumeName", "")
            at = f"{here}.env[{index}].valueFrom.fileKeyRef.volumeName"
            if name not in volumes:
                errors.append(FieldError.not_found(at, name))
            elif "emptyDir" not in volumes[name]:
                told = "referenced volume must be of type emptyDir"
                errors.append(FieldError.invalid(at, name, told))
