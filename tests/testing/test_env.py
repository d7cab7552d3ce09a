"""The test environment itself."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import kajitori.testing
from kajitori.apimachinery.declare import kind
from kajitori.apimachinery.errors import AlreadyExists, Forbidden, NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.client import Client
from kajitori.client.config import load_config
from kajitori.client.network import NetworkTransport
from kajitori.cluster.cluster import ClusterError
from kajitori.ctrl import DONE, Manager, Request, Result
from kajitori.testing import (
    Kubelet,
    NotInTime,
    TestEnv,
    VirtualClock,
    bind_pod,
    end_pod,
    run_virtual,
    set_pod_ready,
)

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
NAMESPACES = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
PODS = Kind("", "v1", "Pod", "pods")
SERVICE_ACCOUNTS = Kind("", "v1", "ServiceAccount", "serviceaccounts")
WIDGETS = Kind("example.com", "v1", "Widget", "widgets")


class WidgetSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a widget should be."""

    size: int = 1


@kind(group="example.com", version="v1", plural="widgets")
class Widget(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A thing to test with."""

    metadata: ObjectMeta = ObjectMeta()
    spec: WidgetSpec = WidgetSpec()


def config_map(name: str = "a", **data: str) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def pod(name: str = "p") -> JsonObject:
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }


def run(main: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await main

    asyncio.run(bounded())


def test_each_environment_is_empty_and_leaves_nothing() -> None:  # E1
    async def main() -> None:
        for _ in range(2):
            async with TestEnv() as env:
                client = env.client()
                await client.create(CONFIG_MAPS, config_map())
                with pytest.raises(AlreadyExists):
                    await client.create(CONFIG_MAPS, config_map())
        async with TestEnv() as one, TestEnv() as two:
            await one.client().create(CONFIG_MAPS, config_map())
            with pytest.raises(NotFound):
                await two.client().get(CONFIG_MAPS, "default", "a")
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert others == set()

    run(main())


def test_it_starts_in_milliseconds() -> None:
    async def main() -> None:
        async with TestEnv():
            pass
        took = []
        for _ in range(5):
            began = time.perf_counter()
            async with TestEnv() as env:
                await env.client().list(NAMESPACES)
            took.append(time.perf_counter() - began)
        assert min(took) < 0.03, took

    run(main())


def test_without_serving_nothing_but_memory_is_used(monkeypatch: pytest.MonkeyPatch) -> None:  # E2
    def refuse(*arguments: Any, **named: Any) -> None:
        raise AssertionError(f"not wanted: {arguments}")

    async def main() -> None:
        threads = threading.active_count()
        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "Popen", refuse)
            patched.setattr(asyncio.get_running_loop(), "create_server", refuse)
            patched.setattr("tempfile.mkdtemp", refuse)
            async with TestEnv() as env:
                await env.client().create(CONFIG_MAPS, config_map())
                assert env.cluster.ca_data == b""
                with pytest.raises(AssertionError, match="not served"):
                    _ = env.url
        assert threading.active_count() == threads

    run(main())


def test_what_is_served_is_reached_by_others(tmp_path: Path) -> None:
    async def main() -> None:
        async with TestEnv(serve=True) as env:
            await env.client().create(CONFIG_MAPS, config_map(x="1"))
            path = env.kubeconfig(tmp_path / "config")
            assert env.url.startswith("https://127.0.0.1:")
            async with Client(NetworkTransport(load_config(path))) as client:
                assert (await client.get(CONFIG_MAPS, "default", "a"))["data"] == {"x": "1"}

    run(main())


def test_no_controller_runs_unless_asked_for() -> None:
    async def main() -> None:
        async with TestEnv() as env:
            assert env.cluster.running == []
            await env.client().create(PODS, pod())  # nobody makes service accounts, and none is needed
        async with TestEnv(controllers=["serviceaccount-controller"]) as env:
            assert env.cluster.running == ["service accounts"]
            await env.wait_for_object(SERVICE_ACCOUNTS, "default", "default")
            with pytest.raises(Forbidden, match="serviceaccount"):
                await env.client().create(
                    PODS, {**pod(), "spec": {**pod()["spec"], "serviceAccountName": "x"}}
                )
        async with TestEnv(controllers=True) as env:
            assert {"namespaces", "garbage collector", "statefulsets"} <= set(env.cluster.running)

    run(main())


def test_operators_run_when_asked_for() -> None:
    async def main() -> None:
        async with TestEnv(operators=["mysql"]) as env:
            assert env.cluster.running == ["mysql operator"]
            clusters = Kind("moco.cybozu.com", "v1beta2", "MySQLCluster", "mysqlclusters")
            assert (await env.client().list(clusters)).items == []

    run(main())


def test_names_that_nobody_has_are_refused() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="unknown operator postgres; known are kubewarden, mysql"):
            TestEnv(operators=["postgres"])
        with pytest.raises(ClusterError, match="unknown controller statefulsets; known are"):
            async with TestEnv(controllers=["statefulsets"]):
                pass
        with pytest.raises(ClusterError, match="unknown admission plugin Nobody"):
            async with TestEnv(admission=["Nobody"]):
                pass

    run(main())


def test_admission_plugins_can_be_left_out() -> None:
    async def main() -> None:
        claims = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
        body = {
            "metadata": {"name": "c", "namespace": "default"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
        async with TestEnv() as env:
            assert (await env.client().create(claims, body)).finalizers
        async with TestEnv(without_admission=["StorageObjectInUseProtection"]) as env:
            assert not (await env.client().create(claims, body)).finalizers

    run(main())


def test_kinds_are_installed_from_classes_definitions_and_files(tmp_path: Path) -> None:
    async def main() -> None:
        from kajitori.apimachinery.crdgen import crd_for, crd_yaml

        (tmp_path / "widgets.yaml").write_text(f"{crd_yaml(crd_for(Widget))}---\nkind: Other\n")
        for source in (Widget, crd_for(Widget), tmp_path / "widgets.yaml"):
            async with TestEnv(crds=[source]) as env:
                made = await env.client().create(
                    Widget,
                    Widget(metadata=ObjectMeta(name="w", namespace="default"), spec=WidgetSpec(size=2)),
                )
                assert made.spec.size == 2

    run(main())


def test_a_condition_is_waited_for() -> None:  # T1
    async def main() -> None:
        async with TestEnv() as env:
            client = env.client()

            async def later() -> None:
                await asyncio.sleep(0.01)
                await client.create(CONFIG_MAPS, config_map())

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(later())
                found = await env.wait_for(lambda: client.get(CONFIG_MAPS, "default", "a"))
            assert found.name == "a"
            flag: list[int] = []
            asyncio.get_running_loop().call_later(0.01, flag.append, 1)
            assert await env.wait_for(lambda: flag) == [1]

    run(main())


def test_a_wait_in_vain_says_what_was_missing() -> None:  # T2
    async def main() -> None:
        async with TestEnv(clock=VirtualClock()) as env:
            client = env.client()
            await client.create(CONFIG_MAPS, config_map(x="1"))
            with pytest.raises(NotInTime, match=r"^three maps did not hold within 5 s; it gave \[\]$"):
                await env.wait_for(lambda: [], what="three maps", seconds=5)
            with pytest.raises(
                NotInTime, match=r'test_env.py:\d+ did not hold .*; configmaps "b" not found$'
            ):
                await env.wait_for(lambda: client.get(CONFIG_MAPS, "default", "b"))
            with pytest.raises(NotInTime, match=r"^ConfigMap default/b was not there within 10 s$"):
                await env.wait_for_object(CONFIG_MAPS, "default", "b")
            with pytest.raises(NotInTime, match=r'(?s)default/a was not as .* wants it .*"x": "1"'):
                await env.wait_for_object(
                    CONFIG_MAPS, "default", "a", lambda value: value["data"] == {"x": "2"}
                )
            with pytest.raises(NotInTime, match=r"ConfigMap default/a did not go within 1 s"):
                await env.wait_until_gone(CONFIG_MAPS, "default", "a", seconds=1)

    run_virtual(main())


def test_an_object_is_waited_for_through_its_changes() -> None:
    async def main() -> None:
        async with TestEnv(clock=VirtualClock()) as env:
            client = env.client()

            async def later() -> None:
                for number in range(3):
                    await asyncio.sleep(1)
                    body = config_map(x=str(number))
                    await client.apply(CONFIG_MAPS, body)
                await asyncio.sleep(1)
                await client.delete(CONFIG_MAPS, "default", "a")

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(later())
                seen = await env.wait_for_object(
                    CONFIG_MAPS, "default", "a", lambda value: value["data"]["x"] == "2"
                )
                assert seen["data"] == {"x": "2"}
                await env.wait_until_gone(CONFIG_MAPS, "default", "a")

    run_virtual(main())


def test_quiet_is_waited_for() -> None:
    async def main() -> None:
        async with TestEnv(clock=VirtualClock()) as env:
            client = env.client()

            async def restless(times: int) -> None:
                for number in range(times):
                    await client.apply(CONFIG_MAPS, config_map(x=str(number)))
                    await asyncio.sleep(1)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(restless(5))
                await env.wait_quiet(2)
            assert (await client.get(CONFIG_MAPS, "default", "a"))["data"] == {"x": "4"}
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(restless(20))
                with pytest.raises(NotInTime, match="somebody wrote something at least every 2 s for 10 s"):
                    await env.wait_quiet(2)

    run_virtual(main())


def test_a_manager_runs_for_the_length_of_a_block() -> None:
    class Copier:
        def __init__(self, client: Client) -> None:
            self.client = client

        async def reconcile(self, request: Request) -> Result:
            if not request.name.endswith("-copy"):
                body = {"metadata": {"name": f"{request.name}-copy", "namespace": request.namespace}}
                await self.client.apply(CONFIG_MAPS, body)
            return DONE

    async def main() -> None:
        async with TestEnv() as env:
            manager = Manager(env.client("copier"))
            manager.controller("copier", Copier(manager.client), for_=CONFIG_MAPS)
            async with env.running(manager):
                await env.client().create(CONFIG_MAPS, config_map())
                await env.wait_for_object(CONFIG_MAPS, "default", "a-copy")
            await env.client().create(CONFIG_MAPS, config_map("b"))
            await env.wait_quiet()
            with pytest.raises(NotFound):
                await env.client().get(CONFIG_MAPS, "default", "b-copy")

    run(main())


def test_a_namespace_of_its_own() -> None:
    async def main() -> None:
        async with TestEnv() as env:
            one, two = await env.namespace(), await env.namespace()
            assert one != two and one.startswith("test-")
            await env.client().create(CONFIG_MAPS, {"metadata": {"name": "a"}}, namespace=one)

    run(main())


def test_virtual_time_passes_for_nothing() -> None:  # E3
    async def main() -> None:
        async with TestEnv(controllers=True, clock=VirtualClock()) as env:
            await asyncio.sleep(3600)
            assert (await env.client().create(CONFIG_MAPS, config_map()))["metadata"][
                "creationTimestamp"
            ] == ("2026-01-01T01:00:00Z")

    began = time.perf_counter()
    run_virtual(main())
    assert time.perf_counter() - began < 300, "an hour"


def test_pods_go_through_their_life_step_by_step() -> None:  # K1
    async def main() -> None:
        async with TestEnv() as env:
            client = env.client()
            made = await client.create(PODS, pod())
            await bind_pod(client, made, "node-7")
            assert (await client.get(PODS, "default", "p"))["spec"]["nodeName"] == "node-7"
            ready = await set_pod_ready(client, "default", "p")
            conditions = {each["type"]: each["status"] for each in ready["status"]["conditions"]}
            assert (ready["status"]["phase"], conditions["Ready"]) == ("Running", "True")
            unready = await set_pod_ready(client, "default", "p", False)
            conditions = {each["type"]: each["status"] for each in unready["status"]["conditions"]}
            assert (conditions["Ready"], conditions["Initialized"]) == ("False", "True")
            ended = await end_pod(client, "default", "p", "Succeeded")
            assert ended["status"]["phase"] == "Succeeded"

    run(main())


def test_a_kubelet_makes_every_pod_ready_and_lets_deleted_ones_go() -> None:  # K2
    async def main() -> None:
        async with TestEnv() as env, Kubelet(env.client("kubelet")):
            client = env.client()
            for name in ("one", "two"):
                await client.create(PODS, pod(name))
            for name in ("one", "two"):
                running = await env.wait_for_object(
                    PODS, "default", name, lambda value: value["status"]["phase"] == "Running"
                )
                assert running["spec"]["nodeName"] == "node-1"
            await client.delete(PODS, "default", "one")
            await env.wait_until_gone(PODS, "default", "one")
            held = {"metadata": {"finalizers": ["example.com/hold"]}}
            await client.patch(PODS, "default", "two", held)
            await client.delete(PODS, "default", "two")
            await env.wait_quiet()
            assert (await client.get(PODS, "default", "two")).being_deleted
            await client.patch(PODS, "default", "two", {"metadata": {"finalizers": None}})
            await env.wait_until_gone(PODS, "default", "two")

    run(main())


def test_the_public_names_are_there() -> None:
    assert sorted(kajitori.testing.__all__) == list(kajitori.testing.__all__)
    assert all(hasattr(kajitori.testing, name) for name in kajitori.testing.__all__)


def test_importing_it_starts_nothing() -> None:
    code = "import sys, kajitori.testing; sys.exit('cryptography' in sys.modules or 'aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
