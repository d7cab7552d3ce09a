"""V1 and V2 of `validation`, A1 to A3 of `admission`."""

from typing import Any

import pytest

from kajitori.apimachinery.errors import Invalid
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.policies_v1 import (
    FINALIZER,
    admit,
    default_object,
    unique_name,
    validate_policy,
    validate_policy_server,
)

RULE: JsonObject = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}


def policy(kind: str = "AdmissionPolicy", **spec: Any) -> JsonObject:
    given = {"module": "ghcr.io/x/y:v1", "mutating": False, "rules": [RULE], "timeoutSeconds": 10, **spec}
    metadata = {"name": "p"} if kind.startswith("Cluster") else {"name": "p", "namespace": "ns"}
    return {"apiVersion": "policies.kubewarden.io/v1", "kind": kind, "metadata": metadata, "spec": given}


def group(**spec: Any) -> JsonObject:
    members = {"a": {"module": "m"}, "b": {"module": "m"}}
    whole = {"policies": members, "expression": "a() && b()", "message": "no", **spec}
    return policy("ClusterAdmissionPolicyGroup", **whole)


def told(obj: JsonObject) -> list[str]:
    return [str(each) for each in validate_policy(obj)]


@pytest.mark.parametrize(
    ("obj", "complaints"),
    [
        (policy(), []),
        (group(), []),
        (policy(rules=[]), ["spec.rules: Required value: a value must be specified"]),
        (
            policy(rules=[{**RULE, "operations": []}]),
            ["spec.rules.operations: Required value: a value must be specified"],
        ),
        (
            policy(rules=[{**RULE, "resources": []}]),
            ["spec.rules: Required value: apiVersions and resources must have specified values"],
        ),
        (
            policy(rules=[{**RULE, "resources": [""]}]),
            ["spec.rules.rule.resources[0]: Required value: must be non-empty"],
        ),
        (policy("ClusterAdmissionPolicy", rules=[{**RULE, "apiGroups": ["*"], "resources": ["*"]}]), []),
        (
            policy(rules=[{**RULE, "apiGroups": ["wgpolicyk8s.io"], "resources": ["policyreports"]}]),
            [
                "spec.rules: Forbidden: {APIGroup: wgpolicyk8s.io, Resource: policyreports} resources cannot be "
                "targeted by AdmissionPolicy or AdmissionPolicyGroup"
            ],
        ),
        (
            policy(timeoutEvalSeconds=11),
            [
                "spec.timeoutEvalSeconds: Invalid value: 11: timeoutEvalSeconds cannot be greater than "
                "timeoutSeconds (10)"
            ],
        ),
        (group(message=""), ["spec.message: Required value: must be non-empty"]),
        (group(expression=""), ["spec.expression: Required value: must be non-empty"]),
        (
            group(policies={}),
            ["spec.policies: Required value: policy groups must have at least one policy member"],
        ),
        (
            group(policies={"in": {"module": "m"}}),
            ['spec.policies: Invalid value: "in": policy group member name is invalid'],
        ),
        (
            group(
                policies={
                    name: {"module": "m", "timeoutEvalSeconds": seconds}
                    for name, seconds in (("a", 11), ("b", 5))
                }
            ),
            [
                "spec.policies[a].timeoutEvalSeconds: Invalid value: 11: timeoutEvalSeconds cannot be greater than "
                "group timeoutSeconds (10)",
                "spec.policies: Invalid value: 16: the sum of all members' timeoutEvalSeconds cannot be greater than "
                "group timeoutSeconds (10)",
            ],
        ),
    ],
)
def test_policies(obj: JsonObject, complaints: list[str]) -> None:  # V1, V2
    assert told(obj) == complaints


def test_expressions_are_judged() -> None:
    assert told(group(expression="a() && x()"))[0].startswith("spec.expression: Invalid value: ")
    conditions = [{"name": "c", "expression": "object.spec >"}]
    assert told(policy(matchConditions=conditions))[0].startswith(
        "spec.matchConditions[0].expression: Invalid"
    )


def test_a_policy_of_a_namespace_does_not_match_everything() -> None:
    complaints = told(policy(rules=[{**RULE, "apiGroups": ["*"], "resources": ["pods", "*"]}]))
    assert complaints[:2] == [
        "spec.rules.apiGroups[0]: Forbidden: apiGroups cannot use wildcards when using AdmissionPolicy or "
        "AdmissionPolicyGroup",
        "spec.rules.resources[1]: Forbidden: resources cannot use wildcards when using AdmissionPolicy or "
        "AdmissionPolicyGroup",
    ]


def server(**spec: Any) -> JsonObject:
    return {
        "kind": "PolicyServer",
        "metadata": {"name": "default"},
        "spec": {"image": "i", "replicas": 1, **spec},
    }


@pytest.mark.parametrize(
    ("obj", "complaints"),
    [
        (server(), []),
        (server(namespacedPoliciesCapabilities=["*", "oci/*", "oci/v1/*", "kubernetes/can_i"]), []),
        (
            server(minAvailable=1, maxUnavailable=1),
            [
                'spec: Invalid value: "minAvailable: 1, maxUnavailable: 1": minAvailable and maxUnavailable cannot be '
                "both set"
            ],
        ),
        (
            server(limits={"cpu": "1"}, requests={"cpu": "2", "memory": "-1"}),
            [
                'spec.requests.cpu: Invalid value: "2": must be less than or equal to cpu limit of 1',
                'spec.requests.memory: Invalid value: "-1": must be greater than or equal to 0',
            ],
        ),
    ],
)
def test_policy_servers(obj: JsonObject, complaints: list[str]) -> None:
    assert [str(each) for each in validate_policy_server(obj)] == complaints


@pytest.mark.parametrize("pattern", ["", "oci", "oci*", "oci/v1/oci_*", "oci/v99/*", "x/y", "*/oci"])
def test_patterns_of_capabilities(pattern: str) -> None:
    [complaint] = validate_policy_server(server(namespacedPoliciesCapabilities=[pattern]))
    assert "spec.namespacedPoliciesCapabilities[0]" in str(complaint)


def test_defaults() -> None:  # A1
    defaulted = default_object(policy(policyServer=""))
    assert defaulted["spec"]["policyServer"] == "default"
    assert defaulted["metadata"]["finalizers"] == [FINALIZER]
    assert default_object(defaulted) == defaulted


def test_admission() -> None:  # A2, A3
    assert admit("CREATE", policy(), None, None) == policy()
    with pytest.raises(Invalid, match=r"spec\.rules"):
        admit("CREATE", policy(rules=[]), None, None)
    going = policy(rules=[])
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert admit("UPDATE", going, going, None) is going
    assert admit("DELETE", policy(rules=[]), None, None)


def test_names() -> None:
    assert unique_name(policy()) == "namespaced-ns-p"
    assert unique_name(policy("AdmissionPolicyGroup")) == "namespaced-group-ns-p"
    assert unique_name(policy("ClusterAdmissionPolicy")) == "clusterwide-p"
    assert unique_name(group()) == "clusterwide-group-p"
