"""The API's own questions about access: from the review that was sent to its `status`.

The endpoints decode, call these, and send the object back with the status that they give.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access and
authorization.k8s.io/v1; validation is pkg/apis/authorization/validation.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kajitori.apimachinery.errors import BadRequest, FieldError, invalid
from kajitori.apimachinery.fields import FieldRequirement, parse_field_selector
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import Requirement, parse_label_selector
from kajitori.apimachinery.names import is_label_value, is_qualified_name
from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.authorization.attributes import UNNAMED, Attributes
from kajitori.apiserver.authorization.authorizer import Authorizer, aggregated

__all__ = [
    "local_subject_access_review",
    "self_subject_access_review",
    "self_subject_rules_review",
    "subject_access_review",
]

_AUTHORIZATION = "authorization.k8s.io"
_Check = Callable[[Mapping[str, Any], str], list[FieldError]]


class _Selectors(NamedTuple):
    fields: tuple[FieldRequirement, ...] = ()
    labels: tuple[Requirement, ...] = ()
    ignored: tuple[str, ...] = ()
    """What is told of selectors that could not be read, or not wholly."""


def self_subject_access_review(authorizer: Authorizer, user: User, spec: Mapping[str, Any]) -> JsonObject:
    """The status of a SelfSubjectAccessReview: whether the asking user may.

    Raises: Invalid.
    """
    errors, selectors = _check_attributes(spec)
    if errors:
        raise invalid("", _AUTHORIZATION, "", errors)
    return _status(authorizer, _attributes(user, spec, selectors), selectors.ignored)


def subject_access_review(authorizer: Authorizer, spec: Mapping[str, Any]) -> JsonObject:
    """The status of a SubjectAccessReview: whether the user that `spec` describes may.

    Raises: Invalid.
    """
    errors, selectors = _check_subject(spec)
    if errors:
        raise invalid("", _AUTHORIZATION, "", errors)
    return _status(authorizer, _attributes(_described_user(spec), spec, selectors), selectors.ignored)


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
    return _status(authorizer, _attributes(_described_user(spec), spec, selectors), selectors.ignored)


def self_subject_rules_review(authorizer: Authorizer, user: User, spec: Mapping[str, Any]) -> JsonObject:
    """The status of a SelfSubjectRulesReview: the rules that apply to the asking user in a namespace.

    Raises: BadRequest when no namespace is named.
    """
    namespace = spec.get("namespace", "")
    if not namespace:
        raise BadRequest("no namespace on request")
    held = authorizer.held(user, namespace)
    resources: list[JsonObject] = []
    paths: list[JsonObject] = []
    for each in held.rules:
        if each.resources:
            found = each.to_json()
            found.pop("nonResourceURLs", None)
            resources.append(found)
        if each.non_resource_urls:
            paths.append({"verbs": list(each.verbs), "nonResourceURLs": list(each.non_resource_urls)})
    status: JsonObject = {
        "resourceRules": resources,
        "nonResourceRules": paths,
        "incomplete": held.incomplete,
    }
    if held.errors:
        status["evaluationError"] = aggregated(held.errors)
    return status


def _status(authorizer: Authorizer, attributes: Attributes, ignored: Sequence[str]) -> JsonObject:
    decision = authorizer.authorize(attributes)
    status: JsonObject = {"allowed": decision.allowed}
    if decision.denied:
        status["denied"] = True
    if decision.reason:
        status["reason"] = decision.reason
    errors = [decision.error, *ignored] if decision.error else ignored
    if errors:
        status["evaluationError"] = "; ".join(errors)
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
        version=resource.get("version") or "*",
        resource=resource.get("resource", "") or UNNAMED,
        subresource=resource.get("subresource", ""),
        namespace=resource.get("namespace", ""),
        name=resource.get("name", ""),
        field_requirements=selectors.fields,
        label_requirements=selectors.labels,
    )


def _check_subject(spec: Mapping[str, Any]) -> tuple[list[FieldError], _Selectors]:
    errors, selectors = _check_attributes(spec)
    if not spec.get("user") and not spec.get("groups"):
        nobody = FieldError.invalid("spec.user", "", "at least one of user or group must be specified")
        first = next(
            (at for at, each in enumerate(errors) if each.path.startswith("spec.resourceAttributes.")),
            len(errors),
        )
        errors.insert(first, nobody)  # as Kubernetes tells it: before what is wrong within the attributes
    return errors, selectors


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
        return errors, _Selectors()
    where = "spec.resourceAttributes"
    ignored: list[str] = []
    found: list[Any] = []
    for member, check, read in (
        ("fieldSelector", _check_field, _field_requirements),
        ("labelSelector", _check_label, _label_requirements),
    ):
        selector = resource.get(member)
        requirements: tuple[Any, ...] = ()
        if selector is not None:
            errors += _check_selector(selector, f"{where}.{member}", check)
            requirements, whole = read(selector)
            if not whole:
                partially = "partially ignored" if requirements else "ignored"
                ignored.append(f"{where}.{member} {partially} due to parse error")
        found.append(requirements)
    return errors, _Selectors(found[0], found[1], tuple(ignored))


def _field_requirements(selector: Mapping[str, Any]) -> tuple[tuple[FieldRequirement, ...], bool]:
    """What a selector demands, as far as it can be read, and whether that is all of it."""
    if selector.get("rawSelector"):
        try:
            return tuple(parse_field_selector(selector["rawSelector"]).requirements), True
        except ValueError:
            return (), False  # a selector that cannot be read restricts nothing
    requirements = selector.get("requirements") or ()
    found = tuple(
        FieldRequirement(each.get("key", ""), each["operator"] == "In", each["values"][0])
        for each in requirements
        if len(each.get("values") or ()) == 1 and each.get("operator") in ("In", "NotIn")
    )
    return found, len(found) == len(requirements)


_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def _label_requirements(selector: Mapping[str, Any]) -> tuple[tuple[Requirement, ...], bool]:
    if selector.get("rawSelector"):
        try:
            return tuple(parse_label_selector(selector["rawSelector"]).requirements), True
        except ValueError:
            return (), False
    found: list[Requirement] = []
    requirements = selector.get("requirements") or ()
    for each in requirements:
        operator = _OPERATORS.get(each.get("operator", ""))
        if operator is not None:
            found.append(Requirement(each.get("key", ""), operator, tuple(each.get("values") or ())))
    return tuple(found), len(found) == len(requirements)


def _check_selector(selector: Mapping[str, Any], path: str, check: _Check) -> list[FieldError]:
    raw, requirements = selector.get("rawSelector", ""), selector.get("requirements") or ()
    errors: list[FieldError] = []
    if raw and requirements:
        why = "may not specified at the same time as requirements"
        errors.append(FieldError.invalid(f"{path}.rawSelector", raw, why))
    if not raw and not requirements:
        why = f"when {path} is specified, requirements or rawSelector is required"
        errors.append(FieldError.required(f"{path}.requirements", why))
    for index, each in enumerate(requirements):
        errors += check(each, f"{path}.requirements[{index}]")
    return errors


def _check_field(requirement: Mapping[str, Any], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not requirement.get("key"):
        errors.append(FieldError.required(f"{path}.key", "must be specified"))
    return errors + _check_values(requirement, path)


def _check_label(requirement: Mapping[str, Any], path: str) -> list[FieldError]:
    key = requirement.get("key", "")
    errors = _check_values(requirement, path)
    errors += [FieldError.invalid(f"{path}.key", key, why) for why in is_qualified_name(key)]
    for index, value in enumerate(requirement.get("values") or ()):
        errors += [FieldError.invalid(f"{path}.values[{index}]", value, why) for why in is_label_value(value)]
    return errors


def _check_values(requirement: Mapping[str, Any], path: str) -> list[FieldError]:
    """Operators that nobody knows here may be known to whoever asks, and restrict nothing."""
    values: Sequence[str] = requirement.get("values") or ()
    operator = requirement.get("operator", "")
    if operator in ("In", "NotIn") and not values:
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        return [FieldError.required(f"{path}.values", why)]
    if operator in ("Exists", "DoesNotExist") and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return [FieldError.forbidden(f"{path}.values", why)]
    return []


def _shown(path: Mapping[str, Any]) -> JsonObject:
    """Non-resource attributes as Kubernetes shows them in a message: by their Go names."""
    return {"Path": path.get("path", ""), "Verb": path.get("verb", "")}
