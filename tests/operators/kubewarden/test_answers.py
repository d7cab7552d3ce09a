"""What policies' answers become: R1 to R5 of `responses`, G1 to G3 of `groups`, G1 to G3 of `rego`."""

from typing import Any

import pytest

from kajitori.apimachinery.kind import JsonObject
from kajitori.operators.kubewarden.runtime.groups import validate_group
from kajitori.operators.kubewarden.runtime.metadata import ExecutionMode
from kajitori.operators.kubewarden.runtime.rego import of_result, what_is_given
from kajitori.operators.kubewarden.runtime.responses import constrained, of_policy

ACCEPTED: JsonObject = {"uid": "u", "allowed": True}
REJECTED: JsonObject = {"uid": "u", "allowed": False, "status": {"message": "no", "code": 400}}
MUTATED: JsonObject = {"uid": "u", "allowed": True, "patch": "W10=", "patchType": "JSONPatch"}
NOT_ALLOWED = (
    "Request rejected by policy p. The policy attempted to mutate the request, but it is currently configured to not "
    "allow mutations."
)


def test_a_mutation_of_nothing_is_refused() -> None:  # R2
    response = of_policy({"uid": "u", "object": None}, b'{"accepted": true, "mutated_object": {"a": 1}}')
    assert response["allowed"] is False
    assert response["status"]["message"].startswith("Incoming object is null")


def test_a_mutation_that_changes_nothing_is_none() -> None:
    said = b'{"accepted": true, "mutated_object": {"a": 1}}'
    assert of_policy({"uid": "u", "object": {"a": 1}}, said) == ACCEPTED


@pytest.mark.parametrize(
    ("response", "how", "expected"),
    [
        (REJECTED, {"monitors": True}, ACCEPTED),
        (MUTATED, {"monitors": True, "may_mutate": True}, ACCEPTED),
        (MUTATED, {"may_mutate": True}, MUTATED),
        (MUTATED, {}, {"uid": "u", "allowed": False, "status": {"message": NOT_ALLOWED}}),
        (ACCEPTED, {"message": "ours"}, ACCEPTED),
        (
            REJECTED,
            {"message": "ours"},
            {
                "uid": "u",
                "allowed": False,
                "status": {"message": "ours", "code": 400, "details": {"causes": [{"message": "no"}]}},
            },
        ),
        (
            MUTATED,
            {"message": "ours"},
            {
                "uid": "u",
                "allowed": False,
                "status": {"message": "ours", "details": {"causes": [{"message": NOT_ALLOWED}]}},
            },
        ),
    ],
)
def test_constraints(response: JsonObject, how: dict[str, Any], expected: JsonObject) -> None:  # R3 to R5
    given = {"monitors": False, "may_mutate": False, "message": "", **how}
    assert constrained(response, "p", **given) == expected


def test_a_group_says_who_rejected() -> None:  # G1 to G3
    asked: list[str] = []

    def member(name: str, response: JsonObject) -> Any:
        def validate(request: JsonObject) -> JsonObject:
            asked.append(name)
            return response

        return validate

    members = {
        "good": member("good", ACCEPTED),
        "bad": member("bad", REJECTED),
        "mutating": member("mutating", MUTATED),
    }
    request = {"uid": "u"}
    assert validate_group(request, "good() || bad()", "no", members) == ACCEPTED
    assert asked == ["good"]
    assert validate_group(request, "good() && (bad() || mutating())", "whole", members) == {
        "uid": "u",
        "allowed": False,
        "status": {
            "message": "whole",
            "details": {
                "causes": [
                    {"field": "spec.policies.bad", "message": "no"},
                    {
                        "field": "spec.policies.mutating",
                        "message": "mutation is not allowed inside of policy group",
                    },
                ]
            },
        },
    }
    assert "error evaluating" in validate_group(request, "x()", "no", members)["status"]["message"]


NAMESPACE = {"metadata": {"name": "a"}}
SERVICE = {"metadata": {"name": "s", "namespace": "a"}}
INVENTORY = {("v1", "Namespace", "namespaces"): [NAMESPACE], ("v1", "Service", "services"): [SERVICE]}


def test_what_rego_is_given() -> None:
    request, settings = {"uid": "u"}, {"a": 1}
    assert what_is_given(ExecutionMode.OPA, request, settings, INVENTORY) == (
        {"request": request},
        {"a": 1, "kubernetes": {"namespaces": {"a": NAMESPACE}, "services": {"a": {"s": SERVICE}}}},
    )
    assert what_is_given(ExecutionMode.GATEKEEPER, request, settings, INVENTORY) == (
        {"review": request, "parameters": settings},
        {
            "inventory": {
                "cluster": {"v1": {"Namespace": {"a": NAMESPACE}}},
                "namespace": {"a": {"v1": {"Service": {"s": SERVICE}}}},
            }
        },
    )
    assert what_is_given(ExecutionMode.OPA, request, settings, {})[1] == settings
    assert what_is_given(ExecutionMode.GATEKEEPER, request, settings, {})[1] == {}


@pytest.mark.parametrize(
    "result", [None, [], {}, [{"result": {}}], [{"result": {"response": {"allowed": 1}}}]]
)
def test_opa_results_that_are_none(result: Any) -> None:
    assert "cannot interpret OPA" in of_result(ExecutionMode.OPA, "u", result)["status"]["message"]


def test_gatekeeper_results_that_are_none() -> None:
    response = of_result(ExecutionMode.GATEKEEPER, "u", [{"result": "x"}])
    assert "cannot interpret Gatekeeper" in response["status"]["message"]
    assert of_result(ExecutionMode.GATEKEEPER, "u", []) == ACCEPTED
