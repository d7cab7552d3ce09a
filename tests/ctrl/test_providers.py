"""Providers: which clusters there are, as files and Secrets say."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.ctrl.test_clusters import World, create_everywhere, running, scenario
from tests.ctrl.test_watching import SECRETS, Seen

from kajitori.apimachinery.kind import JsonObject
from kajitori.client import Client
from kajitori.client.config import ConfigError, ConnectionConfig
from kajitori.ctrl import KubeconfigContexts, KubeconfigSecrets
from kajitori.ctrl.providers import KUBECONFIG_LABEL, READ_SECONDS


def kubeconfig(*names: str, current: str = "hub", **user: Any) -> str:
    """Of clusters whose server says which one they are."""
    names = (current, *names)
    return yaml.safe_dump(
        {
            "current-context": current,
            "clusters": [{"name": name, "cluster": {"server": f"http://{name}.example"}} for name in names],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}} for name in names],
        }
    )


class Roads:
    """Clients of the clusters by what their server is called."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.taken = list[str]()

    def __call__(self, config: ConnectionConfig) -> Client:
        name = config.cluster.server.removeprefix("http://").removesuffix(".example")
        self.taken.append(f"{name} {config.user.token}".strip())
        client = Client(self.world.members[name].transport, field_manager="me")
        client.close = self.nothing  # type: ignore[method-assign]
        return client

    async def nothing(self) -> None:
        """Others go on with it."""


def names(world: World) -> list[str]:
    return sorted(each.name for each in world.manager.clusters.engaged())


def test_contexts_of_a_file_come_and_go_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:  # D1, D2
    path = tmp_path / "config"

    async def body(world: World) -> None:
        manager, seen, roads = world.manager, Seen(), Roads(world)
        await create_everywhere(world, "a")
        path.write_text(kubeconfig("east"))
        manager.discover(KubeconfigContexts(path, connect=roads))
        manager.controller("c", seen, for_=SECRETS, clusters="engaged")
        async with running(manager):
            assert names(world) == ["east"] and seen.take() == ["default/a in east"]
            path.write_text(kubeconfig("east", "west"))
            await asyncio.sleep(2 * READ_SECONDS)
            assert names(world) == ["east", "west"] and seen.take() == ["default/a in west"]
            path.write_text("clusters: [broken")
            await asyncio.sleep(5 * READ_SECONDS)
            assert names(world) == ["east", "west"]
            assert len([each for each in caplog.records if "cannot be engaged" in each.message]) == 1
            path.write_text(kubeconfig("west", token="new"))
            await asyncio.sleep(2 * READ_SECONDS)
            assert names(world) == ["west"] and roads.taken == ["east", "west", "west new"]
        assert names(world) == []

    scenario(body)


def test_contexts_may_be_chosen(tmp_path: Path) -> None:  # D1
    path = tmp_path / "config"
    path.write_text(kubeconfig("east", "west"))

    async def body(world: World) -> None:
        world.manager.discover(KubeconfigContexts(path, ["west"], connect=Roads(world)))
        async with running(world.manager):
            assert names(world) == ["west"]

    scenario(body)


@pytest.mark.parametrize(
    ("text", "contexts", "told"),
    [("- no", None, "not a kubeconfig"), (kubeconfig(), ["x"], "no context 'x'")],
)
def test_a_file_that_is_wrong_at_the_beginning_stops_the_manager(
    tmp_path: Path, text: str, contexts: Any, told: str
) -> None:  # D2
    path = tmp_path / "config"
    path.write_text(text)

    async def body(world: World) -> None:
        world.manager.discover(KubeconfigContexts(path, contexts))
        with pytest.raises(ExceptionGroup) as caught:
            await world.manager.run()
        error: BaseException = caught.value
        while isinstance(error, BaseExceptionGroup):
            (error,) = error.exceptions
        assert isinstance(error, ConfigError) and told in str(error) and str(path) in str(error)

    scenario(body)


def secret(name: str, text: str | None, **labels: str) -> JsonObject:
    metadata = {"name": name, "namespace": "default", "labels": labels or {KUBECONFIG_LABEL: "true"}}
    return {"metadata": metadata, "stringData": {} if text is None else {"kubeconfig": text}}


def test_secrets_with_kubeconfigs_are_clusters(caplog: pytest.LogCaptureFixture) -> None:  # D1, D2
    async def body(world: World) -> None:
        manager, seen, hub, roads = world.manager, Seen(), world.clients[""], Roads(world)
        await world.clients["east"].create(SECRETS, secret("inside", None))
        await hub.create(SECRETS, secret("one", kubeconfig(current="east")))
        await hub.create(SECRETS, secret("unlabelled", kubeconfig(current="west"), other="label"))
        manager.discover(KubeconfigSecrets("default", connect=roads))
        manager.controller("c", seen, for_=SECRETS, clusters="engaged")
        async with running(manager):
            assert names(world) == ["one"] and seen.take() == ["default/inside in one"]
            await hub.create(SECRETS, secret("two", kubeconfig(current="west")))
            await asyncio.sleep(1)
            assert names(world) == ["one", "two"]
            await hub.patch(SECRETS, "default", "one", {"stringData": {"kubeconfig": "broken: ["}})
            await asyncio.sleep(1)
            assert names(world) == ["one", "two"] and "Secret default/one: not YAML" in _told(caplog)
            await hub.delete(SECRETS, "default", "one")
            await hub.patch(
                SECRETS,
                "default",
                "two",
                {"stringData": {"kubeconfig": kubeconfig(current="east", token="t")}},
            )
            await asyncio.sleep(1)
            assert names(world) == ["two"] and roads.taken == ["east", "west", "east t"]
            assert seen.take() == ["default/inside in two"]

    scenario(body)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "has no 'kubeconfig'"),
        (kubeconfig(tokenFile="/etc/passwd"), "names files"),
        (
            kubeconfig(exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh"}),
            "runs a program for credentials, which is not allowed here",
        ),
        ("- no", "not a kubeconfig"),
        (kubeconfig(current=""), "no current-context"),
    ],
)
def test_a_kubeconfig_in_a_secret_is_whole_or_told_of(
    text: str | None, told: str, caplog: pytest.LogCaptureFixture
) -> None:  # D2, D3
    async def body(world: World) -> None:
        await world.clients[""].create(SECRETS, secret("bad", text))
        await world.clients[""].create(SECRETS, secret("good", kubeconfig(current="east")))
        world.manager.discover(KubeconfigSecrets("default", connect=Roads(world)))
        async with running(world.manager):
            assert (
                names(world) == ["good"] and "Secret default/bad: " in _told(caplog) and told in _told(caplog)
            )

    scenario(body)


def test_a_name_that_is_taken_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:  # D2
    path = tmp_path / "config"
    path.write_text(kubeconfig("east", "west"))

    async def body(world: World) -> None:
        world.manager.engage("east", world.members["east"])
        world.manager.discover(KubeconfigContexts(path, connect=Roads(world)))
        async with running(world.manager):
            assert names(world) == ["east", "west"] and "engaged already" in _told(caplog)

    scenario(body)


def _told(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(str(each.__dict__.get("error")) for each in caplog.records)
