"""Typed models of built-in kinds with the client, against the API server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar

import msgspec
import pytest

from kajitori.apis import Kind, Unstructured
from kajitori.apis.apps_v1 import Deployment, DeploymentSpec, StatefulSet, StatefulSetSpec
from kajitori.apis.autoscaling_v1 import Scale, ScaleSpec
from kajitori.apis.core_v1 import (
    ConfigMap,
    Container,
    Namespace,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpec,
    PodSpec,
    PodTemplateSpec,
    Secret,
    VolumeResourceRequirements,
)
from kajitori.apis.meta_v1 import LabelSelector, ObjectMeta
from kajitori.apis.rbac_v1 import Role
from kajitori.client import Client, DoesNotFit, Invalid, kind_of
from kajitori.ctrl import DONE, Manager, Result, as_reconciler, create_or_patch, with_controller
from kajitori.testing import TestEnv, list_n

T = TypeVar("T")


def with_server(work: Callable[[Client], Awaitable[T]]) -> T:
    async def run() -> T:
        async with TestEnv() as env:
            return await work(env.client("tests"))

    return asyncio.run(run())


def template() -> PodTemplateSpec:
    return PodTemplateSpec(
        metadata=ObjectMeta(labels={"app": "web"}),
        spec=PodSpec(containers=(Container(name="web", image="nginx"),)),
    )


def deployment(replicas: int | None = None) -> Deployment:
    selector = LabelSelector(match_labels={"app": "web"})
    return Deployment(
        metadata=ObjectMeta(name="web", namespace="default"),
        spec=DeploymentSpec(replicas=replicas, selector=selector, template=template()),
    )


async def raw(client: Client, name: str) -> Unstructured:
    return await client.get(Kind("apps", "v1", "Deployment", "deployments"), "default", name)


def test_an_object_is_created_read_changed_and_deleted() -> None:
    async def work(client: Client) -> None:
        made = await client.create(Deployment, deployment())
        assert made.spec.replicas == 1 and made.metadata.uid and made.spec.strategy.type == "RollingUpdate"
        assert await client.get(Deployment, "default", "web") == made

        changed = msgspec.structs.replace(made, spec=msgspec.structs.replace(made.spec, replicas=0))
        stopped = await client.update(Deployment, changed)
        assert stopped.spec.replicas == 0 and stopped.metadata.generation == 2
        assert msgspec.structs.replace(stopped.spec, replicas=1) == made.spec

        patched = await client.patch(Deployment, "default", "web", {"spec": {"paused": True}})
        assert patched.spec.paused and (await client.list(Deployment, "default")).items == [patched]
        await client.delete(Deployment, "default", "web")
        assert not (await client.list(Deployment)).items

    with_server(work)


def test_a_typed_object_applies_what_is_set_in_it() -> None:
    async def work(client: Client) -> None:
        await client.apply(Deployment, deployment(replicas=3))
        # Another applies a part, and owns that part only.
        part = Deployment(metadata=ObjectMeta(name="web"), spec=DeploymentSpec(min_ready_seconds=5))
        both = await client.apply(Deployment, part, namespace="default", field_manager="other")
        assert (both.spec.replicas, both.spec.min_ready_seconds) == (3, 5)
        # A zero that differs from "unset" in Go is sent.
        none = await client.apply(Deployment, deployment(replicas=0))
        assert none.spec.replicas == 0 and none.spec.min_ready_seconds == 5
        # What is no longer in it is given up.
        assert (await client.apply(Deployment, deployment())).spec.replicas == 1
        fields = (await raw(client, "web")).metadata["managedFields"]
        owned = {each["manager"]: each["fieldsV1"]["f:spec"].keys() for each in fields}
        assert owned == {"tests": {"f:selector", "f:template"}, "other": {"f:minReadySeconds"}}

    with_server(work)


def test_a_json_object_applies_a_zero_that_a_class_cannot_tell() -> None:
    async def work(client: Client) -> None:
        await client.apply(Deployment, deployment())
        metadata = {"name": "web", "namespace": "default"}
        part = {"metadata": metadata, "spec": {"paused": False}}
        applied = await client.apply(Deployment, part, field_manager="other")
        assert isinstance(applied, Deployment) and not applied.spec.paused
        owners = {each["manager"] for each in (await raw(client, "web")).metadata["managedFields"]}
        assert owners == {"tests", "other"}

    with_server(work)


def test_what_is_missing_is_told_by_the_server() -> None:
    async def work(client: Client) -> None:
        with pytest.raises(Invalid, match=r"spec\.selector: Required value"):
            await client.create(Deployment, Deployment(metadata=ObjectMeta(name="x", namespace="default")))

    with_server(work)


def test_bytes_are_base64_on_the_wire_only() -> None:
    async def work(client: Client) -> None:
        secret = Secret(metadata=ObjectMeta(name="a", namespace="default"), data={"key": b"\x00\xff"})
        assert (await client.create(Secret, secret)).data == {"key": b"\x00\xff"}
        raw = await client.get(Kind("", "v1", "Secret", "secrets"), "default", "a")
        assert raw["data"] == {"key": "AP8="}

    with_server(work)


def test_nulls_that_servers_write_are_read_in_lists_and_watches_too() -> None:
    async def work(client: Client) -> None:
        for name in "ab":
            await client.create(Role, Role(metadata=ObjectMeta(name=name, namespace="default")))
        raw = await client.get(Kind("rbac.authorization.k8s.io", "v1", "Role", "roles"), "default", "a")
        assert raw["rules"] is None
        listed = await client.list(Role, "default")
        assert [each.rules for each in listed] == [(), ()]
        async with client.watch(Role, "default", send_initial_events=True, bookmarks=True,
                                resource_version_match="NotOlderThan") as events:  # fmt: skip
            first = await anext(events)
            assert first.object == listed.items[0] and first.object.rules == ()

    with_server(work)


def test_cluster_scoped_kinds_and_subresources() -> None:
    async def work(client: Client) -> None:
        made = await client.create(Namespace, Namespace(metadata=ObjectMeta(name="n")))
        assert made.status.phase == "Active" and not kind_of(Namespace).namespaced
        await client.create(Deployment, deployment())
        scale = client.subresource(Deployment, "default", "web", "scale")
        wanted = Scale(metadata=ObjectMeta(name="web", namespace="default"), spec=ScaleSpec(replicas=4))
        await scale.update(wanted)
        seen = await scale.get(Scale)
        assert isinstance(seen, Scale) and (seen.spec.replicas, seen.status.selector) == (4, "app=web")

    with_server(work)


def test_claim_templates_survive_an_update() -> None:
    """The server shows `apiVersion` and `kind` in them, which the class does not have."""

    async def work(client: Client) -> None:
        claim = PersistentVolumeClaim(
            metadata=ObjectMeta(name="data"),
            spec=PersistentVolumeClaimSpec(
                access_modes=("ReadWriteOnce",), resources=VolumeResourceRequirements(requests={"storage": 1})
            ),
        )
        spec = StatefulSetSpec(
            selector=LabelSelector(match_labels={"app": "web"}),
            template=template(),
            service_name="web",
            volume_claim_templates=(claim,),
        )
        made = await client.create(
            StatefulSet, StatefulSet(metadata=ObjectMeta(name="web", namespace="default"), spec=spec)
        )
        more = msgspec.structs.replace(made, spec=msgspec.structs.replace(made.spec, replicas=2))
        assert (await client.update(StatefulSet, more)).spec.replicas == 2

    with_server(work)


def test_objects_share_what_they_do_not_have() -> None:
    read = msgspec.json.Decoder(ConfigMap).decode
    one, two = read(b'{"metadata":{"name":"a"}}'), read(b'{"metadata":{"name":"b"}}')
    assert one.data is two.data and one.metadata.labels is two.metadata.annotations


def test_the_runtime_takes_models_as_it_takes_kinds() -> None:
    async def run() -> None:
        async with TestEnv() as env:
            client = env.client("tests")
            manager = Manager(client)
            seen: asyncio.Queue[ConfigMap] = asyncio.Queue()

            class Parents:
                async def reconcile(self, found: ConfigMap, /) -> Result:
                    if found.data:
                        seen.put_nowait(found)
                        return DONE
                    child = with_controller(Secret(metadata=ObjectMeta(name="child")), found)
                    made = await create_or_patch(client, Secret, "default", "child", lambda now: now or child)
                    again = await create_or_patch(
                        client, Secret, "default", "child", lambda now: now or child
                    )
                    assert (made.outcome, again.outcome) == ("created", "unchanged")
                    key = found.metadata.key
                    await client.patch(ConfigMap, key.namespace, key.name, {"data": {"child": "made"}})
                    return DONE

            reconcile = as_reconciler(manager.cache, ConfigMap, Parents())
            manager.controller("models", reconcile, for_=ConfigMap, owns=[Secret])
            running = asyncio.create_task(manager.run())
            parent = ConfigMap(metadata=ObjectMeta(name="parent", namespace="default"))
            await client.create(ConfigMap, parent)
            async with asyncio.timeout(5):
                assert (await seen.get()).data == {"child": "made"}
            secrets = await env.wait_for_list(Secret, "default", list_n(1))
            assert [each.metadata.owner_references[0].name for each in secrets] == ["parent"]
            manager.stop()
            await running

    asyncio.run(run())


def test_an_object_that_does_not_fit_is_named() -> None:
    """As one that an older version of the definition let in."""

    async def work(client: Client) -> None:
        await client.create(
            ConfigMap, ConfigMap(metadata=ObjectMeta(name="a", namespace="default"), data={"n": "x"})
        )
        told = r"ConfigMap default/a is not what .*Numbers declares: Expected `int`, got `str` - at `\$.data\[...\]`"
        with pytest.raises(DoesNotFit, match=told):
            await client.get(Numbers, "default", "a")
        with pytest.raises(DoesNotFit, match=told):
            await client.list(Numbers, "default")

    with_server(work)


class Numbers(msgspec.Struct, frozen=True):
    __kind__: ClassVar[Kind] = kind_of(ConfigMap)
    metadata: ObjectMeta = ObjectMeta()
    data: dict[str, int] = {}


def test_the_body_of_a_subresource_has_no_path() -> None:
    async def work(client: Client) -> None:
        with pytest.raises(ValueError, match=r"Scale.v1.autoscaling is the body .* use Client.subresource"):
            await client.get(Scale, "default", "web")

    with_server(work)
