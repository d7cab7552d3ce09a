"""The roles that every cluster begins with."""

from typing import Any

import pytest
from tests.apiserver.authorization.given import role, rule, wish

from kajitori.apis.aggregation import aggregated_rules
from kajitori.apiserver.authentication import ANONYMOUS, User
from kajitori.apiserver.authorization import Attributes, Authorizer, Rbac, bootstrap_rbac, parse_rules
from kajitori.apiserver.authorization.bootstrap import bootstrap_objects, reconciled

OBJECTS = bootstrap_objects()
ALL = bootstrap_rbac()
KINDS = {"ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings", "Role": "roles"}
AUTHORIZER = Authorizer(
    Rbac(lambda resource: [each for each in ALL if KINDS.get(each["kind"], "rolebindings") == resource])
)


def found(kind: str, name: str) -> Any:
    [one] = [each for each in ALL if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return one


def test_default_objects_are_marked_and_named_once() -> None:  # B1
    for resource, objects in OBJECTS.items():
        keys = {(each["metadata"].get("namespace"), each["metadata"]["name"]) for each in objects}
        assert len(keys) == len(objects), resource
        for each in objects:
            assert each["apiVersion"] == "rbac.authorization.k8s.io/v1"
            assert each["metadata"]["labels"]["kubernetes.io/bootstrapping"] == "rbac-defaults"
            assert each["metadata"]["annotations"] == {"rbac.authorization.kubernetes.io/autoupdate": "true"}


def test_every_binding_is_to_a_role_that_is_there() -> None:
    roles = {each["metadata"]["name"] for each in OBJECTS["clusterroles"]}
    namespaced = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in OBJECTS["roles"]}
    for each in OBJECTS["clusterrolebindings"]:
        assert each["roleRef"]["name"] in roles
    for each in OBJECTS["rolebindings"]:
        assert (each["metadata"]["namespace"], each["roleRef"]["name"]) in namespaced


def test_cluster_admin_may_do_everything() -> None:
    assert found("ClusterRole", "cluster-admin")["rules"] == [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
        {"verbs": ["*"], "nonResourceURLs": ["*"]},
    ]
    assert found("ClusterRoleBinding", "cluster-admin")["subjects"] == [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:masters"}
    ]


def test_rules_and_subjects_are_read_as_written() -> None:
    signer = found("ClusterRole", "system:certificates.k8s.io:kubelet-serving-approver")
    assert signer["rules"] == [
        {
            "verbs": ["approve"],
            "apiGroups": ["certificates.k8s.io"],
            "resources": ["signers"],
            "resourceNames": ["kubernetes.io/kubelet-serving"],
        }
    ]
    proxier = found("ClusterRole", "system:node-proxier")
    assert {
        "verbs": ["create", "patch", "update"],
        "apiGroups": ["", "events.k8s.io"],
        "resources": ["events"],
    } in (proxier["rules"])
    job = found("ClusterRoleBinding", "system:controller:job-controller")
    assert job["subjects"] == [
        {"kind": "ServiceAccount", "name": "job-controller", "namespace": "kube-system"}
    ]
    assert "subjects" not in found("ClusterRoleBinding", "system:node")


@pytest.mark.parametrize(
    ("user", "path", "allowed"),
    [
        (ANONYMOUS, "/version", True),
        (ANONYMOUS, "/livez", True),
        (ANONYMOUS, "/api", False),
        (User("jane", groups=("system:authenticated",)), "/apis/apps/v1", True),
        (User("jane", groups=("system:authenticated",)), "/openapi/v3", True),
        (User("jane", groups=("system:authenticated",)), "/", False),
        (User("jane", groups=("system:authenticated",)), "/metrics", False),
        (User("prom", groups=("system:monitoring",)), "/metrics", True),
    ],
)
def test_who_may_see_what_of_the_server(user: User, path: str, allowed: bool) -> None:
    assert AUTHORIZER.authorize(Attributes(user=user, verb="get", path=path)).allowed is allowed


def test_admins_editors_and_viewers() -> None:
    rules = {name: parse_rules(found("ClusterRole", name)["rules"]) for name in ("view", "edit", "admin")}

    def may(name: str, verb: str, resource: str, group: str = "") -> bool:
        return any(each.allows(wish(ANONYMOUS, verb, resource, group=group)) for each in rules[name])

    for name, reads_secrets, writes, binds in (
        ("view", False, False, False),
        ("edit", True, True, False),
        ("admin", True, True, True),
    ):
        assert may(name, "list", "pods")
        assert may(name, "get", "secrets") is reads_secrets
        assert may(name, "create", "deployments", "apps") is writes
        assert may(name, "create", "rolebindings", "rbac.authorization.k8s.io") is binds
        assert not may(name, "create", "namespaces")
    view = found("ClusterRole", "view")
    assert view["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"
    assert view["aggregationRule"] == {
        "clusterRoleSelectors": [{"matchLabels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}}]
    }


def test_aggregation_unites_rules_once_and_by_name() -> None:
    def labelled(name: str, *rules: dict[str, Any], **labels: str) -> dict[str, Any]:
        return role(name, *rules, metadata={"labels": labels})

    one, two, three = (rule("get", "", kind) for kind in ("a", "b", "c"))
    roles = [
        labelled("z", one, to="x"),
        labelled("b", two, one, to="x"),
        labelled("c", three),
        labelled("x", three, to="x"),
    ]
    total = role(
        "x",
        aggregationRule={
            "clusterRoleSelectors": [{"matchLabels": {"to": "x"}}, {"matchLabels": {"to": "x"}}]
        },
    )
    assert aggregated_rules(total, roles) == [two, one]
    assert aggregated_rules(role("y"), roles) is None
    wrong = {"clusterRoleSelectors": [{"matchExpressions": [{"key": "a", "operator": "Near"}]}]}
    assert aggregated_rules(role("x", aggregationRule=wrong), roles) == []


def test_reconciling_adds_what_is_missing_and_keeps_the_rest() -> None:  # B2
    for objects in OBJECTS.values():
        for each in objects:
            assert reconciled(each, each) is None
    expected = found("ClusterRole", "system:basic-user")
    mine = {
        **expected,
        "metadata": {"name": "system:basic-user", "labels": {"mine": "yes"}, "uid": "1"},
        "rules": [expected["rules"][0], rule("get", "", "pods")],
    }
    mended = reconciled(mine, expected)
    assert mended is not None
    assert mended["rules"] == [*mine["rules"], expected["rules"][1]]
    assert mended["metadata"]["labels"] == {"kubernetes.io/bootstrapping": "rbac-defaults", "mine": "yes"}
    assert mended["metadata"]["uid"] == "1"
    assert reconciled(mended, expected) is None
    bound = found("ClusterRoleBinding", "system:public-info-viewer")
    fewer = {**bound, "subjects": [{"kind": "User", "name": "x"}]}
    mended = reconciled(fewer, bound)
    assert mended is not None
    assert mended["subjects"] == [{"kind": "User", "name": "x"}, *bound["subjects"]]


def test_what_wants_to_be_left_alone_is(  # B3
) -> None:
    expected = found("ClusterRole", "system:basic-user")
    annotations = {"rbac.authorization.kubernetes.io/autoupdate": "false"}
    mine = {**expected, "metadata": {"name": "x", "annotations": annotations}, "rules": []}
    assert reconciled(mine, expected) is None
