"""The API's own questions about access."""

from typing import Any

import pytest
from tests.apiserver.authorization.given import ALICE, authorizer_of, binding, role, rule

from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization.reviews import (
    local_subject_access_review,
    self_subject_access_review,
    self_subject_rules_review,
    subject_access_review,
)

AUTHORIZER = authorizer_of(
    roles=[role("r", rule("get,list", "", "secrets"), rule("*", "apps", "deployments", "x"), namespace="ns")],
    clusterroles=[role("c", {"verbs": ["get"], "nonResourceURLs": ["/healthz"]})],
    rolebindings=[binding("b", "Role/r", "User/alice", namespace="ns")],
    clusterrolebindings=[binding("b", "ClusterRole/c", "Group/system:authenticated")],
)
SECRETS = {"verb": "get", "resource": "secrets", "namespace": "ns"}


def causes(error: ApiError) -> list[tuple[str, str]]:
    return [(each.field, each.message) for each in error.causes]


def test_whether_i_may() -> None:
    ask = self_subject_access_review
    assert ask(AUTHORIZER, ALICE, {"resourceAttributes": SECRETS}) == {
        "allowed": True,
        "reason": 'RBAC: allowed by RoleBinding "b/ns" of Role "r" to User "alice"',
    }
    assert ask(AUTHORIZER, ALICE, {"resourceAttributes": {**SECRETS, "verb": "delete"}}) == {"allowed": False}
    assert ask(AUTHORIZER, ALICE, {"nonResourceAttributes": {"path": "/healthz", "verb": "get"}})["allowed"]
    root = User("root", groups=("system:masters",))
    assert ask(AUTHORIZER, root, {"resourceAttributes": {}}) == {"allowed": True}
    assert ask(AUTHORIZER, ALICE, {"resourceAttributes": {}}) == {"allowed": False}
    assert ask(AUTHORIZER, ALICE, {"nonResourceAttributes": {}}) == {"allowed": False}


def test_whether_somebody_may() -> None:
    assert subject_access_review(AUTHORIZER, {"resourceAttributes": SECRETS, "user": "alice"})["allowed"]
    assert not subject_access_review(AUTHORIZER, {"resourceAttributes": SECRETS, "user": "bob"})["allowed"]
    masters = {"resourceAttributes": SECRETS, "user": "x", "groups": ["system:masters"], "extra": {"a": None}}
    assert subject_access_review(AUTHORIZER, masters) == {"allowed": True}
    local = {"resourceAttributes": SECRETS, "user": "alice"}
    assert local_subject_access_review(AUTHORIZER, local, namespace="ns")["allowed"]


PATH = {"path": "/", "verb": "get"}


@pytest.mark.parametrize(
    ("spec", "field", "why"),
    [
        (
            {},
            "spec.resourceAttributes",
            "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
        ),
        (
            {"resourceAttributes": {"verb": "get"}, "nonResourceAttributes": {"path": "/"}},
            "spec.nonResourceAttributes",
            'Invalid value: {"Path":"/","Verb":""}: cannot be specified in combination with resourceAttributes',
        ),
        (
            {"resourceAttributes": {**SECRETS, "fieldSelector": {}}},
            "spec.resourceAttributes.fieldSelector.requirements",
            "Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector "
            "is required",
        ),
        (
            {
                "resourceAttributes": {
                    **SECRETS,
                    "labelSelector": {"requirements": [{"key": "a", "operator": "In"}]},
                }
            },
            "spec.resourceAttributes.labelSelector.requirements[0].values",
            "Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ),
    ],
)
def test_questions_that_are_none_are_invalid(spec: dict[str, Any], field: str, why: str) -> None:
    with pytest.raises(ApiError) as refused:
        self_subject_access_review(AUTHORIZER, ALICE, spec)
    assert refused.value.code == 422
    assert causes(refused.value) == [(field, why)]


def test_selectors_that_are_well_formed_change_nothing() -> None:
    for selector in (
        {"rawSelector": "a=b"},
        {"rawSelector": "a b c,,"},
        {
            "requirements": [
                {"key": "a", "operator": "NotIn", "values": ["b"]},
                {"key": "c", "operator": "Exists"},
            ]
        },
    ):
        attributes = {**SECRETS, "fieldSelector": selector, "labelSelector": selector}
        assert self_subject_access_review(AUTHORIZER, ALICE, {"resourceAttributes": attributes})["allowed"]


def test_somebody_must_be_named() -> None:
    with pytest.raises(ApiError) as refused:
        subject_access_review(AUTHORIZER, {"resourceAttributes": SECRETS})
    assert causes(refused.value) == [
        ("spec.user", 'Invalid value: "": at least one of user or group must be specified')
    ]


def test_a_local_question_is_about_its_namespace() -> None:
    spec = {"user": "x", "resourceAttributes": {**SECRETS, "namespace": "other"}}
    with pytest.raises(ApiError) as refused:
        local_subject_access_review(AUTHORIZER, spec, namespace="ns")
    assert refused.value.message == (
        '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "other": '
        "must match metadata.namespace"
    )
    with pytest.raises(ApiError) as refused:
        local_subject_access_review(AUTHORIZER, {"user": "x", "nonResourceAttributes": PATH}, namespace="ns")
    assert causes(refused.value) == [
        (
            "spec.nonResourceAttributes",
            'Invalid value: {"Path":"/","Verb":"get"}: disallowed on this kind of request',
        )
    ]


def test_the_rules_that_apply_to_me() -> None:
    assert self_subject_rules_review(AUTHORIZER, ALICE, {"namespace": "ns"}) == {
        "resourceRules": [
            {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["secrets"]},
            {"verbs": ["*"], "apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["x"]},
        ],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}],
        "incomplete": False,
    }
    with pytest.raises(ApiError, match="no namespace on request"):
        self_subject_rules_review(AUTHORIZER, ALICE, {})
    lost = authorizer_of(clusterrolebindings=[binding("b", "ClusterRole/c", "User/alice")])
    status = self_subject_rules_review(lost, ALICE, {"namespace": "ns"})
    assert (status["incomplete"], status["evaluationError"]) == (
        False,
        'clusterrole.rbac.authorization.k8s.io "c" not found',
    )
