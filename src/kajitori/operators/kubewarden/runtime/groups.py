"""Policies that are asked as one: a group's expression says which of them, and what their answers mean. No I/O.

Promises
    G1  the request is accepted when the expression is true; policies whose answers cannot matter are not asked
    G2  a rejection has the group's message, and a cause for each policy that rejected
    G3  a policy of a group may not mutate: one that tries has rejected
"""

from collections.abc import Callable, Mapping

from kajitori.apis import JsonObject
from kajitori.apis.policies_v1 import ExpressionProblem, evaluate_expression
from kajitori.operators.kubewarden.runtime.responses import rejection

__all__ = ["validate_group"]


def validate_group(
    request: JsonObject,
    expression: str,
    message: str,
    members: Mapping[str, Callable[[JsonObject], JsonObject]],
) -> JsonObject:
    """The group's response to a request; each member gives its own."""
    uid = str(request.get("uid") or "")
    refused: dict[str, str] = {}

    def ask(name: str) -> bool:
        response = members[name](request)
        if response.get("patch"):
            refused[name] = "mutation is not allowed inside of policy group"
            return False
        if response.get("allowed"):
            return True
        refused[name] = str((response.get("status") or {}).get("message") or "")
        return False

    try:
        allowed = evaluate_expression(expression, members, ask)
    except ExpressionProblem as problem:
        return rejection(uid, f"error evaluating policy group expression: {problem}", 500)
    if allowed:
        return {"uid": uid, "allowed": True}
    causes = [{"field": f"spec.policies.{name}", "message": said} for name, said in sorted(refused.items())]
    return {"uid": uid, "allowed": False, "status": {"message": message, "details": {"causes": causes}}}
