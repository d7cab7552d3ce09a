"""Services, and the endpoints behind them.

Source: pkg/registry/core/service, pkg/registry/core/endpoint, pkg/registry/discovery/endpointslice, pkg/api/service,
and the update rules of pkg/apis/core/validation.
"""

from collections.abc import Sequence
from copy import copy
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import name_is_dns_label
from kajitori.apis.strategies.address_warnings import cidr_warnings, ip_warnings
from kajitori.apis.strategies.base import IMMUTABLE, NOBODY, Occasion, Strategy
from kajitori.apis.strategies.service_families import (
    init_ip_families,
    needs_cluster_ip,
    needs_health_check_port,
    normalize_cluster_ips,
    patch_allocated_values,
)

__all__ = ["STRATEGIES", "Service", "balancer_warnings"]

_ENDPOINTS_MANAGER = "endpoints.kubernetes.io/managed-by"
_SLICE_MANAGER = "endpointslice.kubernetes.io/managed-by"
_SLICE_CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
_ONCE_SET = "may not change once set"


class Service(Strategy):
    name_error = staticmethod(name_is_dns_label)
    returns_deleted = True
    allow_create_on_update = True
    immutable_first = True
    field_labels = frozenset({"spec.clusterIP", "spec.type"})
    families: tuple[str, ...] = ("IPv4",)
    """The IP families that the cluster hands out addresses of, the default first."""

    def in_cluster(self, families: Sequence[str]) -> Strategy:
        own = copy(self)
        own.families = tuple(families)
        return own

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        normalize_cluster_ips(obj["spec"], None)
        init_ip_families(obj, None, self.families)
        _drop_internal_policy(obj["spec"])
        super().prepare_for_create(obj, occasion)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        if not subresource:
            patch_allocated_values(obj["spec"], old["spec"])
            normalize_cluster_ips(obj["spec"], old["spec"])
            init_ip_families(obj, old, self.families)
        super().prepare_for_update(obj, old, subresource, occasion)
        if not subresource:
            _drop_of_other_types(obj, old)
            _drop_internal_policy(obj["spec"])

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if subresource:
            return []
        spec, before = obj["spec"], old["spec"]
        errors: list[FieldError] = []
        if needs_cluster_ip(spec) and needs_cluster_ip(before):
            errors += _address_errors(spec, before) + _family_errors(spec, before)
        if spec.get("type") == before.get("type") == "LoadBalancer":
            wanted = spec.get("loadBalancerClass")
            if wanted != before.get("loadBalancerClass"):
                errors.append(FieldError.invalid("spec.loadBalancerClass", wanted, _ONCE_SET))
        checked = needs_health_check_port(spec) and needs_health_check_port(before)
        if checked and spec.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
            errors.append(FieldError.forbidden("spec.healthCheckNodePort", IMMUTABLE))
        return errors

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if subresource:
            return balancer_warnings(obj["status"])
        spec = obj["spec"]
        told: list[str] = []
        if "service.kubernetes.io/topology-aware-hints" in (obj["metadata"].get("annotations") or {}):
            told.append(
                "annotation service.kubernetes.io/topology-aware-hints is deprecated, "
                "please use service.kubernetes.io/topology-mode instead"
            )
        kind, headless = spec.get("type"), spec.get("clusterIP") == "None"
        if not headless and needs_cluster_ip(spec):
            for index, address in enumerate(spec.get("clusterIPs") or ()):
                told += ip_warnings(f"spec.clusterIPs[{index}]", address)
        externals: list[str] = spec.get("externalIPs") or []
        headless = headless and kind == "ClusterIP"
        if headless:
            if spec.get("loadBalancerIP"):
                told.append("spec.loadBalancerIP is ignored for headless services")
            if externals:
                told.append("spec.externalIPs is ignored for headless services")
            if spec.get("sessionAffinity") != "None":
                told.append("spec.SessionAffinity is ignored for headless services")
        for index, address in enumerate(externals):
            told += ip_warnings(f"spec.externalIPs[{index}]", address)
        if externals and not headless and kind != "ExternalName":
            told.append("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
        if spec.get("loadBalancerIP"):
            told += ip_warnings("spec.loadBalancerIP", spec["loadBalancerIP"])
        for index, cidr in enumerate(spec.get("loadBalancerSourceRanges") or ()):
            told += cidr_warnings(f"spec.loadBalancerSourceRanges[{index}]", cidr)
        if kind == "ExternalName" and externals:
            told.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
        if kind != "ExternalName" and spec.get("externalName"):
            told.append('spec.externalName is ignored when spec.type is not "ExternalName"')
        if spec.get("trafficDistribution") == "PreferClose":
            told.append('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
        return told

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        spec = obj["spec"]
        return {"spec.clusterIP": spec.get("clusterIP", ""), "spec.type": spec.get("type", "")}


def _drop_of_other_types(obj: JsonObject, old: JsonObject) -> None:
    """Takes out what belonged to the old type, where the client did not change it himself."""
    spec, before = obj["spec"], old["spec"]

    def drop_if_same(*members: str) -> None:
        if all(spec.get(each) == before.get(each) for each in members):
            for each in members:
                spec.pop(each, None)

    if needs_cluster_ip(before) and not needs_cluster_ip(spec):
        drop_if_same("clusterIP", "clusterIPs")
        drop_if_same("ipFamilies")
        drop_if_same("ipFamilyPolicy")
    with_ports = ("NodePort", "LoadBalancer")
    if before.get("type") in with_ports and spec.get("type") not in with_ports:
        given = {each.get("nodePort") for each in before.get("ports") or ()}
        if {each["nodePort"] for each in spec.get("ports") or () if each.get("nodePort")} <= given:
            for port in spec.get("ports") or ():
                port.pop("nodePort", None)
    if needs_health_check_port(before) and not needs_health_check_port(spec):
        drop_if_same("healthCheckNodePort")
    if before.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        drop_if_same("allocateLoadBalancerNodePorts")
        drop_if_same("loadBalancerClass")
    if _reachable_from_outside(before) and not _reachable_from_outside(spec):
        drop_if_same("externalTrafficPolicy")
    if spec.get("type") != "LoadBalancer" and (obj["status"].get("loadBalancer") or {}):
        obj["status"] = {**obj["status"], "loadBalancer": {}}


def _drop_internal_policy(spec: JsonObject) -> None:
    """A name of something outside has no traffic inside; Kubernetes hides the policy whenever it is read."""
    if spec.get("type") == "ExternalName":
        spec.pop("internalTrafficPolicy", None)


def _reachable_from_outside(spec: JsonObject) -> bool:
    kind = spec.get("type")
    return kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def _address_errors(spec: JsonObject, old: JsonObject) -> list[FieldError]:
    """Complaints about changed cluster IPs: only the second may come and go."""
    new: list[str] = spec.get("clusterIPs") or []
    kept: list[str] = old.get("clusterIPs") or []
    if new == kept == ["None"]:
        return []
    path = "spec.clusterIPs"
    if len(new) == len(kept):
        return [
            FieldError.invalid(f"{path}[{index}]", new, _ONCE_SET)
            for index, (one, two) in enumerate(zip(kept, new, strict=True))
            if one != two
        ]
    errors: list[FieldError] = []
    if not new:
        errors.append(FieldError.invalid(f"{path}[0]", None, "primary clusterIP can not be unset"))
    elif kept and new[0] != kept[0]:
        errors.append(FieldError.invalid(f"{path}[0]", new, _ONCE_SET))
    if len(kept) > len(new) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        told = "must be set to 'SingleStack' when releasing the secondary clusterIP"
        errors.append(FieldError.invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), told))
    return errors


def _family_errors(spec: JsonObject, old: JsonObject) -> list[FieldError]:
    headless = spec.get("clusterIPs") == ["None"]
    if headless or headless != (old.get("clusterIPs") == ["None"]):
        return []
    new: list[str] = spec.get("ipFamilies") or []
    kept: list[str] = old.get("ipFamilies") or []
    path = "spec.ipFamilies[0]"
    if len(new) == len(kept):
        return [
            FieldError.invalid(path, new, _ONCE_SET) for one, two in zip(kept, new, strict=True) if one != two
        ]
    errors: list[FieldError] = []
    addresses: Sequence[str] | None = spec.get("clusterIPs")
    if not addresses and len(kept) > len(new):
        errors.append(FieldError.invalid(path, new or None, "primary ipFamily can not be unset"))
    if new and kept and new[0] != kept[0]:
        errors.append(FieldError.invalid(path, addresses, _ONCE_SET))
    if len(kept) > len(new) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        told = "must be set to 'SingleStack' when releasing the secondary ipFamily"
        errors.append(FieldError.invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), told))
    return errors


def balancer_warnings(status: JsonObject) -> list[str]:
    """Warnings about the addresses of a load balancer."""
    told: list[str] = []
    for index, entry in enumerate((status.get("loadBalancer") or {}).get("ingress") or ()):
        if entry.get("ip"):
            told += ip_warnings(f"status.loadBalancer.ingress[{index}]", entry["ip"])
    return told


class Endpoints(Strategy):
    allow_create_on_update = True

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        labels: dict[str, str] = obj["metadata"].get("labels") or {}
        if labels.get(_ENDPOINTS_MANAGER) == "endpoint-controller":
            return []
        told: list[str] = []
        for index, subset in enumerate(obj.get("subsets") or ()):
            for member in ("addresses", "notReadyAddresses"):
                for place, address in enumerate(subset.get(member) or ()):
                    path = f"subsets[{index}].{member}[{place}].ip"
                    told += ip_warnings(path, address.get("ip", ""))
        return told


class EndpointSlice(Strategy):
    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        obj["metadata"]["generation"] = 1
        _drop_topology(obj)

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        def content(each: JsonObject) -> dict[str, Any]:
            return {name: value for name, value in each.items() if name != "metadata"}

        labels, kept = obj["metadata"].get("labels") or {}, old["metadata"].get("labels") or {}
        if content(obj) != content(old) or labels != kept:
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if (obj.get("endpoints") or []) != (old.get("endpoints") or []):
            _drop_topology(obj)

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return self.unchanged(obj.get("addressType"), old.get("addressType"), "addressType")

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        told: list[str] = []
        if old is None and obj.get("addressType") == "FQDN":
            told.append("spec.addressType: FQDN endpoints are deprecated")
        if (obj["metadata"].get("labels") or {}).get(_SLICE_MANAGER) in _SLICE_CONTROLLERS:
            return told
        for index, endpoint in enumerate(obj.get("endpoints") or ()):
            for place, address in enumerate(endpoint.get("addresses") or ()):
                told += ip_warnings(f"endpoints[{index}].addresses[{place}]", address)
        return told


def _drop_topology(obj: JsonObject) -> None:
    """A field of a version that is gone, which v1 does not write."""
    for endpoint in obj.get("endpoints") or ():
        endpoint.pop("deprecatedTopology", None)


STRATEGIES: dict[str, type[Strategy]] = {
    "/endpoints": Endpoints,
    "/services": Service,
    "discovery.k8s.io/endpointslices": EndpointSlice,
}
