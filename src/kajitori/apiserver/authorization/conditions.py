"""Match conditions of an authorization webhook: whether it is asked about a request at all.

Promises
    C1  one condition that is false is enough for no; an error counts only when none is false
    C2  an expression sees `request`: a SubjectAccessReviewSpec whose texts are all there, empty or not

Source: apiserver's pkg/authorization/cel (compile.go, matcher.go).
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from kajitori.apimachinery.cel import CostLimitExceeded, Environment, EvaluationError, environments
from kajitori.apimachinery.cel.expression import Expression, compile_expression
from kajitori.apimachinery.cel.kubernetes import PER_CALL_COST_LIMIT
from kajitori.apimachinery.cel.types import BOOL, STRING, Type, list_of, map_of, object_type

__all__ = ["ConditionError", "compile_condition", "hold", "seen"]

_ATTRIBUTES = ("namespace", "verb", "group", "version", "resource", "subresource", "name")


class ConditionError(Exception):
    """No condition is false, and some have no value."""


def compile_condition(text: str) -> Expression:
    """One expression, which has a truth value."""
    return compile_expression(text, _environment(), (BOOL,))


@cache
def _environment() -> Environment:
    requirement = object_type(
        "kubernetes.SelectorRequirement", {"key": STRING, "operator": STRING, "values": list_of(STRING)}
    )

    def selector(name: str) -> Type:
        members = {"rawSelector": STRING, "requirements": list_of(requirement)}
        return object_type(f"kubernetes.{name}SelectorAttributes", members)

    resource = object_type(
        "kubernetes.ResourceAttributes",
        {
            **dict.fromkeys(_ATTRIBUTES, STRING),
            "fieldSelector": selector("Field"),
            "labelSelector": selector("Label"),
        },
    )
    spec = object_type(
        "kubernetes.SubjectAccessReviewSpec",
        {
            "resourceAttributes": resource,
            "nonResourceAttributes": object_type(
                "kubernetes.NonResourceAttributes", {"path": STRING, "verb": STRING}
            ),
            "user": STRING,
            "groups": list_of(STRING),
            "extra": map_of(STRING, list_of(STRING)),
            "uid": STRING,
        },
    )
    return environments().stored.extend(variables={"request": spec}, types=(spec,))


def seen(spec: Mapping[str, Any]) -> dict[str, Any]:
    """`request` of a question: what the review leaves out because it is empty is there."""
    request: dict[str, Any] = {
        "user": spec.get("user", ""),
        "groups": spec.get("groups", []),
        "uid": spec.get("uid", ""),
        "extra": spec.get("extra", {}),
    }
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None:
        request["resourceAttributes"] = {**dict.fromkeys(_ATTRIBUTES, ""), **resource}
    if path is not None:
        request["nonResourceAttributes"] = {"path": path.get("path", ""), "verb": path.get("verb", "")}
    return request


def hold(conditions: Sequence[Expression], request: Mapping[str, Any]) -> bool:
    """Whether all are true of a question. Raises: ConditionError."""
    errors: list[str] = []
    for each in conditions:
        assert each.program is not None, "only what compiles is kept"
        try:
            given = [request for _ in each.program.variables]
            value, _ = each.program.function(*given, PER_CALL_COST_LIMIT)
        except (EvaluationError, CostLimitExceeded) as error:
            errors.append(f"cel evaluation error: expression '{each.text}' resulted in error: {error}")
            continue
        if value is not True:
            return False
    if not errors:
        return True
    told = list(dict.fromkeys(errors))
    raise ConditionError(told[0] if len(told) == 1 else f"[{', '.join(told)}]")
