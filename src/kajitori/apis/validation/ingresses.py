"""Ingresses: where requests from outside go, by host and path.

Source: ValidateIngressSpec and ValidateIngressLoadBalancerStatus in pkg/apis/networking/validation.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_wildcard_dns1123_subdomain, name_is_path_segment
from kajitori.apis.validation.addresses import check_address, parse_address
from kajitori.apis.validation.checks import (
    Errors,
    check_each,
    check_label,
    check_port,
    check_port_or_name,
    check_subdomain,
)
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS"]

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_REFUSED_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_REFUSED_ENDS = ("/..", "/.")
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_NOT_AN_ADDRESS = "must be a DNS name, not an IP address"


def _check_spec(ingress: JsonObject, errors: Errors) -> None:
    spec: JsonObject = ingress["spec"]
    rules: Sequence[JsonObject] = spec.get("rules") or ()
    default = spec.get("defaultBackend")
    if not rules and default is None:
        told = "either `defaultBackend` or `rules` must be specified"
        errors.append(FieldError.invalid("spec", spec.get("rules"), told))
    if default is not None:
        _check_backend(default, "spec.defaultBackend", errors)
    for index, rule in enumerate(rules):
        path = f"spec.rules[{index}]"
        if host := rule.get("host"):
            if parse_address(host) is not None:
                errors.append(FieldError.invalid(f"{path}.host", host, _NOT_AN_ADDRESS))
            _check_host(host, f"{path}.host", errors)
        if "http" in rule:
            _check_paths(rule["http"], f"{path}.http", errors)
    for index, secured in enumerate(spec.get("tls") or ()):
        path = f"spec.tls[{index}]"
        for place, host in enumerate(secured.get("hosts") or ()):
            _check_host(host, f"{path}.hosts[{place}]", errors)
        if secured.get("secretName"):
            check_subdomain(secured["secretName"], f"{path}.secretName", errors)
    if "ingressClassName" in spec:
        check_subdomain(spec["ingressClassName"], "spec.ingressClassName", errors)


def _check_host(host: str, path: str, errors: Errors) -> None:
    if "*" in host:
        check_each(host, path, is_wildcard_dns1123_subdomain, errors)
    else:
        check_subdomain(host, path, errors)


def _check_paths(http: JsonObject, path: str, errors: Errors) -> None:
    if not http.get("paths"):
        errors.append(FieldError.required(f"{path}.paths"))
    for index, entry in enumerate(http.get("paths") or ()):
        here = f"{path}.paths[{index}]"
        kind = entry.get("pathType")
        if kind is None:
            errors.append(FieldError.required(f"{here}.pathType", "pathType must be specified"))
            continue
        _check_path(entry.get("path", ""), kind, here, errors)
        _check_backend(entry.get("backend") or {}, f"{here}.backend", errors)


def _check_path(text: str, kind: str, path: str, errors: Errors) -> None:
    here = f"{path}.path"
    if kind not in _PATH_TYPES:
        errors.append(FieldError.not_supported(f"{path}.pathType", kind, _PATH_TYPES))
        return
    literal = kind != "ImplementationSpecific"
    if not text.startswith("/") and (text or literal):
        errors.append(FieldError.invalid(here, text, "must be an absolute path"))
    if not literal:
        return
    for sequence in _REFUSED_SEQUENCES:
        if sequence in text:
            errors.append(FieldError.invalid(here, text, f"must not contain '{sequence}'"))
    for end in _REFUSED_ENDS:
        if text.endswith(end):
            errors.append(FieldError.invalid(here, text, f"cannot end with '{end}'"))


def _check_backend(backend: JsonObject, path: str, errors: Errors) -> None:
    service, resource = backend.get("service"), backend.get("resource")
    if resource is not None and service is not None:
        told = "cannot set both resource and service backends"
        errors.append(FieldError.invalid(path, "", told))
    elif resource is not None:
        _check_resource(resource, f"{path}.resource", errors)
    elif service is not None:
        _check_service(service, path, errors)
    else:
        errors.append(FieldError.invalid(path, "", "resource or service backend is required"))


def _check_resource(reference: JsonObject, path: str, errors: Errors) -> None:
    if reference.get("apiGroup") is not None:
        check_subdomain(reference["apiGroup"], f"{path}.apiGroup", errors)
    for member in ("kind", "name"):
        if text := reference.get(member):
            check_each(text, f"{path}.{member}", name_is_path_segment, errors)
        else:
            errors.append(FieldError.required(f"{path}.{member}"))


def _check_service(service: JsonObject, path: str, errors: Errors) -> None:
    if name := service.get("name"):
        check_label(name, f"{path}.service.name", errors)
    else:
        errors.append(FieldError.required(f"{path}.service.name"))
    port: JsonObject = service.get("port") or {}
    name, number = port.get("name"), port.get("number")
    if name and number:
        errors.append(FieldError.invalid(path, "", "cannot set both port name & port number"))
    elif name:
        check_port_or_name(name, f"{path}.service.port.name", errors)
    elif number:
        check_port(number, f"{path}.service.port.number", errors)
    else:
        errors.append(FieldError.required(path, "port name or number is required"))


def _create(ingress: JsonObject, errors: Errors) -> None:
    _check_spec(ingress, errors)
    annotated = (ingress["metadata"].get("annotations") or {}).get(_CLASS_ANNOTATION)
    named = ingress["spec"].get("ingressClassName")
    if annotated is not None and named is not None and annotated != named:
        told = "must match `ingressClassName` when both are specified"
        errors.append(FieldError.invalid(f"annotations.{_CLASS_ANNOTATION}", annotated, told))


def _update(ingress: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if not subresource:
        _check_spec(ingress, errors)
        return
    entries: Sequence[JsonObject] = (ingress["status"].get("loadBalancer") or {}).get("ingress") or ()
    for index, entry in enumerate(entries):
        path = f"status.loadBalancer.ingress[{index}]"
        if entry.get("ip"):
            check_address(entry["ip"], f"{path}.ip", errors)
        if host := entry.get("hostname"):
            check_subdomain(host, f"{path}.hostname", errors)
            if parse_address(host) is not None:
                errors.append(FieldError.invalid(f"{path}.hostname", host, _NOT_AN_ADDRESS))


VALIDATORS = {"ingresses": Validator(_create, _update)}
