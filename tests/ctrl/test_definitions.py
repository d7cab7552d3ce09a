"""Kinds that an operator installs itself."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.ctrl.scripted import Script, answer

from kajitori.apimachinery.crdgen import crd_for
from kajitori.apimachinery.declare import kind
from kajitori.apimachinery.errors import Forbidden
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.client import Client
from kajitori.ctrl.definitions import NotEstablished, install_crds
from kajitori.testing import TestEnv, run_virtual


class Spec(msgspec.Struct, frozen=True):
    size: int = 1


class LargerSpec(msgspec.Struct, frozen=True):
    size: int = 1
    colour: str = ""


@kind(group="example.com", version="v1", plural="widgets")
class Widget(msgspec.Struct, frozen=True):
    spec: Spec
    metadata: ObjectMeta = ObjectMeta()


@kind(group="example.com", version="v1", plural="widgets", kind="Widget")
class LargerWidget(msgspec.Struct, frozen=True):
    spec: LargerSpec
    metadata: ObjectMeta = ObjectMeta()


@kind(group="example.com", version="v1", plural="others", kind="Widget")
class Other(msgspec.Struct, frozen=True):
    spec: Spec
    metadata: ObjectMeta = ObjectMeta()


def test_kinds_are_served_when_they_are_installed_and_replaced_when_they_change() -> None:  # D1, D2
    async def run() -> None:
        async with TestEnv() as env:
            client = env.client()
            await install_crds(client, crd_for(Widget))
            await client.create(Widget, Widget(Spec(3), ObjectMeta(name="a", namespace="default")))
            await install_crds(client, crd_for(LargerWidget))
            blue = LargerWidget(LargerSpec(3, "blue"), ObjectMeta(name="b", namespace="default"))
            assert (await client.create(LargerWidget, blue)).spec.colour == "blue"

    asyncio.run(run())


def test_a_kind_that_cannot_be_served_is_told_at_once() -> None:  # D2
    async def run() -> None:
        async with TestEnv() as env:
            await install_crds(env.client(), crd_for(Widget))
            with pytest.raises(
                NotEstablished, match=r'others.example.com: "Widget(List)?" is already in use'
            ):
                await install_crds(env.client(), crd_for(Other))

    asyncio.run(run())


def test_a_kind_that_is_not_served_for_long_is_told() -> None:  # D2
    async def run() -> None:
        crd: Any = {**crd_for(Widget), "status": {}}
        client = Client(Script(lambda asked: answer(crd)))
        with pytest.raises(NotEstablished, match=r"widgets.example.com is not established after 30 s"):
            await install_crds(client, crd)
        assert asyncio.get_running_loop().time() == 30

    run_virtual(run())


def test_who_may_not_install_kinds_learns_it() -> None:
    async def run() -> None:
        client = Client(Script(lambda asked: Forbidden("you may not")))
        with pytest.raises(Forbidden):
            await install_crds(client, crd_for(Widget))

    asyncio.run(run())
