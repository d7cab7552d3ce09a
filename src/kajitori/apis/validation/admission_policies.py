"""Policies of admission and their bindings, validating and mutating.

Source: validateValidatingAdmissionPolicySpec and its relatives in pkg/apis/admissionregistration/validation.
"""

import re
from collections.abc import Sequence

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import is_dns1035_label, is_dns1123_subdomain, name_is_path_segment
from kajitori.apis.validation.admission_expressions import Expressions, stored_texts
from kajitori.apis.validation.admission_rules import (
    FAILURE_POLICIES,
    REINVOCATION_POLICIES,
    check_match_conditions,
    check_match_resources,
)
from kajitori.apis.validation.checks import (
    Errors,
    check_each,
    check_enum,
    check_given_enum,
    check_label_selector,
    check_qualified_name,
    check_required_enum,
    check_subdomain,
)
from kajitori.apis.validation.conditions import check_conditions
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.validator import Validator, same_rules

__all__ = ["VALIDATORS"]

_ANNOTATIONS_MAX = 20
_ANNOTATION_BYTES_MAX = 5 * 1024
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_PATCH_TYPES = ("ApplyConfiguration", "JSONPatch")
_MUTATING_OPERATIONS = ("*", "CONNECT", "CREATE", "UPDATE")
_NOT_FOUND_ACTIONS = ("Deny", "Allow")
_identifier_matches = re.compile(
    "(?!(true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return"
    "|var|void|while)$)[_a-zA-Z][_a-zA-Z0-9]*"
).fullmatch


# What both kinds of policies say.


def _expressions(spec: JsonObject, old: JsonObject | None, *, composed: bool) -> Expressions:
    return Expressions(params="paramKind" in spec, composed=composed, stored=stored_texts(old))


def _check_policy(
    spec: JsonObject,
    old: JsonObject | None,
    expressions: Expressions,
    errors: Errors,
    *,
    mutating: bool = False,
) -> None:
    check_given_enum(spec.get("failurePolicy"), FAILURE_POLICIES, "spec.failurePolicy", errors)
    if "paramKind" in spec:
        _check_param_kind(spec["paramKind"], "spec.paramKind", errors)
    match = spec.get("matchConstraints")
    if match is None:
        errors.append(FieldError.required("spec.matchConstraints"))
    else:
        check_match_resources(match, "spec.matchConstraints", errors)
        if not match.get("resourceRules"):
            errors.append(FieldError.required("spec.matchConstraints.resourceRules"))
        if mutating:
            _check_mutable(match, "spec.matchConstraints", errors)
    if old is None or spec.get("matchConditions") != (old.get("spec") or {}).get("matchConditions"):
        conditions = spec.get("matchConditions") or ()
        check_match_conditions(conditions, "spec.matchConditions", errors, expressions)
    for index, variable in enumerate(spec.get("variables") or ()):
        path, name = f"spec.variables[{index}]", variable.get("name", "")
        if not name.strip():
            errors.append(FieldError.required(f"{path}.name", "name is not specified"))
        elif not _identifier_matches(name):
            errors.append(FieldError.invalid(f"{path}.name", name, "must be a valid CEL identifier"))
        if _has_expression(variable, path, errors):
            expressions.variable(variable, f"{path}.expression", errors)


def _has_expression(holder: JsonObject, path: str, errors: Errors) -> bool:
    if holder.get("expression", "").strip():
        return True
    errors.append(FieldError.required(f"{path}.expression", "expression is not specified"))
    return False


def _check_param_kind(kind: JsonObject, path: str, errors: Errors) -> None:
    here, text, name = f"{path}.apiVersion", kind.get("apiVersion", ""), kind.get("kind", "")
    group, _, version = text.rpartition("/")
    if not text:
        errors.append(FieldError.required(here))
    elif "/" in group:
        errors.append(FieldError.invalid(here, text, f"unexpected GroupVersion string: {text}"))
    else:
        if group and (problems := is_dns1123_subdomain(group)):
            errors.append(FieldError.invalid(here, group, ",".join(problems)))
        if not version:
            errors.append(FieldError.invalid(here, text, "version must be specified"))
        elif problems := is_dns1035_label(version):
            errors.append(FieldError.invalid(here, version, ",".join(problems)))
    if not name:
        errors.append(FieldError.required(f"{path}.kind"))
    elif problems := is_dns1035_label(name.lower()):
        told = f"may have mixed case, but should otherwise match: {','.join(problems)}"
        errors.append(FieldError.invalid(f"{path}.kind", name, told))


# Validating policies.


def _check_validating(obj: JsonObject, errors: Errors, old: JsonObject | None = None) -> None:
    spec: JsonObject = obj["spec"]
    expressions = _expressions(spec, old, composed=bool(spec.get("variables")))
    _check_policy(spec, old, expressions, errors)
    validations: Sequence[JsonObject] = spec.get("validations") or ()
    annotations: Sequence[JsonObject] = spec.get("auditAnnotations") or ()
    if not validations and not annotations:
        told = "validations or auditAnnotations must contain at least one item"
        errors.append(FieldError.required("spec.validations", told))
        errors.append(FieldError.required("spec.auditAnnotations", told))
    for index, validation in enumerate(validations):
        _check_validation(validation, f"spec.validations[{index}]", expressions, errors)
    if len(annotations) > _ANNOTATIONS_MAX:
        shown = [go_struct("admissionregistration.v1.AuditAnnotation", each) for each in annotations]
        told = f"must not have more than {_ANNOTATIONS_MAX} auditAnnotations"
        errors.append(FieldError.invalid("spec.auditAnnotations", shown, told))
    keys: set[str] = set()
    for index, annotation in enumerate(annotations):
        path, key = f"spec.auditAnnotations[{index}]", annotation.get("key", "")
        _check_annotation(annotation, obj["metadata"].get("name", ""), path, expressions, errors)
        if key in keys:
            errors.append(FieldError.duplicate(f"{path}.key", key))
        keys.add(key)


def _check_validation(validation: JsonObject, path: str, expressions: Expressions, errors: Errors) -> None:
    if _has_expression(validation, path, errors):
        expressions.check(validation["expression"], f"{path}.expression", errors, ("bool",))
    for member in ("messageExpression", "message"):
        text: str = validation.get(member, "")
        if text and not text.strip():
            told = "must be non-empty if specified"
            errors.append(FieldError.invalid(f"{path}.{member}", text, told))
        elif text and member == "messageExpression":
            expressions.check(text, f"{path}.{member}", errors, ("string",), authorizer=False)
        elif member == "message" and any(each in text.strip() for each in "\r\n"):
            errors.append(FieldError.invalid(f"{path}.message", text, "must not contain line breaks"))
    if "reason" in validation:
        check_enum(validation["reason"], _REASONS, f"{path}.reason", errors)


def _check_annotation(
    annotation: JsonObject, name: str, path: str, expressions: Expressions, errors: Errors
) -> None:
    key, expression = annotation.get("key", ""), annotation.get("valueExpression", "").strip()
    if name:
        check_qualified_name(f"{name}/{key}", f"{path}.key", errors)
    else:
        errors.append(FieldError.invalid(f"{path}.key", key, "requires metadata.name be non-empty"))
    here = f"{path}.valueExpression"
    if not expression:
        errors.append(FieldError.required(here, "valueExpression is not specified"))
    elif len(expression.encode()) > _ANNOTATION_BYTES_MAX:
        told = f"must not exceed {_ANNOTATION_BYTES_MAX} bytes in length"
        errors.append(FieldError.required(here, told))
    else:
        written = annotation["valueExpression"]
        expressions.check(expression, here, errors, ("string", "null"), shown=written)


def _update_validating(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    if not subresource:
        _check_validating(obj, errors, old)
        return
    status: JsonObject = obj["status"]
    warnings: Sequence[JsonObject] = (status.get("typeChecking") or {}).get("expressionWarnings") or ()
    for index, warning in enumerate(warnings):
        path = f"status.typeChecking.expressionWarnings[{index}]"
        if not warning.get("warning"):
            errors.append(FieldError.required(f"{path}.warning"))
        if not warning.get("fieldRef", "").strip():
            errors.append(FieldError.required(f"{path}.fieldRef"))
    check_conditions(status.get("conditions") or (), "status.conditions", errors)


# Mutating policies.


def _check_mutating(obj: JsonObject, errors: Errors, old: JsonObject | None = None) -> None:
    spec: JsonObject = obj["spec"]
    expressions = _expressions(spec, old, composed=True)
    _check_policy(spec, old, expressions, errors, mutating=True)
    if not spec.get("mutations"):
        told = "mutations must contain at least one item"
        errors.append(FieldError.required("spec.mutations", told))
    for index, mutation in enumerate(spec.get("mutations") or ()):
        _check_mutation(mutation, f"spec.mutations[{index}]", expressions, errors)
    reinvocation = spec.get("reinvocationPolicy")
    check_required_enum(reinvocation, REINVOCATION_POLICIES, "spec.reinvocationPolicy", errors)


def _update_mutating(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
    _check_mutating(obj, errors, old)


def _check_mutable(match: JsonObject | None, path: str, errors: Errors) -> None:
    """What is deleted cannot be changed."""
    for rule in (match or {}).get("resourceRules") or ():
        for operation in rule.get("operations") or ():
            check_enum(operation, _MUTATING_OPERATIONS, f"{path}.resourceRules.operations", errors)


def _check_mutation(mutation: JsonObject, path: str, expressions: Expressions, errors: Errors) -> None:
    kind = mutation.get("patchType", "")
    if not kind:
        errors.append(FieldError.required(f"{path}.patchType"))
        return
    if kind not in _PATCH_TYPES:
        errors.append(FieldError.not_supported(f"{path}.patchType", kind, _PATCH_TYPES))
        return
    members = ("jsonPatch", "applyConfiguration")
    own, other = members if kind == "JSONPatch" else reversed(members)
    if mutation.get(own) is None:
        told = f"must be specified when patchType is {kind}"
        errors.append(FieldError.required(f"{path}.{own}", told))
    elif text := mutation[own].get("expression", "").strip():
        wanted = "patches" if kind == "JSONPatch" else "object"
        expressions.check(text, f"{path}.{own}.expression", errors, (wanted,), patches=True)
    else:
        errors.append(FieldError.required(f"{path}.{own}.expression"))
    if mutation.get(other) is not None:
        told = f"must not be specified when patchType is {kind}"
        errors.append(FieldError.invalid(f"{path}.{other}", f"{{{other}}}", told))


# Bindings.


def _check_binding(obj: JsonObject, errors: Errors) -> None:
    spec: JsonObject = obj["spec"]
    if name := spec.get("policyName"):
        check_subdomain(name, "spec.policyName", errors)
    else:
        errors.append(FieldError.required("spec.policyName"))
    if "paramRef" in spec:
        _check_param_reference(spec["paramRef"], "spec.paramRef", errors)
    if "matchResources" in spec:
        check_match_resources(spec["matchResources"], "spec.matchResources", errors)


def _check_param_reference(reference: JsonObject, path: str, errors: Errors) -> None:
    name, selector = reference.get("name", ""), reference.get("selector")
    check_each(name, f"{path}.name", name_is_path_segment, errors)
    check_label_selector(selector, f"{path}.selector", errors)
    if name and selector is not None:
        told = "name and selector are mutually exclusive"
        errors += [FieldError.forbidden(f"{path}.{member}", told) for member in ("name", "selector")]
    elif not name and selector is None:
        errors.append(FieldError.required(path, "one of name or selector must be specified"))
    action = reference.get("parameterNotFoundAction")
    check_required_enum(action, _NOT_FOUND_ACTIONS, f"{path}.parameterNotFoundAction", errors)


def _check_validating_binding(obj: JsonObject, errors: Errors) -> None:
    _check_binding(obj, errors)
    actions: Sequence[str] = obj["spec"].get("validationActions") or ()
    path = "spec.validationActions"
    for index, action in enumerate(actions):
        check_enum(action, _ACTIONS, f"{path}[{index}]", errors)
        if action in actions[:index]:
            errors.append(FieldError.duplicate(f"{path}[{index}]", action))
    if "Deny" in actions and "Warn" in actions:
        told = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the "
            "API response and headers serves no purpose)"
        )
        errors.append(FieldError.invalid(path, actions, told))
    if not actions:
        errors.append(FieldError.required(path, "at least one validation action is required"))


def _check_mutating_binding(obj: JsonObject, errors: Errors) -> None:
    _check_binding(obj, errors)
    _check_mutable(obj["spec"].get("matchResources"), "spec.matchResources", errors)


VALIDATORS = {
    "mutatingadmissionpolicies": Validator(_check_mutating, _update_mutating),
    "mutatingadmissionpolicybindings": same_rules(_check_mutating_binding),
    "validatingadmissionpolicies": Validator(_check_validating, _update_validating),
    "validatingadmissionpolicybindings": same_rules(_check_validating_binding),
}
