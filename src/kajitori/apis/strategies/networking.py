"""The networking group: Ingresses and their classes, policies, and the addresses that Services may have.

Source: pkg/registry/networking and the update rules of pkg/apis/networking/validation.
"""

import ipaddress

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.strategies.address_warnings import cidr_warnings, sloppy_ip
from kajitori.apis.strategies.base import IMMUTABLE, ResetsMetadata, Strategy
from kajitori.apis.strategies.services import balancer_warnings

__all__ = ["STRATEGIES"]

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"


class Ingress(Strategy):
    counts_generations = True

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        if subresource:
            return balancer_warnings(obj["status"])
        annotated = _CLASS_ANNOTATION in (obj["metadata"].get("annotations") or {})
        if old is not None or not annotated or "ingressClassName" in obj["spec"]:
            return []
        return [
            f"annotation \"{_CLASS_ANNOTATION}\" is deprecated, please use 'spec.ingressClassName' instead"
        ]


class IngressClass(Strategy):
    counts_generations = True
    immutable_first = True

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return self.unchanged(
            obj["spec"].get("controller", ""), old["spec"].get("controller", ""), "spec.controller"
        )


class NetworkPolicy(Strategy):
    counts_generations = True

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        told: list[str] = []
        for member, peers in (("ingress", "from"), ("egress", "to")):
            for index, rule in enumerate(obj["spec"].get(member) or ()):
                for place, peer in enumerate(rule.get(peers) or ()):
                    block = peer.get("ipBlock")
                    if not block:
                        continue
                    path = f"spec.{member}[{index}].{peers}[{place}].ipBlock"
                    told += cidr_warnings(f"{path}.cidr", block.get("cidr", ""))
                    for number, hole in enumerate(block.get("except") or ()):
                        told += cidr_warnings(f"{path}.except[{number}]", hole)
        return told


def _address_name_error(name: str, prefix: bool) -> list[str]:
    """An IPAddress is named by its address, written in the one way that counts."""
    address = sloppy_ip(name)
    if address is None:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    problems: list[str] = []
    if ":" in name and isinstance(address, ipaddress.IPv4Address):
        problems.append("must not be an IPv4-mapped IPv6 address")
    elif name != str(address):
        canonical = f'must be in canonical form ("{address}")'
        problems.append("must not have leading 0s" if ":" not in name else canonical)
    return problems


class IPAddress(Strategy):
    name_error = staticmethod(_address_name_error)

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        return self.unchanged(obj["spec"].get("parentRef"), old["spec"].get("parentRef"), "spec.parentRef")


class ServiceCIDR(ResetsMetadata):
    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        if subresource:
            return []
        new: list[str] = obj["spec"].get("cidrs") or []
        kept: list[str] = old["spec"].get("cidrs") or []
        if len(new) == len(kept) or (len(kept) == 1 and len(new) == 2):
            return [
                FieldError.invalid(f"spec.cidrs[{index}]", new[index], IMMUTABLE)
                for index, cidr in enumerate(kept)
                if cidr != new[index]
            ]
        return [FieldError.invalid("spec.cidrs", new or None, IMMUTABLE)]


STRATEGIES: dict[str, type[Strategy]] = {
    "networking.k8s.io/ingressclasses": IngressClass,
    "networking.k8s.io/ingresses": Ingress,
    "networking.k8s.io/ipaddresses": IPAddress,
    "networking.k8s.io/networkpolicies": NetworkPolicy,
    "networking.k8s.io/servicecidrs": ServiceCIDR,
}
