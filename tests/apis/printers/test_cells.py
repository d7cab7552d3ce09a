"""What kubectl get shows for built-in kinds."""

import json
from pathlib import Path
from typing import Any

import pytest

from kajitori.apimachinery.time import parse_time
from kajitori.apis.printers import builtin_printer, cells, columns

FACTS = Path(__file__).parents[4] / "shared" / "kubernetes-1.36"
CREATED = "2025-01-01T00:00:00Z"
NOW = parse_time("2025-01-01T01:00:00Z")
"""An hour after everything was created."""


def shown(group: str, resource: str, value: dict[str, Any], version: str = "v1") -> list[Any]:
    metadata = {"name": "x", "creationTimestamp": CREATED, **value.get("metadata", {})}
    return cells(group, version, resource, {**value, "metadata": metadata}, NOW)


def recorded() -> list[tuple[str, dict[str, Any], list[Any], dict[str, Any]]]:
    """Resource, column facts, cells and object of every recorded sample."""
    tables = json.loads((FACTS / "tables.json").read_text())
    objects = {each["case"]: each["got"] for each in json.loads((FACTS / "defaults.json").read_text())}
    return [
        (resource, table, sample["cells"], objects[sample["case"]])
        for resource, table in tables.items()
        for sample in table["samples"]
        if sample["case"] in objects
    ]


@pytest.mark.skipif(not FACTS.exists(), reason="the recorded facts are not here")
def test_recorded_cells() -> None:  # K1
    samples = recorded()
    assert len(samples) > 60
    for resource, _, expected, value in samples:
        group_version, _, plural = resource.rpartition("/")
        group, _, version = group_version.rpartition("/")
        text = json.dumps(value).replace('"<node-port>"', "30080")
        value = json.loads(text.replace("<time>", CREATED).replace("<micro-time>", CREATED))
        found = cells(group, version, plural, value, parse_time(CREATED))
        for have, want in zip(found, expected, strict=True):
            volatile = isinstance(want, str) and (
                "-uid=" in want or want.endswith("d") or "defaults-" in want
            )
            if volatile or want == "<time>" or (plural == "services" and ":" in str(want)):
                continue
            # A status that a controller writes may have changed between the two recordings.
            if want in ("<cluster-ip>", "False", "False (ServiceNotFound)", "Pending", "Active", ""):
                continue
            assert have == want, (resource, value["metadata"]["name"])


@pytest.mark.skipif(not FACTS.exists(), reason="the recorded facts are not here")
def test_recorded_columns() -> None:
    for resource, table in json.loads((FACTS / "tables.json").read_text()).items():
        group_version, _, plural = resource.rpartition("/")
        group, _, version = group_version.rpartition("/")
        found = columns(group, version, plural)
        without_prose = [{key: each[key] for key in ("name", "type", "format", "priority")} for each in found]
        assert without_prose == table["columns"]


def test_unknown_resources_have_the_default_columns() -> None:  # C2
    assert [each["name"] for each in columns("example.com", "v1", "things")] == ["Name", "Created At"]
    assert shown("example.com", "things", {}) == ["x", CREATED]
    assert cells("", "v1", "limitranges", {"metadata": {"name": "x"}}, NOW) == ["x", "0001-01-01T00:00:00Z"]


RUNNING = {"running": {"startedAt": CREATED}}


def waiting(reason: str) -> dict[str, Any]:
    return {"waiting": {"reason": reason}}


def ended(code: int, **more: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, **more}}


def container(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "c", "state": state, "restartCount": 0, **more}


def pod_text(status: dict[str, Any], spec: dict[str, Any] | None = None, **metadata: Any) -> str:
    """READY, STATUS and RESTARTS."""
    spec = {"containers": [{"name": "c"}, {"name": "d"}], **(spec or {})}
    row = shown("", "pods", {"metadata": metadata, "spec": spec, "status": {"phase": "Running", **status}})
    return f"{row[1]} {row[2]} {row[3]}"


INIT = {"initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}, {"name": "j"}]}
DELETED = "2025-01-01T00:30:00Z"


@pytest.mark.parametrize(
    ("status", "spec", "metadata", "text"),
    [
        ({"phase": "Pending"}, {}, {}, "0/2 Pending 0"),
        ({"reason": "Evicted", "phase": "Failed"}, {}, {}, "0/2 Evicted 0"),
        (
            {"phase": "Pending", "conditions": [{"type": "PodScheduled", "reason": "SchedulingGated"}]},
            {},
            {},
            "0/2 SchedulingGated 0",
        ),
        ({"containerStatuses": [container(RUNNING, ready=True)] * 2}, {}, {}, "2/2 Running 0"),
        (
            {"containerStatuses": [container(waiting("CrashLoopBackOff"), restartCount=3)]},
            {},
            {},
            "0/2 CrashLoopBackOff 3",
        ),
        (
            {
                "containerStatuses": [
                    container(
                        RUNNING,
                        ready=True,
                        restartCount=2,
                        lastState=ended(1, finishedAt="2025-01-01T00:55:00Z"),
                    )
                ]
            },
            {},
            {},
            "1/2 Running 2 (5m ago)",
        ),
        ({"containerStatuses": [container(ended(1))]}, {}, {}, "0/2 ExitCode:1 0"),
        ({"containerStatuses": [container(ended(1, signal=9))]}, {}, {}, "0/2 Signal:9 0"),
        (
            {"phase": "Succeeded", "containerStatuses": [container(ended(0, reason="Completed"))]},
            {},
            {},
            "0/2 Completed 0",
        ),
        # One is done, the other at work: Running while the pod is ready, else NotReady.
        (
            {
                "containerStatuses": [
                    container(ended(0, reason="Completed")),
                    container(RUNNING, ready=True),
                ],
                "conditions": [{"type": "Ready", "status": "True"}],
            },
            {},
            {},
            "1/2 Running 0",
        ),
        (
            {"containerStatuses": [container(ended(0, reason="Completed")), container(RUNNING, ready=True)]},
            {},
            {},
            "1/2 NotReady 0",
        ),
        (
            {
                "containerStatuses": [
                    container(ended(0, reason="Completed")),
                    container(ended(2, reason="Error")),
                ]
            },
            {},
            {},
            "0/2 Error 0",
        ),
        ({"initContainerStatuses": [container(RUNNING, name="i")]}, INIT, {}, "0/3 Init:0/3 0"),
        (
            {"initContainerStatuses": [container(waiting("ImagePullBackOff"))]},
            INIT,
            {},
            "0/3 Init:ImagePullBackOff 0",
        ),
        (
            {"initContainerStatuses": [container(ended(1, reason="Error"), restartCount=4)]},
            INIT,
            {},
            "0/3 Init:Error 4",
        ),
        ({"initContainerStatuses": [container(ended(3))]}, INIT, {}, "0/3 Init:ExitCode:3 0"),
        # A sidecar that has started counts as ready and lets the next init container run.
        (
            {
                "initContainerStatuses": [
                    container(ended(0), name="i", restartCount=1),
                    container(RUNNING, name="s", ready=True, started=True, restartCount=1),
                    container(RUNNING, name="j"),
                ]
            },
            INIT,
            {},
            "1/3 Init:2/3 2",
        ),
        # Afterwards only the sidecar's restarts count, with the containers'.
        (
            {
                "initContainerStatuses": [
                    container(ended(0), name="i", restartCount=1),
                    container(RUNNING, name="s", ready=True, started=True, restartCount=1),
                    container(ended(0), name="j"),
                ],
                "containerStatuses": [container(RUNNING, ready=True, restartCount=1)],
            },
            INIT,
            {},
            "2/3 Running 2",
        ),
        ({}, {}, {"deletionTimestamp": DELETED}, "0/2 Terminating 0"),
        ({"phase": "Succeeded"}, {}, {"deletionTimestamp": DELETED}, "0/2 Succeeded 0"),
        ({"reason": "NodeLost"}, {}, {"deletionTimestamp": DELETED}, "0/2 Unknown 0"),
    ],
)
def test_pods(
    status: dict[str, Any], spec: dict[str, Any], metadata: dict[str, Any], text: str
) -> None:  # P1, P2
    assert pod_text(status, spec, **metadata) == text


def test_wide_pods() -> None:
    status = {
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
        "nominatedNodeName": "n2",
        "conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "False"}],
    }
    spec = {"nodeName": "n1", "readinessGates": [{"conditionType": "A"}, {"conditionType": "B"}]}
    assert shown("", "pods", {"spec": spec, "status": status})[4:] == ["60m", "10.0.0.1", "n1", "n2", "1/2"]


def test_rows_of_finished_pods_say_so() -> None:
    printer = builtin_printer("", "v1", "pods")
    assert printer.row_conditions_of is not None
    assert printer.row_conditions_of({"status": {"phase": "Failed"}}) == [
        {"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}
    ]
    assert printer.row_conditions_of({"status": {"phase": "Running"}}) == []


def service(**spec: Any) -> list[Any]:
    return shown(
        "", "services", {"spec": {"type": "ClusterIP", "clusterIPs": ["10.0.0.1", "fd00::1"], **spec}}
    )[2:5]


def test_services() -> None:
    ports = [{"port": 80, "protocol": "TCP", "nodePort": 30080}, {"port": 53, "protocol": "UDP"}]
    assert service(ports=ports) == ["10.0.0.1", "<none>", "80:30080/TCP,53/UDP"]
    assert service(externalIPs=["1.1.1.1", "2.2.2.2"]) == ["10.0.0.1", "1.1.1.1,2.2.2.2", "<none>"]
    assert service(type="LoadBalancer")[1] == "<pending>"
    assert service(type="ExternalName", clusterIPs=None, externalName="e.example.com")[:2] == [
        "<none>",
        "e.example.com",
    ]
    balanced = {
        "spec": {"type": "LoadBalancer", "externalIPs": ["3.3.3.3"]},
        "status": {"loadBalancer": {"ingress": [{"hostname": "lb"}, {"ip": "2.2.2.2"}]}},
    }
    assert shown("", "services", balanced)[3] == "2.2.2.2,lb,3.3.3.3"


def test_endpoints_show_three() -> None:
    addresses = [{"ip": f"10.0.0.{number}"} for number in range(5)]
    subset = {"addresses": addresses, "ports": [{"port": 80}]}
    assert (
        shown("", "endpoints", {"subsets": [subset]})[1] == "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more..."
    )
    assert (
        shown("", "endpoints", {"subsets": [{"addresses": [{"ip": "fd00::1"}], "ports": [{"port": 1}]}]})[1]
        == "[fd00::1]:1"
    )
    assert shown("", "endpoints", {"subsets": [{"addresses": addresses[:1]}]})[1] == "10.0.0.0"
    assert shown("", "endpoints", {})[1] == "<none>"


def test_endpoint_slices() -> None:
    value = {
        "addressType": "IPv4",
        "ports": [{"port": 1}, {"name": "named"}, {}, {"port": 2}],
        "endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"]}],
    }
    assert shown("discovery.k8s.io", "endpointslices", value)[1:4] == [
        "IPv4",
        "1,named,* + 1 more...",
        "10.0.0.1,10.0.0.2",
    ]
    assert shown("discovery.k8s.io", "endpointslices", {})[2:4] == ["<unset>", "<unset>"]


def test_deployments_and_their_like() -> None:
    template = {"spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "j"}]}}
    spec = {"replicas": 3, "template": template, "selector": {"matchLabels": {"b": "2", "a": "1"}}}
    status = {"readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2, "replicas": 3}
    wide = ["a,b", "i,j", "a=1,b=2"]
    assert shown("apps", "deployments", {"spec": spec, "status": status}) == ["x", "2/3", 1, 2, "60m", *wide]
    assert shown("apps", "replicasets", {"spec": spec, "status": status}) == ["x", 3, 3, 2, "60m", *wide]
    assert shown("apps", "statefulsets", {"spec": spec, "status": status}) == [
        "x",
        "2/3",
        "60m",
        "a,b",
        "i,j",
    ]


@pytest.mark.parametrize(
    ("spec", "status", "shown_cells"),
    [
        ({"completions": 3}, {"succeeded": 1}, ["Running", "1/3", ""]),
        ({"parallelism": 4}, {}, ["Running", "0/1 of 4", ""]),
        ({}, {"startTime": CREATED}, ["Running", "0/1", "60m"]),
        (
            {"completions": 1},
            {
                "succeeded": 1,
                "startTime": CREATED,
                "completionTime": "2025-01-01T00:00:59Z",
                "conditions": [{"type": "Complete", "status": "True"}],
            },
            ["Complete", "1/1", "59s"],
        ),
        ({}, {"conditions": [{"type": "Failed", "status": "True"}]}, ["Failed", "0/1", ""]),
        ({}, {"conditions": [{"type": "Suspended", "status": "False"}]}, ["Running", "0/1", ""]),
    ],
)
def test_jobs(spec: dict[str, Any], status: dict[str, Any], shown_cells: list[Any]) -> None:
    assert shown("batch", "jobs", {"spec": spec, "status": status})[1:4] == shown_cells


def metric(kind: str, member: str, target: dict[str, Any], current: dict[str, Any] | None) -> tuple[Any, Any]:
    source = {"name": "cpu", "target": target}
    return {"type": kind, member: source}, {} if current is None else {member: {"current": current}}


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        ([], "<none>"),
        ([metric("Resource", "resource", {"averageUtilization": 80}, None)], "cpu: <unknown>/80%"),
        (
            [metric("Resource", "resource", {"averageUtilization": 80}, {"averageUtilization": 7})],
            "cpu: 7%/80%",
        ),
        ([metric("Resource", "resource", {"averageValue": "1"}, {"averageValue": "200m"})], "cpu: 200m/1"),
        ([metric("Pods", "pods", {"averageValue": "1k"}, {"averageValue": "10"})], "10/1k"),
        ([metric("External", "external", {"value": "5"}, {"value": "1"})], "1/5"),
        ([metric("Object", "object", {"averageValue": "5"}, None)], "<unknown>/5 (avg)"),
        ([metric("Pods", "pods", {"averageValue": "1"}, None)] * 4, "<unknown>/1, <unknown>/1 + 2 more..."),
        ([({"type": "New"}, {})], "<unknown type>"),
    ],
)
def test_autoscalers(metrics: list[tuple[Any, Any]], text: str) -> None:
    value = {
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "d"},
            "maxReplicas": 5,
            "metrics": [m for m, _ in metrics],
        },
        "status": {"currentReplicas": 2, "currentMetrics": [s for _, s in metrics]},
    }
    row = shown("autoscaling", "horizontalpodautoscalers", value, "v2")
    assert row == ["x", "Deployment/d", text, "<unset>", 5, 2, "60m"]


def test_autoscalers_of_version_1_hide_metrics_in_annotations() -> None:
    spec = {"targetCPUUtilizationPercentage": 50, "maxReplicas": 3, "minReplicas": 1}
    value: dict[str, Any] = {"spec": spec, "status": {"currentCPUUtilizationPercentage": 9}}
    assert shown("autoscaling", "horizontalpodautoscalers", value)[2] == "cpu: 9%/50%"
    assert (
        shown("autoscaling", "horizontalpodautoscalers", {"spec": {"maxReplicas": 3}})[2]
        == "cpu: <unknown>/80%"
    )
    hidden = '[{"type":"Pods","pods":{"metricName":"m","targetAverageValue":"5"}}]'
    annotations = {"autoscaling.alpha.kubernetes.io/metrics": hidden}
    value = {"metadata": {"annotations": annotations}, "spec": spec}
    assert shown("autoscaling", "horizontalpodautoscalers", value)[2] == "<unknown>/5, cpu: <unknown>/50%"


def test_nodes() -> None:
    labels = {"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": ""}
    value = {
        "metadata": {"labels": labels},
        "spec": {"unschedulable": True},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
            "nodeInfo": {"kubeletVersion": "v1.36.2", "kernelVersion": "6.1", "architecture": "amd64"},
        },
    }
    row = shown("", "nodes", value)
    assert row[1:5] == ["Ready,SchedulingDisabled", "control-plane,worker", "60m", "v1.36.2"]
    assert row[5:] == ["10.0.0.1", "<none>", "<unknown>", "6.1 (amd64)", "<unknown>"]


def test_events_of_both_groups() -> None:
    about = {"kind": "Pod", "name": "p", "fieldPath": "spec"}
    old = {"involvedObject": about, "type": "Normal", "reason": "R", "message": " m\n", "count": 3}
    old |= {"firstTimestamp": CREATED, "lastTimestamp": "2025-01-01T00:59:00Z"}
    old |= {"source": {"component": "kubelet", "host": "n1"}}
    row = ["60s", "Normal", "R", "pod/p", "spec", "kubelet, n1", "m", "60m", 3, "x"]
    assert shown("", "events", old) == row
    new = {"regarding": about, "type": "Normal", "reason": "R", "note": "m", "reportingController": "c"}
    new |= {"eventTime": "2025-01-01T00:00:00.000000Z"}
    new |= {"series": {"count": 7, "lastObservedTime": "2025-01-01T00:59:00.000000Z"}}
    assert shown("events.k8s.io", "events", new) == [
        "60s",
        "Normal",
        "R",
        "pod/p",
        "spec",
        "c",
        "m",
        "60m",
        7,
        "x",
    ]
    assert shown("events.k8s.io", "events", {**new, "series": None})[-2] == 1


def test_volumes_and_claims() -> None:
    claim = {
        "spec": {"volumeName": "v", "storageClassName": "fast", "volumeMode": "Block"},
        "status": {
            "phase": "Bound",
            "capacity": {"storage": "1024Mi"},
            "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
        },
    }
    row = ["x", "Bound", "v", "1Gi", "RWO,RWX", "fast", "<unset>", "60m", "Block"]
    assert shown("", "persistentvolumeclaims", claim) == row
    volume = {
        "metadata": {"deletionTimestamp": DELETED},
        "spec": {"capacity": {"storage": "5Gi"}, "claimRef": {"namespace": "n", "name": "c"}},
    }
    assert shown("", "persistentvolumes", volume)[1:6] == ["5Gi", "", "", "Terminating", "n/c"]


def test_quotas() -> None:
    hard = {"pods": "10", "limits.cpu": "2", "cpu": "1"}
    row = shown("", "resourcequotas", {"status": {"hard": hard, "used": {"pods": "3", "limits.cpu": "500m"}}})
    assert row[1:3] == ["cpu: 0/1, pods: 3/10", "limits.cpu: 500m/2"]


def test_bindings_list_their_subjects() -> None:
    subjects = [
        {"kind": "User", "name": "a"},
        {"kind": "User", "name": "b"},
        {"kind": "ServiceAccount", "namespace": "n", "name": "s"},
    ]
    value = {"roleRef": {"kind": "Role", "name": "r"}, "subjects": subjects}
    row = shown("rbac.authorization.k8s.io", "rolebindings", value)
    assert row == ["x", "Role/r", "60m", "a, b", "", "n/s"]


def test_defaults_among_classes_are_marked() -> None:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    value = {"metadata": {"annotations": annotations}, "provisioner": "p"}
    row = shown("storage.k8s.io", "storageclasses", value)
    assert row == ["x (default)", "p", "Delete", "Immediate", False, "60m"]


def test_ingresses() -> None:
    rules = [{"host": "a"}, {"host": "b"}, {}, {"host": "c"}, {"host": "d"}]
    value = {"spec": {"ingressClassName": "nginx", "rules": rules, "tls": [{}]}}
    row = shown("networking.k8s.io", "ingresses", value)
    assert row[1:5] == ["nginx", "a,b,c + 2 more...", "", "80, 443"]
    assert shown("networking.k8s.io", "ingresses", {})[1:5] == ["<none>", "*", "", "80"]


def test_what_an_admission_binding_refers_to() -> None:
    def text(reference: dict[str, Any] | None) -> str:
        value = {"spec": {"policyName": "p", "paramRef": reference}}
        found = shown("admissionregistration.k8s.io", "validatingadmissionpolicybindings", value)[2]
        assert isinstance(found, str)
        return found

    assert text(None) == "<unset>"
    assert text({"name": "a"}) == "*/a"
    assert text({"name": "a", "namespace": "n"}) == "n/a"
    assert text({"selector": {"matchLabels": {"a": "b"}}}) == (
        "&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}"
    )


@pytest.mark.skipif(not FACTS.exists(), reason="the recorded facts are not here")
def test_an_object_with_nothing_in_it_has_cells() -> None:  # K2
    for resource in json.loads((FACTS / "tables.json").read_text()):
        group_version, _, plural = resource.rpartition("/")
        group, _, version = group_version.rpartition("/")
        empty: list[dict[str, Any]] = [
            {},
            {"metadata": None, "spec": None, "status": None},
            {"metadata": {}, "spec": {}},
        ]
        for value in empty:
            assert len(cells(group, version, plural, value, NOW)) >= len(columns(group, version, plural))
