"""Conditions by Kubernetes' names, on what controllers say and on what they might."""

import asyncio
import time
from typing import Any

import pytest

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.testing import (
    Kube,
    Kubelet,
    NotInTime,
    TestEnv,
    condition_match,
    condition_true,
    containers_ready,
    daemon_set_ready,
    deployment_available,
    job_completed,
    job_failed,
    list_match_n,
    list_n,
    pod_phase_match,
    pod_ready,
    pod_running,
    resource_scaled,
    stateful_set_ready,
)

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
DEPLOYMENTS = Kind("apps", "v1", "Deployment", "deployments")
PODS = Kind("", "v1", "Pod", "pods")
STATEFUL_SETS = Kind("apps", "v1", "StatefulSet", "statefulsets")


def workload(**more: Any) -> JsonObject:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template, **more}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}


def test_a_stateful_set_that_a_controller_runs() -> None:
    async def scenario() -> None:
        async with TestEnv(controllers=True) as env, Kubelet(env.client("kubelet")):
            await env.client().create(STATEFUL_SETS, workload(serviceName="web"))
            await env.wait_for_object(STATEFUL_SETS, "default", "web", stateful_set_ready)
            await env.wait_for_object(STATEFUL_SETS, "default", "web", resource_scaled(2))
            for holds in (pod_ready, pod_running, containers_ready):
                pods = await env.wait_for_list(PODS, "default", list_match_n(2, holds), labels="app=web")
                assert [each.name for each in pods] == ["web-0", "web-1"]

    asyncio.run(scenario())


def test_a_wait_in_vain_names_the_condition() -> None:
    with Kube() as kube:
        client = kube.client()
        kube.run(client.create(DEPLOYMENTS, workload()))
        with pytest.raises(
            NotInTime, match=r"Deployment default/web was not as deployment_available wants it"
        ):
            kube.run(kube.wait_for_object(DEPLOYMENTS, "default", "web", deployment_available, seconds=0.05))
        with pytest.raises(NotInTime, match=r"was not as condition_true\('Ready'\) wants it"):
            kube.run(
                kube.wait_for_object(DEPLOYMENTS, "default", "web", condition_true("Ready"), seconds=0.05)
            )
        with pytest.raises(
            NotInTime, match=r"^the list of deployments was not as list_n\(2\) wants .*; there are 1: web$"
        ):
            kube.run(kube.wait_for_list(DEPLOYMENTS, "default", list_n(2), seconds=0.05))
        empty = kube.run(kube.wait_for_list(CONFIG_MAPS, "default", lambda seen: not seen))
        assert empty == []


def seen(generation: int = 2, **status: Any) -> JsonObject:
    return {"metadata": {"generation": generation}, "spec": {"replicas": 2}, "status": status}


def saying(type: str, status: str = "True", **more: Any) -> JsonObject:
    return seen(observedGeneration=2, conditions=[{"type": type, "status": status, **more}])


READY = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}


@pytest.mark.parametrize(
    ("holds", "well", "not_yet"),
    [
        (condition_true("Ready"), saying("Ready"), saying("Ready", "False")),
        (
            condition_true("Ready"),
            saying("Ready", observedGeneration=2),
            saying("Ready", observedGeneration=1),
        ),
        (
            condition_match("Ready", "False", "Why"),
            saying("Ready", "False", reason="Why"),
            saying("Ready", "False"),
        ),
        (pod_ready, saying("Ready"), saying("Ready", "Unknown")),
        (containers_ready, saying("ContainersReady"), saying("Ready")),
        (pod_running, seen(phase="Running"), seen(phase="Pending")),
        (pod_phase_match("Failed"), seen(phase="Failed"), seen()),
        (deployment_available, saying("Available"), seen(3, **saying("Available")["status"])),
        (stateful_set_ready, seen(**READY), seen(**READY | {"updatedReplicas": 1})),
        (stateful_set_ready, seen(**READY), seen(3, **READY)),
        (stateful_set_ready, seen(**READY), seen(**READY | {"replicas": 3})),
        (
            daemon_set_ready,
            seen(observedGeneration=2, desiredNumberScheduled=1, numberReady=1),
            seen(observedGeneration=2),
        ),
        (resource_scaled(2), seen(observedGeneration=2, replicas=2), seen(observedGeneration=1, replicas=2)),
        (resource_scaled(0), seen(observedGeneration=2), seen(observedGeneration=2, replicas=1)),
        (job_completed, saying("Complete"), saying("SuccessCriteriaMet")),
        (job_failed, saying("Failed"), saying("Complete")),
    ],
)
def test_what_holds(holds: Any, well: JsonObject, not_yet: JsonObject) -> None:
    assert holds(well)
    assert not holds(not_yet)
    assert not holds({"metadata": {"generation": 1}}), "of what nobody has looked at nothing is known"


def test_a_server_begins_in_milliseconds() -> None:
    def seconds() -> float:
        before = time.process_time()
        with Kube():
            return time.process_time() - before

    seconds()  # the first imports
    assert min(seconds() for _ in range(5)) < 0.03
