"""The cells of what connects: services, endpoints, ingresses, policies, addresses.

Source: kubernetes/pkg/printers/internalversion.
"""

from collections.abc import Iterable
from typing import Any

from kajitori.apimachinery.kind import JsonObject

from .texts import age_of, labels_text, load_balancer_text, member, name_of, selector_text, with_more

__all__ = [
    "endpoint_slice_cells",
    "endpoints_cells",
    "ingress_cells",
    "ingress_class_cells",
    "ip_address_cells",
    "network_policy_cells",
    "service_cells",
    "service_cidr_cells",
]

SHOWN_MAX = 3
"""How many addresses, ports or hosts fit into one cell."""


def service_cells(service: JsonObject, now: float) -> list[Any]:
    spec = service.get("spec") or {}
    addresses = spec.get("clusterIPs")
    return [
        name_of(service),
        spec.get("type") or "",
        addresses[0] if addresses else "<none>",
        _external_address(service, spec),
        ",".join(map(_port_text, spec.get("ports") or ())) or "<none>",
        age_of(service, now),
        labels_text(spec.get("selector")),
    ]


def _external_address(service: JsonObject, spec: JsonObject) -> str:
    external = ",".join(spec.get("externalIPs") or ())
    kind = spec.get("type")
    if kind in ("ClusterIP", "NodePort"):
        return external or "<none>"
    if kind == "LoadBalancer":
        given = load_balancer_text(service)
        return ",".join(filter(None, (given, external))) or "<pending>"
    return spec.get("externalName") or "" if kind == "ExternalName" else "<unknown>"


def _port_text(port: JsonObject) -> str:
    node_port = port.get("nodePort") or 0
    number = f"{port.get('port') or 0}"
    if node_port > 0:
        number = f"{number}:{node_port}"
    return f"{number}/{port.get('protocol') or ''}"


def endpoints_cells(endpoints: JsonObject, now: float) -> list[Any]:
    return [name_of(endpoints), _subsets_text(endpoints), age_of(endpoints, now)]


def _subsets_text(endpoints: JsonObject) -> str:
    subsets = endpoints.get("subsets")
    if not subsets:
        return "<none>"
    shown: list[str] = []
    for subset in subsets:
        addresses = [each.get("ip") or "" for each in subset.get("addresses") or ()]
        ports = subset.get("ports")
        if ports:
            for port in ports:
                shown += [_host_port(address, port.get("port") or 0) for address in addresses]
        else:  # A headless service may have no ports.
            shown += addresses
    return with_more(shown, len(shown), SHOWN_MAX)


def _host_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address or "%" in address else f"{address}:{port}"


def endpoint_slice_cells(endpoint_slice: JsonObject, now: float) -> list[Any]:
    ports = [_slice_port(each) for each in endpoint_slice.get("ports") or ()]
    endpoints = endpoint_slice.get("endpoints") or ()
    addresses = [address for each in endpoints for address in each.get("addresses") or ()]
    return [
        name_of(endpoint_slice),
        endpoint_slice.get("addressType") or "",
        with_more(ports, len(ports), SHOWN_MAX) or "<unset>",
        with_more(addresses, len(addresses), SHOWN_MAX) or "<unset>",
        age_of(endpoint_slice, now),
    ]


def _slice_port(port: JsonObject) -> str:
    number, name = port.get("port"), port.get("name")
    if number is not None:
        return str(number)
    return "*" if name is None else str(name)


def ingress_cells(ingress: JsonObject, now: float) -> list[Any]:
    spec = ingress.get("spec") or {}
    class_name = spec.get("ingressClassName")
    return [
        name_of(ingress),
        "<none>" if class_name is None else class_name,
        _hosts_text(spec.get("rules") or ()),
        load_balancer_text(ingress),
        "80, 443" if spec.get("tls") else "80",
        age_of(ingress, now),
    ]


def _hosts_text(rules: Iterable[JsonObject]) -> str:
    rules = list(rules)
    hosts: list[str] = []
    more = False
    for rule in rules:
        more = more or len(hosts) == SHOWN_MAX
        if not more and rule.get("host"):
            hosts.append(rule["host"])
    if not hosts:
        return "*"
    # Rules without a host count as well: that is how Kubernetes counts.
    return ",".join(hosts) + (f" + {len(rules) - SHOWN_MAX} more..." if more else "")


def ingress_class_cells(ingress_class: JsonObject, now: float) -> list[Any]:
    name = name_of(ingress_class)
    annotations = (ingress_class.get("metadata") or {}).get("annotations") or {}
    if annotations.get("ingressclass.kubernetes.io/is-default-class") == "true":
        name += " (default)"
    parameters = member(ingress_class, "spec", "parameters")
    shown = "<none>"
    if parameters is not None:
        group = parameters.get("apiGroup")
        kind = parameters.get("kind") or ""
        shown = f"{kind if group is None else f'{kind}.{group}'}/{parameters.get('name') or ''}"
    return [name, member(ingress_class, "spec", "controller") or "", shown, age_of(ingress_class, now)]


def network_policy_cells(policy: JsonObject, now: float) -> list[Any]:
    selector = member(policy, "spec", "podSelector")
    return [name_of(policy), selector_text(selector or {}), age_of(policy, now)]


def ip_address_cells(address: JsonObject, now: float) -> list[Any]:
    """One cell more than there are columns: so it is in Kubernetes, and clients cope."""
    parent = member(address, "spec", "parentRef")
    shown = "<none>"
    if parent is not None:
        resource, group = parent.get("resource") or "", parent.get("group")
        shown = (f"{resource}.{group}" if group else resource).lower()
        if namespace := parent.get("namespace"):
            shown += f"/{namespace}"
        shown += f"/{parent.get('name') or ''}"
    return [name_of(address), shown, age_of(address, now)]


def service_cidr_cells(service_cidr: JsonObject, now: float) -> list[Any]:
    return [
        name_of(service_cidr),
        ",".join(member(service_cidr, "spec", "cidrs") or ()),
        age_of(service_cidr, now),
    ]
