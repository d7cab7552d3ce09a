"""What policies and policy servers must satisfy beyond their schemas.

Called by admission where the API server has ours, and by the reconciler everywhere, so that a policy that slipped in on
another API server is reported instead of activated. Objects are taken as JSON, after defaulting.

Promises
    V1  every complaint names its field by the path a user writes
    V2  a policy of a namespace may not match everything, nor the reports of policies

Source: the validating webhooks of Kubewarden's controller.
"""

import re
from collections.abc import Sequence
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import parse_quantity
from kajitori.apis.policies_v1.expressions import ExpressionProblem, check_expression
from kajitori.apis.policies_v1.names import is_cluster_wide, is_group
from kajitori.apis.validation.admission_expressions import Expressions
from kajitori.apis.validation.admission_rules import check_match_conditions

__all__ = ["CAPABILITIES", "validate_policy", "validate_policy_server"]

CAPABILITIES = (
    "crypto/v1/is_certificate_trusted",
    "kubernetes/can_i",
    "kubernetes/get_resource",
    "kubernetes/list_resources_all",
    "kubernetes/list_resources_by_namespace",
    "net/v1/dns_lookup_host",
    "oci/v1/manifest_digest",
    "oci/v1/oci_manifest",
    "oci/v1/oci_manifest_config",
    "oci/v1/verify",
    "oci/v2/verify",
)
"""What a policy may ask of its host, apart from logging."""

_SENSITIVE = (("wgpolicyk8s.io", "policyreports"), ("openreports.io", "reports"))
_SERVER_NAME_LENGTH_MAX = 63
_is_identifier = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*").fullmatch
_RESERVED = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
        *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)


def validate_policy(policy: JsonObject) -> list[FieldError]:
    """Complaints about a policy, or a group of them."""
    spec: JsonObject = policy.get("spec") or {}
    errors = _check_rules(spec.get("rules") or (), cluster_wide=is_cluster_wide(policy))
    check_match_conditions(spec.get("matchConditions") or (), "spec.matchConditions", errors, Expressions())
    errors += _check_group(spec) if is_group(policy) else _check_timeouts(spec)
    return errors


def _check_rules(rules: Sequence[JsonObject], *, cluster_wide: bool) -> list[FieldError]:
    if not rules:
        return [FieldError.required("spec.rules", "a value must be specified")]
    errors: list[FieldError] = []
    for rule in rules:
        versions, resources = rule.get("apiVersions") or (), rule.get("resources") or ()
        if not rule.get("operations"):
            errors.append(FieldError.required("spec.rules.operations", "a value must be specified"))
        elif not versions or not resources:
            why = "apiVersions and resources must have specified values"
            errors.append(FieldError.required("spec.rules", why))
        else:
            for member in ("operations", "apiVersions", "resources"):
                path = f"spec.rules.{member}" if member == "operations" else f"spec.rules.rule.{member}"
                errors += [
                    FieldError.required(f"{path}[{index}]", "must be non-empty")
                    for index, each in enumerate(rule[member])
                    if not each
                ]
            if not cluster_wide:
                errors += _check_reach(rule.get("apiGroups") or (), resources)
    return errors


def _check_reach(groups: Sequence[str], resources: Sequence[str]) -> list[FieldError]:
    """What a policy of one namespace may not match."""
    errors: list[FieldError] = []
    all_resources = [index for index, each in enumerate(resources) if each in ("*", "*/*")]
    if "*" in groups and all_resources:
        why = "cannot use wildcards when using AdmissionPolicy or AdmissionPolicyGroup"
        errors += [
            FieldError.forbidden(f"spec.rules.apiGroups[{list(groups).index('*')}]", f"apiGroups {why}"),
            FieldError.forbidden(f"spec.rules.resources[{all_resources[0]}]", f"resources {why}"),
        ]
    for group, resource in _SENSITIVE:
        if (group in groups or "*" in groups) and (
            all_resources or any(each == resource or each.startswith(f"{resource}/") for each in resources)
        ):
            why = (
                f"{{APIGroup: {group}, Resource: {resource}}} resources cannot be targeted by AdmissionPolicy or "
                "AdmissionPolicyGroup"
            )
            errors.append(FieldError.forbidden("spec.rules", why))
    return errors


def _check_timeouts(spec: JsonObject) -> list[FieldError]:
    evaluation, whole = spec.get("timeoutEvalSeconds"), spec.get("timeoutSeconds")
    if evaluation is not None and whole is not None and evaluation > whole:
        why = f"timeoutEvalSeconds cannot be greater than timeoutSeconds ({whole})"
        return [FieldError.invalid("spec.timeoutEvalSeconds", evaluation, why)]
    return []


def _check_group(spec: JsonObject) -> list[FieldError]:
    members: JsonObject = spec.get("policies") or {}
    errors: list[FieldError] = []
    if not members:
        why = "policy groups must have at least one policy member"
        errors.append(FieldError.required("spec.policies", why))
    errors += [
        FieldError.invalid("spec.policies", name, "policy group member name is invalid")
        for name in members
        if name in _RESERVED or not _is_identifier(name)
    ]
    errors += _check_group_timeouts(members, spec.get("timeoutSeconds"))
    expression = spec.get("expression") or ""
    if not expression:
        errors.append(FieldError.required("spec.expression", "must be non-empty"))
    elif not errors:
        try:
            check_expression(expression, members)
        except ExpressionProblem as problem:
            errors.append(FieldError.invalid("spec.expression", expression, str(problem)))
    if not spec.get("message"):
        errors.append(FieldError.required("spec.message", "must be non-empty"))
    return errors


def _check_group_timeouts(members: JsonObject, whole: int | None) -> list[FieldError]:
    if whole is None:
        return []
    errors: list[FieldError] = []
    given = {
        name: each["timeoutEvalSeconds"] for name, each in members.items() if each.get("timeoutEvalSeconds")
    }
    for name, seconds in given.items():
        if seconds > whole:
            why = f"timeoutEvalSeconds cannot be greater than group timeoutSeconds ({whole})"
            errors.append(FieldError.invalid(f"spec.policies[{name}].timeoutEvalSeconds", seconds, why))
    if sum(given.values()) > whole:
        why = f"the sum of all members' timeoutEvalSeconds cannot be greater than group timeoutSeconds ({whole})"
        errors.append(FieldError.invalid("spec.policies", sum(given.values()), why))
    return errors


def validate_policy_server(server: JsonObject) -> list[FieldError]:
    """Complaints about a policy server."""
    spec: JsonObject = server.get("spec") or {}
    name = server["metadata"].get("name") or ""
    errors: list[FieldError] = []
    if len(name) > _SERVER_NAME_LENGTH_MAX:
        why = f"the PolicyServer name cannot be longer than {_SERVER_NAME_LENGTH_MAX} characters"
        errors.append(FieldError.invalid("metadata.name", name, why))
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        given = f"minAvailable: {least}, maxUnavailable: {most}"
        why = "minAvailable and maxUnavailable cannot be both set"
        errors.append(FieldError.invalid("spec", given, why))
    errors += _check_amounts(spec.get("limits") or {}, spec.get("requests") or {})
    for index, pattern in enumerate(spec.get("namespacedPoliciesCapabilities") or ()):
        if not _is_pattern(pattern):
            path = f"spec.namespacedPoliciesCapabilities[{index}]"
            known = f"use *, category/*, category/version/*, or one of {', '.join(CAPABILITIES)}"
            errors.append(FieldError.invalid(path, pattern, known))
    return errors


def _check_amounts(limits: JsonObject, requests: JsonObject) -> list[FieldError]:
    negative = "must be greater than or equal to 0"
    errors = [
        FieldError.invalid(f"spec.limits.{name}", str(amount), negative)
        for name, amount in limits.items()
        if parse_quantity(str(amount)) < parse_quantity("0")
    ]
    for name, amount in requests.items():
        path = f"spec.requests.{name}"
        if parse_quantity(str(amount)) < parse_quantity("0"):
            errors.append(FieldError.invalid(path, str(amount), negative))
        if name in limits and parse_quantity(str(amount)) > parse_quantity(str(limits[name])):
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            errors.append(FieldError.invalid(path, str(amount), why))
    return errors


def _is_pattern(pattern: Any) -> bool:
    if pattern == "*" or pattern in CAPABILITIES:
        return True
    return (
        str(pattern).endswith("/*")
        and "*" not in pattern[:-1]
        and any(each.startswith(pattern[:-1]) for each in CAPABILITIES)
    )
