"""Who could get more than it has."""

import pytest
from tests.posture.objects import account, binding, checks, inventory, namespace, paths, role, rule

from kajitori.posture.rbac.grants import Grants
from kajitori.posture.rbac.judging import judge_rbac
from kajitori.posture.rbac.powers import POWERS, held_by

RBAC, ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
CERTIFICATES = "certificates.k8s.io"


def powers(*objects: dict[str, object]) -> dict[str, list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]]:
    """Of each subject: power, severity, where, names."""
    grants = Grants(inventory(*objects))
    return {
        str(subject): [(each.power, each.severity, each.namespaces, each.names) for each in held_by(held)]
        for subject, held in grants.own().items()
    }


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("escalate", [rule("escalate,update", "clusterroles", groups=RBAC)]),
        ("bind", [rule("bind", "clusterroles", groups=RBAC), rule("create", "rolebindings", groups=RBAC)]),
        ("impersonate", [rule("impersonate", "groups")]),
        ("create-pods", [rule("create", "jobs", groups="batch")]),
        ("exec", [rule("get", "pods/exec")]),
        ("ephemeral-containers", [rule("patch", "pods/ephemeralcontainers")]),
        ("read-secrets", [rule("watch", "secrets")]),
        ("service-account-tokens", [rule("create", "serviceaccounts/token")]),
        ("nodes-proxy", [rule("get", "nodes/proxy")]),
        ("persistent-volumes", [rule("create", "persistentvolumes")]),
        (
            "approve-certificates",
            [
                rule("approve", "signers", groups=CERTIFICATES),
                rule("update", "certificatesigningrequests/approval", groups=CERTIFICATES),
            ],
        ),
        (
            "sign-certificates",
            [
                rule("sign", "signers", groups=CERTIFICATES),
                rule("patch", "certificatesigningrequests/status", groups=CERTIFICATES),
            ],
        ),
        ("admission-webhooks", [rule("create", "mutatingwebhookconfigurations", groups=ADMISSION)]),
        ("aggregated-apis", [rule("update", "apiservices", groups="apiregistration.k8s.io")]),
        ("admission-policies", [rule("delete", "validatingadmissionpolicybindings", groups=ADMISSION)]),
        ("label-namespaces", [rule("patch", "namespaces")]),
        ("nodes", [rule("update", "nodes")]),
    ],
)
def test_each_power(name: str, rules: list[dict[str, object]]) -> None:
    found = powers(role("r", *rules), binding("b", "r", "User jane"))
    assert [(power, where) for power, _, where, _ in found["User jane"]] == [(name, ())]
    for missing in range(len(rules)) if len(rules) > 1 else ():
        fewer = [each for index, each in enumerate(rules) if index != missing]
        assert powers(role("r", *fewer), binding("b", "r", "User jane"))["User jane"] == []


def test_every_power_is_tested() -> None:
    (marker,) = test_each_power.pytestmark  # type: ignore[attr-defined]
    assert {each[0] for each in marker.args[1]} == {each.name for each in POWERS} - {"privileged-pods"}


@pytest.mark.parametrize(
    ("space", "labels", "severity", "where"),
    [
        ("shop", {}, "medium", " in shop"),
        ("shop", {"enforce": "privileged"}, "medium", " in shop"),
        ("shop", {"enforce": "baseline"}, None, ""),
        ("", {"enforce": "baseline"}, "high", " everywhere"),
    ],
)
def test_pods_where_any_pod_is_let_in(
    space: str, labels: dict[str, str], severity: str | None, where: str
) -> None:
    found = inventory(
        namespace("shop", **labels), role("r", rule("create", "deployments", groups="apps")),
        binding("b", "r", "User jane", space=space, cluster_role=True),
    )  # fmt: skip
    (told,) = judge_rbac(found, Grants(found)).findings
    privileged = [each.partition(", by ")[0] for each in told.evidence if "privileged-pods" in each]
    expected = (
        f"privileged-pods: may make privileged Pods, which own their node and all that runs there{where}"
    )
    assert privileged == ([f"[{severity}] {expected}"] if severity else [])


def test_two_bindings_make_one_power() -> None:  # E1
    found = powers(
        role("a", rule("bind", "clusterroles", groups=RBAC)),
        role("b", rule("create", "rolebindings", groups=RBAC), space="shop"),
        binding("a", "a", "shop/ci"),
        binding("b", "b", "shop/ci", space="shop"),
    )
    assert found["ServiceAccount shop/ci"] == [("bind", "medium", ("shop",), ())]


def test_where_it_is_counts() -> None:
    reads = role("r", rule("get", "secrets"))
    for space, severity in (("shop", "low"), ("kube-system", "high")):
        found = powers(reads, binding("b", "r", "User jane", space=space, cluster_role=True))
        assert found["User jane"] == [("read-secrets", severity, (space,), ())]


def test_names_are_told_and_count_less() -> None:  # E2
    reads = role("r", rule("get", "secrets", "token"))
    assert powers(reads, binding("b", "r", "User jane"))["User jane"] == [
        ("read-secrets", "medium", (), ("token",))
    ]
    creates = role("r", rule("create", "pods", "p"))
    assert powers(creates, binding("b", "r", "User jane"))["User jane"] == [], "nothing has a name yet"


def test_more_in_one_namespace_than_everywhere() -> None:
    found = powers(
        role("some", rule("get", "secrets", "token")),
        role("all", rule("get", "secrets")),
        binding("a", "some", "User jane"),
        binding("b", "all", "User jane", space="shop", cluster_role=True),
    )
    assert found["User jane"] == [
        ("read-secrets", "medium", (), ("token",)),
        ("read-secrets", "low", ("shop",), ()),
    ]


def test_who_may_everything_is_told_once() -> None:  # E3
    everything = role("all", rule("*", "*", groups="*"), paths("*", "*"))
    section = judge_rbac(inv := inventory(everything, binding("b", "all", "User jane")), Grants(inv))
    assert checks(section.findings) == [("high", "cluster-admin", "User jane")]


def test_a_fresh_cluster_has_nothing_to_tell() -> None:
    section = judge_rbac(inv := inventory(), Grants(inv))
    assert section.findings == () and not section.missing
    told = judge_rbac(inv, Grants(inv), system=True)
    assert ("critical", "cluster-admin", "Group system:masters") not in checks(told.findings)
    assert ("high", "cluster-admin", "Group system:masters") in checks(told.findings)


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        (
            [binding("b", "view", "Group system:authenticated")],
            ("medium", "everybody", "Group system:authenticated"),
        ),
        ([binding("b", "view", "User system:anonymous")], ("high", "anonymous", "User system:anonymous")),
        (  # as kubeadm publishes what a node needs to join
            [
                role("r", rule("get", "configmaps", "cluster-info")),
                binding("b", "r", "User system:anonymous"),
            ],
            ("low", "anonymous", "User system:anonymous"),
        ),
        (
            [role("r", rule("get", "secrets", "cluster-info")), binding("b", "r", "User system:anonymous")],
            ("high", "anonymous", "User system:anonymous"),
        ),
        (
            [binding("cluster-admin", "cluster-admin", "Group system:masters", "Group system:authenticated")],
            ("critical", "cluster-admin", "Group system:authenticated"),
        ),
        (
            [
                binding("b", "view", "shop/default", space="shop", cluster_role=True),
                account("shop", "default"),
            ],
            ("medium", "default-service-account", "ServiceAccount shop/default"),
        ),
        (
            [binding("b", "view", "Group system:serviceaccounts:shop", space="shop", cluster_role=True)],
            ("medium", "service-account-group", "Group system:serviceaccounts:shop"),
        ),
        ([binding("b", "view", "shop/gone")], ("low", "absent-subject", "ServiceAccount shop/gone")),
        ([binding("b", "nope", "User jane")], ("low", "absent-role", "ClusterRoleBinding b")),
        (
            [binding("b", "cluster-admin", "Group kubeadm:cluster-admins")],
            ("info", "cluster-admin", "Group kubeadm:cluster-admins"),
        ),
        (
            [role("system:discovery", paths("get", "/api"), rule("get", "secrets"))],
            ("high", "widened-default-role", "ClusterRole system:discovery"),
        ),
    ],
)
def test_what_else_is_open(objects: list[dict[str, object]], expected: tuple[str, str, str]) -> None:
    found = inventory(*objects)
    assert expected in checks(judge_rbac(found, Grants(found)).findings)


def test_a_service_account_by_its_user_name_is_one() -> None:
    found = powers(
        role("r", rule("get", "secrets")), binding("b", "r", "User system:serviceaccount:shop:web")
    )
    assert list(found) == ["ServiceAccount shop/web"]


def test_in_a_folder_default_roles_are_known_and_nobody_is_absent() -> None:  # G3
    found = inventory(binding("b", "edit", "shop/gone", space="shop", cluster_role=True), whole=False)
    told = judge_rbac(found, Grants(found)).findings
    assert checks(told) == [("medium", "escalation", "ServiceAccount shop/gone")]


def test_what_could_not_be_read_is_not_called_absent() -> None:
    found = inventory(binding("b", "edit", "shop/gone", space="shop", cluster_role=True))
    limited = type(found)(
        "test",
        {key: several for key, several in found.objects.items() if "clusterroles" not in key},
        unread={"rbac.authorization.k8s.io/clusterroles": "Forbidden", "/namespaces": "Forbidden"},
    )
    told = judge_rbac(limited, Grants(limited))
    assert {each.check for each in told.findings} == {"escalation", "absent-subject"}
    assert all("there is no namespace" not in each.message for each in told.findings)
    elsewhere = found.within("other")
    assert "absent-subject" not in {each.check for each in judge_rbac(elsewhere, Grants(elsewhere)).findings}
