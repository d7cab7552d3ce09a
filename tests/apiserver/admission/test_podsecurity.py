"""PodSecurity in the API server: who is refused, who is warned, what the audit log says."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.apiserver.operating.support import lines, watched
from tests.apiserver.support import MERGE, OPTIONS, PODS, STRATEGIC, Api, pod, served, served_with

from kajitori.apiserver.admission import podsecurity
from kajitori.cluster.cluster import Cluster, ClusterError

PREFIX = "pod-security.kubernetes.io/"
DEFAULT = "/api/v1/namespaces/default"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def labels(**said: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {PREFIX + key.replace("_", "-"): value for key, value in said.items()}}}


def deployment(**spec: Any) -> dict[str, Any]:
    chosen = {"app": "a"}
    template = {"metadata": {"labels": chosen}, "spec": pod(**spec)["spec"]}
    return {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": chosen}, "template": template}}


def warnings(told: Any) -> str:
    return str(told.headers.get("warning", "")).replace("\\", "")


@served
async def test_pods_are_refused_and_workloads_warned_of(api: Api) -> None:  # P1
    await api.ok("PATCH", DEFAULT, labels(enforce="baseline"), type=MERGE)
    told = await api.refused(403, "POST", PODS, pod(hostPID=True))
    why = 'violates PodSecurity "baseline:latest": host namespaces (hostPID=true)'
    assert told.message == f'pods "a" is forbidden: {why}'
    told = await api.ok("POST", DEPLOYMENTS, deployment(hostPID=True))
    assert warnings(told) == f'299 - "would {why.replace("violates", "violate")}"'
    assert not warnings(await api.ok("POST", PODS, pod()))
    assert not warnings(
        await api.ok("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": 0}}, type=MERGE)
    )


@served
async def test_warnings_may_be_stricter_than_what_is_enforced(api: Api) -> None:
    await api.ok("PATCH", DEFAULT, labels(enforce="baseline", warn="restricted"), type=MERGE)
    assert 'would violate PodSecurity "restricted:latest"' in warnings(await api.ok("POST", PODS, pod()))


@served
async def test_updates_that_change_no_image_are_not_judged(api: Api) -> None:  # P2
    await api.ok("POST", PODS, pod(hostPID=True))
    await api.ok("PATCH", DEFAULT, labels(enforce="baseline"), type=MERGE)
    await api.ok("PATCH", f"{PODS}/a", {"metadata": {"labels": {"a": "b"}}}, type=MERGE)
    image = {"spec": {"containers": [{"name": "c", "image": "j"}]}}
    await api.refused(403, "PATCH", f"{PODS}/a", image, type=STRATEGIC)
    added = {"spec": {"ephemeralContainers": [{"name": "e", "image": "j"}]}}
    await api.refused(403, "PATCH", f"{PODS}/a/ephemeralcontainers", added, type=STRATEGIC)
    await api.ok("PATCH", f"{PODS}/a/status", {"status": {"reason": "r"}}, type=MERGE)


@served
async def test_a_stricter_namespace_tells_which_pods_violate_it(api: Api) -> None:  # P3
    for name in ("h0", "h1", "h2"):
        await api.ok("POST", PODS, pod(name, hostPID=True))
    await api.ok("POST", PODS, pod("net", hostNetwork=True, hostPID=True))
    await api.ok("POST", PODS, pod("w", volumes=[{"name": "v", "hostPath": {"path": "/"}}]))
    for query in ("?dryRun=All", ""):
        told = await api.ok("PATCH", DEFAULT + query, labels(enforce="baseline"), type=MERGE)
        assert warnings(told).split(", 299 - ") == [
            '299 - "existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest""',
            '"h0 (and 3 other pods): host namespaces"',
            '"w: hostPath volumes"',
        ]
    assert not warnings(await api.ok("PATCH", DEFAULT, labels(enforce="privileged"), type=MERGE))
    assert not warnings(await api.ok("PATCH", DEFAULT, labels(audit="restricted"), type=MERGE))


@served
async def test_only_so_many_pods_are_looked_at(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:  # P3
    monkeypatch.setattr(podsecurity, "NAMESPACE_PODS_MAX", 2)
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": True}
    for name in ("a", "b", "c"):
        made = pod(name, hostPID=True)
        made["metadata"]["ownerReferences"] = [owner]
        await api.ok("POST", PODS, made)
    await api.ok("POST", PODS, pod("z"))
    told = await api.ok("PATCH", DEFAULT, labels(enforce="baseline"), type=MERGE)
    # One of the controller's, and the one that has none.
    assert "only checked against the first 2 of 4 existing pods" in warnings(told)
    assert '"a: host namespaces"' in warnings(told)


@served
async def test_labels_that_say_nothing_are_refused_unless_they_were_there(api: Api) -> None:
    wrong = labels(enforce="strict", warn_version="1.2")
    told = await api.refused(422, "PATCH", DEFAULT, wrong, type=MERGE)
    first, second = (
        f"metadata.labels[{PREFIX}{each}]: Invalid value: " for each in ("enforce", "warn-version")
    )
    assert told.message == (
        f'Namespace "default" is invalid: [{first}"strict": must be one of privileged, baseline, restricted, '
        f'{second}"1.2": must be "latest" or "v1.x"]'
    )
    named = {"metadata": {"name": "n", **wrong["metadata"]}}
    await api.refused(422, "POST", "/api/v1/namespaces", named)
    # They come in by a road that nobody watches, and then nothing else about the namespace is refused.
    await api.ok(
        "PUT",
        "/api/v1/namespaces/default/finalize",
        {**named, "metadata": {**named["metadata"], "name": "default"}},
    )
    await api.ok("PATCH", DEFAULT, {"metadata": {"annotations": {"a": "b"}}}, type=MERGE)
    told = await api.refused(403, "POST", PODS, pod(hostPID=True))
    assert 'violates PodSecurity "restricted:latest"' in told.message


CONFIGURATION = """
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline, warn: restricted, warn-version: v1.7}
    exemptions: {usernames: [ann], runtimeClasses: [runc], namespaces: [free]}
"""


@served_with(CONFIGURATION)
async def test_defaults_and_exemptions_come_from_a_file(api: Api) -> None:
    told = await api.refused(403, "POST", PODS, pod(hostPID=True))
    assert 'violates PodSecurity "baseline:latest"' in told.message
    assert 'would violate PodSecurity "restricted:v1.7"' in warnings(await api.ok("POST", PODS, pod()))
    groups = {"impersonate-user": "ann", "impersonate-group": "system:masters"}
    await api.ok("POST", PODS, pod("b", hostPID=True), **groups)
    classes = "/apis/node.k8s.io/v1/runtimeclasses"
    await api.ok("POST", classes, {"metadata": {"name": "runc"}, "handler": "h"})
    await api.ok("POST", PODS, pod("c", hostPID=True, runtimeClassName="runc"))
    free = {"metadata": {"name": "free", **labels(enforce="restricted", audit="baseline")["metadata"]}}
    told = await api.ok("POST", "/api/v1/namespaces", free)
    assert warnings(told) == (
        '299 - "namespace "free" is exempt from Pod Security, and the policy (enforce=restricted:latest, '
        'audit=baseline:latest) will be ignored"'
    )
    await api.ok("POST", "/api/v1/namespaces/free/pods", pod(hostPID=True))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: Pod", "write apiVersion: apiserver.config.k8s.io/v1, kind: AdmissionConfiguration"),
        (CONFIGURATION.replace("name: PodSecurity", "name: Nobody"), "unknown admission plugin Nobody"),
        (CONFIGURATION.replace("enforce: baseline", "enforce: x"), 'defaults.enforce: Invalid value: "x"'),
        (CONFIGURATION.replace("v1.7", "7"), "defaults.warn-version: Expected `str`, got `int`"),
        (CONFIGURATION.replace("[free]", "[free, free]"), "exemptions.namespaces[1]: Duplicate value"),
        (CONFIGURATION.replace("[ann]", '[""]'), "username must not be empty"),
        (CONFIGURATION.replace("exemptions", "exempt"), "Object contains unknown field `exempt`"),
    ],
)
def test_a_file_that_is_wrong_is_refused_at_the_start(tmp_path: Path, text: str, told: str) -> None:  # F1
    path = tmp_path / "admission.yaml"
    path.write_text(text)

    async def start() -> None:
        async with Cluster(replace(OPTIONS, admission_control_config_file=path)):
            pass

    with pytest.raises(ClusterError) as caught:
        asyncio.run(start())
    assert told in str(caught.value)


def test_the_audit_log_is_told(tmp_path: Path) -> None:
    policy = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\n"
    (tmp_path / "policy.yaml").write_text(
        policy + "rules: [{level: Metadata, resources: [{resources: [pods]}]}]"
    )

    async def main() -> None:
        log = str(tmp_path / "audit.log")
        async with watched(audit_policy_file=tmp_path / "policy.yaml", audit_log=log) as api:
            await api.ok("POST", PODS, pod("a"))
            await api.ok("PATCH", DEFAULT, labels(enforce="baseline", audit="baseline"), type=MERGE)
            await api.refused(403, "POST", PODS, pod("b", hostPID=True))
            await api.ok("POST", PODS, pod("c"))

    asyncio.run(main())
    told = [
        {
            key.removeprefix(PREFIX): value
            for key, value in each["annotations"].items()
            if key.startswith(PREFIX)
        }
        for each in lines(tmp_path / "audit.log")
    ]
    assert told == [
        {"enforce-policy": "privileged:latest"},
        {
            "enforce-policy": "baseline:latest",
            "audit-violations": 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)',
        },
        {"enforce-policy": "baseline:latest"},
    ]
