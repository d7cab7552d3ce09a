"""Who may do what, and how that is said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apiserver.authorization.given import ALICE, authorizer_of, binding, role, rule, wish

from kajitori.apimachinery.fields import FieldRequirement
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization import Attributes, Authorizer, Rbac
from kajitori.apiserver.options import parse_query
from kajitori.apiserver.requestinfo import RequestInfo

READ = rule("get,list", "", "secrets")


def test_masters_may_do_everything() -> None:  # Z2
    root = User("root", groups=("system:masters",))
    assert authorizer_of().authorize(wish(root, "delete", "nodes")).allowed
    assert authorizer_of().authorize(Attributes(user=root, verb="get", path="/")).allowed


@pytest.mark.parametrize(
    ("subject", "user"),
    [
        ("User/alice", ALICE),
        ("Group/system:authenticated", ALICE),
        ("ServiceAccount/ns:bot", User("system:serviceaccount:ns:bot")),
        ("ServiceAccount/bot", User("system:serviceaccount:ns:bot")),
    ],
)
def test_a_role_binding_counts_in_its_namespace(subject: str, user: User) -> None:  # A1
    authorizer = authorizer_of(
        roles=[role("r", READ, namespace="ns"), role("r", rule("*", "*", "*"), namespace="other")],
        rolebindings=[binding("b", "Role/r", subject, namespace="ns")],
    )
    assert authorizer.authorize(wish(user, "list", "secrets", namespace="ns")).allowed
    for denied in (
        wish(user, "list", "secrets", namespace="other"),
        wish(user, "list", "secrets"),
        wish(user, "create", "secrets", namespace="ns"),
        wish(user, "list", "configmaps", namespace="ns"),
        wish(user, "list", "secrets", group="apps", namespace="ns"),
        wish(User("bob"), "list", "secrets", namespace="ns"),
    ):
        assert not authorizer.authorize(denied).allowed, denied


def test_a_cluster_role_counts_where_it_is_bound() -> None:  # A1
    roles = [role("r", READ)]
    here = authorizer_of(
        clusterroles=roles, rolebindings=[binding("b", "ClusterRole/r", "User/alice", namespace="ns")]
    )
    assert here.authorize(wish(ALICE, "list", "secrets", namespace="ns")).allowed
    assert not here.authorize(wish(ALICE, "list", "secrets")).allowed
    everywhere = authorizer_of(
        clusterroles=roles, clusterrolebindings=[binding("b", "ClusterRole/r", "User/alice")]
    )
    assert everywhere.authorize(wish(ALICE, "list", "secrets", namespace="any")).allowed
    assert everywhere.authorize(wish(ALICE, "list", "secrets")).allowed


def test_reasons_are_kubernetes() -> None:
    authorizer = authorizer_of(
        roles=[role("r", READ, namespace="ns")],
        clusterroles=[role("c", rule("watch", "", "secrets"))],
        rolebindings=[
            binding("b", "Role/r", "User/x", "User/alice", namespace="ns"),
            binding("s", "Role/r", "ServiceAccount/ns:bot", namespace="ns"),
        ],
        clusterrolebindings=[binding("cb", "ClusterRole/c", "Group/system:authenticated")],
    )
    bot = User("system:serviceaccount:ns:bot")
    assert authorizer.authorize(wish(ALICE, "get", "secrets", namespace="ns")).reason == (
        'RBAC: allowed by RoleBinding "b/ns" of Role "r" to User "alice"'
    )
    assert authorizer.authorize(wish(bot, "get", "secrets", namespace="ns")).reason == (
        'RBAC: allowed by RoleBinding "s/ns" of Role "r" to ServiceAccount "bot/ns"'
    )
    assert authorizer.authorize(wish(ALICE, "watch", "secrets", namespace="ns")).reason == (
        'RBAC: allowed by ClusterRoleBinding "cb" of ClusterRole "c" to Group "system:authenticated"'
    )
    assert authorizer.authorize(wish(ALICE, "delete", "secrets", namespace="ns")).reason == ""


def test_a_missing_role_is_named_in_the_refusal() -> None:  # A3
    authorizer = authorizer_of(
        rolebindings=[binding("b", "Role/gone", "User/alice", namespace="ns")],
        clusterrolebindings=[binding("b", "ClusterRole/lost", "User/alice")],
    )
    decision = authorizer.authorize(wish(ALICE, "get", "pods"))
    assert (decision.allowed, decision.reason) == (
        False,
        'RBAC: clusterrole.rbac.authorization.k8s.io "lost" not found',
    )
    assert authorizer.authorize(wish(ALICE, "get", "pods", namespace="ns")).reason == (
        'RBAC: [clusterrole.rbac.authorization.k8s.io "lost" not found, '
        'role.rbac.authorization.k8s.io "gone" not found]'
    )


def test_changes_count_at_once() -> None:  # A2
    rbac = Rbac()
    authorizer = Authorizer(rbac)
    question = wish(ALICE, "list", "secrets", namespace="ns")

    def may() -> bool:
        return authorizer.authorize(question).allowed

    assert not may()
    rbac.changed("roles", "ns", "r", obj=role("r", READ, namespace="ns"))
    assert not may()
    bound = binding("b", "Role/r", "User/alice", namespace="ns")
    rbac.changed("rolebindings", "ns", "b", obj=bound)
    assert may()
    rbac.changed("roles", "ns", "r", obj=role("r", namespace="ns"))
    assert not may()
    rbac.changed("roles", "ns", "r", obj=role("r", READ, namespace="ns"))
    assert may()
    rbac.changed("rolebindings", "ns", "b", obj=bound | {"subjects": None})
    assert not may()
    rbac.changed("rolebindings", "ns", "b", obj=bound)
    rbac.changed("roles", "ns", "r", obj=None)
    assert not may()
    rbac.changed("roles", "ns", "r", obj=role("r", READ, namespace="ns"))
    rbac.changed("rolebindings", "ns", "b", obj=None)
    assert not may()


def test_names_limit_what_a_rule_lets_through() -> None:
    authorizer = authorizer_of(
        roles=[role("r", rule("get,list,create", "", "configmaps", "mine"), namespace="ns")],
        rolebindings=[binding("b", "Role/r", "User/alice", namespace="ns")],
    )

    def may(verb: str, name: str = "") -> bool:
        return authorizer.authorize(wish(ALICE, verb, "configmaps", namespace="ns", name=name)).allowed

    for _ in range(2):
        assert may("get", "mine")
        assert not may("get", "other")
        assert not may("list")
        assert may("list", "mine")
        assert not may("create")


@pytest.mark.parametrize(
    ("resources", "asked", "allowed"),
    [
        ("pods", "pods", True),
        ("pods", "pods/log", False),
        ("pods/log", "pods/log", True),
        ("pods/log", "pods", False),
        ("*", "pods/log", True),
        ("*/scale", "deployments/scale", True),
        ("*/scale", "deployments/status", False),
        ("*/scale", "deployments", False),
        ("pods/*", "pods/log", False),
    ],
)
def test_subresources_are_resources_of_their_own(resources: str, asked: str, allowed: bool) -> None:
    authorizer = authorizer_of(
        clusterroles=[role("r", rule("get", "*", resources))],
        clusterrolebindings=[binding("b", "ClusterRole/r", "User/alice")],
    )
    assert authorizer.authorize(wish(ALICE, "get", asked)).allowed is allowed


def test_paths_are_matched_by_their_beginning() -> None:
    rules = {"verbs": ["get"], "nonResourceURLs": ["/metrics", "/logs/*"]}
    authorizer = authorizer_of(
        clusterroles=[role("r", rules)], clusterrolebindings=[binding("b", "ClusterRole/r", "User/alice")]
    )

    def may(path: str, verb: str = "get") -> bool:
        return authorizer.authorize(Attributes(user=ALICE, verb=verb, path=path)).allowed

    assert may("/metrics") and may("/logs/a/b") and may("/logs/")
    assert not may("/metrics/slis") and not may("/logs") and not may("/") and not may("/metrics", "delete")
    assert not authorizer.authorize(wish(ALICE, "get", "pods")).allowed


def test_refusals_are_worded_as_kubernetes_words_them() -> None:
    def refused(**asked: Any) -> str:
        return Attributes(user=ALICE, **asked).refusal()

    assert refused(verb="list", resource="pods", namespace="ns") == (
        'User "alice" cannot list resource "pods" in API group "" in the namespace "ns"'
    )
    assert refused(verb="update", resource="deployments", subresource="status", group="apps") == (
        'User "alice" cannot update resource "deployments/status" in API group "apps" at the cluster scope'
    )
    path = Attributes(user=ALICE, verb="get", path="/metrics")
    assert path.denied().to_status()["message"] == 'forbidden: User "alice" cannot get path "/metrics"'
    assert path.denied().to_status()["details"] == {}
    named = Attributes(user=ALICE, verb="get", resource="pods", namespace="ns", name="x").denied("because")
    assert named.message == (
        'pods "x" is forbidden: User "alice" cannot get resource "pods" in API group "" in the namespace "ns": because'
    )
    assert named.details == {"name": "x", "kind": "pods"}


def test_a_list_of_one_name_is_about_that_name() -> None:
    info = RequestInfo(verb="list", path="/api/v1/pods", is_resource=True, version="v1", resource="pods")
    query = parse_query("fieldSelector=metadata.name%3Dx,spec.nodeName!%3Dy&labelSelector=a%3Db")
    asked = Attributes.of(ALICE, info, query)
    assert asked.name == "x"
    assert asked.field_requirements[0] == FieldRequirement("metadata.name", True, "x")
    assert [str(each) for each in asked.label_requirements] == ["a=b"]
    wrong = Attributes.of(ALICE, info, parse_query("fieldSelector=a&labelSelector=a+b"))
    assert (wrong.name, wrong.field_requirements, wrong.label_requirements) == ("", (), ())
    path = Attributes.of(ALICE, RequestInfo(verb="get", path="/metrics"), {})
    assert (path.resource, path.path) == ("", "/metrics")


verbs = st.sampled_from(["get", "list", "*"])
kinds = st.sampled_from(["pods", "pods/log", "secrets", "*", "*/log"])
names = st.sampled_from(["a", "b"])
some_rules = st.builds(
    lambda verb, group, kind, named: rule(verb, group, kind, named), verbs, st.sampled_from(["", "apps", "*"]), kinds,
    st.sampled_from(["", "a", "a,b"]),
) | st.builds(
    lambda verb, path: {"verbs": [verb], "nonResourceURLs": [path]}, verbs, st.sampled_from(["/a", "/a/*", "*"])
)  # fmt: skip
subjects = st.sampled_from(["User/u", "User/v", "Group/g", "ServiceAccount/n:s", "ServiceAccount/s"])
namespaces = st.sampled_from(["n", "m"])


@st.composite
def clusters(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    return {
        "clusterroles": [role(n, *draw(st.lists(some_rules, max_size=2))) for n in draw(st.sets(names))],
        "roles": [
            role(n, *draw(st.lists(some_rules, max_size=2)), namespace=where)
            for n, where in draw(st.sets(st.tuples(names, namespaces)))
        ],
        "clusterrolebindings": [
            binding(n, f"ClusterRole/{draw(names)}", *draw(st.lists(subjects, max_size=2)))
            for n in draw(st.sets(names))
        ],
        "rolebindings": [
            binding(
                n, f"{draw(st.sampled_from(['Role', 'ClusterRole']))}/{draw(names)}",
                *draw(st.lists(subjects, max_size=2)), namespace=where,
            )
            for n, where in draw(st.sets(st.tuples(names, namespaces)))
        ],
    }  # fmt: skip


questions = st.builds(
    Attributes,
    user=st.sampled_from([User("u"), User("v", groups=("g",))]),
    verb=st.sampled_from(["get", "list"]),
    path=st.sampled_from(["/a", "/a/b", "/b"]),
) | st.builds(
    wish,
    st.sampled_from([User("u"), User("v", groups=("g",)), User("system:serviceaccount:n:s")]),
    st.sampled_from(["get", "list"]),
    st.sampled_from(["pods", "pods/log", "secrets"]),
    group=st.sampled_from(["", "apps"]),
    namespace=st.sampled_from(["", "n", "m"]),
    name=st.sampled_from(["", "a", "b", "c"]),
)


def slowly(cluster: dict[str, list[dict[str, Any]]], asked: Attributes) -> bool:
    """The rules of RBAC as the documentation tells them, one binding after the other."""
    for each in (*cluster["clusterrolebindings"], *cluster["rolebindings"]):
        where = each["metadata"].get("namespace", "")
        if where and where != asked.namespace:
            continue
        if not any(_is(subject, asked.user, where) for subject in each["subjects"]):
            continue
        source = "roles" if each["roleRef"]["kind"] == "Role" else "clusterroles"
        for found in cluster[source]:
            if found["metadata"]["name"] != each["roleRef"]["name"]:
                continue
            if source == "roles" and found["metadata"]["namespace"] != where:
                continue
            if any(_lets(one, asked) for one in found["rules"]):
                return True
    return False


def _lets(each: dict[str, list[str]], asked: Attributes) -> bool:
    if asked.verb not in each["verbs"] and "*" not in each["verbs"]:
        return False
    if not asked.resource:
        patterns = each.get("nonResourceURLs", [])
        return any(
            one == asked.path or (one[-1] == "*" and asked.path.startswith(one[:-1])) for one in patterns
        )
    wanted = {asked.resource, "*"}
    if asked.subresource:
        wanted = {f"{asked.resource}/{asked.subresource}", f"*/{asked.subresource}", "*"}
    if not wanted & set(each.get("resources", [])) or not {asked.group, "*"} & set(each.get("apiGroups", [])):
        return False
    return not each.get("resourceNames") or asked.name in each["resourceNames"]


def _is(subject: dict[str, str], user: User, where: str) -> bool:
    if subject["kind"] == "ServiceAccount":
        return user.name == f"system:serviceaccount:{subject.get('namespace', where)}:{subject['name']}"
    return subject["name"] in ((user.name,) if subject["kind"] == "User" else user.groups)


@given(clusters(), st.lists(questions, min_size=1, max_size=12))
def test_what_is_remembered_is_what_the_rules_say(
    cluster: dict[str, list[dict[str, Any]]], asked: list[Attributes]
) -> None:  # A1
    authorizer = Authorizer(Rbac(lambda resource: cluster[resource]))
    for each in asked * 2:
        assert authorizer.authorize(each).allowed is slowly(cluster, each), each


@given(st.data())
def test_no_change_leaves_anything_behind(data: st.DataObject) -> None:  # A1, A2
    rbac = Rbac()
    cluster = data.draw(clusters())
    there: dict[str, dict[tuple[str, str], Any]] = {resource: {} for resource in cluster}
    changes = [
        (resource, (each["metadata"].get("namespace", ""), each["metadata"]["name"]), each)
        for resource, objects in cluster.items()
        for each in objects
    ]
    for resource, key, obj in data.draw(st.permutations([*changes, *((r, k, None) for r, k, _ in changes)])):
        rbac.changed(resource, *key, obj=obj)
        there[resource].pop(key, None)
        if obj is not None:
            there[resource][key] = obj
        asked = data.draw(questions)
        now = {each: list(objects.values()) for each, objects in there.items()}
        assert rbac.authorize(asked).allowed is slowly(now, asked), asked


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kajitori.apiserver.authorization.rbac._REMEMBERED_MAX", 10)
    authorizer = authorizer_of(
        roles=[role("r", rule("get", "", "pods", "p1"), namespace="ns")],
        rolebindings=[binding("b", "Role/r", "Group/g", namespace="ns")],
    )
    for number in range(100):
        user = User(f"u{number % 7}", groups=("g",))
        allowed = authorizer.authorize(
            wish(user, "get", "pods", namespace="ns", name=f"p{number % 3}")
        ).allowed
        assert allowed is (number % 3 == 1)
