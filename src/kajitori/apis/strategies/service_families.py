"""Which IP families a Service has, and what of its addresses and ports is carried over from before.

Runs before a Service is validated; handing out addresses and ports comes later, in `service_allocation`.

Source: pkg/registry/core/service/storage (normalizeClusterIPs, patchAllocatedValues, initIPFamilyFields).
"""

import ipaddress
from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError, invalid
from kajitori.apimachinery.kind import JsonObject

__all__ = [
    "cluster_ip_errors",
    "family_of",
    "init_ip_families",
    "needs_cluster_ip",
    "needs_health_check_port",
    "needs_node_port",
    "normalize_cluster_ips",
    "patch_allocated_values",
]

_FAMILIES = ("IPv4", "IPv6")
_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")


def needs_cluster_ip(spec: JsonObject) -> bool:
    return spec.get("type") != "ExternalName"


def needs_node_port(spec: JsonObject) -> bool:
    """Whether the Service's ports stay with it; a load balancer may do without."""
    kind = spec.get("type")
    wanted = spec.get("allocateLoadBalancerNodePorts", True)
    return kind == "NodePort" or (kind == "LoadBalancer" and bool(wanted))


def needs_health_check_port(spec: JsonObject) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def family_of(address: str) -> str:
    """`IPv4` or `IPv6` of an address; `unknown` for anything else."""
    try:
        return "IPv6" if ipaddress.ip_address(address).version == 6 else "IPv4"
    except ValueError:
        return "unknown"


def _addresses(spec: JsonObject) -> list[str]:
    return spec.get("clusterIPs") or []


def normalize_cluster_ips(spec: JsonObject, old: JsonObject | None) -> None:
    """Makes `clusterIP` and `clusterIPs` agree where a client knows only one of them."""
    singular, plural = spec.get("clusterIP", ""), _addresses(spec)
    if old is None:
        if singular and not plural:
            spec["clusterIPs"] = [singular]
        return
    old_singular, old_plural = old.get("clusterIP", ""), _addresses(old)
    if old_plural and not plural and singular == old_singular:
        spec["clusterIPs"] = list(old_plural)
    if singular == old_singular or _addresses(spec) != old_plural:
        return
    if singular:
        spec["clusterIPs"] = [singular]
    elif old_singular:
        spec.pop("clusterIPs", None)


def patch_allocated_values(spec: JsonObject, old: JsonObject) -> None:
    """Fills in what the Service was given before and the client left out."""
    if needs_cluster_ip(old) and needs_cluster_ip(spec):
        if not spec.get("clusterIP") and old.get("clusterIP"):
            spec["clusterIP"] = old["clusterIP"]
        if not _addresses(spec) and _addresses(old):
            spec["clusterIPs"] = list(_addresses(old))
    if needs_node_port(old) and needs_node_port(spec):
        _patch_node_ports(spec.get("ports") or [], old.get("ports") or [])
    checked = needs_health_check_port(old) and needs_health_check_port(spec)
    if checked and not spec.get("healthCheckNodePort") and old.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = old["healthCheckNodePort"]


def _patch_node_ports(ports: Sequence[JsonObject], old: Sequence[JsonObject]) -> None:
    given = {each.get("name", ""): each.get("nodePort", 0) for each in old}
    used = {each.get("nodePort", 0) for each in old} & {each.get("nodePort", 0) for each in ports}
    for port in ports:
        before = given.get(port.get("name", ""), 0)
        if not port.get("nodePort") and before and before not in used:
            port["nodePort"] = before


def init_ip_families(service: JsonObject, old: JsonObject | None, families: Sequence[str]) -> None:
    """Settles `ipFamilyPolicy` and `ipFamilies`; `families` are those the cluster has, its first the default.

    Raises: Invalid where the wishes contradict one another or the cluster.
    """
    spec = service["spec"]
    before = old["spec"] if old else None
    if not needs_cluster_ip(spec) or _keeps_dual_stack(spec, before):
        return
    headless_without_selector = spec.get("clusterIP") == "None" and not spec.get("selector")
    if "ipFamilyPolicy" not in spec:
        kept = (before or {}).get("ipFamilyPolicy")
        spec["ipFamilyPolicy"] = kept or ("RequireDualStack" if headless_without_selector else "SingleStack")
    _refuse(service, cluster_ip_errors(spec))
    errors = _release_errors(spec, before)
    wanted: list[str] = list(spec.get("ipFamilies") or ())
    for index, address in enumerate(_addresses(spec)):
        if address == "None":
            break
        if index >= len(wanted):
            family = family_of(address)
            if family in families:
                wanted.append(family)
            else:
                told = f"{family} is not configured on this cluster"
                errors.append(FieldError.invalid(f"spec.clusterIPs[{index}]", _addresses(spec), told))
    _refuse(service, errors)
    policy = spec["ipFamilyPolicy"]
    if not headless_without_selector:
        _refuse(service, _configuration_errors(policy, wanted, families))
    if not wanted:
        wanted.append(families[0])
    both = headless_without_selector or len(families) == 2
    if policy != "SingleStack" and len(wanted) == 1 and both:
        wanted.append("IPv6" if wanted[0] == "IPv4" else "IPv4")
    spec["ipFamilies"] = wanted


def _refuse(service: JsonObject, errors: Sequence[FieldError]) -> None:
    if errors:
        raise invalid("Service", "", service["metadata"].get("name", ""), errors)


def _keeps_dual_stack(spec: JsonObject, old: JsonObject | None) -> bool:
    """Whether nothing about the families changes, so that a later second range changes nothing either."""
    if old is None or spec.get("ipFamilyPolicy") != "PreferDualStack" or old.get("type") != spec.get("type"):
        return False
    return (
        old.get("ipFamilyPolicy") in (None, "PreferDualStack")
        and _addresses(old) == _addresses(spec)
        and (old.get("ipFamilies") or []) == (spec.get("ipFamilies") or [])
    )


def _release_errors(spec: JsonObject, old: JsonObject | None) -> list[FieldError]:
    """Complaints about giving up a second family without saying so; what is given up is taken out."""
    errors: list[FieldError] = []
    policy, path = spec["ipFamilyPolicy"], "spec.ipFamilyPolicy"
    for member, what in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
        new, kept = spec.get(member) or [], (old or {}).get(member) or []
        if old is not None and policy == "SingleStack" and new == kept and len(new) > 1:
            spec[member] = new[:1]
        elif old is not None and policy != "SingleStack" and 0 < len(new) < len(kept):
            errors.append(
                FieldError.invalid(path, policy, f"must be 'SingleStack' to release the secondary {what}")
            )
    for member, what in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
        if policy == "SingleStack" and len(spec.get(member) or ()) == 2:
            told = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
            errors.append(FieldError.invalid(path, policy, told))
    return errors


def _configuration_errors(policy: str, wanted: Sequence[str], families: Sequence[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    if policy == "RequireDualStack" and len(families) < 2:
        told = "this cluster is not configured for dual-stack services"
        errors.append(FieldError.invalid("spec.ipFamilyPolicy", policy, told))
    for index, family in enumerate(wanted):
        if family not in families:
            path = f"spec.ipFamilies[{index}]"
            errors.append(FieldError.invalid(path, family, "not configured on this cluster"))
    return errors


def cluster_ip_errors(spec: JsonObject) -> list[FieldError]:
    """Complaints about the addresses and families of a Service taken together."""
    if not needs_cluster_ip(spec):
        return []
    path = "spec.clusterIPs"
    addresses, singular = _addresses(spec), spec.get("clusterIP", "")
    errors: list[FieldError] = []
    if singular and not addresses:
        errors.append(FieldError.required(path))
    elif singular and addresses[0] != singular:
        errors.append(FieldError.invalid(path, addresses, "first value must match `clusterIP`"))
    elif not singular and addresses:
        errors.append(FieldError.invalid(path, addresses, "must be empty when `clusterIP` is not specified"))
    errors += _family_errors(spec)
    misplaced: list[FieldError] = []
    for index, address in enumerate(addresses):
        if index == 0 and address == "None":
            if len(addresses) > 1:
                misplaced.append(
                    FieldError.invalid(path, addresses, "'None' must be the first and only value")
                )
        elif family_of(address) == "unknown":
            told = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            misplaced.append(FieldError.invalid(f"{path}[{index}]", address, told))
    errors += misplaced
    if len(addresses) > 2:
        errors.append(FieldError.invalid(path, addresses, "may only hold up to 2 values"))
    if misplaced:
        return errors
    found = [family_of(each) for each in addresses]
    if len(addresses) > 1 and len(set(found)) < len(found):
        errors.append(
            FieldError.invalid(path, addresses, "may specify no more than one IP for each IP family")
        )
    if addresses != ["None"]:
        for index, (family, wanted) in enumerate(zip(found, spec.get("ipFamilies") or (), strict=False)):
            if wanted in _FAMILIES and family != wanted:
                told = f"expected an {wanted} value as indicated by `ipFamilies[{index}]`"
                errors.append(FieldError.invalid(f"{path}[{index}]", addresses[index], told))
    return errors


def _family_errors(spec: JsonObject) -> list[FieldError]:
    errors: list[FieldError] = []
    wanted: list[str] = spec.get("ipFamilies") or []
    for index, family in enumerate(wanted):
        path = f"spec.ipFamilies[{index}]"
        if family not in _FAMILIES:
            errors.append(FieldError.not_supported(path, family, _FAMILIES))
        if family in wanted[:index]:
            errors.append(FieldError.duplicate(path, family))
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in _POLICIES:
        errors.append(FieldError.not_supported("spec.ipFamilyPolicy", policy, _POLICIES))
    return errors
