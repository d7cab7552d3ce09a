"""Who can read Secrets."""

from typing import Any

from tests.posture.objects import account, binding, checks, inventory, obj, role, rule

from kajitori.posture.findings import Section
from kajitori.posture.rbac.grants import Grants
from kajitori.posture.secrets import NamespaceSecrets, Reader, judge_secrets


def judged(*objects: dict[str, Any]) -> tuple[Section, dict[str, NamespaceSecrets]]:
    found = inventory(obj("v1", "Secret", "token", "shop"), account("shop", "web"), *objects)
    section = judge_secrets(found, Grants(found))
    return section, {each.namespace: each for each in section.judged if isinstance(each, NamespaceSecrets)}


def told(readers: tuple[Reader, ...]) -> list[tuple[str, tuple[str, ...], tuple[str, ...], bool]]:
    return [(each.who, each.verbs, each.names, each.everywhere) for each in readers]


def test_readers_by_right() -> None:  # R1
    section, found = judged(
        role("all", rule("*", "*", groups="*")),
        role("named", rule("get", "secrets", "token"), space="shop"),
        role("patches", rule("patch", "secrets"), space="shop"),
        binding("all", "all", "Group ops"),
        binding("named", "named", "shop/web", space="shop"),
        binding("patches", "patches", "User jane", space="shop"),
    )
    everywhere = ("Group ops", ("get", "list", "watch", "patch"), (), True)
    assert found["shop"].secrets == ("token",)
    assert told(found["shop"].readers) == [
        everywhere,
        ("ServiceAccount shop/web", ("get",), ("token",), False),
        ("User jane", ("patch",), (), False),
    ]
    assert told(found["kube-system"].readers) == [everywhere]
    assert checks(section.findings) == [("high", "reads-all-secrets", "Group ops")]


def test_other_ways() -> None:  # R2
    _, found = judged(
        role("pods", rule("create", "pods"), space="shop"),
        role("nodes", rule("get", "nodes/proxy")),
        role("tokens", rule("create", "serviceaccounts/token", "web"), space="shop"),
        binding("pods", "pods", "User jane", space="shop"),
        binding("nodes", "nodes", "User joe"),
        binding("tokens", "tokens", "User jill", space="shop"),
    )
    assert found["shop"].readers == ()
    assert [(each.who, each.way, each.names) for each in found["shop"].indirectly] == [
        ("User jane", "a Pod that mounts them", ()),
        ("User jill", "the token of a ServiceAccount that may", ("web",)),
        ("User joe", "a kubelet whose Pods have mounted them", ()),
    ]
    assert [each.who for each in found["kube-system"].indirectly] == ["User joe"]


def test_who_may_read_all_needs_no_other_way() -> None:
    _, found = judged(
        role("r", rule("get", "secrets"), rule("create", "pods"), space="shop"),
        binding("b", "r", "User jane", space="shop"),
    )
    assert [each.who for each in found["shop"].readers] == ["User jane"]
    assert found["shop"].indirectly == ()


def test_findings_of_one_namespace() -> None:
    reads = role("r", rule("list", "secrets"))
    for space, subject, severity in (
        ("shop", "shop/default", "high"),
        ("shop", "Group system:authenticated", "critical"),
        ("kube-system", "User jane", "high"),
    ):
        section, _ = judged(reads, binding("b", "r", subject, space=space, cluster_role=True))
        assert [(each.severity, each.check) for each in section.findings] == [(severity, "reads-secrets")]
    section, _ = judged(reads, binding("b", "r", "User jane", space="shop", cluster_role=True))
    assert section.findings == ()


def test_what_cannot_be_read_is_told() -> None:
    found = inventory()
    unread = type(found)("test", found.objects, unread={"/secrets": "Forbidden"})
    section = judge_secrets(unread, Grants(unread))
    assert section.missing == ("secrets could not be read: Forbidden",)
