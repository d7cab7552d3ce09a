"""Claims on devices, what they are made from, and classes of devices.

What expressions say is not looked into here, only how long they are.

Source: ValidateResourceClaim, ValidateResourceClaimTemplate and ValidateDeviceClass in pkg/apis/resource/validation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.amounts import is_extended_resource
from kajitori.apis.validation.checks import (
    Errors,
    check_label,
    check_labels,
    check_positive,
    check_subdomain,
    check_template_annotations,
)
from kajitori.apis.validation.claim_status import RequestNames, check_claim_status, check_request_reference
from kajitori.apis.validation.device_names import (
    check_driver_name,
    check_fully_qualified_name,
    check_object,
    check_short,
    check_tolerations,
)
from kajitori.apis.validation.validator import Validator, only_new, same_rules

__all__ = ["VALIDATORS"]

_REQUESTS_MAX = 32
_CONSTRAINTS_MAX = 32
_CONFIGURATIONS_MAX = 32
_SELECTORS_MAX = 32
_ALTERNATIVES_MAX = 8
_EXPRESSION_BYTES_MAX = 10 * 1024
_PARAMETERS_BYTES_MAX = 10 * 1024


def _name_of(item: Mapping[str, Any]) -> str:
    name: str = item.get("name", "")
    return name


def _names_of(claim: JsonObject) -> RequestNames:
    """The names of requests, and those of their alternatives."""
    return {
        _name_of(request): {_name_of(each) for each in request.get("firstAvailable") or ()}
        for request in claim.get("requests") or ()
    }


def _check_claim(claim: JsonObject, path: str, errors: Errors) -> None:
    """The `devices` of a claim."""
    names = _names_of(claim)

    def check_reference(name: str, here: str, errors: Errors) -> None:
        check_request_reference(name, here, names, errors)

    def check_constraint(constraint: JsonObject, here: str, errors: Errors) -> None:
        references = constraint.get("requests") or ()
        check_short(references, _REQUESTS_MAX, f"{here}.requests", check_reference, errors, key=str)
        for member in ("matchAttribute", "distinctAttribute"):
            if member in constraint:
                check_fully_qualified_name(constraint[member], f"{here}.{member}", errors)
                return
        told = (
            'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
        )
        errors.append(FieldError.required(here, told))

    def check_configuration(configuration: JsonObject, here: str, errors: Errors) -> None:
        references = configuration.get("requests") or ()
        check_short(references, _REQUESTS_MAX, f"{here}.requests", check_reference, errors, key=str)
        _check_configuration(configuration, here, errors)

    requests = claim.get("requests") or ()
    check_short(requests, _REQUESTS_MAX, f"{path}.requests", _check_request, errors, key=_name_of)
    constraints = claim.get("constraints") or ()
    check_short(constraints, _CONSTRAINTS_MAX, f"{path}.constraints", check_constraint, errors)
    configurations = claim.get("config") or ()
    check_short(configurations, _CONFIGURATIONS_MAX, f"{path}.config", check_configuration, errors)


def _check_request(request: JsonObject, path: str, errors: Errors) -> None:
    check_label(_name_of(request), f"{path}.name", errors)
    alternatives: Sequence[JsonObject] = request.get("firstAvailable") or ()
    exact = request.get("exactly")
    told = "exactly one of `exactly` or `firstAvailable` is required"
    if alternatives and exact is not None:
        errors.append(FieldError.invalid(path, None, f"{told}, but multiple fields are set"))
    elif alternatives:
        here = f"{path}.firstAvailable"
        check_short(alternatives, _ALTERNATIVES_MAX, here, _check_alternative, errors, key=_name_of)
    elif exact is not None:
        _check_wanted(exact, f"{path}.exactly", errors)
    else:
        errors.append(FieldError.required(path, told))


def _check_alternative(request: JsonObject, path: str, errors: Errors) -> None:
    check_label(_name_of(request), f"{path}.name", errors)
    _check_wanted(request, path, errors)


def _check_wanted(request: JsonObject, path: str, errors: Errors) -> None:
    if name := request.get("deviceClassName"):
        check_subdomain(name, f"{path}.deviceClassName", errors)
    else:
        errors.append(FieldError.required(f"{path}.deviceClassName"))
    selectors = request.get("selectors") or ()
    check_short(selectors, _SELECTORS_MAX, f"{path}.selectors", _check_selector, errors)
    mode, count = request.get("allocationMode", ""), request.get("count", 0)
    if mode == "All":
        if count:
            told = f"must not be specified when allocationMode is '{mode}'"
            errors.append(FieldError.invalid(f"{path}.count", count, told))
    elif mode == "ExactCount":
        check_positive(count, f"{path}.count", errors)
    else:
        supported = ("All", "ExactCount")
        errors.append(FieldError.not_supported(f"{path}.allocationMode", mode, supported))
    check_tolerations(request.get("tolerations") or (), f"{path}.tolerations", errors)


def _check_selector(selector: JsonObject, path: str, errors: Errors) -> None:
    expression = selector.get("cel")
    if expression is None:
        errors.append(FieldError.required(f"{path}.cel"))
    elif len(expression.get("expression", "").encode()) > _EXPRESSION_BYTES_MAX:
        errors.append(FieldError.too_long(f"{path}.cel.expression", "", _EXPRESSION_BYTES_MAX))


def _check_configuration(configuration: JsonObject, path: str, errors: Errors) -> None:
    opaque = configuration.get("opaque")
    if opaque is None:
        errors.append(FieldError.required(f"{path}.opaque"))
        return
    check_driver_name(opaque.get("driver", ""), f"{path}.opaque.driver", errors)
    check_object(opaque.get("parameters"), f"{path}.opaque.parameters", errors, _PARAMETERS_BYTES_MAX)


# The kinds.


def _create_claim(obj: JsonObject, errors: Errors) -> None:
    _check_claim(obj["spec"].get("devices") or {}, "spec.devices", errors)


def _update_claim(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if subresource:
        check_claim_status(obj, old, _names_of(obj["spec"].get("devices") or {}), errors)


def _check_template(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj["spec"]
    metadata: JsonObject = spec.get("metadata") or {}
    check_template_annotations(metadata.get("annotations") or {}, "spec.metadata.annotations", errors)
    check_labels(metadata.get("labels") or {}, "spec.metadata.labels", errors)
    _check_claim((spec.get("spec") or {}).get("devices") or {}, "spec.spec.devices", errors)


def _check_class(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj["spec"]
    check_short(spec.get("selectors") or (), _SELECTORS_MAX, "spec.selectors", _check_selector, errors)
    configurations = spec.get("config") or ()
    check_short(configurations, _CONFIGURATIONS_MAX, "spec.config", _check_configuration, errors)
    name = spec.get("extendedResourceName")
    if name is not None and not is_extended_resource(name):
        told = "must be a valid extended resource name"
        errors.append(FieldError.invalid("spec.extendedResourceName", name, told))


VALIDATORS = {
    "deviceclasses": same_rules(_check_class),
    "resourceclaims": Validator(_create_claim, _update_claim),
    "resourceclaimtemplates": only_new(_check_template),
}
