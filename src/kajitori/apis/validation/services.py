"""Services, and the addresses that load balancers give them.

The addresses and families of a Service are checked where they are handed out, in its strategy, before this.

Source: validateService and ValidateLoadBalancerStatus in pkg/apis/core/validation.
"""

from collections.abc import Collection, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.addresses import (
    check_address,
    check_endpoint_address,
    check_network,
    family_of,
    parse_address,
)
from kajitori.apis.validation.checks import (
    Errors,
    check_enum,
    check_label,
    check_labels,
    check_port,
    check_port_or_name,
    check_qualified_name,
    check_required_enum,
    check_subdomain,
)
from kajitori.apis.validation.containers import PROTOCOLS
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS", "check_balancer_status"]

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_FAMILIES = ("IPv4", "IPv6")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_AFFINITY_SECONDS_MAX = 86400
_TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
_TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
_SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'"


def _check_service(service: JsonObject, old: JsonObject | None, errors: Errors) -> None:
    spec = service["spec"]
    before: JsonObject = old["spec"] if old else {}
    kind = spec.get("type", "")
    headless = (spec.get("clusterIPs") or ()) == ["None"]
    annotations = service["metadata"].get("annotations")
    if annotations:
        _check_annotations(annotations, errors)
    ports: Sequence[JsonObject] = spec.get("ports") or ()
    if not ports and not headless and kind != "ExternalName":
        errors.append(FieldError.required("spec.ports"))
    if headless and kind in ("LoadBalancer", "NodePort"):
        told = f"may not be set to 'None' for {kind} services"
        errors.append(FieldError.invalid("spec.clusterIPs[0]", "None", told))
    if kind == "ExternalName":
        _check_external_name(spec, errors)
    _check_ports(ports, errors)
    if spec.get("selector"):
        check_labels(spec["selector"], "spec.selector", errors)
    _check_affinity(spec, errors)
    if kind != "ExternalName":
        _check_cluster_addresses(spec, before.get("clusterIPs") or (), headless, errors)
    kept: Collection[str] = before.get("externalIPs") or ()
    for index, address in enumerate(spec.get("externalIPs") or ()):
        count = len(errors)
        check_address(address, f"spec.externalIPs[{index}]", errors, kept)
        if len(errors) == count:
            check_endpoint_address(address, f"spec.externalIPs[{index}]", errors)
    check_required_enum(kind, _TYPES, "spec.type", errors)
    _check_unique_ports(ports, kind, errors)
    _check_source_ranges(service, old, errors)
    _check_balancer_fields(spec, kind, errors)
    _check_traffic(spec, kind, errors)


def _check_annotations(annotations: dict[str, str], errors: Errors) -> None:
    hints, mode = annotations.get(_TOPOLOGY_HINTS), annotations.get(_TOPOLOGY_MODE)
    if hints is not None and mode is not None and hints != mode:
        told = f"must match annotations[{_TOPOLOGY_HINTS}] when both are specified"
        errors.append(FieldError.invalid(f"metadata.annotations[{_TOPOLOGY_MODE}]", mode, told))


def _check_external_name(spec: JsonObject, errors: Errors) -> None:
    for member in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(member):
            told = "may not be set for ExternalName services"
            errors.append(FieldError.forbidden(f"spec.{member}", told))
    name = spec.get("externalName", "").removesuffix(".")
    if name:
        check_subdomain(name, "spec.externalName", errors)
    else:
        errors.append(FieldError.required("spec.externalName"))


def _check_ports(ports: Sequence[JsonObject], errors: Errors) -> None:
    names: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"spec.ports[{index}]", port.get("name", "")
        if name:
            check_label(name, f"{path}.name", errors)
            if name in names:
                errors.append(FieldError.duplicate(f"{path}.name", name))
            names.add(name)
        elif len(ports) > 1:
            errors.append(FieldError.required(f"{path}.name"))
        check_port(port.get("port", 0), f"{path}.port", errors)
        check_required_enum(port.get("protocol"), PROTOCOLS, f"{path}.protocol", errors)
        check_port_or_name(port.get("targetPort", 0), f"{path}.targetPort", errors)
        if "appProtocol" in port:
            check_qualified_name(port["appProtocol"], f"{path}.appProtocol", errors)


def _check_affinity(spec: JsonObject, errors: Errors) -> None:
    affinity, config = spec.get("sessionAffinity", ""), spec.get("sessionAffinityConfig")
    check_required_enum(affinity, ("ClientIP", "None"), "spec.sessionAffinity", errors)
    path = "spec.sessionAffinityConfig"
    if affinity == "None" and config is not None:
        errors.append(FieldError.forbidden(path, "must not be set when session affinity is None"))
    if affinity != "ClientIP":
        return
    told = "when session affinity type is ClientIP"
    client = (config or {}).get("clientIP")
    seconds = (client or {}).get("timeoutSeconds")
    if config is None:
        errors.append(FieldError.required(path, told))
    elif client is None:
        errors.append(FieldError.required(f"{path}.clientIP", told))
    elif seconds is None:
        errors.append(FieldError.required(f"{path}.clientIP.timeoutSeconds", told))
    elif not 0 < seconds <= _AFFINITY_SECONDS_MAX:
        told = f"must be greater than 0 and less than {_AFFINITY_SECONDS_MAX}"
        errors.append(FieldError.invalid(f"{path}.clientIP.timeoutSeconds", seconds, told))


def _check_cluster_addresses(spec: JsonObject, kept: Collection[str], headless: bool, errors: Errors) -> None:
    path = "spec.clusterIPs"
    addresses: list[str] = spec.get("clusterIPs") or []
    single = spec.get("clusterIP", "")
    if single and not addresses:
        errors.append(FieldError.required(path))
    elif single and addresses[0] != single:
        errors.append(FieldError.invalid(path, addresses, "first value must match `clusterIP`"))
    elif not single and addresses:
        told = "must be empty when `clusterIP` is not specified"
        errors.append(FieldError.invalid(path, addresses, told))
    families: list[str] = spec.get("ipFamilies") or []
    for index, family in enumerate(families):
        check_enum(family, _FAMILIES, f"spec.ipFamilies[{index}]", errors)
        if family in families[:index]:
            errors.append(FieldError.duplicate(f"spec.ipFamilies[{index}]", family))
    if "ipFamilyPolicy" in spec:
        check_enum(spec["ipFamilyPolicy"], _FAMILY_POLICIES, "spec.ipFamilyPolicy", errors)
    before = len(errors)
    for index, address in enumerate(addresses):
        if index or address != "None":
            check_address(address, f"{path}[{index}]", errors, kept)
        elif len(addresses) > 1:
            told = "'None' must be the first and only value"
            errors.append(FieldError.invalid(path, addresses, told))
    misplaced = len(errors) > before
    if len(addresses) > 2:
        errors.append(FieldError.invalid(path, addresses, "may only hold up to 2 values"))
    if misplaced or headless:
        return
    found = [family_of(each) for each in addresses]
    if len(found) > 1 and len(set(found)) < 2:
        told = "may specify no more than one IP for each IP family"
        errors.append(FieldError.invalid(path, addresses, told))
    for index, (version, wanted) in enumerate(zip(found, families, strict=False)):
        if wanted in _FAMILIES and f"IPv{version}" != wanted:
            told = f"expected an {wanted} value as indicated by `ipFamilies[{index}]`"
            errors.append(FieldError.invalid(f"{path}[{index}]", addresses[index], told))


def _check_unique_ports(ports: Sequence[JsonObject], kind: str, errors: Errors) -> None:
    given: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        number = port.get("nodePort", 0)
        if number and kind == "ClusterIP":
            told = "may not be used when `type` is 'ClusterIP'"
            errors.append(FieldError.forbidden(f"spec.ports[{index}].nodePort", told))
        key = (port.get("protocol", ""), number)
        if number and key in given:
            errors.append(FieldError.duplicate(f"spec.ports[{index}].nodePort", number))
        given.add(key)
    if len(ports) < 2:
        return
    served: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        protocol, number = port.get("protocol", ""), port.get("port", 0)
        if (protocol, number) in served:
            shown = {
                "Name": "",
                "Protocol": protocol,
                "AppProtocol": None,
                "Port": number,
                "TargetPort": 0,
                "NodePort": 0,
            }
            errors.append(FieldError.duplicate(f"spec.ports[{index}]", shown))
        served.add((protocol, number))


def _check_source_ranges(service: JsonObject, old: JsonObject | None, errors: Errors) -> None:
    spec = service["spec"]
    ranges: Sequence[str] = spec.get("loadBalancerSourceRanges") or ()
    kind = spec.get("type")
    if ranges:
        path = "spec.LoadBalancerSourceRanges"
        if kind != "LoadBalancer":
            errors.append(FieldError.forbidden(path, _ONLY_BALANCER))
        listed = (old["spec"] if old else {}).get("loadBalancerSourceRanges") or ()
        kept = [each.strip() for each in listed]
        for index, network in enumerate(ranges):
            check_network(network.strip(), f"{path}[{index}]", errors, kept)
        return
    text = (service["metadata"].get("annotations") or {}).get(_SOURCE_RANGES)
    if text is None:
        return
    path = f"metadata.annotations[{_SOURCE_RANGES}]"
    if kind != "LoadBalancer":
        errors.append(FieldError.forbidden(path, _ONLY_BALANCER))
    if old and (old["metadata"].get("annotations") or {}).get(_SOURCE_RANGES) == text:
        return
    for network in text.strip().split(",") if text.strip() else ():
        check_network(network.strip(), path, errors)


def _check_balancer_fields(spec: JsonObject, kind: str, errors: Errors) -> None:
    balanced = kind == "LoadBalancer"
    if "allocateLoadBalancerNodePorts" in spec and not balanced:
        errors.append(FieldError.forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_BALANCER))
    elif balanced and spec.get("allocateLoadBalancerNodePorts") is None:
        errors.append(FieldError.required("allocateLoadBalancerNodePorts"))
    name = spec.get("loadBalancerClass")
    if name is not None and balanced:
        check_qualified_name(name, "spec.loadBalancerClass", errors)
    elif name is not None:
        errors.append(FieldError.forbidden("spec.loadBalancerClass", _ONLY_BALANCER))


def _check_traffic(spec: JsonObject, kind: str, errors: Errors) -> None:
    policy, path = spec.get("externalTrafficPolicy", ""), "spec.externalTrafficPolicy"
    reachable = kind in ("LoadBalancer", "NodePort") or (
        kind == "ClusterIP" and bool(spec.get("externalIPs"))
    )
    if reachable:
        check_required_enum(policy, ("Cluster", "Local"), path, errors)
    elif policy:
        told = "may only be set for externally-accessible services"
        errors.append(FieldError.invalid(path, policy, told))
    number, path = spec.get("healthCheckNodePort", 0), "spec.healthCheckNodePort"
    if kind == "LoadBalancer" and policy == "Local":
        # Before one is handed out there is none, and that is how Kubernetes checks it, too: afterwards.
        if number:
            check_port(number, path, errors)
    elif number:
        told = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        errors.append(FieldError.invalid(path, number, told))
    inner = spec.get("internalTrafficPolicy")
    if inner is None:
        if kind in ("NodePort", "LoadBalancer", "ClusterIP"):
            errors.append(FieldError.required("spec.internalTrafficPolicy"))
    else:
        check_enum(inner, ("Cluster", "Local"), "spec.internalTrafficPolicy", errors)
    if "trafficDistribution" in spec:
        check_enum(spec["trafficDistribution"], _DISTRIBUTIONS, "spec.trafficDistribution", errors)


def check_balancer_status(status: JsonObject, old: JsonObject, kind: str, path: str, errors: Errors) -> None:
    """Where a load balancer is reached."""
    entries: Sequence[JsonObject] = status.get("ingress") or ()
    if entries and kind != "LoadBalancer":
        told = "may only be used when `spec.type` is 'LoadBalancer'"
        errors.append(FieldError.forbidden(f"{path}.ingress", told))
        return
    kept = [each.get("ip", "") for each in old.get("ingress") or ()]
    for index, entry in enumerate(entries):
        here = f"{path}.ingress[{index}]"
        address, mode = entry.get("ip", ""), entry.get("ipMode")
        if address:
            check_address(address, f"{here}.ip", errors, kept)
        if mode is None and address:
            errors.append(FieldError.required(f"{here}.ipMode", "must be specified when `ip` is set"))
        elif mode is not None and not address:
            told = "may not be specified when `ip` is not set"
            errors.append(FieldError.forbidden(f"{here}.ipMode", told))
        elif mode is not None:
            check_enum(mode, ("Proxy", "VIP"), f"{here}.ipMode", errors)
        name = entry.get("hostname", "")
        if name:
            check_subdomain(name, f"{here}.hostname", errors)
            if parse_address(name) is not None:
                told = "must be a DNS name, not an IP address"
                errors.append(FieldError.invalid(f"{here}.hostname", name, told))


def _create(service: JsonObject, errors: Errors) -> None:
    _check_service(service, None, errors)


def _update(service: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if not subresource:
        _check_service(service, old, errors)
        return
    status: JsonObject = service["status"].get("loadBalancer") or {}
    before: JsonObject = old["status"].get("loadBalancer") or {}
    check_balancer_status(status, before, service["spec"].get("type", ""), "status.loadBalancer", errors)


VALIDATORS = {"services": Validator(_create, _update)}
