"""When a Job counts as failed or as done, and when its Pods are replaced.

Source: validatePodFailurePolicy and validateSuccessPolicy in pkg/apis/batch/validation.
"""

from collections.abc import Collection, Sequence

from kajitori.apimachinery.errors import OMITTED, FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors, check_enum, check_not_negative, check_qualified_name
from kajitori.apis.validation.job_indexes import index_problem

__all__ = ["check_failure_policy", "check_replacement_policy", "check_success_policy"]

_RULES_MAX = 20
_CONDITIONS_MAX = 20
_EXIT_CODES_MAX = 255
_INDEXES_BYTES_MAX = 64 * 1024
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")


def _quoted(values: Sequence[str]) -> str:
    return "valid values: [" + " ".join(f'"{each}"' for each in values) + "]"


def _check_choice(value: str, supported: Sequence[str], path: str, errors: Errors) -> None:
    if not value:
        errors.append(FieldError.required(path, _quoted(supported)))
    else:
        check_enum(value, supported, path, errors)


def check_failure_policy(spec: JsonObject, path: str, errors: Errors) -> None:
    rules: Sequence[JsonObject] = (spec["podFailurePolicy"] or {}).get("rules") or ()
    if len(rules) > _RULES_MAX:
        errors.append(FieldError.too_many(f"{path}.rules", len(rules), _RULES_MAX))
    pod: JsonObject = (spec.get("template") or {}).get("spec") or {}
    names = {
        each.get("name", "") for member in ("containers", "initContainers") for each in pod.get(member) or ()
    }
    for index, rule in enumerate(rules):
        here = f"{path}.rules[{index}]"
        action = rule.get("action", "")
        if action == "FailIndex":
            if "backoffLimitPerIndex" not in spec:
                told = "requires the backoffLimitPerIndex to be set"
                errors.append(FieldError.invalid(f"{here}.action", action, told))
        else:
            _check_choice(action, _ACTIONS, f"{here}.action", errors)
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
        if codes is not None:
            _check_exit_codes(codes, names, f"{here}.onExitCodes", errors)
        if conditions:
            _check_conditions(conditions, f"{here}.onPodConditions", errors)
        if codes is not None and conditions:
            told = "specifying both OnExitCodes and OnPodConditions is not supported"
            errors.append(FieldError.invalid(here, OMITTED, told))
        elif codes is None and not conditions:
            told = "specifying one of OnExitCodes and OnPodConditions is required"
            errors.append(FieldError.invalid(here, OMITTED, told))


def _check_conditions(conditions: Sequence[JsonObject], path: str, errors: Errors) -> None:
    if len(conditions) > _CONDITIONS_MAX:
        errors.append(FieldError.too_many(path, len(conditions), _CONDITIONS_MAX))
    for index, condition in enumerate(conditions):
        here = f"{path}[{index}]"
        check_qualified_name(condition.get("type", ""), f"{here}.type", errors)
        _check_choice(condition.get("status", ""), _STATUSES, f"{here}.status", errors)


def _check_exit_codes(codes: JsonObject, names: Collection[str], path: str, errors: Errors) -> None:
    operator = codes.get("operator", "")
    _check_choice(operator, _OPERATORS, f"{path}.operator", errors)
    name = codes.get("containerName")
    if name is not None and name not in names:
        told = "must be one of the container or initContainer names in the pod template"
        errors.append(FieldError.invalid(f"{path}.containerName", name, told))
    values: list[int] = codes.get("values") or []
    if not values:
        errors.append(FieldError.invalid(f"{path}.values", values, "at least one value is required"))
    elif len(values) > _EXIT_CODES_MAX:
        errors.append(FieldError.too_many(f"{path}.values", len(values), _EXIT_CODES_MAX))
    seen: set[int] = set()
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            told = "must not be 0 for the In operator"
            errors.append(FieldError.invalid(f"{path}.values[{index}]", value, told))
        if value in seen:
            errors.append(FieldError.duplicate(f"{path}.values[{index}]", value))
        seen.add(value)
    if values != sorted(values):
        errors.append(FieldError.invalid(f"{path}.values", values, "must be ordered"))


def check_success_policy(spec: JsonObject, path: str, errors: Errors) -> None:
    rules: Sequence[JsonObject] = (spec["successPolicy"] or {}).get("rules") or ()
    if not rules:
        told = "at least one rules must be specified when the successPolicy is specified"
        errors.append(FieldError.required(f"{path}.rules", told))
    if len(rules) > _RULES_MAX:
        errors.append(FieldError.too_many(f"{path}.rules", len(rules), _RULES_MAX))
    for index, rule in enumerate(rules):
        _check_success_rule(rule, spec.get("completions") or 0, f"{path}.rules[{index}]", errors)


def _check_success_rule(rule: JsonObject, completions: int, path: str, errors: Errors) -> None:
    indexes, count = rule.get("succeededIndexes"), rule.get("succeededCount")
    if indexes is None and count is None:
        told = "at least one of succeededCount or succeededIndexes must be specified"
        errors.append(FieldError.required(path, told))
    total = 0
    if indexes is not None:
        here = f"{path}.succeededIndexes"
        if len(indexes.encode()) > _INDEXES_BYTES_MAX:
            errors.append(FieldError.too_long(here, "", _INDEXES_BYTES_MAX))
        total, problem = index_problem(indexes, completions)
        if problem:
            told = f"error parsing succeededIndexes: {problem}"
            errors.append(FieldError.invalid(here, indexes, told))
    if count is None:
        return
    here = f"{path}.succeededCount"
    check_not_negative(count, here, errors)
    if count > completions:
        told = f"must be less than or equal to {completions} (the number of specified completions)"
        errors.append(FieldError.invalid(here, count, told))
    if indexes is not None and count > total:
        told = (
            f"must be less than or equal to {total} "
            "(the number of indexes in the specified succeededIndexes field)"
        )
        errors.append(FieldError.invalid(here, count, told))


def check_replacement_policy(spec: JsonObject, path: str, errors: Errors) -> None:
    supported = ("Failed",) if "podFailurePolicy" in spec else ("Failed", "TerminatingOrFailed")
    check_enum(spec["podReplacementPolicy"], supported, path, errors)
