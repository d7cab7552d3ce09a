"""Pods: their beginning, what may change in them, what clients are warned of."""

from typing import Any

import pytest
from tests.apis.support import NOW, Road, texts

from kajitori.apis.strategies.address_warnings import cidr_warnings, ip_warnings
from kajitori.apis.strategies.qos import qos_class

PODS = Road("", "pods")


def pod(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "i:1", **(container or {})}]
    return PODS.create({"spec": {"containers": containers, **spec}})


def resources(**amounts: dict[str, str]) -> dict[str, Any]:
    return {"resources": amounts}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({}, "BestEffort"),
        (resources(requests={"cpu": "1"}), "Burstable"),
        (resources(limits={"cpu": "1"}), "Burstable"),
        (resources(limits={"cpu": "1", "memory": "1Gi"}), "Guaranteed"),
        (resources(limits={"cpu": "1", "memory": "1Gi"}, requests={"cpu": "500m"}), "Burstable"),
        (resources(limits={"cpu": "1000m", "memory": "1Gi"}, requests={"cpu": "1"}), "Guaranteed"),
        (resources(limits={"nvidia.com/gpu": "1"}), "BestEffort"),
    ],
)
def test_classes_of_service(container: dict[str, Any], expected: str) -> None:
    created = pod(container)
    assert created["status"] == {"phase": "Pending", "qosClass": expected}
    assert qos_class(created["spec"]) == expected


def test_resources_of_the_whole_pod_count_instead() -> None:
    whole = {"limits": {"cpu": "1", "memory": "1Gi"}}
    assert pod(resources=whole)["status"]["qosClass"] == "Guaranteed"


def test_a_gated_pod_says_why_it_waits() -> None:
    (condition,) = pod(schedulingGates=[{"name": "g"}])["status"]["conditions"]
    assert condition["reason"] == "SchedulingGated" and condition["lastTransitionTime"] == NOW


def test_images_deadlines_and_more_tolerations_may_change() -> None:
    created = pod()

    def change(obj: dict[str, Any]) -> None:
        obj["spec"]["containers"][0]["image"] = "i:2"
        obj["spec"]["activeDeadlineSeconds"] = 5
        obj["spec"]["tolerations"] = [{"key": "k", "operator": "Exists"}]

    changed, errors = PODS.update(created, change)
    assert not errors and changed["metadata"]["generation"] == 2


DEADLINE, TOLERATIONS = "spec.activeDeadlineSeconds: Invalid value:", "spec.tolerations: Forbidden:"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"nodeName": "n"},
            "spec: Forbidden: pod updates may not change fields other than `spec.containers[*]",
        ),
        ({"containers": []}, "spec.containers: Forbidden: pod updates may not add or remove containers"),
        ({"activeDeadlineSeconds": 9}, f"{DEADLINE} 9: must be less than or equal to previous value"),
        (
            {"activeDeadlineSeconds": None},
            f"{DEADLINE} null: must not update from a positive integer to nil value",
        ),
        (
            {"tolerations": []},
            f"{TOLERATIONS} existing toleration can not be modified except its tolerationSeconds",
        ),
        (
            {"schedulingGates": [{"name": "g"}]},
            "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'",
        ),
    ],
)
def test_nothing_else_may_change(change: dict[str, Any], told: str) -> None:
    created = pod(activeDeadlineSeconds=5, tolerations=[{"key": "k", "operator": "Exists"}])
    _, errors = PODS.update(created, lambda obj: obj["spec"].update(change))
    assert texts(errors)[0].startswith(told)


def test_a_gated_pod_may_be_placed_more_narrowly() -> None:
    created = pod(schedulingGates=[{"name": "g"}], nodeSelector={"a": "b"})
    assert not PODS.update(created, lambda obj: obj["spec"].update(nodeSelector={"a": "b", "c": "d"}))[1]
    _, errors = PODS.update(created, lambda obj: obj["spec"].update(nodeSelector={"c": "d"}))
    assert texts(errors) == [
        'spec.nodeSelector: Invalid value: {"c":"d"}: '
        "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
    ]


def test_the_status_path_keeps_the_class_and_the_dead_dead() -> None:
    created = pod(restartPolicy="Never")
    created["status"]["containerStatuses"] = [{"name": "c", "state": {"terminated": {"exitCode": 0}}}]
    running = [{"name": "c", "state": {"running": {}}}]
    after, errors = PODS.update(
        created, lambda obj: obj.update(status={"containerStatuses": running}), "status"
    )
    assert after["status"]["qosClass"] == "BestEffort"
    assert texts(errors) == [
        "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
    ]
    always = pod()
    always["status"]["containerStatuses"] = created["status"]["containerStatuses"]
    assert not PODS.update(always, lambda obj: obj["status"].update(containerStatuses=running), "status")[1]


def test_ephemeral_containers_are_only_added() -> None:
    created = pod()
    debugger = {"name": "d", "image": "d:1"}

    def change(obj: dict[str, Any]) -> None:
        obj["spec"]["ephemeralContainers"] = [debugger]
        obj["spec"]["nodeName"] = "ignored"

    after, errors = PODS.update(created, change, "ephemeralcontainers")
    assert not errors and "nodeName" not in after["spec"]
    assert after["spec"]["ephemeralContainers"][0]["name"] == "d"
    _, errors = PODS.update(after, lambda obj: obj["spec"].pop("ephemeralContainers"), "ephemeralcontainers")
    assert texts(errors) == [
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be removed'
    ]


def test_resizing_changes_resources_and_not_the_class() -> None:
    created = pod(resources(requests={"cpu": "1"}))

    def change(obj: dict[str, Any]) -> None:
        obj["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "2"
        obj["spec"]["containers"][0]["image"] = "ignored"

    after, errors = PODS.update(created, change, "resize")
    assert not errors and after["spec"]["containers"][0]["image"] == "i:1"
    assert after["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "2"}}
    _, errors = PODS.update(created, lambda obj: obj["spec"]["containers"][0].update(resources={}), "resize")
    assert "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed" in texts(
        errors
    )


def test_how_long_a_pod_may_take_to_stop() -> None:
    grace = PODS.strategy.grace_period_seconds
    created = pod()
    assert grace(created, None) == 0 and grace(created, 5) == 0  # nobody runs it
    created["spec"]["nodeName"] = "n"
    assert grace(created, None) == 30 and grace(created, 5) == 5 and grace(created, -1) == 1
    created["status"]["phase"] = "Succeeded"
    assert grace(created, None) == 0


def test_label_keys_become_part_of_selectors() -> None:
    term = {
        "topologyKey": "zone",
        "labelSelector": {"matchLabels": {"app": "a"}},
        "matchLabelKeys": ["version"],
    }
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    created = PODS.create(
        {
            "metadata": {"labels": {"version": "2"}},
            "spec": {"containers": [{"name": "c"}], "affinity": affinity},
        }
    )
    terms = created["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms[0]["labelSelector"]["matchExpressions"] == [
        {"key": "version", "operator": "In", "values": ["2"]}
    ]


def test_app_armor_annotations_become_fields() -> None:
    key = "container.apparmor.security.beta.kubernetes.io/c"
    body = {"metadata": {"annotations": {key: "localhost/x"}}, "spec": {"containers": [{"name": "c"}]}}
    created = PODS.create(body)
    assert created["spec"]["containers"][0]["securityContext"] == {
        "appArmorProfile": {"type": "Localhost", "localhostProfile": "x"}
    }
    assert PODS.strategy.warnings(created, None) == [
        f'metadata.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead'
    ]


def test_warnings_about_pods() -> None:
    created = pod(
        {
            "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}],
            "ports": [{"containerPort": 80, "name": "w"}, {"containerPort": 80, "name": "w"}],
            "resources": {"limits": {"memory": "500m"}},
        },
        nodeSelector={"beta.kubernetes.io/os": "linux"},
        imagePullSecrets=[{"name": "x"}, {"name": "x"}],
        topologySpreadConstraints=[
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
        ],
        volumes=[{"name": "v", "gitRepo": {"repository": "r"}}],
        hostAliases=[{"ip": "010.0.0.1"}],
    )
    assert PODS.strategy.warnings(created, None) == [
        'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
        "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
        "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+",
        'spec.imagePullSecrets[1].name: duplicate name "x"',
        'spec.containers[0].resources.limits[memory]: fractional byte value "500m" is invalid, must be an integer',
        'spec.containers[0].resources.requests[memory]: fractional byte value "500m" is invalid, must be an integer',
        'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
        "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
        'spec.containers[0].ports[1]: duplicate port name "w" with spec.containers[0].ports[0], '
        "services and probes that select ports by name will use spec.containers[0].ports[0]",
        'spec.hostAliases[0].ip: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10.0.0.1", []),
        ("2001:db8::1", []),
        ("::ffff:1.2.3.4", ['p: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"']),
        (
            "2001:DB8::1",
            ['p: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")'],
        ),
    ],
)
def test_warnings_about_addresses(text: str, told: list[str]) -> None:
    assert ip_warnings("p", text) == told


def test_warnings_about_networks() -> None:
    assert cidr_warnings("p", "10.0.0.0/8") == []
    assert cidr_warnings("p", "10.1.0.0/8") == [
        'p: CIDR value "10.1.0.0/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.0.0/32"?)'
    ]
    assert cidr_warnings("p", "010.0.0.0/8") == [
        'p: non-standard CIDR value "010.0.0.0/8" is invalid: use "10.0.0.0/8"'
    ]
