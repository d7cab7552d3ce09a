"""Namespaces that are deleted, against the real API server."""

import asyncio
from typing import Any

import pytest
from tests.controllers.support import (
    ACCOUNTS,
    CONFIG_MAPS,
    GARBAGE,
    NAMESPACE,
    NAMESPACES,
    PODS,
    ROOT_CA,
    SECRETS,
    SERVICE_ACCOUNTS,
    START,
    WIDGETS,
    config_map,
    scenario,
    widgets_crd,
)

from kajitori.apimachinery.errors import Forbidden
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import Kind
from kajitori.client import PAGE_SIZE
from kajitori.client.transport import RawResponse
from kajitori.cluster.inprocess import InProcessTransport
from kajitori.testing import Kubelet, TestEnv, VirtualClock, bind_pod

SERVICES = Kind("", "v1", "Service", "services")
ROLES = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
LEASES = Kind("coordination.k8s.io", "v1", "Lease", "leases")
DEPLOYMENTS = Kind("apps", "v1", "Deployment", "deployments")


async def make(env: TestEnv, name: str = "doomed") -> None:
    await env.client().create(NAMESPACES, {"metadata": {"name": name}})


def conditions(namespace: Unstructured) -> dict[str, tuple[str, str, str]]:
    return {
        each["type"]: (each["status"], each["reason"], each["message"])
        for each in namespace["status"]["conditions"]
    }


def pod(name: str, **metadata: object) -> dict[str, object]:
    return {
        "metadata": {"name": name, "namespace": "doomed", **metadata},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }


def test_an_empty_namespace_goes_at_once() -> None:
    async def play(env: TestEnv) -> None:
        await make(env)
        answer = await env.client().delete(NAMESPACES, "", "doomed")
        assert answer["status"]["phase"] == "Terminating"
        await env.wait_until_gone(NAMESPACES, "", "doomed", seconds=0.2)

    scenario(play, {NAMESPACE})


def test_objects_of_every_kind_go_with_their_namespace() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await make(env)
        for kind in (CONFIG_MAPS, SECRETS, WIDGETS):
            for number in range(3):
                await client.create(kind, config_map(f"x-{number}", namespace="doomed"))
        await client.create(
            SERVICES, {**config_map("x", namespace="doomed"), "spec": {"ports": [{"port": 1}]}}
        )
        await client.create(ROLES, {**config_map("x", namespace="doomed"), "rules": []})
        await client.create(LEASES, config_map("x", namespace="doomed"))
        await client.create(PODS, pod("x"))
        await client.create(CONFIG_MAPS, config_map("elsewhere"))
        await client.delete(NAMESPACES, "", "doomed")
        await env.wait_until_gone(NAMESPACES, "", "doomed")
        for kind in (CONFIG_MAPS, SECRETS, WIDGETS, SERVICES, ROLES, LEASES, PODS):
            assert not (await client.list(kind, "doomed")).items, kind
        assert (await client.get(CONFIG_MAPS, "default", "elsewhere")).uid

    scenario(play, {NAMESPACE}, crds=[widgets_crd()])


def test_a_namespace_with_a_thousand_objects(monkeypatch: pytest.MonkeyPatch) -> None:  # N5
    asked: list[tuple[str, str]] = []
    request = InProcessTransport.request

    async def listened_to(self: InProcessTransport, method: str, path: str, *rest: Any) -> RawResponse:
        asked.append((method, path))
        return await request(self, method, path, *rest)

    monkeypatch.setattr(InProcessTransport, "request", listened_to)

    async def play(env: TestEnv) -> None:
        client = env.client()
        await make(env)
        objects = [config_map(f"x-{number}", namespace="doomed") for number in range(1000)]
        await asyncio.gather(*(client.create(CONFIG_MAPS, each) for each in objects))
        held = [
            config_map(f"held-{number}", namespace="doomed", finalizers=["example.com/hold"])
            for number in range(PAGE_SIZE + 100)
        ]
        await asyncio.gather(*(client.create(CONFIG_MAPS, each) for each in held))
        await client.delete(NAMESPACES, "", "doomed")
        await asyncio.sleep(5)
        lists = [
            path for method, path in asked if method == "GET" and "/namespaces/doomed/configmaps" in path
        ]
        assert lists and all("limit=" in path for path in lists), "pages, never everything"
        assert (await client.list(CONFIG_MAPS, "doomed", limit=1)).remaining_item_count == len(held) - 1
        told = conditions(await client.get(NAMESPACES, "", "doomed"))["NamespaceFinalizersRemaining"][2]
        assert f"example.com/hold in {len(held)} resource instances" in told
        for each in held:
            name = each["metadata"]["name"]
            await client.patch(CONFIG_MAPS, "doomed", name, {"metadata": {"finalizers": None}})
        await env.wait_until_gone(NAMESPACES, "", "doomed")

    scenario(play, {NAMESPACE})


def test_content_with_finalizers_keeps_the_namespace_and_is_told() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await make(env)
        for number in range(2):
            held = config_map(f"x-{number}", namespace="doomed", finalizers=["example.com/hold"])
            await client.create(CONFIG_MAPS, held)
        await client.create(WIDGETS, config_map("x", namespace="doomed", finalizers=["example.com/other"]))
        await client.create(SECRETS, config_map("free", namespace="doomed"))
        await client.delete(NAMESPACES, "", "doomed")
        await asyncio.sleep(5)
        namespace = await client.get(NAMESPACES, "", "doomed")
        assert namespace["status"]["phase"] == "Terminating"
        assert not (await client.list(SECRETS, "doomed")).items
        assert conditions(namespace) == {
            "NamespaceDeletionDiscoveryFailure": (
                *("False", "ResourcesDiscovered", "All resources successfully discovered"),
            ),
            "NamespaceDeletionGroupVersionParsingFailure": (
                *("False", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
            ),
            "NamespaceDeletionContentFailure": (
                "False",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
            "NamespaceContentRemaining": (
                "True",
                "SomeResourcesRemain",
                "Some resources are remaining: configmaps. has 2 resource instances, "
                "widgets.example.com has 1 resource instances",
            ),
            "NamespaceFinalizersRemaining": (
                "True",
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: "
                "example.com/hold in 2 resource instances, example.com/other in 1 resource instances",
            ),
        }
        for kind, name in ((CONFIG_MAPS, "x-0"), (CONFIG_MAPS, "x-1"), (WIDGETS, "x")):
            await client.patch(kind, "doomed", name, {"metadata": {"finalizers": None}})
        await env.wait_until_gone(NAMESPACES, "", "doomed")

    scenario(play, {NAMESPACE}, crds=[widgets_crd()])


def test_a_namespace_that_waits_is_not_written_again_and_again() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await make(env)
        await client.create(CONFIG_MAPS, config_map("x", namespace="doomed", finalizers=["example.com/hold"]))
        await client.delete(NAMESPACES, "", "doomed")
        await asyncio.sleep(5)
        before = (await client.get(NAMESPACES, "", "doomed")).resource_version
        await asyncio.sleep(600)
        assert (await client.get(NAMESPACES, "", "doomed")).resource_version == before

    scenario(play, {NAMESPACE})


def test_other_finalizers_of_the_namespace_keep_it_after_its_content() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        body = {"metadata": {"name": "doomed"}, "spec": {"finalizers": ["example.com/mine"]}}
        created = await client.create(NAMESPACES, body)
        assert created["spec"]["finalizers"] == ["example.com/mine", "kubernetes"]
        await client.create(CONFIG_MAPS, config_map("x", namespace="doomed"))
        await client.delete(NAMESPACES, "", "doomed")
        await asyncio.sleep(5)
        namespace = await client.get(NAMESPACES, "", "doomed")
        assert namespace["spec"]["finalizers"] == ["example.com/mine"]
        assert conditions(namespace)["NamespaceContentRemaining"][:2] == ("False", "ContentRemoved")
        assert not (await client.list(CONFIG_MAPS, "doomed")).items

    scenario(play, {NAMESPACE})


def test_pods_go_first_and_everything_they_need_stays_until_then() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await make(env)
        await client.create(CONFIG_MAPS, config_map("needed", namespace="doomed"))
        running = await client.create(PODS, pod("x"))
        await bind_pod(client, running)
        await client.delete(NAMESPACES, "", "doomed")
        await asyncio.sleep(10)
        # The Pod has its grace period; what it uses is there until it is gone.
        assert (await client.get(PODS, "doomed", "x")).being_deleted
        assert (await client.get(CONFIG_MAPS, "doomed", "needed")).uid
        told = conditions(await client.get(NAMESPACES, "", "doomed"))
        assert told["NamespaceDeletionContentFailure"][0] == "False"
        assert told["NamespaceContentRemaining"][2] == (
            "Some resources are remaining: pods. has 1 resource instances"
        )
        await asyncio.sleep(40)
        # Longer than its grace period: somebody should look at it.
        assert conditions(await client.get(NAMESPACES, "", "doomed"))["NamespaceDeletionContentFailure"] == (
            "True",
            "ContentDeletionFailed",
            "Failed to delete all resource types, 1 remaining: "
            "unexpected items still remain in namespace: doomed for gvr: /v1, Resource=pods",
        )
        await client.delete(PODS, "doomed", "x", grace_seconds=0)
        await env.wait_until_gone(NAMESPACES, "", "doomed")

    scenario(play, {NAMESPACE})


def test_nothing_is_made_in_a_namespace_that_goes() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        await make(env)
        await client.create(CONFIG_MAPS, config_map("x", namespace="doomed", finalizers=["example.com/hold"]))
        await client.delete(NAMESPACES, "", "doomed")
        with pytest.raises(Forbidden, match="because it is being terminated"):
            await client.create(SECRETS, config_map("y", namespace="doomed"))

    scenario(play, {NAMESPACE})


def test_with_all_controllers_and_running_pods_a_namespace_goes() -> None:
    async def play(env: TestEnv) -> None:
        client = env.client()
        async with Kubelet(env.client("kubelet"), clock=VirtualClock(START)):
            await make(env)
            await env.wait_for_object(SERVICE_ACCOUNTS, "doomed", "default")
            await client.create(PODS, pod("x"))
            await env.wait_for_object(PODS, "doomed", "x", lambda x: x["status"]["phase"] == "Running")
            await client.delete(NAMESPACES, "", "doomed", propagation="Foreground")
            await env.wait_until_gone(NAMESPACES, "", "doomed")

    scenario(play, {NAMESPACE, ACCOUNTS, ROOT_CA, GARBAGE})
