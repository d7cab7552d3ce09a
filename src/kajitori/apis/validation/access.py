"""Roles and bindings.

Source: pkg/apis/rbac/validation.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import selector_from_object
from kajitori.apimachinery.validation import name_is_path_segment
from kajitori.apis.validation.checks import (
    Errors,
    check_each,
    check_label_selector,
    check_subdomain,
)
from kajitori.apis.validation.validator import CreateCheck, same_rules

__all__ = ["VALIDATORS"]

_GROUP = "rbac.authorization.k8s.io"
_GROUPS = (_GROUP,)
_SUBJECT_KINDS = ("ServiceAccount", "User", "Group")


def _check_rules(obj: JsonObject, errors: Errors, *, namespaced: bool) -> None:
    for index, rule in enumerate(obj.get("rules") or ()):
        path = f"rules[{index}]"
        resources, groups = rule.get("resources"), rule.get("apiGroups")
        if not rule.get("verbs"):
            errors.append(FieldError.required(f"{path}.verbs", "verbs must contain at least one value"))
        if urls := rule.get("nonResourceURLs"):
            _check_urls(urls, rule, f"{path}.nonResourceURLs", errors, namespaced)
            continue
        if not groups:
            told = "resource rules must supply at least one api group"
            errors.append(FieldError.required(f"{path}.apiGroups", told))
        if not resources:
            told = "resource rules must supply at least one resource"
            errors.append(FieldError.required(f"{path}.resources", told))


def _check_urls(urls: Sequence[str], rule: JsonObject, path: str, errors: Errors, namespaced: bool) -> None:
    if namespaced:
        told = "namespaced rules cannot apply to non-resource URLs"
        errors.append(FieldError.invalid(path, urls, told))
    if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
        told = "rules cannot apply to both regular resources and non-resource URLs"
        errors.append(FieldError.invalid(path, urls, told))


def _check_role(obj: JsonObject, errors: Errors) -> None:
    _check_rules(obj, errors, namespaced=True)


def _check_cluster_role(obj: JsonObject, errors: Errors) -> None:
    _check_rules(obj, errors, namespaced=False)
    aggregation = obj.get("aggregationRule")
    if aggregation is None:
        return
    path = "aggregationRule.clusterRoleSelectors"
    selectors: Sequence[JsonObject] = aggregation.get("clusterRoleSelectors") or ()
    if not selectors:
        told = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        errors.append(FieldError.required(path, told))
    for index, selector in enumerate(selectors):
        check_label_selector(selector, f"{path}[{index}]", errors)
        try:
            selector_from_object(selector)
        except ValueError:
            errors.append(FieldError.invalid(f"{path}[{index}]", None, "invalid label selector."))


def _binding_check(*, namespaced: bool) -> CreateCheck:
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)

    def check(obj: JsonObject, errors: Errors) -> None:
        reference: JsonObject = obj.get("roleRef") or {}
        group, kind, name = (reference.get(member, "") for member in ("apiGroup", "kind", "name"))
        if group != _GROUP:
            errors.append(FieldError.not_supported("roleRef.apiGroup", group, _GROUPS))
        if kind not in kinds:
            errors.append(FieldError.not_supported("roleRef.kind", kind, kinds))
        if name:
            check_each(name, "roleRef.name", name_is_path_segment, errors)
        else:
            errors.append(FieldError.required("roleRef.name"))
        for index, subject in enumerate(obj.get("subjects") or ()):
            _check_subject(subject, f"subjects[{index}]", errors, namespaced)

    return check


def _check_subject(subject: JsonObject, path: str, errors: Errors, namespaced: bool) -> None:
    kind, name, group = (subject.get(member, "") for member in ("kind", "name", "apiGroup"))
    if not name:
        errors.append(FieldError.required(f"{path}.name"))
    if kind == "ServiceAccount":
        if name:
            check_subdomain(name, f"{path}.name", errors)
        if group:
            errors.append(FieldError.not_supported(f"{path}.apiGroup", group, ("",)))
        if not namespaced and not subject.get("namespace"):
            errors.append(FieldError.required(f"{path}.namespace"))
    elif kind in _SUBJECT_KINDS:
        if group != _GROUP:
            errors.append(FieldError.not_supported(f"{path}.apiGroup", group, _GROUPS))
    else:
        errors.append(FieldError.not_supported(f"{path}.kind", kind, _SUBJECT_KINDS))


VALIDATORS = {
    "clusterrolebindings": same_rules(_binding_check(namespaced=False)),
    "clusterroles": same_rules(_check_cluster_role),
    "rolebindings": same_rules(_binding_check(namespaced=True)),
    "roles": same_rules(_check_role),
}
