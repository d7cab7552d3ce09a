"""The API's own questions about access: from the review that was sent to its `status`.

The endpoints decode, call these, and send the object back with the status that they give.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access and
authorization.k8s.io/v1; validation is pkg/apis/authorization/validation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kajitori.apimachinery.errors import BadRequest, FieldError, invalid
from kajitori.apimachinery.fields import FieldRequirement, parse_field_selector
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import Requirement, parse_label_selector
from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.authorization.attributes import Attributes
from kajitori.apiserver.authorization.rbac import Authorizer

__all__ = [
    "local_subject_access_review",
    "self_subject_access_review",
    "self_subject_rules_review",
    "subject_access_review",
]

_AUTHORIZATION = "authorization.k8s.io"
_Selectors = tuple[tuple[FieldRequirement, ...], tuple[Requirement, ...]]


def self_subject_access_review(authorizer: Authorizer, user: User, spec: Mapping[str, Any]) -> JsonObject:
    """The status of a SelfSubjectAccessReview: whether the asking user may.

    Raises: Invalid.
    """
    errors, selectors = _check_attributes(spec)
    if errors:
        raise invalid("", _AUTHORIZATION, "", errors)
    return _status(authorizer, _attributes(user, spec, selectors))


def subject_access_review(authorizer: Authorizer, spec: Mapping[str, Any]) -> JsonObject:
    """The status of a SubjectAccessReview: whether the user that `spec` describes may.

    Raises: Invalid.
    """
    errors, selectors = _check_subject(spec)
    if errors:
        raise invalid("", _AUTHORIZATION, "", errors)
    return _status(authorizer, _attributes(_described_user(spec), spec, selectors))


def local_subject_access_review(
    authorizer: Authorizer, spec: Mapping[str, Any], *, namespace: str
) -> JsonObject:
    """The status of a LocalSubjectAccessReview in `namespace`.

    Raises: Invalid.
    """
    errors, selectors = _check_subject(spec)
    resource = spec.get("resourceAttributes")
    if resource is not None and resource.get("namespace", "") != namespace:
        where = "spec.resourceAttributes.namespace"
        errors.append(
            FieldError.invalid(where, resource.get("namespace", ""), "must match metadata.namespace")
        )
    path = spec.get("nonResourceAttributes")
    if path is not None:
        errors.append(
            FieldError.invalid(
                "spec.nonResourceAttributes", _shown(path), "disallowed on this kind of request"
            )
        )
    if errors:
        raise invalid("", _AUTHORIZATION, "", errors)
    return _status(authorizer, _attributes(_described_user(spec), spec, selectors))


def self_subject_rules_review(authorizer: Authorizer, user: User, spec: Mapping[str, Any]) -> JsonObject:
    """The status of a SelfSubjectRulesReview: the rules that apply to the asking user in a namespace.

    Raises: BadRequest when no namespace is named.
    """
    namespace = spec.get("namespace", "")
    if not namespace:
        raise BadRequest("no namespace on request")
    rules, errors = authorizer.rules_for(user, namespace)
    resources: list[JsonObject] = []
    paths: list[JsonObject] = []
    for each in rules:
        if each.resources:
            found = each.to_json()
            found.pop("nonResourceURLs", None)
            resources.append(found)
        if each.non_resource_urls:
            paths.append({"verbs": list(each.verbs), "nonResourceURLs": list(each.non_resource_urls)})
    status: JsonObject = {
        "resourceRules": resources,
        "nonResourceRules": paths,
        "incomplete": bool(errors),
    }
    if errors:
        status["evaluationError"] = errors[0] if len(errors) == 1 else "[" + ", ".join(errors) + "]"
    return status


def _status(authorizer: Authorizer, attributes: Attributes) -> JsonObject:
    decision = authorizer.authorize(attributes)
    status: JsonObject = {"allowed": decision.allowed}
    if decision.reason:
        status["reason"] = decision.reason
    return status


def _described_user(spec: Mapping[str, Any]) -> User:
    extra = {key: tuple(values or ()) for key, values in (spec.get("extra") or {}).items()}
    return User(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()), extra)


def _attributes(user: User, spec: Mapping[str, Any], selectors: _Selectors) -> Attributes:
    resource = spec.get("resourceAttributes")
    if resource is None:
        path = spec.get("nonResourceAttributes") or {}
        return Attributes(user=user, verb=path.get("verb", ""), path=path.get("path", ""))
    return Attributes(
        user=user,
        verb=resource.get("verb", ""),
        group=resource.get("group", ""),
        version=resource.get("version", ""),
        # No resource is not a path: a question about "" is about no resource that any rule names.
        resource=resource.get("resource", "") or "\0",
        subresource=resource.get("subresource", ""),
        namespace=resource.get("namespace", ""),
        name=resource.get("name", ""),
        field_requirements=selectors[0],
        label_requirements=selectors[1],
    )


def _check_subject(spec: Mapping[str, Any]) -> tuple[list[FieldError], _Selectors]:
    errors, selectors = _check_attributes(spec)
    if not spec.get("user") and not spec.get("groups"):
        errors.append(FieldError.invalid("spec.user", "", "at least one of user or group must be specified"))
    return errors, selectors


_NO_SELECTORS: _Selectors = ((), ())


def _check_attributes(spec: Mapping[str, Any]) -> tuple[list[FieldError], _Selectors]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    errors: list[FieldError] = []
    if resource is not None and path is not None:
        why = "cannot be specified in combination with resourceAttributes"
        errors.append(FieldError.invalid("spec.nonResourceAttributes", _shown(path), why))
    if resource is None and path is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        errors.append(FieldError.invalid("spec.resourceAttributes", None, why))
    if resource is None:
        return errors, _NO_SELECTORS
    where = "spec.resourceAttributes"
    fields, wrong = _field_requirements(resource.get("fieldSelector"), f"{where}.fieldSelector")
    labels, also_wrong = _label_requirements(resource.get("labelSelector"), f"{where}.labelSelector")
    return [*errors, *wrong, *also_wrong], (fields, labels)


def _field_requirements(
    selector: Mapping[str, Any] | None, path: str
) -> tuple[tuple[FieldRequirement, ...], list[FieldError]]:
    if selector is None:
        return (), []
    errors = _check_selector(selector, path)
    found: list[FieldRequirement] = []
    if selector.get("rawSelector"):
        try:
            return parse_field_selector(selector["rawSelector"]).requirements, errors
        except ValueError:
            return (), errors  # a selector that cannot be read restricts nothing
    for each in selector.get("requirements") or ():
        values: Sequence[str] = each.get("values") or ()
        if len(values) == 1 and each.get("operator") in ("In", "NotIn"):
            found.append(FieldRequirement(each.get("key", ""), each["operator"] == "In", values[0]))
    return tuple(found), errors


def _label_requirements(
    selector: Mapping[str, Any] | None, path: str
) -> tuple[tuple[Requirement, ...], list[FieldError]]:
    if selector is None:
        return (), []
    errors = _check_selector(selector, path)
    if selector.get("rawSelector"):
        try:
            return parse_label_selector(selector["rawSelector"]).requirements, errors
        except ValueError:
            return (), errors
    operators = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
    return tuple(
        Requirement(each.get("key", ""), operators[each["operator"]], tuple(each.get("values") or ()))
        for each in selector.get("requirements") or ()
        if each.get("operator") in operators
    ), errors


def _check_selector(selector: Mapping[str, Any], path: str) -> list[FieldError]:
    raw, requirements = selector.get("rawSelector", ""), selector.get("requirements") or ()
    errors: list[FieldError] = []
    if raw and requirements:
        why = "may not specified at the same time as requirements"
        errors.append(FieldError.invalid(f"{path}.rawSelector", raw, why))
    if not raw and not requirements:
        why = f"when {path} is specified, requirements or rawSelector is required"
        errors.append(FieldError.required(f"{path}.requirements", why))
    for index, each in enumerate(requirements):
        errors += _check_requirement(each, f"{path}.requirements[{index}]")
    return errors


def _check_requirement(requirement: Mapping[str, Any], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    values: Sequence[str] = requirement.get("values") or ()
    operator = requirement.get("operator", "")
    if not requirement.get("key"):
        errors.append(FieldError.required(f"{path}.key", "must be specified"))
    if operator in ("In", "NotIn"):
        if not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(FieldError.required(f"{path}.values", why))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(FieldError.forbidden(f"{path}.values", why))
    else:
        errors.append(FieldError.invalid(f"{path}.operator", operator, "not a valid selector operator"))
    return errors


def _shown(path: Mapping[str, Any]) -> JsonObject:
    """Non-resource attributes as Kubernetes shows them in a message: by their Go names."""
    return {"Path": path.get("path", ""), "Verb": path.get("verb", "")}
