"""Nobody grants what they do not have."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apiserver.authorization.given import ALICE, authorizer_of, binding, role, rule

from kajitori.apimachinery.errors import Forbidden, NotFound
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization import Authorizer, Rule, parse_rules
from kajitori.apiserver.authorization.escalation import check_grant, covers, missing_rules

RBAC = "rbac.authorization.k8s.io"


def holding(*rules: dict[str, Any], **more: list[dict[str, Any]]) -> Authorizer:
    """Alice holds `rules` in the namespace ns."""
    roles = [role("held", *rules, namespace="ns"), *more.get("roles", [])]
    bound = [binding("held", "Role/held", "User/alice", namespace="ns")]
    return authorizer_of(roles=roles, rolebindings=bound, clusterroles=more.get("clusterroles", []))


def refusal(authorizer: Authorizer, resource: str, obj: dict[str, Any], **more: Any) -> str:
    with pytest.raises(Forbidden) as refused:
        check_grant(authorizer, ALICE, resource=resource, obj=obj, **more)
    assert refused.value.details == {"name": obj["metadata"]["name"], "group": RBAC, "kind": resource}
    return refused.value.message


HELD = 'user "alice" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'


def test_a_role_may_have_what_its_writer_has_and_no_more() -> None:  # E1, E2
    authorizer = holding(rule("get", "", "configmaps"))
    check_grant(
        authorizer, ALICE, resource="roles", obj=role("x", rule("get", "", "configmaps"), namespace="ns")
    )
    wanted = role("z", rule("get,list,watch", "", "configmaps"), rule("*", "*", "*"), namespace="ns")
    assert refusal(authorizer, "roles", wanted) == (
        f'roles.{RBAC} "z" is forbidden: {HELD}'
        '{APIGroups:[""], Resources:["configmaps"], Verbs:["list" "watch"]}\n'
        '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'
    )


def test_names_and_paths_are_told_apart_in_the_refusal() -> None:  # E2
    wanted = role("z", rule("get", "", "pods", "a,b"), {"verbs": ["get"], "nonResourceURLs": ["/x", "/y"]})
    assert refusal(authorizer_of(), "clusterroles", wanted).partition("held:\n")[2].split("\n") == [
        '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get"]}',
        '{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get"]}',
        '{NonResourceURLs:["/x"], Verbs:["get"]}',
        '{NonResourceURLs:["/y"], Verbs:["get"]}',
    ]


def test_what_does_not_change_grants_nothing() -> None:
    strong = role("z", rule("*", "*", "*"), namespace="ns")
    relabelled = {**strong, "metadata": {**strong["metadata"], "labels": {"a": "b"}}}
    check_grant(holding(), ALICE, resource="roles", obj=relabelled, before=strong)
    check_grant(holding(), ALICE, resource="roles", obj=role("z", namespace="ns"), before=strong)
    assert refusal(holding(), "roles", strong, before=role("z", namespace="ns"))
    bound = binding("b", "ClusterRole/z", "User/alice", namespace="ns")
    check_grant(
        holding(), ALICE, resource="rolebindings", obj={**bound, "metadata": bound["metadata"]}, before=bound
    )


def test_escalate_lifts_the_restriction() -> None:
    wanted = role("z", rule("*", "*", "*"), namespace="ns")
    check_grant(holding(rule("escalate", RBAC, "roles", "z")), ALICE, resource="roles", obj=wanted)
    assert refusal(holding(rule("escalate", RBAC, "roles", "y")), "roles", wanted)
    masters = User("root", groups=("system:masters",))
    check_grant(authorizer_of(), masters, resource="clusterroles", obj=role("z", rule("*", "*", "*")))


def test_who_may_escalate_a_name_may_where_the_request_says_it() -> None:
    """A POST does not; what it makes may have any name."""
    wanted = role("z", rule("*", "*", "*"), namespace="ns")
    authorizer = holding(rule("escalate", RBAC, "roles", "z"))
    check_grant(authorizer, ALICE, resource="roles", obj=wanted, named=True)
    assert refusal(authorizer, "roles", wanted, named=False)


def test_roles_that_are_not_there_are_told_with_the_refusal() -> None:
    wanted = role("z", rule("get", "", "pods"), namespace="ns")
    bound = [binding(f"b{name}", f"ClusterRole/{name}", "User/alice", namespace="ns") for name in "xy"]
    authorizer = authorizer_of(rolebindings=bound[:1])
    told = '; resolution errors: [roles.rbac.authorization.k8s.io "x" not found]'
    assert refusal(authorizer, "roles", wanted).endswith(told)
    both = authorizer_of(rolebindings=bound)
    assert refusal(both, "roles", wanted).endswith(
        '; resolution errors: [[roles.rbac.authorization.k8s.io "x" not found, '
        'roles.rbac.authorization.k8s.io "y" not found]]'
    )


def test_aggregation_is_for_those_who_may_do_everything() -> None:
    wanted = role("z", aggregationRule={"clusterRoleSelectors": [{}]})
    assert refusal(authorizer_of(), "clusterroles", wanted).endswith(
        "must have cluster-admin privileges to use the aggregationRule"
    )


def test_a_binding_grants_the_rules_of_its_role() -> None:  # E1
    clusterroles = [role("strong", rule("*", "", "secrets"))]
    wanted = binding("x", "ClusterRole/strong", "User/bob", namespace="ns")
    assert refusal(holding(clusterroles=clusterroles), "rolebindings", wanted) == (
        f'rolebindings.{RBAC} "x" is forbidden: {HELD}{{APIGroups:[""], Resources:["secrets"], Verbs:["*"]}}'
    )
    for allowed in (rule("*", "", "secrets"), rule("bind", RBAC, "clusterroles", "strong")):
        check_grant(holding(allowed, clusterroles=clusterroles), ALICE, resource="rolebindings", obj=wanted)
    everywhere = binding("x", "ClusterRole/strong", "User/bob")
    assert refusal(
        holding(rule("*", "", "secrets"), clusterroles=clusterroles), "clusterrolebindings", everywhere
    )


def test_a_binding_to_nothing_is_not_found() -> None:
    wanted = binding("x", "Role/nope-role", "User/bob", namespace="ns")
    with pytest.raises(NotFound) as missing:
        check_grant(holding(), ALICE, resource="rolebindings", obj=wanted)
    assert missing.value.message == f'rolebindings.{RBAC} "nope-role" not found'


def test_other_resources_are_nobodys_grants() -> None:
    check_grant(authorizer_of(), ALICE, resource="configmaps", obj={"metadata": {"name": "x"}})


words = st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=2, unique=True).map(tuple)
rules = st.one_of(
    st.builds(Rule, words, words, words, st.sampled_from([(), ("n",), ("n", "m")])),
    st.builds(
        Rule, words, non_resource_urls=st.sampled_from([("/a",), ("/a/*",), ("/a/b", "/c"), ("*",)])
    ),
)  # fmt: skip


@given(st.lists(rules, max_size=3))
def test_everything_covers_itself_and_all_covers_everything(some: list[Rule]) -> None:  # E1
    assert covers(some, some)
    everything = parse_rules([rule("*", "*", "*"), {"verbs": ["*"], "nonResourceURLs": ["*"]}])
    assert covers(everything, some)


@given(st.lists(rules, max_size=3), st.lists(rules, max_size=3), st.lists(rules, max_size=2))
def test_covering_is_transitive_and_grows_with_what_is_held(
    a: list[Rule], b: list[Rule], c: list[Rule]
) -> None:
    missing = missing_rules(a, b)
    assert covers([*a, *missing], b)
    assert set(missing_rules([*a, *c], b)) <= set(missing)
    if covers(a, b) and covers(b, c):
        assert covers(a, c)


@pytest.mark.parametrize(
    ("held", "wanted", "covered"),
    [
        (rule("get", "", "pods"), rule("get", "", "pods", "x"), True),
        (rule("get", "", "pods", "x"), rule("get", "", "pods"), False),
        (rule("get", "", "pods", "x,y"), rule("get", "", "pods", "y"), True),
        (rule("get", "", "*/log"), rule("get", "", "pods/log"), True),
        (rule("get", "", "pods"), rule("get", "", "pods/log"), False),
        (rule("get", "", "*"), rule("get", "", "pods/log"), True),
        (rule("get", "", "pods"), rule("get", "*", "pods"), False),
        (
            {"verbs": ["get"], "nonResourceURLs": ["/a/*"]},
            {"verbs": ["get"], "nonResourceURLs": ["/a/b"]},
            True,
        ),
        (
            {"verbs": ["get"], "nonResourceURLs": ["/a/*"]},
            {"verbs": ["get"], "nonResourceURLs": ["/a"]},
            False,
        ),
        (
            {"verbs": ["get"], "nonResourceURLs": ["/a"]},
            {"verbs": ["get"], "nonResourceURLs": ["/a*"]},
            False,
        ),
    ],
)
def test_what_covers_what(held: dict[str, Any], wanted: dict[str, Any], covered: bool) -> None:
    assert covers(parse_rules([held]), parse_rules([wanted])) is covered
