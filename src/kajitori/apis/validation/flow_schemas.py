"""FlowSchemas: which requests belong together.

Source: pkg/apis/flowcontrol/validation, and the mandatory objects of its bootstrap package.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import (
    Errors,
    check_namespace,
    check_subdomain,
)
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.validator import Validator

__all__ = ["VALIDATORS", "check_condition_types"]

_METHODS = ("ByNamespace", "ByUser")
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
_SUBJECTS = {"ServiceAccount": "serviceAccount", "User": "user", "Group": "group"}
_PRECEDENCE_MAX = 10000


def _everything(groups: Sequence[str]) -> list[JsonObject]:
    return [
        {
            "subjects": [{"kind": "Group", "group": {"name": each}} for each in groups],
            "resourceRules": [
                {
                    "verbs": ["*"],
                    "apiGroups": ["*"],
                    "resources": ["*"],
                    "clusterScope": True,
                    "namespaces": ["*"],
                }
            ],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
        }
    ]


_MANDATORY_SCHEMAS: dict[str, JsonObject] = {
    "catch-all": {
        "priorityLevelConfiguration": {"name": "catch-all"},
        "matchingPrecedence": 10000,
        "distinguisherMethod": {"type": "ByUser"},
        "rules": _everything(["system:unauthenticated", "system:authenticated"]),
    },
    "exempt": {
        "priorityLevelConfiguration": {"name": "exempt"},
        "matchingPrecedence": 1,
        "rules": _everything(["system:masters"]),
    },
}


def _check_schema(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj["spec"]
    name: str = obj["metadata"].get("name", "")
    precedence, path = spec.get("matchingPrecedence", 0), "spec.matchingPrecedence"
    if precedence <= 0:
        errors.append(FieldError.invalid(path, precedence, "must be a positive value"))
    if precedence > _PRECEDENCE_MAX:
        told = f"must not be greater than {_PRECEDENCE_MAX}"
        errors.append(FieldError.invalid(path, precedence, told))
    if precedence == 1 and name != "exempt":
        told = "only the schema named 'exempt' may have matchingPrecedence 1"
        errors.append(FieldError.invalid(path, precedence, told))
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in _METHODS:
        shown = go_struct("flowcontrol.v1.FlowDistinguisherMethod", method)
        errors.append(FieldError.not_supported("spec.distinguisherMethod.type", shown, _METHODS))
    level = (spec.get("priorityLevelConfiguration") or {}).get("name")
    path = "spec.priorityLevelConfiguration.name"
    if level:
        check_subdomain(level, path, errors)
    else:
        errors.append(FieldError.required(path, "must reference a priority level"))
    for index, rule in enumerate(spec.get("rules") or ()):
        _check_rule(rule, f"spec.rules[{index}]", errors)
    mandatory = _MANDATORY_SCHEMAS.get(name)
    if mandatory is not None and spec != mandatory:
        shown = go_struct("flowcontrol.v1.FlowSchemaSpec", spec)
        told = f"spec of '{name}' must equal the fixed value"
        errors.append(FieldError.invalid("spec", shown, told))
    check_condition_types(obj, errors)


def _check_rule(rule: JsonObject, path: str, errors: Errors) -> None:
    if not rule.get("subjects"):
        told = "subjects must contain at least one value"
        errors.append(FieldError.required(f"{path}.subjects", told))
    for index, subject in enumerate(rule.get("subjects") or ()):
        _check_subject(subject, f"{path}.subjects[{index}]", errors)
    if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
        told = "at least one of resourceRules and nonResourceRules has to be non-empty"
        errors.append(FieldError.required(path, told))
    for index, each in enumerate(rule.get("resourceRules") or ()):
        _check_resource_rule(each, f"{path}.resourceRules[{index}]", errors)
    for index, each in enumerate(rule.get("nonResourceRules") or ()):
        here = f"{path}.nonResourceRules[{index}]"
        _check_verbs(each.get("verbs"), f"{here}.verbs", errors)
        _check_urls(each.get("nonResourceURLs"), f"{here}.nonResourceURLs", errors)


def _check_subject(subject: JsonObject, path: str, errors: Errors) -> None:
    kind = subject.get("kind", "")
    if kind not in _SUBJECTS:
        errors.append(FieldError.not_supported(f"{path}.kind", kind, sorted(_SUBJECTS)))
        return
    own, here = subject.get(_SUBJECTS[kind]), f"{path}.{_SUBJECTS[kind]}"
    if own is None:
        told = f"{_SUBJECTS[kind]} is required when subject kind is '{kind}'"
        errors.append(FieldError.required(here, told))
    else:
        name = own.get("name")
        if not name:
            errors.append(FieldError.required(f"{here}.name"))
        if kind == "ServiceAccount":
            if name and name != "*":
                check_subdomain(name, f"{here}.name", errors)
            if namespace := own.get("namespace"):
                check_namespace(namespace, f"{here}.namespace", errors)
            else:
                told = "must specify namespace for service account"
                errors.append(FieldError.required(f"{here}.namespace", told))
    for other, member in _SUBJECTS.items():
        if other != kind and member in subject:
            told = f"{member} is forbidden when subject kind is not '{other}'"
            errors.append(FieldError.forbidden(f"{path}.{member}", told))


def _check_verbs(verbs: Sequence[str] | None, path: str, errors: Errors) -> None:
    if not verbs:
        errors.append(FieldError.required(path, "verbs must contain at least one value"))
    elif "*" in verbs:
        _check_alone(verbs, "verbs", path, errors)
    elif not set(verbs) <= set(_VERBS):
        errors.append(FieldError.not_supported(path, verbs, _VERBS))


def _check_alone(listed: Sequence[str], what: str, path: str, errors: Errors) -> None:
    """An asterisk means everything, so nothing else is said."""
    if len(listed) > 1 and "*" in listed:
        told = f"if '*' is present, must not specify other {what}"
        errors.append(FieldError.invalid(path, listed, told))


def _check_resource_rule(rule: JsonObject, path: str, errors: Errors) -> None:
    _check_verbs(rule.get("verbs"), f"{path}.verbs", errors)
    for member, one, many in (
        ("apiGroups", "api group", "api groups"),
        ("resources", "resource", "resources"),
    ):
        listed: Sequence[str] = rule.get(member) or ()
        if not listed:
            told = f"resource rules must supply at least one {one}"
            errors.append(FieldError.required(f"{path}.{member}", told))
        _check_alone(listed, many, f"{path}.{member}", errors)
    namespaces: Sequence[str] = rule.get("namespaces") or ()
    here = f"{path}.namespaces"
    if not namespaces and not rule.get("clusterScope"):
        told = "resource rules that are not cluster scoped must supply at least one namespace"
        errors.append(FieldError.required(here, told))
    elif "*" in namespaces:
        _check_alone(namespaces, "namespaces", here, errors)
    else:
        for index, namespace in enumerate(namespaces):
            found: Errors = []
            check_namespace(namespace, f"{here}[{index}]", found)
            told = "each member of this list must be '*' or a DNS-1123 label; "
            errors += [FieldError.invalid(each.path, each.value, told + each.detail) for each in found]


def _check_urls(urls: Sequence[str] | None, path: str, errors: Errors) -> None:
    if not urls:
        told = "nonResourceURLs must contain at least one value"
        errors.append(FieldError.required(path, told))
    elif "*" in urls:
        _check_alone(urls, "non-resource URLs", path, errors)
    else:
        for index, url in enumerate(urls):
            if problem := _url_problem(url):
                errors.append(FieldError.invalid(f"{path}[{index}]", url, problem))


def _url_problem(url: str) -> str:
    if not url:
        return "must not be empty"
    if url == "/":
        return ""
    if not url.startswith("/"):
        return "must start with slash"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slash"
    stars = url.count("*")
    if stars > 1 or (stars == 1 and not url.endswith("/*")):
        return "wildcard can only do suffix matching"
    return ""


def check_condition_types(obj: JsonObject, errors: Errors) -> None:
    """The conditions of an object of flow control: each type once."""
    seen: set[str] = set()
    for index, condition in enumerate((obj.get("status") or {}).get("conditions") or ()):
        path, kind = f"status.conditions[{index}].type", condition.get("type", "")
        if kind in seen:
            errors.append(FieldError.duplicate(path, kind))
        seen.add(kind)
        if not kind:
            errors.append(FieldError.required(path, "must not be empty"))


def _update(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    (check_condition_types if subresource else _check_schema)(obj, errors)


VALIDATORS = {"flowschemas": Validator(_check_schema, _update)}
