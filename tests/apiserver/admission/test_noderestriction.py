"""What a node may do; what is expected was said by kube-apiserver 1.36."""

from typing import Any

import pytest
from tests.apiserver.support import CORE, MERGE, PODS, Api, pod, served_with

FILE = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
NODES = "/api/v1/nodes"
restricted = served_with(FILE, enable_admission_plugins=("NodeRestriction",))
N1 = {"impersonate_user": "system:node:n1", "impersonate_group": "system:nodes"}


async def prepare(api: Api) -> str:
    """Lets nodes past authorization, and makes two; gives the uid of the first."""
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    group = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"}
    await api.ok(
        "POST",
        f"{RBAC}/clusterrolebindings",
        {"metadata": {"name": "nodes"}, "roleRef": role, "subjects": [group]},
    )
    await api.ok("POST", NODES, {"metadata": {"name": "n2"}})
    return str((await api.ok("POST", NODES, {"metadata": {"name": "n1"}}, **N1)).body["metadata"]["uid"])


async def refusal(api: Api, method: str, path: str, body: Any = None, *, type: str = "") -> str:
    told = await api.refused(403, method, path, body, type=type, **N1)
    return told.message.partition(" is forbidden: ")[2]


@restricted
async def test_a_node_changes_itself_and_no_other(api: Api) -> None:
    await prepare(api)
    not_allowed = 'node "n1" is not allowed to'
    assert await refusal(api, "DELETE", f"{NODES}/n2") == f'{not_allowed} modify node "n2"'
    taints = {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}
    assert await refusal(api, "PATCH", f"{NODES}/n1", taints, type=MERGE) == f"{not_allowed} modify taints"
    owners = {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]}}
    assert (
        await refusal(api, "PATCH", f"{NODES}/n1", owners, type=MERGE)
        == f"{not_allowed} modify ownerReferences"
    )
    labels = {"x.kubernetes.io/y": "z", "node-restriction.kubernetes.io/x": "y", "mine": "too"}
    told = await refusal(api, "PATCH", f"{NODES}/n1", {"metadata": {"labels": labels}}, type=MERGE)
    assert told == "is not allowed to modify labels: node-restriction.kubernetes.io/x, x.kubernetes.io/y"
    allowed = {"kubernetes.io/hostname": "h", "q.kubelet.kubernetes.io/a": "b", "mine": "too"}
    await api.ok("PATCH", f"{NODES}/n1", {"metadata": {"labels": allowed}}, type=MERGE, **N1)


def mirror(uid: str, *, node: str = "n1", owner: Any = None, **spec: Any) -> dict[str, Any]:
    made = pod("m", nodeName=node, **spec)
    reference = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": uid, "controller": True}
    made["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    made["metadata"]["ownerReferences"] = [{**reference, **(owner or {})}]
    return made


@restricted
async def test_a_node_makes_mirrors_of_its_own_pods_only(api: Api) -> None:
    uid = await prepare(api)
    only = 'node "n1" can only create'
    told = await refusal(api, "POST", PODS, pod(nodeName="n1"))
    assert told == f'pod does not have "kubernetes.io/config.mirror" annotation, {only} mirror pods'
    assert (
        await refusal(api, "POST", PODS, mirror(uid, node="n2"))
        == f"{only} pods with spec.nodeName set to itself"
    )
    told = await refusal(api, "POST", PODS, mirror(uid, owner={"controller": False}))
    assert told == f"{only} pods with a controller owner reference set to itself"
    told = await refusal(api, "POST", PODS, mirror(uid, owner={"blockOwnerDeletion": True}))
    assert told == 'node "n1" must not set blockOwnerDeletion on an owner reference'
    assert "UID mismatch" in await refusal(api, "POST", PODS, mirror("other"))
    volumes = [{"name": "v", "projected": {"sources": [{"configMap": {"name": "c"}}]}}]
    told = await refusal(api, "POST", PODS, mirror(uid, volumes=volumes))
    assert told == 'node "n1" can not create pods that reference configmaps'
    await api.ok("POST", PODS, mirror(uid, volumes=[{"name": "v", "emptyDir": {}}]), **N1)
    assert "can only create and delete mirror pods" in await refusal(
        api, "PATCH", f"{PODS}/m", {"metadata": {"labels": {"a": "b"}}}, type=MERGE
    )
    await api.ok("DELETE", f"{PODS}/m", **N1)


@pytest.mark.parametrize(
    ("volume", "what"),
    [
        ({"csi": {"driver": "d"}}, "csidrivers (via CSI volumes)"),
        ({"persistentVolumeClaim": {"claimName": "c"}}, "persistentvolumeclaims"),
        ({"glusterfs": {"endpoints": "e", "path": "p"}}, "endpoints (via glusterFS volumes)"),
        ({"secret": {"secretName": "s"}}, "secrets"),
        (
            {"projected": {"sources": [{"serviceAccountToken": {"path": "p"}}]}},
            "serviceaccounts (via projected volumes)",
        ),
    ],
)
@restricted
async def test_a_mirror_needs_nothing_of_the_api(api: Api, volume: Any, what: str) -> None:
    uid = await prepare(api)
    told = await refusal(api, "POST", PODS, mirror(uid, volumes=[{"name": "v", **volume}]))
    assert told == f'node "n1" can not create pods that reference {what}'


@restricted
async def test_a_node_reports_on_its_own_pods_only(api: Api) -> None:
    await prepare(api)
    await api.ok("POST", PODS, pod("mine", nodeName="n1"))
    await api.ok("POST", PODS, pod("other", nodeName="n2"))
    running = {"status": {"phase": "Running"}}
    await api.ok("PATCH", f"{PODS}/mine/status", running, type=MERGE, **N1)
    told = await refusal(api, "PATCH", f"{PODS}/other/status", running, type=MERGE)
    assert told == 'node "n1" can only update pod status for pods with spec.nodeName set to itself'
    claims = {"status": {"resourceClaimStatuses": [{"name": "a", "resourceClaimName": "b"}]}}
    told = await refusal(api, "PATCH", f"{PODS}/mine/status", claims, type=MERGE)
    assert told == 'node "n1" cannot update resource claim statues'
    eviction = {"metadata": {"name": "other"}}
    told = await refusal(api, "POST", f"{PODS}/other/eviction", eviction)
    assert told == "node n1 can only evict pods with spec.nodeName set to itself"
    binding = {"metadata": {"name": "other"}, "target": {"kind": "Node", "name": "n1"}}
    told = await refusal(api, "POST", f"{PODS}/other/binding", binding)
    assert told == "unexpected pod subresource \"binding\", only 'status' and 'eviction' are allowed"


@restricted
async def test_a_node_gets_tokens_for_its_own_pods_and_their_audiences(api: Api) -> None:
    await prepare(api)
    await api.ok("POST", f"{CORE}/serviceaccounts", {"metadata": {"name": "sa"}})
    token = [
        {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "p", "audience": "aud"}}]}}
    ]
    uids = {}
    for name, node in (("mine", "n1"), ("other", "n2")):
        made = pod(name, nodeName=node, serviceAccountName="sa", volumes=token)
        uids[name] = (await api.ok("POST", PODS, made)).body["metadata"]["uid"]
    path = f"{CORE}/serviceaccounts/sa/token"

    def asked(name: str, *audiences: str) -> dict[str, Any]:
        bound = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uids[name]}
        return {"spec": {"audiences": list(audiences), "boundObjectRef": bound}}

    assert await refusal(api, "POST", path, {"spec": {}}) == "node requested token not bound to a pod"
    told = await refusal(api, "POST", path, asked("other", "aud"))
    assert told == "node requested token bound to a pod scheduled on a different node"
    told = await refusal(api, "POST", path, asked("mine", "aud", "b"))
    assert told == "node may only request 0 or 1 audiences"
    await api.ok("POST", path, asked("mine", "aud"), **N1)
    await api.ok("DELETE", f"{RBAC}/clusterrolebindings/nodes")
    role = {
        "metadata": {"name": "t"},
        "rules": [{"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}],
    }
    await api.ok("POST", f"{RBAC}/clusterroles", role)
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "t"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"}
    await api.ok(
        "POST",
        f"{RBAC}/clusterrolebindings",
        {"metadata": {"name": "t"}, "roleRef": reference, "subjects": [subject]},
    )
    await api.ok("POST", path, asked("mine", "aud"), **N1)
    told = await refusal(api, "POST", path, asked("mine", "wrong"))
    why = "system:node:n1 is not authorized to request tokens for this audience"
    assert told == f'audience "wrong" not found in pod spec volume, {why}'


@restricted
async def test_what_belongs_to_nodes_belongs_to_one(api: Api) -> None:
    await prepare(api)
    await api.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "kube-node-lease"}})
    leases = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
    told = await refusal(api, "POST", leases.format("default"), {"metadata": {"name": "n1"}})
    assert told == 'can only access leases in the "kube-node-lease" system namespace'
    told = await refusal(api, "POST", leases.format("kube-node-lease"), {"metadata": {"name": "n2"}})
    assert told == "can only access node lease with the same name as the requesting node"
    await api.ok("POST", leases.format("kube-node-lease"), {"metadata": {"name": "n1"}}, **N1)
    told = await refusal(
        api, "POST", "/apis/storage.k8s.io/v1/csinodes", {"metadata": {"name": "n2"}, "spec": {"drivers": []}}
    )
    assert told == "can only access CSINode with the same name as the requesting node"
    slices = "/apis/resource.k8s.io/v1/resourceslices"
    pool = {"name": "p", "resourceSliceCount": 1}
    slice_ = {"metadata": {"name": "s"}, "spec": {"driver": "d.example.com", "pool": pool, "nodeName": "n2"}}
    told = await refusal(api, "POST", slices, slice_)
    assert told == "can only create ResourceSlice with the same NodeName as the requesting node"
    claims = f"{CORE}/persistentvolumeclaims"
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    await api.ok("POST", claims, {"metadata": {"name": "c"}, "spec": asked})
    assert await refusal(api, "DELETE", f"{claims}/c") == "may only update PVC status"
    grown = {"status": {"capacity": {"storage": "1Gi"}}}
    await api.ok("PATCH", f"{claims}/c/status", grown, type=MERGE, **N1)
    told = await refusal(api, "PATCH", f"{claims}/c/status", {"status": {"phase": "Lost"}}, type=MERGE)
    assert told.startswith('node "n1" is not allowed to update fields other than status.quantity')
