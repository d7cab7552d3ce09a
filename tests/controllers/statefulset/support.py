"""Small StatefulSets for tests."""

from typing import Any

from tests.controllers.support import CLAIMS, PODS, START, STATEFUL_SETS

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject
from kajitori.client import Client
from kajitori.testing import TestEnv, VirtualClock, bind_pod, set_pod_ready

CLOCK = VirtualClock(START)


def stateful_set(name: str = "web", *, replicas: int = 3, image: str = "one", **spec: Any) -> JsonObject:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "serviceName": "service",
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": image}]},
            },
            **spec,
        },
    }


def claim_template(name: str = "data", size: str = "1Gi", **metadata: Any) -> JsonObject:
    return {
        "metadata": {"name": name, **metadata},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }


def image_patch(image: str) -> JsonObject:
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}}


async def pods(client: Client) -> dict[str, Unstructured]:
    return {each.name: each for each in await client.list(PODS, "default")}


async def pod_names(client: Client) -> list[str]:
    return sorted(await pods(client))


async def images(client: Client) -> dict[str, str]:
    return {name: each["spec"]["containers"][0]["image"] for name, each in (await pods(client)).items()}


async def claim_names(client: Client) -> list[str]:
    return sorted(each.name for each in await client.list(CLAIMS, "default"))


async def get(client: Client, name: str = "web") -> Unstructured:
    return await client.get(STATEFUL_SETS, "default", name)


async def ready(client: Client, name: str, is_ready: bool = True) -> None:
    """Makes a Pod ready, as its node would."""
    await set_pod_ready(client, "default", name, is_ready, now=CLOCK.now())


async def on_node(client: Client, name: str) -> None:
    """Puts a Pod on a node: from then on it is only gone when the node says so."""
    await bind_pod(client, await client.get(PODS, "default", name))


async def finish(client: Client, name: str) -> None:
    """A deleted Pod has ended, and its node lets it go."""
    await client.delete(PODS, "default", name, grace_seconds=0)


async def make_ready(env: TestEnv, *names: str) -> None:
    """Waits for each Pod in turn, and makes it ready."""
    for name in names:
        await env.wait_for_object(PODS, "default", name)
        await ready(env.client(), name)
