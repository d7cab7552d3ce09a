"""What an operator is told at its start of definitions that do not go with its classes."""

import asyncio
import logging
from typing import Any

import msgspec
import pytest

from kajitori.apis import Kind, ObjectMeta, kind
from kajitori.apis.core_v1 import ConfigMap
from kajitori.client import Client, Forbidden
from kajitori.ctrl import DONE, Manager, Request, Result
from kajitori.ctrl.definitions import CUSTOM_RESOURCE_DEFINITIONS
from kajitori.ctrl.kind_checks import check_kinds, report_mismatches
from kajitori.testing import Refused, TestEnv


class Spec(msgspec.Struct, frozen=True):
    size: int = 1


class OldSpec(msgspec.Struct, frozen=True):
    color: str = ""


@kind(group="example.com", version="v1", plural="widgets", status=True)
class Widget(msgspec.Struct, frozen=True, omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: Spec = Spec()


@kind(group="example.com", version="v1", plural="widgets", kind="Widget", status=True)
class OldWidget(msgspec.Struct, frozen=True, omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: OldSpec = OldSpec()


class Nothing:
    async def reconcile(self, request: Request) -> Result:
        return DONE


def operator(client: Client) -> Manager:
    manager = Manager(client)
    manager.controller("widgets", Nothing(), for_=Widget, owns=[ConfigMap])
    return manager


def test_an_operator_is_told_at_its_start_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        async with TestEnv(crds=[OldWidget]) as env:
            manager = operator(env.client("operator"))
            async with env.running(manager):
                await env.wait_for(lambda: [each for each in caplog.records if hasattr(each, "mismatch")])
                await env.wait_for(lambda: all(each.is_working for each in manager.controllers))

    asyncio.run(run())
    [record] = [each for each in caplog.records if hasattr(each, "mismatch")]
    assert record.levelno == logging.WARNING
    assert vars(record)["mismatch"] == (
        "CustomResourceDefinition widgets.example.com: spec.size of Spec is not known: what is written there is dropped"
    )


def test_classes_that_fit_say_nothing_and_kinds_cost_no_request() -> None:  # H1
    async def run() -> None:
        async with TestEnv(crds=[Widget]) as env:
            assert await check_kinds(env.client(), [Widget, ConfigMap, Kind("", "v1", "Pod", "pods")]) == []
            [missing] = await check_kinds(env.client(), [Widget, Missing])
            assert (
                missing.level == "error" and "there is no CustomResourceDefinition missings" in missing.text
            )
            assert await check_kinds(env.client(), [OldWidget]) != []

    asyncio.run(run())


@kind(group="example.com", version="v1", plural="missings")
class Missing(msgspec.Struct, frozen=True):
    metadata: ObjectMeta = ObjectMeta()


@pytest.mark.parametrize("fault", [Forbidden("no"), Refused()])
def test_who_may_not_ask_goes_on(fault: Any, caplog: pytest.LogCaptureFixture) -> None:  # H2
    async def run() -> None:
        async with TestEnv(crds=[OldWidget]) as env:
            with env.faults.always("get", CUSTOM_RESOURCE_DEFINITIONS, fault):
                await report_mismatches(env.client("operator"), [OldWidget, Widget])
                assert env.faults.injected

    asyncio.run(run())
    assert not [each for each in caplog.records if each.levelno > logging.INFO]
