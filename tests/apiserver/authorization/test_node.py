"""What nodes may see."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.apiserver.authorization.given import wish

from kajitori.apimachinery.fields import FieldRequirement
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization import Attributes, Decision
from kajitori.apiserver.authorization.node import NodeAuthorizer
from kajitori.apiserver.authorization.node_references import referred_by_pod, secrets_of_volume
from kajitori.storage import Store, open_store

ONE = User("system:node:one", groups=("system:nodes", "system:authenticated"))
BUCKETS = {
    "Pod": "/pods",
    "PersistentVolume": "/persistentvolumes",
    "VolumeAttachment": "storage.k8s.io/volumeattachments",
    "ResourceSlice": "resource.k8s.io/resourceslices",
}


async def put(store: Store, kind: str, name: str, spec: dict[str, Any], **more: Any) -> None:
    namespace, _, own = name.rpartition("/")
    obj = {
        "metadata": {"name": own, "namespace": namespace, **more.pop("metadata", {})},
        "spec": spec,
        **more,
    }
    found = store.get(BUCKETS[kind], name)
    value = msgspec.json.encode(obj)
    await store.put(BUCKETS[kind], name, lambda revision: value, expect=found.revision if found else 0)


async def remove(store: Store, bucket: str, name: str) -> None:
    found = store.get(bucket, name)
    assert found is not None
    await store.delete(bucket, name, None, expect=found.revision)


def with_store(test: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = await open_store(None)
        try:
            await test(store)
        finally:
            await store.close()

    asyncio.run(run())


def selecting(verb: str, resource: str, node: str, group: str = "") -> Attributes:
    only = FieldRequirement("spec.nodeName", True, node)
    return msgspec.structs.replace(wish(ONE, verb, resource, group=group), field_requirements=(only,))


def pod_on(node: str, **spec: Any) -> dict[str, Any]:
    return {"nodeName": node, "containers": [], **spec}


def secret_volume(name: str) -> dict[str, Any]:
    return {"name": "v", "secret": {"secretName": name}}


def test_a_node_reads_what_its_pods_refer_to() -> None:  # N2, G1
    async def test(store: Store) -> None:
        await put(store, "Pod", "ns/a", pod_on("one", volumes=[secret_volume("mine")]))
        await put(store, "Pod", "ns/b", pod_on("two", volumes=[secret_volume("theirs")]))
        await put(store, "Pod", "ns/c", {"volumes": [secret_volume("nobodys")], "containers": []})
        node = NodeAuthorizer(store)

        def read(name: str, verb: str = "get", namespace: str = "ns") -> Decision:
            return node.authorize(wish(ONE, verb, "secrets", namespace=namespace, name=name))

        assert read("mine").allowed and read("mine", "list").allowed and read("mine", "watch").allowed
        unrelated = Decision(False, "no relationship found between node 'one' and this object")
        assert read("theirs") == read("nobodys") == read("mine", namespace="other") == unrelated
        assert read("mine", "delete").reason == "can only read resources of this type"
        assert read("mine", namespace="").reason == "can only read namespaced object of this type"
        assert read("").reason == "No Object name found"

    with_store(test)


def test_volumes_are_reached_through_claims() -> None:  # G1
    async def test(store: Store) -> None:
        claim = {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}
        await put(store, "Pod", "ns/a", pod_on("one", volumes=[claim]))
        source = {"csi": {"driver": "d", "nodeStageSecretRef": {"namespace": "x", "name": "s"}}}
        bound = {"claimRef": {"namespace": "ns", "name": "c"}, **source}
        await put(store, "PersistentVolume", "pv", bound)
        await put(store, "PersistentVolume", "free", source)
        node = NodeAuthorizer(store)

        def get(resource: str, name: str, namespace: str = "") -> bool:
            return node.authorize(wish(ONE, "get", resource, namespace=namespace, name=name)).allowed

        assert get("persistentvolumeclaims", "c", "ns") and get("persistentvolumes", "pv")
        assert get("secrets", "s", "x")
        assert not get("persistentvolumes", "free") and not get("persistentvolumeclaims", "c", "other")
        await put(store, "PersistentVolume", "pv", {**bound, "claimRef": {"namespace": "ns", "name": "d"}})
        assert not get("persistentvolumes", "pv") and not get("secrets", "s", "x")  # G2

    with_store(test)


def test_what_is_written_counts_for_the_next_question() -> None:  # G2
    async def test(store: Store) -> None:
        node = NodeAuthorizer(store)
        question = wish(ONE, "get", "secrets", namespace="ns", name="s")
        assert not node.authorize(question).allowed
        for name in ("ns/a", "ns/b"):
            await put(store, "Pod", name, pod_on("one", volumes=[secret_volume("s")]))
        assert node.authorize(question).allowed
        await remove(store, "/pods", "ns/a")
        assert node.authorize(question).allowed  # the other one has it still
        await remove(store, "/pods", "ns/b")
        assert not node.authorize(question).allowed

    with_store(test)


class Watched:
    """A store that tells what it was asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._store, name)


def test_a_cluster_without_nodes_pays_nothing() -> None:  # G3, G4, N1
    async def test(store: Store) -> None:
        await put(store, "Pod", "ns/a", pod_on("one", volumes=[secret_volume("s")]))
        watched: Any = Watched(store)
        node = NodeAuthorizer(watched)
        for user in (User("alice"), User("system:node:one"), User("one", groups=("system:nodes",))):
            assert node.authorize(wish(user, "get", "secrets", namespace="ns", name="s")) == Decision(False)
        nameless = User("system:node:", groups=("system:nodes",))
        assert (
            node.authorize(wish(nameless, "get", "secrets")).reason == 'unknown node for user "system:node:"'
        )
        assert watched.asked == []
        assert node.authorize(wish(ONE, "get", "secrets", namespace="ns", name="s")).allowed
        watched.asked.clear()
        await put(store, "Pod", "ns/a", pod_on("one"))
        assert watched.asked == []  # read with the next question
        assert not node.authorize(wish(ONE, "get", "secrets", namespace="ns", name="s")).allowed

    with_store(test)


def test_nodes_read_only_what_is_theirs() -> None:  # N2, N3, N4
    async def test(store: Store) -> None:
        await put(store, "Pod", "ns/a", pod_on("one", serviceAccountName="sa"))
        await put(store, "VolumeAttachment", "va", {"nodeName": "one"})
        await put(store, "ResourceSlice", "sl", {"nodeName": "two"})
        node = NodeAuthorizer(store)

        def ask(verb: str, resource: str, name: str = "", **where: str) -> Decision:
            return node.authorize(wish(ONE, verb, resource, name=name, **where))

        for allowed in (
            ask("get", "pods", "a", namespace="ns"),
            node.authorize(selecting("list", "pods", "one")),
            ask("create", "pods/eviction", "a", namespace="ns"),
            ask("create", "serviceaccounts/token", "sa", namespace="ns"),
            ask("get", "serviceaccounts", "sa", namespace="ns"),
            ask("get", "nodes", "one"),
            ask("update", "nodes/status", "two"),  # NodeRestriction refuses it
            ask("get", "volumeattachments", "va", group="storage.k8s.io"),
            node.authorize(selecting("watch", "resourceslices", "one", "resource.k8s.io")),
            ask("update", "leases", "one", group="coordination.k8s.io", namespace="kube-node-lease"),
            ask("get", "csinodes", "one", group="storage.k8s.io"),
            ask("list", "services", namespace="ns"),
        ):
            assert allowed.allowed
        refusals = {
            ask("list", "pods").reason: "can only list/watch pods with spec.nodeName field selector",
            ask("list", "nodes").reason: "node 'one' cannot read all nodes, only its own Node object",
            ask("get", "nodes", "two").reason: "node 'one' cannot read 'two', only its own Node object",
            ask("create", "serviceaccounts/token", "other", namespace="ns").reason: "no relationship found "
            "between node 'one' and this object",
            ask("delete", "resourceslices", "sl", group="resource.k8s.io").reason: "no relationship found "
            "between node 'one' and this object",
            ask(
                "update", "leases", "x", group="coordination.k8s.io", namespace="ns"
            ).reason: 'can only access leases in the "kube-node-lease" system namespace',
            ask("get", "csinodes", "two", group="storage.k8s.io").reason: "can only access CSINode with the "
            "same name as the requesting node",
            ask("list", "configmaps", namespace="ns").reason: "No Object name found",
            ask("delete", "nodes", "one").reason: "",
            ask("create", "deployments", group="apps", namespace="ns").reason: "",
        }
        for found, told in refusals.items():
            assert found == told

    with_store(test)


def test_what_a_node_may_do_cannot_be_listed() -> None:
    async def test(store: Store) -> None:
        held = NodeAuthorizer(store).held(ONE, "ns")
        assert held.incomplete and held.errors == ["node authorizer does not support user rule resolution"]
        assert not NodeAuthorizer(store).held(User("alice"), "ns").incomplete

    with_store(test)


def test_a_pod_refers_to_objects_in_many_ways() -> None:
    spec = {
        "serviceAccountName": "sa",
        "imagePullSecrets": [{"name": "pull"}, {}],
        "initContainers": [
            {"envFrom": [{"secretRef": {"name": "from"}}, {"configMapRef": {"name": "cfrom"}}]}
        ],
        "ephemeralContainers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "key", "key": "k"}}}]}],
        "containers": [
            {"env": [{"valueFrom": {"configMapKeyRef": {"name": "ckey", "key": "k"}}}, {"value": "x"}]}
        ],
        "volumes": [
            {
                "name": "a",
                "projected": {"sources": [{"secret": {"name": "ps"}}, {"configMap": {"name": "pc"}}]},
            },
            {"name": "b", "ephemeral": {}},
            {"name": "c", "csi": {"nodePublishSecretRef": {"name": "csi"}}},
            {"name": "d", "azureFile": {"secretName": "azure"}},
            {"name": "e", "configMap": {"name": "cm"}},
        ],
        "resourceClaims": [
            {"name": "x", "resourceClaimName": "direct"},
            {"name": "y", "resourceClaimTemplateName": "t"},
            {"name": "z", "resourceClaimTemplateName": "t"},
        ],
    }
    status = {
        "resourceClaimStatuses": [{"name": "y", "resourceClaimName": "made"}],
        "extendedResourceClaimStatus": {"resourceClaimName": "extended"},
    }
    pod: dict[str, Any] = {"metadata": {"name": "p", "namespace": "ns"}, "spec": spec, "status": status}
    found: dict[str, set[str]] = {}
    for resource, namespace, name in referred_by_pod(pod):
        assert namespace == "ns"
        found.setdefault(resource, set()).add(name)
    assert found == {
        "serviceaccounts": {"sa"},
        "secrets": {"pull", "from", "key", "ps", "csi", "azure"},
        "configmaps": {"cfrom", "ckey", "pc", "cm"},
        "persistentvolumeclaims": {"p-b"},
        "resourceclaims": {"direct", "made", "extended"},
    }
    mirror = {**pod, "metadata": {**pod["metadata"], "annotations": {"kubernetes.io/config.mirror": "x"}}}
    assert referred_by_pod(mirror) == set()


@pytest.mark.parametrize(
    ("source", "secrets"),
    [
        ({"azureFile": {"secretName": "s"}}, {("ns", "s")}),
        ({"azureFile": {"secretName": "s", "secretNamespace": "x"}}, {("x", "s")}),
        ({"cephfs": {"secretRef": {"name": "s"}}}, {("ns", "s")}),
        ({"cinder": {"secretRef": {"name": "s"}}}, {("", "s")}),
        ({"csi": {"controllerPublishSecretRef": {"name": "c", "namespace": "x"}}}, set()),
        ({"hostPath": {"path": "/x"}}, set()),
    ],
)
def test_a_volume_needs_secrets(source: dict[str, Any], secrets: set[tuple[str, str]]) -> None:
    assert secrets_of_volume({"claimRef": {"namespace": "ns", "name": "c"}, **source}) == secrets


# Whatever happens, what is remembered is what can be found by looking at everything.

names = st.sampled_from(("a", "b", "c"))
nodes = st.sampled_from(("", "one", "two"))
volumes = st.one_of(
    st.builds(secret_volume, names),
    st.builds(lambda name: {"name": "v", "persistentVolumeClaim": {"claimName": name}}, names),
    st.builds(lambda name: {"name": "v", "configMap": {"name": name}}, names),
)
steps = st.one_of(
    st.tuples(
        st.just("Pod"),
        names,
        st.builds(lambda n, v: {"nodeName": n, "volumes": v}, nodes, st.lists(volumes, max_size=2)),
    ),
    st.tuples(
        st.just("PersistentVolume"),
        names,
        st.builds(
            lambda claim, secret: {
                "claimRef": {"namespace": "ns", "name": claim},
                "rbd": {"secretRef": {"name": secret}},
            },
            names,
            names,
        ),
    ),
    st.tuples(st.just("VolumeAttachment"), names, st.builds(lambda n: {"nodeName": n}, nodes)),
    st.tuples(st.sampled_from(("Pod", "PersistentVolume", "VolumeAttachment")), names, st.none()),
    st.just(("ask", "", None)),
)
RESOURCES = (
    "pods",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "persistentvolumes",
    "volumeattachments",
)


def plainly(there: dict[tuple[str, str], Any], node: str, resource: str, name: str) -> bool:
    """The same by looking at everything there is."""
    pods = {key: spec for (kind, key), spec in there.items() if kind == "Pod" and spec["nodeName"] == node}
    held = [each for spec in pods.values() for each in spec["volumes"]]
    claims = {each["persistentVolumeClaim"]["claimName"] for each in held if "persistentVolumeClaim" in each}
    bound = {
        key: spec
        for (kind, key), spec in there.items()
        if kind == "PersistentVolume" and spec["claimRef"]["name"] in claims
    }
    secrets = {each["secret"]["secretName"] for each in held if "secret" in each}
    match resource:
        case "pods":
            return name in pods
        case "persistentvolumeclaims":
            return name in claims
        case "persistentvolumes":
            return name in bound
        case "configmaps":
            return any(each.get("configMap", {}).get("name") == name for each in held)
        case "secrets":
            return name in secrets | {spec["rbd"]["secretRef"]["name"] for spec in bound.values()}
        case _:
            return bool(there.get(("VolumeAttachment", name), {}).get("nodeName") == node)


@settings(max_examples=60)
@given(st.lists(steps, max_size=14))
def test_what_is_remembered_is_what_there_is(happened: list[tuple[str, str, Any]]) -> None:  # G1, G2
    async def test(store: Store) -> None:
        node = NodeAuthorizer(store)
        there: dict[tuple[str, str], Any] = {}

        def check() -> None:
            for resource in RESOURCES:
                spaceless = resource in ("persistentvolumes", "volumeattachments")
                group = "storage.k8s.io" if resource == "volumeattachments" else ""
                for name in ("a", "b", "c"):
                    asked = wish(
                        ONE, "get", resource, group=group, namespace="" if spaceless else "ns", name=name
                    )
                    assert node.authorize(asked).allowed is plainly(there, "one", resource, name), asked

        for kind, name, spec in happened:
            if kind == "ask":
                check()
                continue
            full = f"ns/{name}" if kind == "Pod" else name
            if spec is not None:
                there[kind, name] = spec
                await put(store, kind, full, spec)
            elif there.pop((kind, name), None) is not None:
                await remove(store, BUCKETS[kind], full)
        check()

    with_store(test)
