"""Policies in a file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apiserver.authorization.given import wish

from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization import Attributes, Rule
from kajitori.apiserver.authorization.abac import Abac, AlwaysAllow, Policy, PolicyFileError, read_policies

ALICE = User("alice", groups=("dev", "system:authenticated"))
V1 = '"apiVersion": "abac.authorization.kubernetes.io/v1beta1", "kind": "Policy"'


def policies(tmp_path: Path, *lines: str) -> Abac:
    path = tmp_path / "policy.jsonl"
    path.write_text("\n".join(lines))
    return Abac(read_policies(path))


def test_lines_say_who_may_do_what(tmp_path: Path) -> None:  # P1
    abac = policies(
        tmp_path,
        "# people",
        "",
        f'{{{V1}, "spec": {{"user": "alice", "namespace": "ns", "resource": "pods", "readonly": true}}}}',
        f'{{{V1}, "spec": {{"group": "dev", "apiGroup": "apps", "namespace": "*", "resource": "*"}}}}',
        f'{{{V1}, "spec": {{"user": "*", "nonResourcePath": "/logs/*"}}}}',
    )

    def may(verb: str, resource: str, group: str = "", namespace: str = "ns", user: User = ALICE) -> bool:
        return abac.authorize(wish(user, verb, resource, group=group, namespace=namespace)).allowed

    assert may("get", "pods") and may("watch", "pods")
    assert not may("delete", "pods") and not may("get", "pods", namespace="other")
    assert not may("get", "secrets") and not may("get", "pods", user=User("bob"))
    assert may("delete", "deployments", "apps", "other") and not may("delete", "jobs", "batch")
    someone = User("bob", groups=("system:authenticated",))
    assert abac.authorize(Attributes(user=someone, verb="get", path="/logs/a")).allowed
    assert not abac.authorize(Attributes(user=User("bob"), verb="get", path="/logs/a")).allowed
    refused = abac.authorize(Attributes(user=User("bob"), verb="get", path="/metrics"))
    assert (refused.allowed, refused.denied, refused.reason) == (False, False, "No policy matched.")


def test_lines_without_a_version_leave_out_what_is_everything(tmp_path: Path) -> None:
    abac = policies(tmp_path, '{"user": "alice"}', '{"resource": "pods", "readonly": true}', '{"user": "*"}')
    assert abac.authorize(wish(ALICE, "delete", "nodes")).allowed
    assert abac.authorize(Attributes(user=ALICE, verb="get", path="/metrics")).allowed
    assert not abac.authorize(wish(User("x"), "get", "pods")).allowed
    someone = User("x", groups=("system:authenticated",))
    assert abac.authorize(wish(someone, "delete", "pods")).allowed


def test_lines_are_listed_as_rules(tmp_path: Path) -> None:
    abac = policies(
        tmp_path,
        f'{{{V1}, "spec": {{"user": "alice", "namespace": "*", "resource": "pods", "readonly": true}}}}',
        f'{{{V1}, "spec": {{"user": "alice", "namespace": "*", "nonResourcePath": "/x"}}}}',
        f'{{{V1}, "spec": {{"user": "bob", "namespace": "*", "resource": "*"}}}}',
        f'{{{V1}, "spec": {{"user": "alice", "namespace": "other", "resource": "*"}}}}',
    )
    held = abac.held(ALICE, "ns")
    assert held.rules == [
        Rule(("get", "list", "watch"), ("",), ("pods",)),
        Rule(("*",), non_resource_urls=("/x",)),
    ]
    assert not held.incomplete and not held.errors
    assert len(AlwaysAllow().held(ALICE, "ns").rules) == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "this is no JSON: "),
        ("[1]", "this is no object; write one policy a line"),
        ('{"user": 1}', "Expected `str`, got `int` - at `$.user`"),
        (
            '{"apiVersion": "x/v1", "kind": "Policy"}',
            'no kind "Policy" is registered for version "x/v1"; write apiVersion: abac.',
        ),
    ],
)
def test_a_line_that_is_no_policy_is_told_with_its_number(tmp_path: Path, line: str, told: str) -> None:  # P2
    with pytest.raises(PolicyFileError) as refused:
        policies(tmp_path, "# one", line)
    path = tmp_path / "policy.jsonl"
    assert str(refused.value).startswith(f"error reading policy file {path}, line 2: {line}: {told}")


few = st.sampled_from(("", "*", "a", "b"))


@given(
    st.builds(Policy, user=few, group=few, readonly=st.booleans(), resource=few, namespace=few, apiGroup=few)
)
def test_a_policy_that_names_nobody_lets_nobody_do_anything(policy: Policy) -> None:
    known = User("a", groups=("b", "system:authenticated"))
    asked = wish(known, "get", "a", namespace="b", group="a")
    anybody = "*" in (policy.user, policy.group)
    fits = anybody or (
        (policy.user or policy.group) and policy.user in ("", "a") and policy.group in ("", "b")
    )
    matches = (
        policy.resource in ("*", "a") and policy.namespace in ("*", "b") and policy.apiGroup in ("*", "a")
    )
    assert policy.allows(asked) is bool(fits and matches)
