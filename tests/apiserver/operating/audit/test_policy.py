"""Which requests the audit policy wants."""

from pathlib import Path
from typing import Any

import pytest

from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization.attributes import Attributes
from kajitori.apiserver.operating.audit.policy import PolicyError, Wanted, parse_policy, read_policy

HEAD = "apiVersion: audit.k8s.io/v1\nkind: Policy\n"
JANE = User("jane", groups=("dev",))


GET: dict[str, Any] = {"verb": "get"}


def level(rules: str, **asked: Any) -> str:
    policy = parse_policy(f"{HEAD}rules:\n{rules}".encode())
    return policy.wanted(Attributes(user=JANE, **{**GET, **asked})).level


POD: dict[str, Any] = {"resource": "pods", "namespace": "a", "name": "p"}


@pytest.mark.parametrize(
    "rule",
    [
        "{}",
        "{users: [jane]}",
        "{userGroups: [ops, dev]}",
        "{verbs: [get]}",
        "{namespaces: [a]}",
        "{resources: [{group: ''}]}",
        "{resources: [{group: '*', resources: [pods]}]}",
        "{resources: [{resources: ['*']}]}",
        "{resources: [{resources: ['pods/*']}]}",
        "{resources: [{resources: [pods], resourceNames: [p]}]}",
    ],
)
def test_a_rule_matches_what_it_names(rule: str) -> None:  # P1
    assert level(f"- {{level: Metadata, {rule[1:]}", **POD) == "Metadata"


@pytest.mark.parametrize(
    "rule",
    [
        "{users: [john]}",
        "{userGroups: [ops]}",
        "{verbs: [list]}",
        "{namespaces: ['']}",
        "{resources: [{group: apps}]}",
        "{resources: [{resources: [pods/log]}]}",
        "{resources: [{resources: ['*/log']}]}",
        "{resources: [{resources: [pods], resourceNames: [q]}]}",
        "{nonResourceURLs: ['*']}",
    ],
)
def test_a_rule_matches_nothing_else(rule: str) -> None:  # P1
    assert level(f"- {{level: Metadata, {rule[1:]}", **POD) == "None"


def test_the_first_rule_decides() -> None:  # P1
    rules = "- {level: None, verbs: [get]}\n- {level: Request}"
    assert level(rules, **POD) == "None"
    assert level(rules, **POD | {"verb": "list"}) == "Request"


@pytest.mark.parametrize(
    ("url", "path"), [("*", "/x"), ("/healthz*", "/healthz/ping"), ("/metrics", "/metrics")]
)
def test_paths_end_in_a_star(url: str, path: str) -> None:  # P1
    assert level(f"- {{level: Metadata, nonResourceURLs: ['{url}']}}", path=path) == "Metadata"
    assert level(f"- {{level: Metadata, nonResourceURLs: ['{url}']}}", **POD) == "None"


def test_subresources_have_names_of_their_own() -> None:  # P1
    for each in ("pods/status", "*/status", "pods/*", "*"):
        rule = f"- {{level: Metadata, resources: [{{resources: ['{each}']}}]}}"
        assert level(rule, **POD, subresource="status") == "Metadata"


def test_what_is_left_out_adds_up() -> None:
    text = (
        f"{HEAD}omitStages: [RequestReceived]\nomitManagedFields: true\nrules:\n"
        "- {level: Metadata, omitStages: [Panic]}"
    )
    wanted = parse_policy(text.encode()).wanted(Attributes(user=JANE, verb="get", path="/"))
    assert wanted == Wanted("Metadata", frozenset({"RequestReceived", "Panic"}), omit_managed_fields=True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: Policy", "this is Policy of no version; write apiVersion: audit.k8s.io/v1, kind: Policy"),
        ("[]", "an audit policy is an object"),
        (HEAD, "rules: there are none"),
        (f"{HEAD}rules: [{{}}]", "rules[0].level: Required value"),
        (
            f"{HEAD}rules: [{{level: All}}]",
            'rules[0].level: Unsupported value: "All": supported values: "None"',
        ),
        (f"{HEAD}rules: [{{level: 1}}]", "rules[0].level: Expected `str`, got `int`"),
        (f"{HEAD}rules: [{{level: None, users: jane}}]", "rules[0].users: Expected `array`, got `str`"),
        (
            f"{HEAD}rules: [{{level: None, omitStages: [End]}}]",
            'rules[0].omitStages[0]: Invalid value: "End": allowed stages are RequestReceived,',
        ),
        (
            f"{HEAD}rules: [{{level: None, nonResourceURLs: [x]}}]",
            "rules[0].nonResourceURLs[0]: Invalid value",
        ),
        (f"{HEAD}rules: [{{level: None, nonResourceURLs: ['/*/x']}}]", "must be the final character"),
        (
            f"{HEAD}rules: [{{level: None, nonResourceURLs: [/x], namespaces: [a]}}]",
            "rules cannot apply to both regular resources and non-resource URLs",
        ),
        (
            f"{HEAD}rules: [{{level: None, resources: [{{group: apps/v1}}]}}]",
            "rules[0].resources.group: Invalid",
        ),
        (
            f"{HEAD}rules: [{{level: None, resources: [{{resourceNames: [a]}}]}}]",
            "using resourceNames requires at least one resource",
        ),
    ],
)
def test_a_wrong_policy_is_refused_by_its_field(text: str, told: str) -> None:  # P2
    with pytest.raises(PolicyError) as refused:
        parse_policy(text.encode())
    assert told in str(refused.value)


def test_a_field_that_is_none_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    parse_policy(f"{HEAD}rules: [{{level: None, namespace: [a]}}]".encode())
    assert "rules[0].namespace" in caplog.text


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"cannot read the audit policy .*nowhere"):
        read_policy(tmp_path / "nowhere")
