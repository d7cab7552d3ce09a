"""NetworkPolicies: who may talk to whom.

Source: ValidateNetworkPolicySpec in pkg/apis/networking/validation.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.addresses import check_network, parse_network
from kajitori.apis.validation.checks import (
    Errors,
    check_enum,
    check_label_selector,
    check_port,
    check_port_or_name,
)
from kajitori.apis.validation.validator import same_rules

__all__ = ["VALIDATORS"]

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_POLICY_TYPES = ("Ingress", "Egress")


def _check_policy(policy: JsonObject, errors: Errors) -> None:
    spec: JsonObject = policy["spec"]
    check_label_selector(spec.get("podSelector"), "spec.podSelector", errors)
    for member, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(member) or ()):
            path = f"spec.{member}[{index}]"
            for place, port in enumerate(rule.get("ports") or ()):
                _check_port(port, f"{path}.ports[{place}]", errors)
            for place, peer in enumerate(rule.get(peers) or ()):
                _check_peer(peer, f"{path}.{peers}[{place}]", errors)
    types: Sequence[str] = spec.get("policyTypes") or ()
    if len(types) > len(_POLICY_TYPES):
        told = "may not specify more than two policyTypes"
        errors.append(FieldError.invalid("spec.policyTypes", types, told))
        return
    for index, each in enumerate(types):
        check_enum(each, _POLICY_TYPES, f"spec.policyTypes[{index}]", errors)


def _check_port(port: JsonObject, path: str, errors: Errors) -> None:
    if "protocol" in port:
        check_enum(port["protocol"], _PROTOCOLS, f"{path}.protocol", errors)
    number: int | str | None = port.get("port")
    last: int | None = port.get("endPort")
    here = f"{path}.endPort"
    if number is None:
        if last is not None:
            told = "may not be specified when `port` is not specified"
            errors.append(FieldError.invalid(here, last, told))
    elif isinstance(number, int):
        check_port(number, f"{path}.port", errors)
        if last is not None:
            if last < number:
                told = "must be greater than or equal to `port`"
                errors.append(FieldError.invalid(here, number, told))
            check_port(last, here, errors)
    else:
        if last is not None:
            told = "may not be specified when `port` is non-numeric"
            errors.append(FieldError.invalid(here, last, told))
        check_port_or_name(number, f"{path}.port", errors)


def _check_peer(peer: JsonObject, path: str, errors: Errors) -> None:
    others = 0
    for member in ("podSelector", "namespaceSelector"):
        if member in peer:
            others += 1
            check_label_selector(peer[member], f"{path}.{member}", errors)
    block = peer.get("ipBlock")
    if block is not None:
        _check_block(block, f"{path}.ipBlock", errors)
        if others:
            told = "may not specify both ipBlock and another peer"
            errors.append(FieldError.forbidden(path, told))
    elif not others:
        errors.append(FieldError.required(path, "must specify a peer"))


def _check_block(block: JsonObject, path: str, errors: Errors) -> None:
    text = block.get("cidr", "")
    if not text:
        errors.append(FieldError.required(f"{path}.cidr"))
        return
    check_network(text, f"{path}.cidr", errors)
    whole = parse_network(text)
    if whole is None:
        return
    for index, hole in enumerate(block.get("except") or ()):
        here = f"{path}.except[{index}]"
        check_network(hole, here, errors)
        part = parse_network(hole)
        if part is None:
            continue
        outer, inner = whole[1], part[1]
        inside = inner.version == outer.version and inner.network_address in outer
        if not inside or outer.prefixlen >= inner.prefixlen:
            errors.append(FieldError.invalid(here, hole, "must be a strict subset of `cidr`"))


VALIDATORS = {"networkpolicies": same_rules(_check_policy)}
