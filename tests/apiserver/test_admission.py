"""What admission does to objects and refuses, as kube-apiserver's plugins do."""

from typing import Any

from tests.apiserver.support import CORE, MERGE, PODS, STRATEGIC, Api, pod, served

LIMITS = f"{CORE}/limitranges"
CLAIMS = f"{CORE}/persistentvolumeclaims"
CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"
STORAGE = "/apis/storage.k8s.io/v1/storageclasses"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
INGRESS_CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
GROW = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}


def limits(**limit: Any) -> dict[str, Any]:
    return {"metadata": {"name": "l"}, "spec": {"limits": [limit]}}


def asking(name: str = "a", **resources: dict[str, str]) -> dict[str, Any]:
    return pod(name, containers=[{"name": "c", "image": "i", "resources": resources}])


def claim(name: str, size: str = "1Gi", **spec: Any) -> dict[str, Any]:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {"metadata": {"name": name}, "spec": {**asked, **spec}}


@served
async def test_limit_ranges_fill_in_what_containers_ask_for(api: Api) -> None:
    await api.ok(
        "POST", LIMITS, limits(type="Container", default={"cpu": "1"}, defaultRequest={"cpu": "500m"})
    )
    body = (await api.ok("POST", PODS, asking(limits={"memory": "1Gi"}))).body
    container = body["spec"]["containers"][0]
    assert container["resources"] == {
        "limits": {"cpu": "1", "memory": "1Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi"},
    }
    told = "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    assert body["metadata"]["annotations"] == {"kubernetes.io/limit-ranger": told}


@served
async def test_limit_ranges_refuse_too_little_and_too_much(api: Api) -> None:
    await api.ok(
        "POST",
        LIMITS,
        limits(type="Container", min={"cpu": "100m"}, max={"cpu": "2"}, maxLimitRequestRatio={"cpu": "3"}),
    )
    for asked, why in (
        (asking(limits={"cpu": "3"}), "maximum cpu usage per Container is 2, but limit is 3"),
        (
            asking(limits={"cpu": "2"}, requests={"cpu": "100m"}),
            "cpu max limit to request ratio per Container is 3, but provided ratio is 20.000000",
        ),
        (
            asking(limits={"cpu": "50m"}),
            "minimum cpu usage per Container is 100m, but request is 50m",
        ),
    ):
        told = await api.refused(403, "POST", PODS, asked)
        assert told.message == f'pods "a" is forbidden: {why}'


@served
async def test_limit_ranges_look_at_whole_pods_and_at_claims(api: Api) -> None:
    await api.ok("POST", LIMITS, limits(type="Pod", max={"cpu": "2"}))
    many = [{"name": each, "image": "i", "resources": {"limits": {"cpu": "1500m"}}} for each in "ab"]
    told = await api.refused(403, "POST", PODS, pod(containers=many))
    assert told.message.endswith("maximum cpu usage per Pod is 2, but limit is 3")
    storage = limits(type="PersistentVolumeClaim", max={"storage": "2Gi"})
    await api.ok("POST", LIMITS, {**storage, "metadata": {"name": "claims"}})
    told = await api.refused(403, "POST", CLAIMS, claim("c", "3Gi"))
    assert told.message.endswith("maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi")
    await api.ok("POST", CLAIMS, claim("c"))


@served
async def test_runtime_classes_say_what_their_pods_cost_and_where_they_run(api: Api) -> None:
    wide = {"key": "k", "operator": "Exists"}
    scheduling = {"nodeSelector": {"a": "b"}, "tolerations": [wide]}
    made = {"metadata": {"name": "r"}, "handler": "h", "overhead": {"podFixed": {"cpu": "100m"}}}
    await api.ok("POST", CLASSES, {**made, "scheduling": scheduling})
    narrow = {"key": "k", "operator": "Equal", "value": "v"}
    spec = (await api.ok("POST", PODS, pod(runtimeClassName="r", tolerations=[narrow]))).body["spec"]
    assert spec["overhead"] == {"cpu": "100m"} and spec["nodeSelector"] == {"a": "b"}
    assert narrow not in spec["tolerations"] and wide in spec["tolerations"]


@served
async def test_pods_agree_with_their_runtime_class(api: Api) -> None:
    made = {"metadata": {"name": "r"}, "handler": "h", "overhead": {"podFixed": {"cpu": "100m"}}}
    await api.ok("POST", CLASSES, {**made, "scheduling": {"nodeSelector": {"a": "b"}}})
    for spec, why in (
        ({"runtimeClassName": "none"}, 'pod rejected: RuntimeClass "none" not found'),
        (
            {"overhead": {"cpu": "1"}},
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        ),
        (
            {"runtimeClassName": "r", "overhead": {"cpu": "1"}},
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        (
            {"runtimeClassName": "r", "nodeSelector": {"a": "x"}},
            "conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = x",
        ),
    ):
        told = await api.refused(403, "POST", PODS, pod(**spec))
        assert told.message == f'pods "a" is forbidden: {why}'
    await api.ok("POST", PODS, pod(runtimeClassName="r", overhead={"cpu": "0.1"}))


@served
async def test_new_nodes_are_not_ready(api: Api) -> None:
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    body = (await api.ok("POST", "/api/v1/nodes", {"metadata": {"name": "n"}})).body
    assert body["spec"]["taints"] == [taint]
    body = (await api.ok("PATCH", "/api/v1/nodes/n", {"spec": {"taints": None}}, type=MERGE)).body
    assert "taints" not in body["spec"]
    given = {"metadata": {"name": "m"}, "spec": {"taints": [{**taint, "value": "v"}]}}
    assert (await api.ok("POST", "/api/v1/nodes", given)).body["spec"] == given["spec"]


@served
async def test_claims_grow_where_their_class_lets_them(api: Api) -> None:
    for name, grows in (("no", False), ("yes", True)):
        made = {"metadata": {"name": name}, "provisioner": "p", "allowVolumeExpansion": grows}
        await api.ok("POST", STORAGE, made)
        await api.ok("POST", CLAIMS, claim(name, storageClassName=name))
        await api.ok("PATCH", f"{CLAIMS}/{name}/status", {"status": {"phase": "Bound"}}, type=MERGE)
    told = await api.refused(403, "PATCH", f"{CLAIMS}/no", GROW, type=MERGE)
    assert "the storageclass that provisions the pvc must support resize" in told.message
    await api.ok("PATCH", f"{CLAIMS}/yes", GROW, type=MERGE)


@served
async def test_ingresses_get_the_default_class(api: Api) -> None:
    spec = {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}
    body = (await api.ok("POST", INGRESSES, {"metadata": {"name": "before"}, "spec": spec})).body
    assert "ingressClassName" not in body["spec"]
    marked = {"name": "c", "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}}
    await api.ok("POST", INGRESS_CLASSES, {"metadata": marked, "spec": {"controller": "a.b/c"}})
    body = (await api.ok("POST", INGRESSES, {"metadata": {"name": "after"}, "spec": spec})).body
    assert body["spec"]["ingressClassName"] == "c"
    named = {"name": "old", "annotations": {"kubernetes.io/ingress.class": "x"}}
    body = (await api.ok("POST", INGRESSES, {"metadata": named, "spec": spec})).body
    assert "ingressClassName" not in body["spec"]


@served
async def test_pods_are_resized_within_what_their_node_has(api: Api) -> None:
    async def resized(cpu: str) -> Any:
        asked = {"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]}
        return await api.ask("PATCH", f"{PODS}/a/resize", {"spec": asked}, type=STRATEGIC)

    asks = [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]
    await api.ok("POST", PODS, pod(nodeName="n", containers=asks))
    assert (await resized("2")).message == 'pods "a" is forbidden: node "n" not found'
    node = {"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "2", "memory": "1Gi"}}}
    await api.ok("POST", "/api/v1/nodes", node)
    assert (await resized("2")).status == 200
    told = await resized("3")
    why = "node didn't have enough allocatable resources: cpu, requested: 3000, allocatable: 2000"
    assert (told.status, told.message) == (403, f'pods "a" is forbidden: {why}')
    assert told.body["details"]["causes"] == [{"reason": "NodeCapacity"}]
    windows = {"metadata": {"labels": {"kubernetes.io/os": "windows"}}}
    await api.ok("PATCH", "/api/v1/nodes/n", windows, type=MERGE)
    assert "only supported on linux nodes" in (await resized("1")).message
