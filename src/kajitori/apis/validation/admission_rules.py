"""Which requests a webhook or a policy of admission is about.

Source: validateRuleWithOperations, validateMatchResources and validateMatchConditions in
pkg/apis/admissionregistration/validation.
"""

from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import name_is_path_segment
from kajitori.apis.validation.admission_expressions import Expressions
from kajitori.apis.validation.checks import (
    Errors,
    check_each,
    check_enum,
    check_given_enum,
    check_label_selector,
    check_qualified_name,
)

__all__ = [
    "FAILURE_POLICIES",
    "MATCH_POLICIES",
    "REINVOCATION_POLICIES",
    "check_match_conditions",
    "check_match_resources",
    "check_rule",
]

FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
REINVOCATION_POLICIES = ("IfNeeded", "Never")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_CONDITIONS_MAX = 64


def check_rule(rule: JsonObject, path: str, errors: Errors) -> None:
    """A RuleWithOperations."""
    operations: Sequence[str] = rule.get("operations") or ()
    _check_listed(operations, "operations", f"{path}.operations", errors)
    for index, operation in enumerate(operations):
        check_enum(operation, _OPERATIONS, f"{path}.operations[{index}]", errors)
    _check_listed(rule.get("apiGroups") or (), "API groups", f"{path}.apiGroups", errors)
    versions: Sequence[str] = rule.get("apiVersions") or ()
    _check_listed(versions, "API versions", f"{path}.apiVersions", errors)
    errors += [
        FieldError.required(f"{path}.apiVersions[{index}]")
        for index, version in enumerate(versions)
        if not version
    ]
    _check_resources(rule.get("resources") or (), f"{path}.resources", errors)
    if "scope" in rule:
        check_enum(rule["scope"], _SCOPES, f"{path}.scope", errors)


def _check_listed(listed: Sequence[str], what: str, path: str, errors: Errors) -> None:
    """At least one; and nothing beside an asterisk, which means everything."""
    if not listed:
        errors.append(FieldError.required(path))
    elif len(listed) > 1 and "*" in listed:
        told = f"if '*' is present, must not specify other {what}"
        errors.append(FieldError.invalid(path, listed, told))


def _check_resources(resources: Sequence[str], path: str, errors: Errors) -> None:
    if not resources:
        errors.append(FieldError.required(path))
    all_below: set[str] = set()
    all_above: set[str] = set()
    plain = False
    for index, resource in enumerate(resources):
        here = f"{path}[{index}]"
        if not resource:
            errors.append(FieldError.required(here))
            continue
        name, slash, subresource = resource.partition("/")
        if not slash:
            plain = name != "*"
            continue
        for covered, pattern in (
            (name in all_below, f"{name}/*"),
            (subresource in all_above, f"*/{subresource}"),
        ):
            if covered:
                told = f"if '{pattern}' is present, must not specify {resource}"
                errors.append(FieldError.invalid(here, resource, told))
        if subresource == "*":
            all_below.add(name)
        if name == "*":
            all_above.add(subresource)
    if len(resources) > 1 and "*/*" in resources:
        told = "if '*/*' is present, must not specify other resources"
        errors.append(FieldError.invalid(path, resources, told))
    if plain and "*" in resources:
        told = "if '*' is present, must not specify other resources without subresources"
        errors.append(FieldError.invalid(path, resources, told))


def check_match_resources(match: JsonObject, path: str, errors: Errors) -> None:
    """A MatchResources, of a policy or of its binding."""
    check_given_enum(match.get("matchPolicy"), MATCH_POLICIES, f"{path}.matchPolicy", errors)
    for member in ("namespaceSelector", "objectSelector"):
        if match.get(member) is None:
            errors.append(FieldError.required(f"{path}.{member}"))
        else:
            check_label_selector(match[member], f"{path}.{member}", errors)
    for member in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(match.get(member) or ()):
            here = f"{path}.{member}[{index}]"
            names: Sequence[str] = rule.get("resourceNames") or ()
            for place, name in enumerate(names):
                check_each(name, f"{here}.resourceNames[{place}]", name_is_path_segment, errors)
                if name in names[:place]:
                    errors.append(FieldError.duplicate(f"{here}.resourceNames[{place}]", name))
            check_rule(rule, here, errors)


def check_match_conditions(
    conditions: Sequence[JsonObject], path: str, errors: Errors, expressions: Expressions
) -> None:
    if len(conditions) > _CONDITIONS_MAX:
        errors.append(FieldError.too_many(path, len(conditions), _CONDITIONS_MAX))
    names: set[str] = set()
    for index, condition in enumerate(conditions):
        here, name = f"{path}[{index}]", condition.get("name", "")
        if expression := condition.get("expression", "").strip():
            expressions.check(expression, f"{here}.expression", errors, ("bool",), alone=True)
        else:
            errors.append(FieldError.required(f"{here}.expression"))
        if not name:
            errors.append(FieldError.required(f"{here}.name"))
            continue
        check_qualified_name(name, f"{here}.name", errors)
        if name in names:
            errors.append(FieldError.duplicate(f"{here}.name", name))
        names.add(name)
