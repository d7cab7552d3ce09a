"""Acting as somebody else."""

from typing import Any

import pytest
from tests.apiserver.authorization.given import authorizer_of, binding, role, rule, wish

from kajitori.apimachinery.errors import BadRequest, Forbidden
from kajitori.apiserver.authentication import Authenticator, User
from kajitori.apiserver.authorization.impersonation import impersonate
from kajitori.apiserver.http import Request

ROOT = User("root", groups=("system:masters", "system:authenticated"))
AGENT = User("agent", groups=("system:authenticated",))
AUTHENTICATION = "authentication.k8s.io"


class Peer:
    remote = "127.0.0.1:1"

    def certificate(self) -> bytes | None:
        return None


def become(
    asking: User,
    *rules: dict[str, Any],
    target: str = "/api/v1/namespaces/ns/pods",
    **headers: str | list[str],
) -> User:
    """Who a request of `asking`, who holds `rules`, continues as."""
    named = {f"impersonate-{name.replace('_', '-')}": value for name, value in headers.items()}
    flat = {name: ", ".join(value) if isinstance(value, list) else value for name, value in named.items()}
    request = Request(Peer(), "GET", target, headers=flat, body=b"")
    request.repeated = {name: value for name, value in named.items() if isinstance(value, list)}
    authorizer = authorizer_of(
        clusterroles=[role("r", *rules)],
        clusterrolebindings=[binding("b", "ClusterRole/r", f"User/{asking.name}")],
    )
    return Authenticator().impersonate(request, asking, authorizer)[0]


@pytest.mark.parametrize(
    ("headers", "groups"),
    [
        ({"user": "jane"}, ("system:authenticated",)),
        ({"user": "jane", "group": ["g1", "g, 2"]}, ("g1", "g, 2", "system:authenticated")),
        ({"user": "jane", "group": ["system:unauthenticated"]}, ("system:unauthenticated",)),
        ({"user": "system:anonymous"}, ("system:unauthenticated",)),
        (
            {"user": "system:serviceaccount:ns:x"},
            ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"),
        ),
        ({"user": "system:node:n1"}, ("system:nodes", "system:authenticated")),
        ({"user": "jane", "group": ["system:masters"]}, ("system:masters", "system:authenticated")),
    ],
)
def test_groups_are_completed(headers: dict[str, Any], groups: tuple[str, ...]) -> None:
    user = become(ROOT, **headers)
    assert (user.name, user.groups) == (headers["user"], groups)


def test_everything_about_a_user_can_be_described() -> None:
    headers: dict[str, Any] = {"extra_scopes": ["view", "edit"], "extra_example.com%2fa": "b"}
    user = become(ROOT, user="jane", uid="u-1", **headers)
    assert (user.uid, user.extra) == ("u-1", {"scopes": ("view", "edit"), "example.com/a": ("b",)})


def test_without_headers_nothing_changes() -> None:
    assert become(AGENT) is AGENT


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"group": "g"}, 'Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)'),
        ({"uid": "1"}, 'Name:"", UID:"1", Groups:[]string(nil), Extra:map[string][]string(nil)'),
        (
            {"extra_b": ["x", "y"], "extra_a": "z"},
            'Name:"", UID:"", Groups:[]string(nil), '
            'Extra:map[string][]string{"a":[]string{"z"}, "b":[]string{"x", "y"}}',
        ),
    ],
)
def test_parts_of_nobody_are_a_bad_request(headers: dict[str, Any], shown: str) -> None:
    with pytest.raises(BadRequest) as refused:
        become(ROOT, **headers)
    assert (
        refused.value.message == f"requested &user.DefaultInfo{{{shown}}} without impersonating a user name"
    )


def test_each_part_is_asked_for() -> None:  # I1
    headers: dict[str, Any] = {"user": "jane", "uid": "u", "group": "g", "extra_a": "b"}
    parts = [
        rule("impersonate", "", "users", "jane"),
        rule("impersonate", AUTHENTICATION, "uids", "u"),
        rule("impersonate", "", "groups", "g"),
        rule("impersonate", AUTHENTICATION, "userextras/a", "b"),
    ]
    assert become(AGENT, *parts, **headers).name == "jane"
    for missing in parts:
        with pytest.raises(Forbidden):
            become(AGENT, *(each for each in parts if each is not missing), **headers)


def test_service_accounts_are_impersonated_as_such() -> None:
    allowed = rule("impersonate", "", "serviceaccounts", "x")
    assert become(AGENT, allowed, user="system:serviceaccount:ns:x").groups[0] == "system:serviceaccounts"
    with pytest.raises(Forbidden):
        become(AGENT, allowed, user="system:serviceaccount:ns:y")
    with pytest.raises(Forbidden):
        become(AGENT, allowed, user="x")


def test_a_refusal_is_that_of_the_first_mode() -> None:  # I3
    with pytest.raises(Forbidden) as refused:
        become(AGENT, user="jane")
    assert refused.value.message == (
        'pods is forbidden: User "agent" cannot impersonate-on:user-info:list resource "pods" in API group "" '
        'in the namespace "ns"'
    )
    with pytest.raises(Forbidden) as refused:
        become(AGENT, rule("impersonate-on:user-info:list", "", "pods"), user="jane")
    assert refused.value.message == (
        'users.authentication.k8s.io "jane" is forbidden: User "agent" cannot impersonate:user-info resource "users" '
        'in API group "authentication.k8s.io" at the cluster scope'
    )


def test_the_mode_that_let_somebody_through_is_tried_first() -> None:  # I3
    authorizer = authorizer_of(
        clusterroles=[role("r", rule("impersonate", "", "users", "bob"))],
        clusterrolebindings=[binding("b", "ClusterRole/r", "User/agent")],
    )
    attributes = wish(AGENT, "get", "pods", namespace="ns")

    def refusal() -> str:
        with pytest.raises(Forbidden) as refused:
            impersonate(authorizer, attributes, User("carol"))
        return refused.value.message

    assert "cannot impersonate-on:user-info:get resource" in refusal()
    assert impersonate(authorizer, attributes, User("bob"))[1] == ""
    assert 'cannot impersonate resource "users"' in refusal()
    counted = [line for line in authorizer.lines() if "_total{" in line and "impersonation" in line]
    assert counted == [
        'apiserver_impersonation_attempts_total{decision="allowed",mode="legacy"} 1',
        'apiserver_impersonation_attempts_total{decision="denied",mode=""} 2',
        'apiserver_impersonation_authorization_attempts_total{decision="allowed",mode="legacy"} 1',
        'apiserver_impersonation_authorization_attempts_total{decision="denied",mode="legacy"} 2',
        'apiserver_impersonation_authorization_attempts_total{decision="denied",mode="user-info"} 3',
    ]


def test_the_constrained_mode_is_for_one_thing_at_a_time() -> None:
    rules = [
        rule("impersonate-on:user-info:list", "", "pods"),
        rule("impersonate:user-info", AUTHENTICATION, "users,groups"),
    ]
    assert become(AGENT, *rules, user="jane", group=["a", "b", "c", "d", "e"]).name == "jane"
    for target in ("/api/v1/namespaces/ns/secrets", "/api/v1/namespaces/ns/pods/x", "/version"):
        with pytest.raises(Forbidden):
            become(AGENT, *rules, target=target, user="jane")
    for denied in ("system:node:n", "system:serviceaccount:ns:x"):
        with pytest.raises(Forbidden):
            become(AGENT, *rules, user=denied)


def test_no_constrained_mode_gives_masters() -> None:  # I2
    rules = [
        rule("impersonate-on:user-info:list", "", "pods"),
        rule("impersonate:user-info", AUTHENTICATION, "*"),
    ]
    for group, why in (
        ("system:masters", "impersonating the system:masters group is not allowed"),
        (["", "a"], "impersonating the empty string group is not allowed"),
    ):
        with pytest.raises(Forbidden, match=why):
            become(AGENT, *rules, user="jane", group=group)
    for key in ("scopes", "/a", "A_b/c"):
        with pytest.raises(Forbidden, match="invalid key in extra"):
            become(AGENT, *rules, user="jane", **{f"extra_{key}": "x"})
    many = [str(number) for number in range(9)]
    headers: dict[str, Any] = {"extra_a.b/c": many}
    assert become(AGENT, *rules, user="jane", **headers).extra == {"a.b/c": tuple(many)}


def test_a_pod_may_act_as_its_own_node() -> None:
    rules = [
        rule("impersonate-on:associated-node:list", "", "pods"),
        rule("impersonate:associated-node", AUTHENTICATION, "nodes"),
    ]
    extra = {"authentication.kubernetes.io/node-name": ("n1",)}
    agent = User("system:serviceaccount:kube-system:agent", "", ("system:serviceaccounts",), extra)
    assert become(agent, *rules, user="system:node:n1").groups == ("system:nodes", "system:authenticated")
    with pytest.raises(Forbidden):
        become(agent, *rules, user="system:node:n2")
    anywhere = [
        rule("impersonate-on:arbitrary-node:list", "", "pods"),
        rule("impersonate:arbitrary-node", AUTHENTICATION, "nodes"),
    ]
    assert become(agent, *anywhere, user="system:node:n2").name == "system:node:n2"
