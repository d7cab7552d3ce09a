"""Where Services send traffic: Endpoints and EndpointSlices.

Source: validateEndpointSubsets in pkg/apis/core/validation, and pkg/apis/discovery/validation.
"""

from collections.abc import Callable, Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_label_value
from kajitori.apis.validation.addresses import check_address, check_endpoint_address, parse_address
from kajitori.apis.validation.checks import (
    Errors,
    check_enum,
    check_label,
    check_labels,
    check_port,
    check_qualified_name,
    check_required_enum,
    check_subdomain,
)
from kajitori.apis.validation.containers import PROTOCOLS
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS"]

# Endpoints.


def _check_subsets(obj: JsonObject, errors: Errors) -> None:
    for index, subset in enumerate(obj.get("subsets") or ()):
        path = f"subsets[{index}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            told = "must specify `addresses` or `notReadyAddresses`"
            errors.append(FieldError.required(path, told))
        for member in ("addresses", "notReadyAddresses"):
            for place, address in enumerate(subset.get(member) or ()):
                _check_endpoint(address, f"{path}.{member}[{place}]", errors)
        ports: Sequence[JsonObject] = subset.get("ports") or ()
        for place, port in enumerate(ports):
            here, name = f"{path}.ports[{place}]", port.get("name", "")
            if name:
                check_label(name, f"{here}.name", errors)
            elif len(ports) > 1:
                errors.append(FieldError.required(f"{here}.name"))
            check_port(port.get("port", 0), f"{here}.port", errors)
            check_required_enum(port.get("protocol"), PROTOCOLS, f"{here}.protocol", errors)
            if "appProtocol" in port:
                check_qualified_name(port["appProtocol"], f"{here}.appProtocol", errors)


def _check_endpoint(address: JsonObject, path: str, errors: Errors) -> None:
    ip = address.get("ip", "")
    check_address(ip, f"{path}.ip", errors)
    if address.get("hostname"):
        check_label(address["hostname"], f"{path}.hostname", errors)
    if "nodeName" in address:
        check_subdomain(address["nodeName"], f"{path}.nodeName", errors)
    check_endpoint_address(ip, f"{path}.ip", errors)


def _update_endpoints(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    # What was there before may be there still, though rules have become stricter.
    if (obj.get("subsets") or []) != (old.get("subsets") or []):
        _check_subsets(obj, errors)


# EndpointSlices.

_TYPES = ("FQDN", "IPv4", "IPv6")
_ENDPOINTS_MAX = 1000
_ADDRESSES_MAX = 100
_PORTS_MAX = 20000
_TOPOLOGY_LABELS_MAX = 16
_ZONE_HINTS_MAX = 8
_NODE_HINTS_MAX = 8


def _check_slice(obj: JsonObject, errors: Errors) -> None:
    kind = obj.get("addressType", "")
    check_required_enum(kind, _TYPES, "addressType", errors)
    _check_endpoints(obj.get("endpoints") or (), kind, errors)
    _check_slice_ports(obj.get("ports") or (), errors)


def _check_endpoints(endpoints: Sequence[JsonObject], kind: str, errors: Errors) -> None:
    if len(endpoints) > _ENDPOINTS_MAX:
        errors.append(FieldError.too_many("endpoints", len(endpoints), _ENDPOINTS_MAX))
        return
    check = _ADDRESS_CHECKS.get(kind)
    for index, endpoint in enumerate(endpoints):
        path = f"endpoints[{index}]"
        addresses: Sequence[str] = endpoint.get("addresses") or ()
        if not addresses:
            told = "must contain at least 1 address"
            errors.append(FieldError.required(f"{path}.addresses", told))
        elif len(addresses) > _ADDRESSES_MAX:
            errors.append(FieldError.too_many(f"{path}.addresses", len(addresses), _ADDRESSES_MAX))
        for place, address in enumerate(addresses):
            if check is not None:
                check(address, f"{path}.addresses", place, errors)
        if "nodeName" in endpoint:
            check_subdomain(endpoint["nodeName"], f"{path}.nodeName", errors)
        topology = endpoint.get("deprecatedTopology")
        if topology:
            _check_topology(topology, f"{path}.deprecatedTopology", errors)
        if "hostname" in endpoint:
            check_label(endpoint["hostname"], f"{path}.hostname", errors)
        if "hints" in endpoint:
            _check_hints(endpoint["hints"] or {}, f"{path}.hints", errors)


def _check_topology(topology: dict[str, str], path: str, errors: Errors) -> None:
    if len(topology) > _TOPOLOGY_LABELS_MAX:
        errors.append(FieldError.too_many(path, len(topology), _TOPOLOGY_LABELS_MAX))
    check_labels(topology, path, errors)
    if "kubernetes.io/hostname" in topology:
        told = "may not be set, use the nodeName field instead"
        errors.append(FieldError.forbidden(f"{path}[kubernetes.io/hostname]", told))


def _check_ip(address: str, path: str, place: int, errors: Errors, version: int) -> None:
    before = len(errors)
    here = f"{path}[{place}]"
    check_address(address, here, errors)
    if len(errors) > before:
        return
    parsed = parse_address(address)
    if parsed is not None and parsed.version != version:
        errors.append(FieldError.invalid(path, address, f"must be an IPv{version} address"))
    check_endpoint_address(address, here, errors)


def _check_ipv4(address: str, path: str, place: int, errors: Errors) -> None:
    _check_ip(address, path, place, errors, 4)


def _check_ipv6(address: str, path: str, place: int, errors: Errors) -> None:
    _check_ip(address, path, place, errors, 6)


def _check_domain(address: str, addresses: str, place: int, errors: Errors) -> None:
    path = f"{addresses}[{place}]"
    if not address:
        errors.append(FieldError.required(path))
        return
    before = len(errors)
    name = address.removesuffix(".")
    check_subdomain(name, path, errors)
    if len(errors) > before:
        return
    labels = name.split(".")
    if len(labels) < 2:
        told = "should be a domain with at least two segments separated by dots"
        errors.append(FieldError.invalid(path, name, told))
        return
    for label in labels:
        check_label(label, path, errors)


_ADDRESS_CHECKS: dict[str, Callable[[str, str, int, Errors], None]] = {
    "FQDN": _check_domain,
    "IPv4": _check_ipv4,
    "IPv6": _check_ipv6,
}


def _check_hints(hints: JsonObject, path: str, errors: Errors) -> None:
    zones: Sequence[JsonObject] = hints.get("forZones") or ()
    here = f"{path}.forZones"
    if len(zones) > _ZONE_HINTS_MAX:
        errors.append(FieldError.too_many(here, len(zones), _ZONE_HINTS_MAX))
        zones = ()
    seen: set[str] = set()
    for index, zone in enumerate(zones):
        name = zone.get("name", "")
        if name in seen:
            errors.append(FieldError.duplicate(f"{here}[{index}].name", name))
        seen.add(name)
        problems = is_label_value(name)
        errors += [FieldError.invalid(f"{here}[{index}].name", name, told) for told in problems]
    nodes: Sequence[JsonObject] = hints.get("forNodes") or ()
    here = f"{path}.forNodes"
    if len(nodes) > _NODE_HINTS_MAX:
        errors.append(FieldError.too_many(here, len(nodes), _NODE_HINTS_MAX))
        return
    seen = set()
    for index, node in enumerate(nodes):
        name = node.get("name", "")
        if name in seen:
            errors.append(FieldError.duplicate(f"{here}[{index}].name", name))
        seen.add(name)
        check_subdomain(name, f"{here}[{index}].name", errors)


def _check_slice_ports(ports: Sequence[JsonObject], errors: Errors) -> None:
    if len(ports) > _PORTS_MAX:
        errors.append(FieldError.too_many("ports", len(ports), _PORTS_MAX))
        return
    names: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"ports[{index}]", port.get("name") or ""
        if name:
            check_label(name, f"{path}.name", errors)
        if name in names:
            errors.append(FieldError.duplicate(f"{path}.name", name))
        names.add(name)
        protocol = port.get("protocol")
        if protocol is None:
            errors.append(FieldError.required(f"{path}.protocol"))
        else:
            check_enum(protocol, PROTOCOLS, f"{path}.protocol", errors)
        if "appProtocol" in port:
            check_qualified_name(port["appProtocol"], f"{path}.appProtocol", errors)


def _update_slice(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    _check_slice(obj, errors)


VALIDATORS = {
    "endpoints": Validator(_check_subsets, _update_endpoints),
    "endpointslices": Validator(_check_slice, _update_slice),
}
