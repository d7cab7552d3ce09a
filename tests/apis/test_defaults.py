"""Defaults and first strategies against what a Kubernetes 1.36 API server stored."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from kajitori.apis.conversion import convert
from kajitori.apis.defaults import default_for
from kajitori.apis.defaults.core import image_tag
from kajitori.apis.resources import find_kind
from kajitori.apis.strategies import Occasion, strategy_for
from kajitori.apis.typed import decode

CASES = json.loads((Path(__file__).parent / "defaults.json").read_text())
NOW = "2026-01-01T00:00:00Z"
OF_ADMISSION = {
    # What admission plugins of the recorded server added, and the answers of reviews.
    "metadata": {"finalizers"},
    "spec": {"tolerations", "priority", "preemptionPolicy", "taints"},
}
ADMIN = Occasion(NOW, "admin", "admin", ("system:masters", "system:authenticated"))


def stored(sent: dict[str, Any]) -> dict[str, Any]:
    """What is stored of a sent object, as far as no allocation and no admission is needed."""
    group, _, version = sent["apiVersion"].rpartition("/")
    info = find_kind(group, version, sent["kind"])
    assert info is not None
    obj, unknown = decode(info.definition, copy.deepcopy(sent))
    assert not unknown
    default_for(info.definition)(obj)
    if not info.stored:
        return obj
    if info.kind.namespaced:
        obj["metadata"]["namespace"] = "defaults"
    obj["metadata"] |= {"uid": "<uid>", "creationTimestamp": NOW}
    obj = convert(obj, info.storage_version)
    strategy_for(group, info.kind.plural).prepare_for_create(obj, ADMIN)
    return convert(obj, info.kind.api_version)


def without_admission(obj: dict[str, Any]) -> dict[str, Any]:
    for member, names in OF_ADMISSION.items():
        for name in names & set(obj.get(member) or ()):
            del obj[member][name]
    obj["metadata"].pop("resourceVersion", None)
    return obj


def same(ours: Any, recorded: Any) -> bool:
    """Placeholders stand for anything, also for what an allocation would have filled in."""
    if isinstance(recorded, dict):
        if not isinstance(ours, dict) or set(ours) - set(recorded):
            return False
        return all(same(ours.get(name, "<left out>"), each) for name, each in recorded.items())
    if isinstance(recorded, list) and isinstance(ours, list):
        return len(ours) == len(recorded) and all(map(same, ours, recorded))
    if isinstance(recorded, str) and recorded.startswith("<") and recorded.endswith(">"):
        return True
    if recorded == ["<cluster-ip>"]:
        return True
    return type(ours) is type(recorded) and bool(ours == recorded)


REVIEWS = {case["case"] for case in CASES if case["case"].endswith("review")}


@pytest.mark.parametrize(
    "case", [each for each in CASES if each["case"] not in REVIEWS], ids=lambda c: c["case"]
)
def test_what_is_stored_is_what_kubernetes_stores(case: dict[str, Any]) -> None:
    ours, recorded = without_admission(stored(case["sent"])), without_admission(copy.deepcopy(case["got"]))
    assert same(ours, recorded), json.dumps([ours, recorded])


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["case"])
def test_defaults_stand_where_go_writes_them_and_come_once(case: dict[str, Any]) -> None:  # F2 F3
    sent = case["sent"]
    group, _, version = sent["apiVersion"].rpartition("/")
    info = find_kind(group, version, sent["kind"])
    assert info is not None
    obj, _ = decode(info.definition, copy.deepcopy(sent))
    fill_in = default_for(info.definition)
    fill_in(obj)
    once = json.dumps(obj)
    assert json.dumps(decode(info.definition, json.loads(once))[0]) == once
    fill_in(obj)
    assert json.dumps(obj) == once


@pytest.mark.parametrize(
    ("reference", "tag"),
    [
        ("img", "latest"),
        ("img:latest", "latest"),
        ("img:1", "1"),
        ("host:5000/img", "latest"),
        ("host:5000/a/img:2", "2"),
        ("img@sha256:" + "0a" * 32, ""),
        ("img:3@sha256:" + "0a" * 32, "3"),
        ("img:3@sha256:abc", ""),
    ],
)
def test_the_tag_of_an_image(reference: str, tag: str) -> None:
    assert image_tag(reference) == tag


def test_amounts_of_resources_are_rounded_to_thousandths() -> None:
    definition = "io.k8s.api.core.v1.Pod"
    resources = {"limits": {"cpu": "0.0001", "memory": "100u"}}
    pod, _ = decode(definition, {"spec": {"containers": [{"name": "c", "resources": resources}]}})
    default_for(definition)(pod)
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "1m", "memory": "1m"}


def test_a_service_account_is_told_twice() -> None:
    definition = "io.k8s.api.core.v1.Pod"
    for member in ("serviceAccount", "serviceAccountName"):
        pod, _ = decode(definition, {"spec": {member: "robot", "containers": [{"name": "c"}]}})
        default_for(definition)(pod)
        assert pod["spec"]["serviceAccount"] == pod["spec"]["serviceAccountName"] == "robot"


def test_texts_of_a_secret_become_data() -> None:
    definition = "io.k8s.api.core.v1.Secret"
    secret, _ = decode(definition, {"stringData": {"a": "x", "b": "y"}, "data": {"a": "cQ==", "c": "eg=="}})
    default_for(definition)(secret)
    assert secret["data"] == {"a": "eA==", "b": "eQ==", "c": "eg=="} and "stringData" not in secret
    assert secret["type"] == "Opaque"
