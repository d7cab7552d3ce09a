"""Where Pods may run and what they tolerate; what is expected was said by kube-apiserver 1.36."""

from typing import Any

from tests.apiserver.support import CORE, MERGE, PODS, STRATEGIC, Api, pod, served, served_with

NAMESPACES = "/api/v1/namespaces"

CONFIGURATION = """
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodNodeSelector
  configuration:
    podNodeSelectorPluginConfig: {clusterDefaultNodeSelector: env=prod, narrow: "a=b,c=d"}
- name: PodTolerationRestriction
  configuration:
    apiVersion: podtolerationrestriction.admission.k8s.io/v1alpha1
    kind: Configuration
    default: [{key: d, operator: Exists}]
    whitelist: [{key: d, operator: Exists}, {key: node.kubernetes.io, operator: Exists}, {operator: Exists}]
"""


async def namespace(api: Api, name: str, **annotations: str) -> str:
    """The path of the Pods of a new namespace."""
    said = {
        f"scheduler.alpha.kubernetes.io/{key.replace('_', '-')}": value for key, value in annotations.items()
    }
    await api.ok("POST", NAMESPACES, {"metadata": {"name": name, "annotations": said}})
    return f"{NAMESPACES}/{name}/pods"


@served_with(CONFIGURATION, enable_admission_plugins=("PodNodeSelector",))
async def test_pods_run_on_the_nodes_of_their_namespace(api: Api) -> None:
    assert (await api.ok("POST", PODS, pod("a"))).body["spec"]["nodeSelector"] == {"env": "prod"}
    told = await api.refused(403, "POST", PODS, pod("b", nodeSelector={"env": "dev"}))
    assert told.message.endswith("pod node label selector conflicts with its namespace node label selector")
    own = await namespace(api, "own", node_selector="q=r")
    assert (await api.ok("POST", own, pod("a", nodeSelector={"x": "y"}))).body["spec"]["nodeSelector"] == {
        "q": "r",
        "x": "y",
    }
    narrow = await namespace(api, "narrow", node_selector="")
    await api.ok("POST", narrow, pod("a", nodeSelector={"a": "b"}))
    told = await api.refused(403, "POST", narrow, pod("b", nodeSelector={"x": "y"}))
    assert told.message.endswith("pod node label selector labels conflict with its namespace whitelist")
    wrong = await namespace(api, "wrong", node_selector="q")
    assert (await api.refused(500, "POST", wrong, pod())).message == "invalid selector: [q]"


def keys(told: Any) -> list[str]:
    return [each["key"] for each in told.body["spec"]["tolerations"]]


PLUGINS = ("PodTolerationRestriction", "ExtendedResourceToleration")
WAITING = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]


@served_with(CONFIGURATION, enable_admission_plugins=PLUGINS)
async def test_pods_tolerate_what_their_namespace_tolerates(api: Api) -> None:
    assert keys(await api.ok("POST", PODS, pod("a"))) == [*WAITING, "d"]
    of_namespace = await namespace(api, "n", defaultTolerations='[{"key": "w", "operator": "Exists"}]')
    resources = {"limits": {"example.com/gpu": "1", "cpu": "1"}}
    asking = pod("a", containers=[{"name": "c", "image": "i", "resources": resources}])
    pressure = "node.kubernetes.io/memory-pressure"
    assert keys(await api.ok("POST", of_namespace, asking)) == [*WAITING, "w", pressure, "example.com/gpu"]
    none = await namespace(api, "m", defaultTolerations="", tolerationsWhitelist='[{"key": "zz"}]')
    told = await api.refused(500, "POST", none, pod())
    assert told.message == (
        "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist"
    )


@served_with(CONFIGURATION, enable_admission_plugins=("AlwaysPullImages",))
async def test_images_are_always_pulled(api: Api) -> None:
    never = [{"name": "c", "image": "i", "imagePullPolicy": "Never"}]
    volumes = [{"name": "v", "image": {"reference": "r", "pullPolicy": "Never"}}]
    spec = (await api.ok("POST", PODS, pod(containers=never, volumes=volumes))).body["spec"]
    assert spec["containers"][0]["imagePullPolicy"] == "Always"
    assert spec["volumes"][0]["image"]["pullPolicy"] == "Always"
    await api.ok("PATCH", f"{PODS}/a", {"metadata": {"labels": {"a": "b"}}}, type=MERGE)
    await api.ok(
        "PATCH", f"{PODS}/a", {"spec": {"containers": [{"name": "c", "image": "j"}]}}, type=STRATEGIC
    )


@served_with(CONFIGURATION, enable_admission_plugins=("LimitPodHardAntiAffinityTopology",))
async def test_pods_keep_others_off_their_node_only(api: Api) -> None:
    def avoiding(key: str) -> dict[str, Any]:
        term = {"topologyKey": key, "labelSelector": {}}
        return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}

    await api.ok("POST", PODS, pod("a", affinity=avoiding("kubernetes.io/hostname")))
    told = await api.refused(403, "POST", PODS, pod("b", affinity=avoiding("zone")))
    assert told.message.endswith("has TopologyKey zone but only key kubernetes.io/hostname is allowed")


@served
async def test_pods_are_labelled_with_the_place_of_their_node(api: Api) -> None:
    place = {"topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r"}
    await api.ok("POST", "/api/v1/nodes", {"metadata": {"name": "n", "labels": {**place, "a": "b"}}})
    assert (await api.ok("POST", PODS, pod("made", nodeName="n"))).body["metadata"]["labels"] == place
    for name, target, labels in (
        ("bound", {"kind": "Node", "name": "n"}, place),
        ("unsaid", {"name": "n"}, None),
        ("elsewhere", {"kind": "Node", "name": "m"}, None),
    ):
        await api.ok("POST", PODS, pod(name))
        binding = {"metadata": {"name": name}, "target": target}
        await api.ok("POST", f"{PODS}/{name}/binding", binding)
        assert (await api.ok("GET", f"{PODS}/{name}")).body["metadata"].get("labels") == labels


@served_with(CONFIGURATION, disable_admission_plugins=("PodTopologyLabels",))
async def test_nobody_is_labelled_where_nobody_labels(api: Api) -> None:
    await api.ok(
        "POST", "/api/v1/nodes", {"metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": "z"}}}
    )
    assert "labels" not in (await api.ok("POST", PODS, pod("made", nodeName="n"))).body["metadata"]


@served
async def test_nodes_say_what_resizes_they_can_follow(api: Api) -> None:
    capacity = {"cpu": "8", "memory": "8Gi"}
    status = {"allocatable": capacity, "capacity": capacity}
    await api.ok("POST", "/api/v1/nodes", {"metadata": {"name": "n"}, "status": status})
    resources = {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}
    await api.ok("POST", PODS, pod(nodeName="n", resources=resources))
    more = {"spec": {"resources": {"requests": {"cpu": "2"}}}}
    told = await api.refused(403, "PATCH", f"{PODS}/a/resize", more, type=MERGE)
    feature = "InPlacePodLevelResourcesVerticalScaling"
    assert told.message.endswith(
        f'pod update requires features {feature} which are not available on node "n"'
    )
    declared = {"status": {"declaredFeatures": [feature]}}
    await api.ok("PATCH", "/api/v1/nodes/n/status", declared, type=MERGE)
    await api.ok("PATCH", f"{PODS}/a/resize", more, type=MERGE)


@served_with(CONFIGURATION, enable_admission_plugins=("DenyServiceExternalIPs",))
async def test_services_take_no_addresses_from_outside(api: Api) -> None:
    def service(name: str, *addresses: str) -> dict[str, Any]:
        return {"metadata": {"name": name}, "spec": {"ports": [{"port": 1}], "externalIPs": list(addresses)}}

    told = await api.refused(403, "POST", f"{CORE}/services", service("a", "192.0.2.1"))
    assert told.message.endswith("Use of external IPs is denied by admission control")
    await api.ok("POST", f"{CORE}/services", service("a"))
    taken = {"spec": {"externalIPs": ["192.0.2.1"]}}
    await api.refused(403, "PATCH", f"{CORE}/services/a", taken, type=MERGE)


@served_with(CONFIGURATION, enable_admission_plugins=("NamespaceAutoProvision", "NamespaceExists"))
async def test_namespaces_are_made_for_what_is_created_in_them(api: Api) -> None:
    path = f"{NAMESPACES}/new/configmaps"
    told = await api.refused(404, "POST", f"{path}?dryRun=All", {"metadata": {"name": "a"}})
    assert told.message == 'namespaces "new" not found'
    await api.ok("POST", path, {"metadata": {"name": "a"}})
    assert (await api.ok("GET", f"{NAMESPACES}/new")).body["status"] == {"phase": "Active"}
    told = await api.refused(403, "POST", f"{NAMESPACES}/Bad_/configmaps", {"metadata": {"name": "a"}})
    assert told.message.startswith(
        'configmaps "a" is forbidden: Namespace "Bad_" is invalid: [metadata.name: '
    )


@served_with(CONFIGURATION, enable_admission_plugins=("AlwaysDeny", "AlwaysAdmit"))
async def test_everything_may_be_denied(api: Api) -> None:
    told = await api.refused(403, "POST", PODS, pod())
    assert told.message == 'pods "a" is forbidden: admission control is denying all modifications'
    await api.refused(403, "DELETE", f"{NAMESPACES}/default")
    review = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    await api.refused(403, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    await api.ok("GET", PODS)
