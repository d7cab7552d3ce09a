"""What objects use of quotas; what is expected was said by Kubernetes' own evaluators."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kajitori.apimachinery.quantity import Quantity, parse_quantity
from kajitori.apis.quota import (
    Known,
    Limited,
    Quota,
    QuotaError,
    Request,
    Selector,
    charges,
    evaluator_for,
    less,
    measured,
    used_by,
)

AROUND = Known(now=2_000_000_000.0)


def a_pod(*resources: Any, **spec: Any) -> dict[str, Any]:
    containers = [{"name": f"c{index}", "resources": each} for index, each in enumerate(resources)]
    return {"metadata": {"name": "p"}, "spec": {"containers": containers, **spec}}


def usage(bucket: str, obj: dict[str, Any], around: Known = AROUND) -> dict[str, str]:
    return {name: str(amount) for name, amount in evaluator_for(bucket).usage(obj, around).items() if amount}


def test_a_pod_uses_what_its_containers_need_at_once() -> None:
    sidecar = {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}}
    first = {"name": "i", "resources": {"requests": {"cpu": "3"}, "limits": {"memory": "1Gi"}}}
    pod = a_pod(
        {"requests": {"cpu": "1", "example.com/gpu": "1"}, "limits": {"cpu": "2"}},
        {"requests": {"cpu": "500m", "hugepages-2Mi": "4Mi"}},
        initContainers=[sidecar, first],
        overhead={"cpu": "10m"},
    )
    assert usage("/pods", pod) == {
        "count/pods": "1",
        "pods": "1",
        "cpu": "3110m",
        "requests.cpu": "3110m",
        "limits.cpu": "2010m",
        "limits.memory": "1Gi",
        "hugepages-2Mi": "4Mi",
        "requests.hugepages-2Mi": "4Mi",
        "requests.example.com/gpu": "1",
    }


def test_what_a_pod_says_of_itself_and_what_it_runs_with_counts() -> None:
    pod = a_pod({"requests": {"cpu": "1"}}, resources={"requests": {"cpu": "2"}})
    assert usage("/pods", pod)["requests.cpu"] == "2"
    pod = a_pod({"requests": {"cpu": "1"}})
    pod["status"] = {
        "containerStatuses": [{"name": "c0", "resources": {"requests": {"cpu": "3"}}}],
    }
    assert usage("/pods", pod)["requests.cpu"] == "3"
    pod["status"]["containerStatuses"][0]["resources"] = {"requests": {"cpu": "500m"}}
    assert usage("/pods", pod)["requests.cpu"] == "1"
    pod["status"]["conditions"] = [{"type": "PodResizePending", "reason": "Infeasible"}]
    assert usage("/pods", pod)["requests.cpu"] == "500m"


@pytest.mark.parametrize(
    ("metadata", "phase", "counts"),
    [
        ({}, "Running", True),
        ({}, "Succeeded", False),
        ({}, "Failed", False),
        ({"deletionTimestamp": "2020-01-01T00:00:00Z"}, "Running", True),
        ({"deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}, "Running", False),
        ({"deletionTimestamp": "2090-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}, "Running", True),
    ],
)
def test_a_pod_that_is_over_is_only_counted(metadata: Any, phase: str, counts: bool) -> None:
    pod = a_pod({"requests": {"cpu": "1"}})
    pod["metadata"].update(metadata)
    pod["status"] = {"phase": phase}
    used = usage("/pods", pod)
    assert used["count/pods"] == "1" and ("pods" in used, "cpu" in used) == (counts, counts)


@pytest.mark.parametrize(
    ("scope", "pod", "matches"),
    [
        (Selector("Terminating"), a_pod({}, activeDeadlineSeconds=5), True),
        (Selector("NotTerminating"), a_pod({}), True),
        (Selector("BestEffort"), a_pod({}), True),
        (Selector("NotBestEffort"), a_pod({"limits": {"cpu": "1"}}), True),
        (Selector("PriorityClass"), a_pod({}), False),
        (Selector("PriorityClass", "In", ("a",)), a_pod({}, priorityClassName="a"), True),
        (Selector("PriorityClass", "NotIn", ("a",)), a_pod({}), True),
        (Selector("PriorityClass", "DoesNotExist"), a_pod({}, priorityClassName="a"), False),
        (Selector("CrossNamespacePodAffinity"), a_pod({}), False),
        (
            Selector("CrossNamespacePodAffinity"),
            a_pod(
                {},
                affinity={
                    "podAntiAffinity": {
                        "preferredDuringSchedulingIgnoredDuringExecution": [
                            {"podAffinityTerm": {"namespaceSelector": {}}}
                        ]
                    }
                },
            ),
            True,
        ),
        (Selector("VolumeAttributesClass"), a_pod({}), False),
    ],
)
def test_scopes_of_pods(scope: Selector, pod: dict[str, Any], matches: bool) -> None:
    assert evaluator_for("/pods").matches(scope, pod) == matches


def test_services_use_what_they_ask_for() -> None:
    ports = [{"port": 1}, {"port": 2, "nodePort": 30000}]
    balanced: dict[str, Any] = {"spec": {"type": "LoadBalancer", "ports": ports}}
    assert usage("/services", balanced) == {
        "count/services": "1",
        "services": "1",
        "services.loadbalancers": "1",
        "services.nodeports": "2",
    }
    balanced["spec"]["allocateLoadBalancerNodePorts"] = False
    assert usage("/services", balanced)["services.nodeports"] == "1"
    assert usage("/services", {"spec": {"type": "ClusterIP", "ports": ports}}) == {
        "count/services": "1",
        "services": "1",
    }


def test_claims_use_storage_of_their_class() -> None:
    claim = {
        "metadata": {"name": "c"},
        "spec": {"storageClassName": "gold", "resources": {"requests": {"storage": "1500m"}}},
    }
    of_gold = "gold.storageclass.storage.k8s.io/"
    assert usage("/persistentvolumeclaims", claim) == {
        "persistentvolumeclaims": "1",
        "count/persistentvolumeclaims": "1",
        f"{of_gold}persistentvolumeclaims": "1",
        "requests.storage": "2",
        f"{of_gold}requests.storage": "2",
    }
    claim["status"] = {"allocatedResources": {"storage": "3Gi"}, "currentVolumeAttributesClassName": "fast"}
    assert usage("/persistentvolumeclaims", claim)["requests.storage"] == "3Gi"
    evaluator = evaluator_for("/persistentvolumeclaims")
    assert evaluator.matches(Selector("VolumeAttributesClass", "In", ("fast",)), claim)
    assert not evaluator.matches(Selector("VolumeAttributesClass", "NotIn", ("fast",)), claim)


def test_claims_of_devices_count_the_most_that_they_may_get() -> None:
    first = [{"deviceClassName": "a", "allocationMode": "ExactCount", "count": count} for count in (3, 1)]
    requests = [
        {"name": "r", "firstAvailable": first},
        {"name": "s", "exactly": {"deviceClassName": "a", "allocationMode": "All"}},
    ]
    claim: dict[str, Any] = {
        "metadata": {"name": "c", "namespace": "n"},
        "spec": {"devices": {"requests": requests}},
    }
    count = {"count/resourceclaims.resource.k8s.io": "1", "a.deviceclass.resource.k8s.io/devices": "35"}
    implicit = {"requests.deviceclass.resource.kubernetes.io/a": "35"}
    assert usage("resource.k8s.io/resourceclaims", claim) == count | implicit
    pod = a_pod({"requests": {"example.com/gpu": "5"}})
    pod["metadata"] |= {"uid": "u", "namespace": "n"}
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}
    claim["metadata"] |= {
        "annotations": {"resource.kubernetes.io/extended-resource-claim": "true"},
        "ownerReferences": [owner],
    }
    known = Known(AROUND.now, {"a": "example.com/gpu"}, {("n", "p"): pod}, [claim])
    told = usage("resource.k8s.io/resourceclaims", claim, known)
    assert told == count | implicit | {"requests.example.com/gpu": "30"}


def test_which_kinds_a_name_is_about() -> None:
    names = ["pods", "secrets", "count/widgets.example.com", "requests.storage", "count/events", "limits.cpu"]
    assert measured(names, AROUND) == {
        "/pods": {"pods", "limits.cpu"},
        "/secrets": {"secrets"},
        "/persistentvolumeclaims": {"requests.storage"},
        "example.com/widgets": {"count/widgets.example.com"},
    }


# Charging.


def a_quota(used: dict[str, str], hard: dict[str, str], *selectors: Selector) -> Quota:
    def read(texts: dict[str, str]) -> dict[str, Quantity]:
        return {name: parse_quantity(text) for name, text in texts.items()}

    return Quota("q", read(hard), read(used), selectors)


def charged(
    quotas: list[Quota], obj: Any, old: Any = None, *, limited: Any = (), bucket: str = "/pods"
) -> Any:
    request = Request("CREATE" if old is None else "UPDATE", bucket, "", obj, old)
    found = charges(quotas, request, evaluator_for(bucket), AROUND, limited)
    return {each.quota: {name: str(amount) for name, amount in each.amounts.items()} for each in found}


def test_a_change_is_charged_the_difference() -> None:  # C2
    quota = a_quota({"services.nodeports": "2"}, {"services.nodeports": "3"})
    old = {"spec": {"type": "NodePort", "ports": [{"port": 1}]}}
    new = {"spec": {"type": "NodePort", "ports": [{"port": 1}, {"port": 2}]}}
    assert charged([quota], new, old, bucket="/services") == {"q": {"services.nodeports": "1"}}
    assert charged([quota], old, new, bucket="/services") == {}
    with pytest.raises(
        QuotaError, match=r"exceeded quota: q, requested: services\.nodeports=2, used: .*=2, limited"
    ):
        charged([quota], new, {"spec": {"type": "ClusterIP"}}, bucket="/services")


@pytest.mark.parametrize(
    ("used", "hard", "told"),
    [
        ({"pods": "1"}, {"pods": "1"}, "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"),
        (
            {"cpu": "1", "limits.cpu": "0"},
            {"cpu": "9", "limits.cpu": "9"},
            "failed quota: q: must specify cpu for: c1; limits.cpu for: c0,c1",
        ),
        ({}, {"pods": "1"}, "status unknown for quota: q, resources: pods"),
    ],
)
def test_what_is_refused_is_told_as_kubernetes_tells_it(used: Any, hard: Any, told: str) -> None:  # C1
    with pytest.raises(QuotaError) as caught:
        charged([a_quota(used, hard)], a_pod({"requests": {"cpu": "1"}}, {}))
    assert str(caught.value) == told and caught.value.forbidden


def test_what_is_limited_needs_a_quota() -> None:  # C3
    limited = [Limited(resource="pods", match_contains=("cpu",))]
    asking = a_pod({"requests": {"cpu": "1"}})
    with pytest.raises(QuotaError, match=r"insufficient quota to consume: cpu,requests\.cpu$"):
        charged([], asking, limited=limited)
    assert charged([], a_pod({}), limited=limited) == {}
    quota = a_quota({"cpu": "0", "requests.cpu": "0"}, {"cpu": "2", "requests.cpu": "2"})
    assert charged([quota], asking, limited=limited) == {"q": {"cpu": "1", "requests.cpu": "1"}}
    scope = {"scopeName": "PriorityClass", "operator": "In", "values": ["hi"]}
    limited = [Limited(resource="pods", match_scopes=(scope,))]
    with pytest.raises(QuotaError, match=r"match these scopes: \[\{PriorityClass In \[hi\]\}\]") as caught:
        charged([], a_pod({}, priorityClassName="hi"), limited=limited)
    assert not caught.value.forbidden
    covering = a_quota({"pods": "0"}, {"pods": "1"}, Selector("PriorityClass", "In", ("hi",)))
    assert charged([covering], a_pod({}, priorityClassName="hi"), limited=limited) == {"q": {"pods": "1"}}


AMOUNTS = st.dictionaries(
    st.sampled_from(["cpu", "memory"]), st.sampled_from(["0", "100m", "1", "1500m", "2Gi"])
)
PODS = st.builds(lambda *parts: a_pod(*({"requests": each} for each in parts)), AMOUNTS, AMOUNTS)


@settings(max_examples=60, deadline=None)
@given(st.lists(PODS, max_size=8), st.integers(0, 6), st.sampled_from(["0", "1", "3500m"]))
def test_what_is_charged_never_exceeds_and_is_what_is_counted(pods: Any, most: int, cpu: str) -> None:  # C1
    quota = a_quota({"pods": "0", "requests.cpu": "0"}, {"pods": str(most), "requests.cpu": cpu})
    admitted = []
    for pod in pods:
        try:
            found = charges(
                [quota], Request("CREATE", "/pods", "", pod, None), evaluator_for("/pods"), AROUND
            )
        except QuotaError:
            continue
        admitted.append(pod)
        used = {name: quota.used[name] + found[0].amounts.get(name, Quantity(0)) for name in quota.used}
        quota = Quota("q", quota.hard, used)
    assert not any(less(quota.used, quota.hard).values())
    assert used_by(quota, quota.hard, admitted, evaluator_for("/pods"), AROUND) == quota.used
