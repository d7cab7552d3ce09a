"""Classes of Ingresses, and the addresses that Services may have.

Source: ValidateIngressClass, ValidateIPAddress and ValidateServiceCIDR in pkg/apis/networking/validation.
"""

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import name_is_path_segment
from kajitori.apis.validation.addresses import check_canonical_network, parse_network
from kajitori.apis.validation.checks import (
    Errors,
    check_domain_path,
    check_each,
    check_namespace,
    check_subdomain,
)
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.validator import Validator, only_new, same_rules

__all__ = ["VALIDATORS"]

_CONTROLLER_BYTES_MAX = 250
_SCOPES = ("Cluster", "Namespace")


def _check_named(reference: JsonObject, members: tuple[str, ...], path: str, errors: Errors) -> None:
    """Members that must be there and fit into a path."""
    for member in members:
        if text := reference.get(member):
            check_each(text, f"{path}.{member}", name_is_path_segment, errors)
        else:
            errors.append(FieldError.required(f"{path}.{member}"))


def _check_class(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj["spec"]
    controller = spec.get("controller", "")
    if len(controller.encode()) > _CONTROLLER_BYTES_MAX:
        errors.append(FieldError.too_long("spec.controller", "", _CONTROLLER_BYTES_MAX))
    check_domain_path(controller, "spec.controller", errors)
    parameters = spec.get("parameters")
    if parameters is not None:
        _check_parameters(parameters, "spec.parameters", errors)


def _check_parameters(parameters: JsonObject, path: str, errors: Errors) -> None:
    if "apiGroup" in parameters:
        check_subdomain(parameters["apiGroup"], f"{path}.apiGroup", errors)
    _check_named(parameters, ("kind", "name"), path, errors)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    here = f"{path}.namespace"
    if scope is None:
        errors.append(FieldError.required(f"{path}.scope"))
    elif scope not in _SCOPES:
        errors.append(FieldError.not_supported(f"{path}.scope", scope, _SCOPES))
    elif scope == "Cluster":
        if namespace is not None:
            errors.append(FieldError.forbidden(here, "`parameters.scope` is set to 'Cluster'"))
    elif namespace is None:
        errors.append(FieldError.required(here, "`parameters.scope` is set to 'Namespace'"))
    else:
        check_namespace(namespace, here, errors)


def _check_address(obj: JsonObject, errors: Errors) -> None:
    parent = (obj.get("spec") or {}).get("parentRef")
    path = "spec.parentRef"
    if parent is None:
        errors.append(FieldError.required(path))
        return
    if parent.get("group"):
        check_subdomain(parent["group"], f"{path}.group", errors)
    _check_named(parent, ("resource", "name"), path, errors)
    if parent.get("namespace"):
        check_each(parent["namespace"], f"{path}.namespace", name_is_path_segment, errors)


def _check_range(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj.get("spec") or {}
    networks: list[str] = spec.get("cidrs") or []
    path = "spec.cidrs"
    if not networks:
        errors.append(FieldError.required(path, "at least one CIDR required"))
        return
    if len(networks) > 2:
        shown = go_struct("networking.v1.ServiceCIDRSpec", spec)
        errors.append(FieldError.invalid(path, shown, "may only hold up to 2 values"))
        return
    for index, network in enumerate(networks):
        check_canonical_network(network, f"{path}[{index}]", errors)
    versions = [found[1].version for each in networks if (found := parse_network(each))]
    if len(versions) == 2 and versions[0] == versions[1]:
        told = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        errors.append(FieldError.invalid(path, networks, told))


def _update_range(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    # Nothing may change, but that a second family joins the first.
    before: JsonObject = old.get("spec") or {}
    if not subresource and len(before.get("cidrs") or ()) == 1 and len(obj["spec"].get("cidrs") or ()) == 2:
        _check_range(obj, errors)


VALIDATORS = {
    "ingressclasses": same_rules(_check_class),
    "ipaddresses": only_new(_check_address),
    "servicecidrs": Validator(_check_range, _update_range),
}
