"""Which rule decides over a command."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.cli.guardrails.kinds import names_of
from kajitori.cli.guardrails.rules import Action, Affected, Rule, Situation, first_match
from kajitori.wire.kubectl import parse


def situation(text: str, affected: list[Affected] | None = None, *, asked: bool = False) -> Situation:
    return Situation(parse(text.split()), "prod-eu", ("eu", "https://eu"), ("me",), "shop", affected, asked)


def affected(kind: str, name: str, namespace: str = "shop", version: str = "v1", **labels: str) -> Affected:
    return Affected(names_of(version, kind), namespace, name, labels)


def rule(action: Action = Action.CONFIRM, **members: Any) -> Rule:
    return Rule("it", action, **members)


@pytest.mark.parametrize(
    ("members", "text", "matches"),
    [
        ({"contexts": ("prod*",)}, "delete pod x", True),
        ({"contexts": ("prod",)}, "delete pod x", False),
        ({"contexts": ("prod*",), "exact": True}, "delete pod x", False),
        ({"clusters": ("https://e*",)}, "delete pod x", True),
        ({"users": ("you",)}, "delete pod x", False),
        ({"namespaces": ("shop",)}, "delete pod x", True),
        ({"verbs": ("rollout",)}, "rollout restart deploy/x", True),
        ({"verbs": ("rollout restart",)}, "rollout restart deploy/x", True),
        ({"verbs": ("rollout undo",)}, "rollout restart deploy/x", False),
        ({"verbs": ("rollout restart",)}, "rollout", False),
        ({"verbs": ("delete",)}, "neat delete", False),
        ({"verbs": ("neat",)}, "neat delete", True),
        ({"verbs": ("delete",)}, "--what-is-this delete pod x", True),
        ({"verbs": ("delete",)}, "--what-is-this delete get pod", True),
        ({"verbs": ("delete",)}, "get pod --what-is-this", False),
        ({"resources": ("deployments",)}, "delete deploy x", True),
        ({"resources": ("deployments.apps",)}, "delete deployment/x", True),
        ({"resources": ("deploy",)}, "delete deployments.v1.apps x", True),
        ({"resources": ("secrets",)}, "delete pods,secret x", True),
        ({"resources": ("secrets",)}, "delete pods x", False),
        ({"resources": ("nodes",)}, "drain n1", True),
        ({"is_all": True}, "delete pods --all", True),
        ({"is_all": True}, "delete pods -A -l a=b", True),
        ({"is_all": True}, "delete pods --all=false x", False),
    ],
)
def test_what_the_command_line_tells(members: dict[str, Any], text: str, matches: bool) -> None:
    expected = rule(**members)
    assert first_match([expected], situation(text)) is (expected if matches else None)


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"more_than": 2}, "delete pods --all"),
        ({"selector": "a=b"}, "delete pod x"),
        ({"resources": ("secrets",)}, "delete -f x.yaml"),
        ({"resources": ("secrets",)}, "delete widget x"),
        ({"namespaces": ("shop",)}, "delete pods -A"),
        ({"namespaces": ("shop",)}, "delete ns shop"),
    ],
)
def test_objects_are_asked_for_only_where_a_rule_needs_them(members: dict[str, Any], text: str) -> None:  # R2
    assert first_match([rule(**members)], situation(text)) is False
    assert first_match([rule(verbs=("edit",), **members)], situation(text)) is None


def test_what_objects_tell() -> None:
    pods = [affected("Pod", f"p{number}", app="web") for number in range(3)]
    shop = [affected("Namespace", "shop", namespace="shop")]
    widgets = [affected("Widget", "w", version="example.com/v1")]
    for members, seen, matches in (
        ({"more_than": 2}, pods, True),
        ({"more_than": 3}, pods, False),
        ({"selector": "app in (web)"}, pods, True),
        ({"selector": "app=db"}, pods, False),
        ({"namespaces": ("shop",)}, shop, True),
        ({"resources": ("widgets.example.com",)}, widgets, True),
        ({"resources": ("widget",)}, widgets, True),
        ({"resources": ("pods",)}, widgets, False),
    ):
        found = first_match([rule(**members)], situation("delete -f x", seen, asked=True))
        assert (found is not None) is matches, (members, found)


def test_the_first_that_matches_decides() -> None:  # R1
    lets, asks = rule(Action.ALLOW, resources=("pods",)), rule()
    assert first_match([lets, asks], situation("delete pod x")) is lets
    assert first_match([lets, asks], situation("delete secret x")) is asks


@given(st.sampled_from([each for each in Action if each is not Action.ALLOW]))
def test_what_cannot_be_known_counts_against_the_command(action: Action) -> None:  # R3
    lets, other = rule(Action.ALLOW, more_than=0), rule(action, more_than=1000)
    assert first_match([lets, other], situation("delete -f x", None, asked=True)) is other
