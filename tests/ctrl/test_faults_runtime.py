"""Controllers while things go wrong: nothing is worked on twice at once, no last state is missed, in the end all is as
it should be. What is said here is what docs/explanation/when-things-fail.md says.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kajitori.apimachinery.errors import (
    AlreadyExists,
    Conflict,
    InternalError,
    NotFound,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
)
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client
from kajitori.client.config import load_config
from kajitori.client.network import NetworkTransport
from kajitori.ctrl import (
    DONE,
    AdmissionRequest,
    AdmissionResponse,
    Manager,
    Mutating,
    Request,
    Result,
    controller_reference,
)
from kajitori.testing import (
    Faults,
    NoAnswer,
    Refused,
    Reset,
    Simulation,
    Slow,
    TestEnv,
    VirtualClock,
    run_virtual,
    simulate,
)

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
SECRETS = Kind("", "v1", "Secret", "secrets")
SERVICE_ACCOUNTS = Kind("", "v1", "ServiceAccount", "serviceaccounts")
BINDINGS = Kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", False)


def named(name: str, **data: str) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


class Copies:
    """Every ConfigMap owns a Secret with its data, made, changed and written into the status of its labels."""

    def __init__(self, manager: Manager) -> None:
        self.client, self.cache = manager.client, manager.cache

    async def reconcile(self, request: Request) -> Result:
        source = self.cache.get(CONFIG_MAPS, request.namespace, request.name)
        if source is None or "x" not in (source.get("data") or {}):
            return DONE
        wanted = {"of": source["data"]["x"]}
        copy = self.cache.get(SECRETS, request.namespace, request.name)
        if copy is None:
            owners = [controller_reference(source)]
            place = {"name": request.name, "namespace": request.namespace}
            metadata: JsonObject = {**place, "annotations": wanted, "ownerReferences": owners}
            await self.client.create(SECRETS, {"metadata": metadata})
        elif copy.annotations != wanted:
            metadata = {**copy.metadata, "annotations": wanted}
            await self.client.update(SECRETS, {**copy, "metadata": metadata})
        if source.labels != wanted:
            await self.client.patch(
                CONFIG_MAPS, request.namespace, request.name, {"metadata": {"labels": wanted}}
            )
        return DONE


def copying(sim: Simulation, name: str = "copies") -> Manager:
    manager = sim.manager(name)
    manager.controller(name, Copies(manager), for_=CONFIG_MAPS, owns=[SECRETS], workers=3)
    return manager


async def as_it_should_be(sim: Simulation) -> None:
    await sim.assert_settles()
    maps = {each.name: each["data"]["x"] for each in await sim.client().list(CONFIG_MAPS, "default")}
    copies = {each.name: each.annotations["of"] for each in await sim.client().list(SECRETS, "default")}
    labels = {each.name: each.labels["of"] for each in await sim.client().list(CONFIG_MAPS, "default")}
    assert maps == copies == labels and maps


async def busy(sim: Simulation, rounds: int = 6) -> None:
    for number in range(rounds):
        await sim.client().apply(CONFIG_MAPS, named(sim.choice("abc"), x=str(number)), force=True)
        await sim.sleep(2)


@pytest.mark.parametrize("verb", ["create", "update", "patch"])
@pytest.mark.parametrize(
    "fault",
    [
        *(AlreadyExists, Conflict, InternalError, NotFound, ServiceUnavailable, Timeout, TooManyRequests),
        *(
            Refused(),
            Reset(),
            Reset(acted=True),
            NoAnswer(),
            NoAnswer(acted=True),
            Slow(3),
            Slow(3, acted=True),
        ),
    ],
    ids=str,
)
def test_whatever_happens_to_a_write(fault: Any, verb: str) -> None:
    async def scenario(sim: Simulation) -> None:
        rule = sim.faults.next(verb, None, fault, times=2, client="copies")
        async with sim.running(copying(sim)):
            await busy(sim)
            await as_it_should_be(sim)
        assert rule.hits == 2

    simulate(1, scenario, rate=0)


@pytest.mark.parametrize("seed", range(10))
def test_whatever_a_seed_brings(seed: int) -> None:
    async def scenario(sim: Simulation) -> None:
        async with sim.running(copying(sim)):
            for _ in range(3):
                await busy(sim)
                if sim.chance(0.5):
                    await sim.restart()
            await sim.calm()
            await as_it_should_be(sim)

    simulate(seed, scenario, rate=0.2)


@pytest.mark.parametrize("lose_state", [False, True])
def test_a_server_that_starts_again(lose_state: bool) -> None:
    async def scenario(sim: Simulation) -> None:
        manager = copying(sim)
        async with sim.running(manager):
            await busy(sim)
            await sim.restart(lose_state=lose_state)
            await busy(sim)
            await as_it_should_be(sim)
            assert not manager.controllers[0]._parked, "nobody waits for a version of before"

    # A copy can be made for a source that was lost, before its loss is known: it goes as in every cluster.
    for seed in (1, 2):
        simulate(seed, scenario, rate=0, controllers=["garbage-collector-controller"])


def test_a_server_that_loses_its_state_just_after_a_write() -> None:
    """The write is awaited in the cache by a version that will not come for long: the wait has an end."""

    async def scenario(sim: Simulation) -> None:
        manager = copying(sim)
        for number in range(30):
            await sim.client().apply(CONFIG_MAPS, named("z", x=str(number)), force=True)
        async with sim.running(manager):
            await asyncio.sleep(5)
            with sim.faults.hold_watches():
                await sim.client().apply(CONFIG_MAPS, named("a", x="1"))
                await sim.client().apply(CONFIG_MAPS, named("z", x="new"), force=True)
                await asyncio.sleep(1)
                await sim.restart(lose_state=True)
            await sim.client().apply(CONFIG_MAPS, named("a", x="2"))
            await as_it_should_be(sim)

    simulate(1, scenario, rate=0)


def test_a_server_away_for_an_hour() -> None:
    async def scenario(sim: Simulation) -> None:
        async with sim.running(copying(sim)):
            await busy(sim)
            with sim.faults.outage(silent=sim.chance(0.5)):
                await busy(sim)
                await asyncio.sleep(3600)
                await busy(sim)
            await as_it_should_be(sim)

    for seed in range(4):
        simulate(seed, scenario, rate=0)


# Controllers that meet on one object.


class Counts:
    """Counts the reconciles of an object in an annotation, up to ten: a change that needs what is there."""

    def __init__(self, client: Client, name: str) -> None:
        self.client, self.name = client, f"example.com/{name}"

    async def reconcile(self, request: Request) -> Result:
        value = await self.client.get(CONFIG_MAPS, request.namespace, request.name)
        count = int(value.annotations.get(self.name, "0"))
        if count < 10:
            annotations = {**value.annotations, self.name: str(count + 1)}
            await self.client.update(
                CONFIG_MAPS, {**value, "metadata": {**value.metadata, "annotations": annotations}}
            )
        return DONE


@pytest.mark.parametrize("seed", range(5))
def test_controllers_that_write_to_one_object(seed: int) -> None:
    """None overwrites another's change unseen: who comes late gets a conflict, and is asked again."""

    async def scenario(sim: Simulation) -> None:
        managers = [sim.manager(name) for name in ("one", "two", "three")]
        for each in managers:
            each.controller(each.name, Counts(each.client, each.name), for_=CONFIG_MAPS)
        await sim.client().create(CONFIG_MAPS, named("a"))
        async with sim.running(*managers):
            await sim.assert_settles()
        value = await sim.client().get(CONFIG_MAPS, "default", "a")
        assert value.annotations == {f"example.com/{name}": "10" for name in ("one", "two", "three")}
        assert any("409" in line for line in sim.history.lines), "they did meet"

    simulate(seed, scenario, rate=0)


class Wants:
    """Applies a value of its own to a field."""

    def __init__(self, client: Client, value: str) -> None:
        self.client, self.value = client, value

    async def reconcile(self, request: Request) -> Result:
        await self.client.apply(CONFIG_MAPS, named(request.name, x=self.value))
        return DONE


def test_controllers_that_disagree() -> None:
    """Without force the first to apply keeps the field. The other is refused, waits longer each time, writes nothing,
    and its failures are counted and logged.
    """

    async def scenario(sim: Simulation) -> None:
        managers = [sim.manager(name) for name in ("one", "two")]
        for each in managers:
            each.controller(each.name, Wants(each.client, each.name), for_=CONFIG_MAPS)
        await sim.client().create(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "default"}})
        async with sim.running(*managers):
            await sim.assert_settles()
            errors = sorted(each.controllers[0].figures.error for each in managers)
            assert errors[0] == 0 and 10 < errors[1] < 30, (
                "refused, and not more often than the back-off allows"
            )

    simulate(1, scenario, rate=0)


# Credentials that end.


async def _account(env: TestEnv) -> Callable[[], Awaitable[tuple[str, Callable[[], Awaitable[None]]]]]:
    """A user with all rights; gives what makes a token of it, and what ends that token."""
    client = env.client()
    await client.create(SERVICE_ACCOUNTS, {"metadata": {"name": "operator", "namespace": "default"}})
    subject = {"kind": "ServiceAccount", "name": "operator", "namespace": "default"}
    role = {"apiGroup": BINDINGS.group, "kind": "ClusterRole", "name": "cluster-admin"}
    await client.create(BINDINGS, {"metadata": {"name": "operator"}, "roleRef": role, "subjects": [subject]})

    async def token() -> tuple[str, Callable[[], Awaitable[None]]]:
        bound = await client.create(SECRETS, {"metadata": {"generateName": "bound-", "namespace": "default"}})
        reference = {"apiVersion": "v1", "kind": "Secret", "name": bound.name, "uid": bound.uid}
        made = await client.subresource(SERVICE_ACCOUNTS, "default", "operator", "token").create(
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"boundObjectRef": reference},
            }
        )

        async def end() -> None:
            await client.delete(SECRETS, "default", bound.name)

        return made["status"]["token"], end

    return token


def _kubeconfig(env: TestEnv, folder: Path, user: JsonObject) -> Path:
    import yaml

    config = yaml.safe_load(env.kubeconfig(folder / "kubeconfig").read_text())
    config["users"][0]["user"] = user
    (folder / "operator").write_text(yaml.safe_dump(config))
    return folder / "operator"


@pytest.mark.parametrize("program", [False, True], ids=["token file", "credential program"])
def test_credentials_that_are_replaced(program: bool, tmp_path: Path, caplog: Any) -> None:
    """A token that has ended is replaced by the one that its file or its program has now, for writes and watches."""
    kept = tmp_path / "token"

    def keep(token: str) -> None:
        credential = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": {"token": token},
        }
        kept.write_text(json.dumps(credential) if program else token)

    show = [sys.executable, "-S", "-c", f"print(open({str(kept)!r}).read())"]
    user: JsonObject = {"tokenFile": str(kept)}
    if program:
        user = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": show[0],
                "args": show[1:],
                "interactiveMode": "Never",
            }
        }

    async def main() -> None:
        async with TestEnv(serve=True) as env:
            token = await _account(env)
            first, end_first = await token()
            keep(first)
            faults = Faults()
            config = load_config(_kubeconfig(env, tmp_path, user))
            async with Client(faults.around(NetworkTransport(config)), field_manager="operator") as client:
                manager = Manager(client)
                manager.controller("copies", Copies(manager), for_=CONFIG_MAPS, owns=[SECRETS])
                async with env.running(manager):
                    await env.client().create(CONFIG_MAPS, named("a", x="1"))
                    await env.wait_for_object(SECRETS, "default", "a")

                    second, _ = await token()
                    keep(second)
                    await end_first()
                    assert faults.cut_watches() > 0
                    await env.client().apply(CONFIG_MAPS, named("a", x="2"), force=True)
                    await env.wait_for_object(
                        SECRETS, "default", "a", lambda each: each.annotations == {"of": "2"}
                    )

    caplog.set_level(logging.ERROR)
    asyncio.run(main())
    assert not caplog.records, "nobody had to notice"


# Webhooks that nobody answers for.


@pytest.mark.parametrize("silent", [False, True])
def test_webhooks_that_are_down(silent: bool) -> None:
    """With the failure policy Fail what they guard cannot be written meanwhile, with Ignore it is written unseen."""

    def mark(request: AdmissionRequest) -> AdmissionResponse:
        patch = [{"op": "add", "path": "/metadata/labels", "value": {"seen": "yes"}}]
        return AdmissionResponse.patched(patch)

    async def main() -> None:
        async with TestEnv(clock=VirtualClock()) as env:
            manager = Manager(env.client("operator"), webhooks=env.webhooks)
            manager.webhook(CONFIG_MAPS, Mutating(mark), timeout_seconds=5)
            manager.webhook(SECRETS, Mutating(mark), failure_policy="Ignore", timeout_seconds=5)
            secret = {"metadata": {"name": "a", "namespace": "default"}}
            async with env.running(manager):
                with env.webhooks_down(silent=silent):
                    told = "context deadline exceeded" if silent else "connect: connection refused"
                    with pytest.raises(InternalError, match=rf"failed calling webhook .*{told}"):
                        await env.client().create(CONFIG_MAPS, named("a"))
                    assert not (await env.client().create(SECRETS, secret)).labels
                assert (await env.client().create(CONFIG_MAPS, named("a"))).labels == {"seen": "yes"}

    run_virtual(main())
