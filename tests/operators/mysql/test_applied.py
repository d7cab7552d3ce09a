"""Reading back what was applied, out of managed fields as a real API server writes them."""

from typing import Any

import pytest

from kajitori.apimachinery.kind import JsonObject
from kajitori.operators.mysql.applied import extract, is_applied

CONFIG: JsonObject = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "a", "namespace": "b", "labels": {"x": "y"}},
    "spec": {
        "replicas": 1,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "args": ["1", "2"],
                        "ports": [{"containerPort": 80, "name": "web"}],
                        "resources": {"limits": {"memory": "1024Mi"}},
                    }
                ],
                "volumes": [{"name": "v", "emptyDir": {}}],
            }
        },
    },
}
FIELDS: JsonObject = {
    "f:metadata": {"f:labels": {"f:x": {}}},
    "f:spec": {
        "f:replicas": {},
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"c"}': {
                        ".": {},
                        "f:args": {},
                        "f:name": {},
                        "f:ports": {
                            'k:{"containerPort":80,"protocol":"TCP"}': {
                                ".": {},
                                "f:containerPort": {},
                                "f:name": {},
                            }
                        },
                        "f:resources": {"f:limits": {"f:memory": {}}},
                    }
                },
                "f:volumes": {'k:{"name":"v"}': {".": {}, "f:emptyDir": {}, "f:name": {}}},
            }
        },
    },
}


def _live(**changes: Any) -> JsonObject:
    """The object after one apply, with the server's defaults and another manager's container."""
    entry = {"manager": "me", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": FIELDS, **changes}
    container = {
        "name": "c",
        "args": ["1", "2"],
        "imagePullPolicy": "Always",
        "ports": [{"containerPort": 80, "name": "web", "protocol": "TCP"}],
        "resources": {"limits": {"memory": "1Gi"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {
            "name": "a",
            "namespace": "b",
            "labels": {"x": "y", "other": "z"},
            "managedFields": [entry],
        },
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "template": {
                "spec": {
                    "containers": [{"name": "theirs"}, container],
                    "volumes": [{"name": "v", "emptyDir": {}}],
                }
            },
        },
    }


def test_what_was_applied_is_recognised_among_defaults_and_others_fields() -> None:  # E1
    assert is_applied(CONFIG, _live(), "me")


@pytest.mark.parametrize(
    "entry",
    [{"manager": "you"}, {"operation": "Update"}, {"subresource": "status"}, {"apiVersion": "apps/v1beta1"}],
)
def test_fields_owned_otherwise_do_not_count(entry: JsonObject) -> None:
    assert extract(_live(**entry), "me") is None
    assert not is_applied(CONFIG, _live(**entry), "me")


def test_an_object_that_does_not_exist_is_not_applied() -> None:
    assert not is_applied(CONFIG, None, "me")


def _with(change: Any) -> JsonObject:
    import copy

    config = copy.deepcopy(CONFIG)
    change(config)
    return config


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["spec"].update(replicas=2),
        lambda c: c["spec"].pop("replicas"),
        lambda c: c["spec"].update(minReadySeconds=5),
        lambda c: c["metadata"]["labels"].update(x="z"),
        lambda c: c["metadata"]["labels"].pop("x"),
        lambda c: c["spec"]["template"]["spec"]["containers"][0].update(args=["1"]),
        lambda c: c["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"].update(memory="2Gi"),
        lambda c: c["spec"]["template"]["spec"]["containers"].append({"name": "d"}),
        lambda c: c["spec"]["template"]["spec"]["containers"].clear(),
        lambda c: c["spec"]["template"]["spec"].update(hostNetwork=False),
    ],
)
def test_every_change_is_noticed(change: Any) -> None:  # E2
    assert not is_applied(_with(change), _live(), "me")


def test_drift_is_noticed() -> None:  # E2
    live = _live()
    live["spec"]["replicas"] = 5
    assert not is_applied(CONFIG, live, "me")


@pytest.mark.parametrize(
    ("amount", "same"), [("1Gi", True), ("1073741824", True), (1073741824, True), ("1G", False)]
)
def test_amounts_are_compared_as_amounts(amount: int | str, same: bool) -> None:  # E3
    def change(config: JsonObject) -> None:
        config["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] = amount

    assert is_applied(_with(change), _live(), "me") is same
