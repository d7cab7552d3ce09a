"""Which Pod Security level a namespace could have."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.posture.objects import RESTRICTED, checks, inventory, namespace, obj, pod

from kajitori.apis.podsecurity import LEVELS, Grade, evaluate
from kajitori.posture.pods import NamespaceLevel, judge_pods

SPECS = [
    RESTRICTED,
    {},
    {"hostNetwork": True},
    {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
    {"securityContext": {"runAsNonRoot": True}},
    RESTRICTED | {"hostPID": True},
]


def levels(*objects: dict[str, Any]) -> dict[str, NamespaceLevel]:
    return {
        each.namespace: each
        for each in judge_pods(inventory(*objects)).judged
        if isinstance(each, NamespaceLevel)
    }


@given(st.lists(st.sampled_from(SPECS), max_size=4))
def test_the_level_is_the_strictest_that_all_keep_to(specs: list[dict[str, Any]]) -> None:  # P1
    pods = [pod("shop", f"p{index}", **spec) for index, spec in enumerate(specs)]
    could = levels(namespace("shop"), *pods)["shop"].could
    kept = [
        level
        for level in LEVELS
        if all(evaluate(Grade(level, 36), each["metadata"], each["spec"]).allowed for each in pods)
    ]
    assert could == kept[-1]


def test_who_is_in_the_way_is_told_with_the_check() -> None:  # P2
    found = levels(namespace("shop"), pod("shop", "a", hostNetwork=True), pod("shop", "b", **RESTRICTED))[
        "shop"
    ]
    assert (found.could, found.next, found.pods) == ("privileged", "baseline", 2)
    assert [(each.check, each.who) for each in found.obstacles] == [
        ("hostNamespaces", ("Pod a: hostNetwork=true",))
    ]


def test_the_command_sets_what_nobody_violates() -> None:  # P3
    found = levels(namespace("shop", enforce="baseline"), pod("shop", "a", **RESTRICTED))["shop"]
    assert found.enforces == "baseline:latest"
    assert found.command == (
        "kubectl label --overwrite namespace shop pod-security.kubernetes.io/enforce=restricted"
    )
    assert (
        levels(namespace("shop", enforce="restricted"), pod("shop", "a", **RESTRICTED))["shop"].command == ""
    )


def test_templates_count_and_what_they_make_does_not_count_twice() -> None:
    template = {"spec": {"hostPID": True, "containers": [{"name": "c", "image": "x"}]}}
    deployment = obj("apps/v1", "Deployment", "web", "shop", spec={"template": template})
    replicas = obj("apps/v1", "ReplicaSet", "web-1", "shop", spec={"template": template})
    replicas["metadata"]["ownerReferences"] = [{"kind": "Deployment", "name": "web", "controller": True}]
    found = levels(namespace("shop"), deployment, replicas)["shop"]
    assert (found.templates, found.pods) == (1, 0)
    assert found.obstacles[0].who == ("Deployment web: hostPID=true",)


def test_pods_that_have_ended_do_not_count() -> None:
    ended = pod("shop", "a", hostPID=True) | {"status": {"phase": "Succeeded"}}
    assert levels(namespace("shop"), ended)["shop"].could == "restricted"


@pytest.mark.parametrize(
    ("labels", "spec", "expected"),
    [
        ({}, RESTRICTED, ("medium", "level-unset")),
        ({"enforce": "baseline"}, RESTRICTED, ("low", "level-too-low")),
        ({"enforce": "baseline"}, {"hostPID": True}, ("medium", "level-violated")),
        ({"enforce": "privileged"}, {"hostPID": True}, ("medium", "privileged")),
        ({"enforce": "strict"}, RESTRICTED, ("high", "label-wrong")),
    ],
)
def test_findings(labels: dict[str, str], spec: dict[str, Any], expected: tuple[str, str]) -> None:
    section = judge_pods(inventory(namespace("shop", **labels), pod("shop", "a", **spec)))
    found = [each for each in checks(section.findings) if each[2] == "Namespace shop"]
    assert (*expected, "Namespace shop") in found


def test_the_version_is_that_of_the_server() -> None:
    """What a version of Kubernetes does not know, it does not refuse either."""
    probed: dict[str, Any] = {
        "containers": [{"name": "c", "livenessProbe": {"httpGet": {"host": "db", "port": 1}}}]
    }
    for version, could in (("v1.33.2", "baseline"), ("v1.34.0", "privileged"), ("", "privileged")):
        (level,) = (
            each
            for each in judge_pods(inventory(namespace("a"), pod("a", "p", **probed), version=version)).judged
            if isinstance(each, NamespaceLevel) and each.namespace == "a"
        )
        assert level.could == could, version


def test_a_folder_knows_the_namespaces_that_its_objects_are_in() -> None:
    section = judge_pods(inventory(pod("shop", "a"), whole=False))
    assert [each.namespace for each in section.judged if isinstance(each, NamespaceLevel)] == ["shop"]
