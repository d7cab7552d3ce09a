"""Nodes: taints, networks for Pods, and what they have.

Source: ValidateNode and ValidateNodeUpdate in pkg/apis/core/validation.
"""

import re
from collections.abc import Sequence

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.addresses import check_network, parse_network
from kajitori.apis.validation.amounts import check_resource_amount
from kajitori.apis.validation.checks import Errors, check_positive
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.node_selection import check_taints
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS"]

_NO_PAIR = "invalid PodCIDRs. failed to check with dual stack with error:"
_FEATURE_CHARACTERS_MAX = 253
_feature_matches = re.compile("[A-Z][A-Za-z0-9]*(/[A-Za-z0-9]+)*").fullmatch


def _check_status(node: JsonObject, errors: Errors) -> None:
    status: JsonObject = node.get("status") or {}
    for member in ("capacity", "allocatable"):
        for name, amount in (status.get(member) or {}).items():
            check_resource_amount(name, amount, f"status.{member}.{name}", errors)
    features: Sequence[str] = status.get("declaredFeatures") or ()
    for index, feature in enumerate(features):
        path = f"status.declaredFeatures[{index}]"
        problem = _feature_problem(feature)
        if problem:
            errors.append(FieldError.invalid(path, feature, problem))
        if index and feature == features[index - 1]:
            errors.append(FieldError.duplicate(path, feature))
        elif index and feature < features[index - 1]:
            errors.append(FieldError.invalid(path, feature, "list must be sorted alphabetically"))


def _feature_problem(feature: str) -> str:
    quoted = go_quote(feature)
    if len(feature) > _FEATURE_CHARACTERS_MAX:
        return f"invalid feature name {quoted}: must be no more than {_FEATURE_CHARACTERS_MAX} characters"
    if _feature_matches(feature):
        return ""
    return (
        f"invalid feature name {quoted}: must start with an UpperCamelCase segment, with subsequent segments "
        "separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), "
        "and contain only alphanumeric characters and slashes"
    )


def _create(node: JsonObject, errors: Errors) -> None:
    spec: JsonObject = node.get("spec") or {}
    if spec.get("taints"):
        check_taints(spec["taints"], "metadata.taints", errors)
    _check_status(node, errors)
    swap = (((node.get("status") or {}).get("nodeInfo") or {}).get("swap") or {}).get("capacity")
    if swap is not None:
        check_positive(swap, "metadata.nodeSwapStatus.capacity", errors)
    networks: list[str] = spec.get("podCIDRs") or []
    for index, network in enumerate(networks):
        check_network(network, f"spec.podCIDRs[{index}]", errors)
    if len(networks) > 1:
        parsed = [parse_network(each) for each in networks]
        for index, network in enumerate(networks):
            if parsed[index] is None:
                told = f"invalid CIDR[{index}]: <nil> (invalid CIDR address: {network})"
                errors.append(FieldError.internal("spec.podCIDRs", _NO_PAIR + told))
                break
        families = {each[1].version for each in parsed if each}
        if len(networks) > 2 or len(families) < 2 or None in parsed:
            told = "may specify no more than one CIDR for each IP family"
            errors.append(FieldError.invalid("spec.podCIDRs", networks, told))


def _update(node: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    # Kubernetes checks a changed node as a new one and as a changed one, and tells what both see twice.
    if not subresource:
        _create(node, errors)
    spec: JsonObject = node.get("spec") or {}
    _check_status(node, errors)
    seen: list[JsonObject] = []
    for index, address in enumerate((node.get("status") or {}).get("addresses") or ()):
        if address in seen:
            shown = go_struct("core.v1.NodeAddress", address)
            errors.append(FieldError.duplicate(f"status.addresses[{index}]", shown))
        seen.append(address)
    if spec.get("taints"):
        check_taints(spec["taints"], "metadata.taints", errors)


VALIDATORS = {"nodes": Validator(_create, _update)}
