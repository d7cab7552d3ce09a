"""Webhooks of a manager in one process with the API server: what who writes objects notices."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import msgspec
import pytest
from tests.apimachinery.test_versions import HOUSES, Door, House, OldHouse
from tests.apimachinery.test_versions import Spec as HouseSpec
from tests.ctrl.webhooks.asking import review
from tests.ctrl.webhooks.widgets import Widget, WidgetRules, WidgetSpec, widget

from kajitori.apis import Kind, ObjectMeta, crd_for
from kajitori.apis import kind as declared
from kajitori.client import ApiError, Client, Forbidden, Invalid, PatchType, kind_of
from kajitori.cluster.localwebhooks import LocalWebhooks
from kajitori.ctrl import (
    AdmissionRequest,
    AdmissionResponse,
    Denied,
    LeaderElection,
    Manager,
    Mutating,
    Validator,
    WebhooksNotServed,
)
from kajitori.ctrl.sharding import Sharding
from kajitori.ctrl.webhooks.declared import MUTATING, VALIDATING
from kajitori.testing import TestEnv, VirtualClock, run_virtual

WIDGETS = kind_of(Widget)
CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")

CRDS = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)

Story = Callable[[TestEnv, Client], Awaitable[None]]


def play(setup: Callable[[Manager], object], story: Story) -> None:
    async def run() -> None:
        async with TestEnv(crds=[Widget]) as env:
            manager = Manager(env.client("operator"), webhooks=env.webhooks)
            setup(manager)
            async with env.running(manager):
                await story(env, env.client())

    asyncio.run(run())


def test_a_class_fills_in_refuses_and_warns() -> None:
    rules = WidgetRules()

    async def story(env: TestEnv, client: Client) -> None:
        made = await client.create(WIDGETS, widget("small", surprise={"kept": [1]}))
        assert made["spec"] == {"size": 1, "color": "grey", "surprise": {"kept": [1]}}
        with pytest.raises(Forbidden, match="denied the request: no red widgets") as denied:
            await client.create(WIDGETS, widget("red", color="red"))
        assert denied.value.code == 403
        with pytest.raises(Invalid) as invalid:
            await client.patch(WIDGETS, "default", "small", {"spec": {"size": 0}})
        assert invalid.value.causes[0].field == "spec.size"
        assert 'Widget.example.com "small" is invalid: spec.size: Invalid value: 0: must not shrink' in str(
            invalid.value
        )
        await client.create(WIDGETS, widget("big", size=11))
        with pytest.raises(Forbidden, match="the big ones stay"):
            await client.delete(WIDGETS, "default", "big")
        await client.delete(WIDGETS, "default", "small")

    play(lambda manager: manager.webhook(Widget, rules), story)
    assert [each.operation for each in rules.asked] == [
        "CREATE",
        "CREATE",
        "UPDATE",
        "CREATE",
        "DELETE",
        "DELETE",
    ]
    assert {each.user_info.username for each in rules.asked} == {"admin"}


def test_a_function_may_speak_the_protocol_itself() -> None:
    def mark(request: AdmissionRequest) -> AdmissionResponse:
        assert request.object is not None
        if request.object.name.startswith("kept"):
            return AdmissionResponse.deny("these are kept", warnings=["think twice"])
        labels = {**request.object.labels, "by": request.user_info.username}
        patch = [{"op": "add", "path": "/metadata/labels", "value": labels}]
        return AdmissionResponse.patched(patch, warnings=["marked"])

    async def story(env: TestEnv, client: Client) -> None:
        made = await client.create(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "default"}})
        assert made.labels == {"by": "admin"}
        with pytest.raises(Forbidden, match="these are kept"):
            await client.create(CONFIG_MAPS, {"metadata": {"name": "kept-1", "namespace": "default"}})
        others = await client.create(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "kube-system"}})
        assert not others.labels

    selector = {"matchLabels": {"kubernetes.io/metadata.name": "default"}}
    play(lambda manager: manager.webhook(CONFIG_MAPS, Mutating(mark), namespace_selector=selector), story)


def test_what_is_registered_stays_as_it_was_declared() -> None:  # G2
    async def story(env: TestEnv, client: Client) -> None:
        name = "validate.v1.widgets.example.com"
        first = await client.get(VALIDATING, "", name)
        assert first["webhooks"][0]["rules"][0]["operations"] == ["CREATE", "UPDATE", "DELETE"]
        patch = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
        await client.patch(VALIDATING, "", name, patch, type=PatchType.JSON)
        await env.wait_for_object(
            VALIDATING, "", name, lambda found: found["webhooks"][0]["failurePolicy"] == "Fail"
        )
        await client.delete(VALIDATING, "", name)
        await env.wait_for_object(VALIDATING, "", name, lambda found: found.uid != first.uid)
        await env.wait_quiet()

    play(lambda manager: manager.webhook(Widget, WidgetRules()), story)


def test_what_is_no_longer_declared_is_removed() -> None:  # G2
    class Once(Validator[Widget]):
        def validate_create(self, new: Widget) -> None:
            raise Denied("no")

    async def run() -> None:
        async with TestEnv(crds=[Widget]) as env:
            client = env.client()
            first = Manager(env.client("operator"), webhooks=env.webhooks)
            first.webhook(Widget, Once(), object_selector={"matchLabels": {"a": "b"}})
            first.webhook(CONFIG_MAPS, Mutating(lambda request: AdmissionResponse.allow()))
            other = Manager(env.client("other"), name="other", webhooks=env.webhooks)
            other.webhook(
                CONFIG_MAPS, Mutating(lambda request: AdmissionResponse.allow()), name="a.b.c", path="/a"
            )
            async with env.running(first, other):
                assert len(await client.list(MUTATING)) == 2
            second = Manager(env.client("operator"), webhooks=env.webhooks)
            second.webhook(Widget, Once())
            async with env.running(second):
                assert [each.name for each in await client.list(MUTATING)] == ["a.b.c"]
                kept = await client.get(VALIDATING, "", "validate.v1.widgets.example.com")
                assert kept["webhooks"][0]["objectSelector"] == {}
                with pytest.raises(Forbidden):
                    await client.create(WIDGETS, widget("a"))

    asyncio.run(run())


def test_a_manager_that_has_ended_answers_no_more() -> None:  # G1
    async def run() -> None:
        async with TestEnv(crds=[Widget]) as env:
            manager = Manager(env.client("operator"), webhooks=env.webhooks)
            manager.webhook(Widget, WidgetRules())
            async with env.running(manager):
                await env.client().create(WIDGETS, widget("a"))
            with pytest.raises(ApiError, match='service "kajitori" not found'):
                await env.client().create(WIDGETS, widget("b"))

    asyncio.run(run())


def test_who_has_nobody_to_answer_is_told() -> None:
    async def run() -> None:
        async with TestEnv() as env:
            manager = Manager(env.client("operator"))
            with pytest.raises(WebhooksNotServed, match="the operator kajitori answers webhooks"):
                manager.webhook(Widget, WidgetRules())
            await manager.webhooks_registered()

    asyncio.run(run())


def test_the_figures_have_the_names_of_controller_runtime() -> None:  # S5
    async def run() -> None:
        async with TestEnv(crds=[Widget]) as env:
            manager = Manager(env.client("operator"), webhooks=env.webhooks)
            manager.webhook(Widget, WidgetRules())
            async with env.running(manager):
                await env.client().create(WIDGETS, widget("a"))
                figures = manager.metrics_registry()
                path = {"webhook": "/validate-example-com-v1-widget"}
                prefix = "controller_runtime_webhook_"
                assert figures.get_sample_value(f"{prefix}requests_total", {**path, "code": "200"}) == 1
                assert figures.get_sample_value(f"{prefix}requests_total", {**path, "code": "500"}) == 0
                assert figures.get_sample_value(f"{prefix}requests_in_flight", path) == 0
                assert figures.get_sample_value(f"{prefix}latency_seconds_count", path) == 1
                assert figures.get_sample_value(f"{prefix}panics_total") == 0

    asyncio.run(run())


class LengthSpec(msgspec.Struct, frozen=True):
    length: int


@declared(group="example.com", version="v1", plural="widgets", kind="Widget", storage=False)
class WidgetV1(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: WidgetSpec = WidgetSpec()


@declared(group="example.com", version="v1", plural="gadgets")
class Gadget(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()


@declared(group="example.com", version="v2", kind="Widget", plural="widgets", storage=True)
class WidgetV2(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: LengthSpec


WIDGET_V2 = {
    ("v1", "v2"): lambda value: {**value, "spec": {"length": value["spec"]["size"]}},
    ("v2", "v1"): lambda value: {**value, "spec": {"size": value["spec"]["length"]}},
}


def test_versions_are_converted() -> None:  # G3
    crd = crd_for(WidgetV2, WidgetV1)

    async def run() -> None:
        async with TestEnv(crds=[crd]) as env:
            client, hub = env.client(), kind_of(WidgetV2)
            first = Manager(env.client("operator"), webhooks=env.webhooks)
            first.conversion(hub, WIDGET_V2)
            with pytest.raises(ValueError, match="is converted already"):
                first.conversion(hub, WIDGET_V2)
            async with env.running(first):
                await client.create(WIDGETS, {**widget("a", size=3), "apiVersion": "example.com/v1"})
                assert (await client.get(hub, "default", "a"))["spec"] == {"length": 3}
                assert (await client.get(WIDGETS, "default", "a"))["spec"] == {"size": 3}
                await client.patch(
                    CRDS,
                    "",
                    hub.group_resource,
                    {"spec": {"conversion": {"strategy": "None", "webhook": None}}},
                )
                await env.wait_for_object(
                    CRDS,
                    "",
                    hub.group_resource,
                    lambda found: found["spec"]["conversion"]["strategy"] == "Webhook",
                )
                with pytest.raises(ValueError, match="before the manager runs"):
                    first.conversion(kind_of(Gadget), {})
                await client.delete(CRDS, "", "widgets.example.com")
                await env.wait_until_gone(CRDS, "", "widgets.example.com")
                await env.install(crd)
                await env.wait_for_object(
                    CRDS,
                    "",
                    "widgets.example.com",
                    lambda found: found["spec"]["conversion"]["strategy"] == "Webhook",
                )
            second = Manager(env.client("operator"), webhooks=env.webhooks)
            second.webhook(WidgetV2, Mutating(lambda request: AdmissionResponse.allow()))
            async with env.running(second):
                given_back = await client.get(CRDS, "", "widgets.example.com")
                assert given_back["spec"]["conversion"] == {"strategy": "None"}

    asyncio.run(run())


def test_classes_are_the_versions_of_a_kind() -> None:
    """Users of the old version and of the new one see the same object, and the old ones lose nothing of it."""

    async def run() -> None:
        old, new = kind_of(OldHouse), kind_of(House)
        async with TestEnv(crds=[HOUSES]) as env:
            client = env.client()
            manager = Manager(env.client("operator"), webhooks=env.webhooks)
            manager.conversion(HOUSES)
            async with env.running(manager):
                doors = (Door("front", "red"), Door("back"))
                made = await client.create(
                    House, House(ObjectMeta(name="a", namespace="default"), HouseSpec(2, 1, doors))
                )
                seen = await client.get(OldHouse, "default", "a")
                assert (seen.spec.size, seen.spec.doors) == ("2x1", ("front", "back"))
                assert seen.metadata.uid == made.metadata.uid
                await client.patch(old, "default", "a", {"spec": {"size": "5x7"}})
                back = await client.get(House, "default", "a")
                assert back.spec == HouseSpec(5, 7, doors) and not back.metadata.annotations
                with pytest.raises(ApiError, match=r"spec.size is 'big'; write HEIGHTxWIDTH"):
                    await client.patch(old, "default", "a", {"spec": {"size": "big"}})
                assert len(await client.list(new)) == 1

    asyncio.run(run())


def test_who_stands_by_answers_and_who_leads_registers() -> None:  # G1
    async def run() -> None:
        clock = VirtualClock()
        async with TestEnv(crds=[Widget], clock=clock) as env:
            first, second = (
                Manager(
                    env.client(f"operator-{number}"),
                    clock=clock,
                    webhooks=LocalWebhooks(),
                    leader_election=LeaderElection("widgets", "default", identity=f"replica-{number}"),
                )
                for number in range(2)
            )
            for each in (first, second):
                each.webhook(Widget, WidgetRules())
            body = review(Widget, "CREATE", widget("a", color="red"))
            async with env.running(first):
                await env.wait_for(lambda: first.is_leader)
                await env.wait_for_object(VALIDATING, "", "validate.v1.widgets.example.com")
                async with env.running(second):
                    await asyncio.sleep(5)
                    assert not second.is_leader
                    [answer] = cast(LocalWebhooks, second.webhooks).values()
                    told = await answer("/validate-example-com-v1-widget", body)
                    assert msgspec.json.decode(told or b"")["response"]["status"]["code"] == 403
                    await env.client().delete(VALIDATING, "", "validate.v1.widgets.example.com")
                    found = await env.wait_for_object(VALIDATING, "", "validate.v1.widgets.example.com")
                    [manager] = {each["manager"] for each in found.metadata["managedFields"]}
                    assert manager == "kajitori-webhooks"
                    first.stop()
                    await env.wait_for(lambda: second.is_leader, seconds=30)

    run_virtual(run())


def test_two_versions_that_overlap_do_not_chase_one_another() -> None:  # G5
    async def run() -> int:
        clock = VirtualClock()
        async with TestEnv(crds=[Widget], clock=clock) as env:
            managers = list[Manager]()
            for number in range(2):
                client = env.client(f"operator-{number}")
                managers.append(Manager(client, clock=clock, webhooks=env.webhooks))
                managers[-1].webhook(Widget, WidgetRules(), timeout_seconds=10 + number)
            async with env.running(*managers):
                await asyncio.sleep(300)
                found = await env.client().get(VALIDATING, "", "validate.v1.widgets.example.com")
            generation: int = found.metadata["generation"]
            return generation

    assert run_virtual(run()) < 30


def test_what_is_changed_now_and_then_is_mended_at_once() -> None:
    async def run() -> None:
        clock, name = VirtualClock(), "validate.v1.widgets.example.com"
        async with TestEnv(crds=[Widget], clock=clock) as env:
            client = env.client()
            manager = Manager(env.client("operator"), clock=clock, webhooks=env.webhooks)
            manager.webhook(Widget, WidgetRules())
            async with env.running(manager):
                for _ in range(5):
                    await client.delete(VALIDATING, "", name)
                    await env.wait_for_object(VALIDATING, "", name, seconds=1)
                    patch = [{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]
                    await client.patch(VALIDATING, "", name, patch, type=PatchType.JSON)
                    await asyncio.sleep(0.5)
                    [hook] = (await client.get(VALIDATING, "", name))["webhooks"]
                    assert hook["failurePolicy"] == "Fail"
                    await asyncio.sleep(600)

    run_virtual(run())


def test_every_shard_answers_and_registers() -> None:
    async def run() -> None:
        clock = VirtualClock()
        async with TestEnv(crds=[Widget], clock=clock) as env:
            ring = Sharding("widgets", namespace="default", shard="a")
            manager = Manager(env.client("operator"), clock=clock, webhooks=env.webhooks, sharding=ring)
            manager.webhook(Widget, WidgetRules())
            async with env.running(manager):
                await env.wait_for_object(VALIDATING, "", "validate.v1.widgets.example.com", seconds=60)
                with pytest.raises(Forbidden):
                    await env.client().create(WIDGETS, widget("a", color="red"))

    run_virtual(run())
