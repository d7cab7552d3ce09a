"""Stages with objects on them, and writes to judge."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from kajitori.apiserver.authentication import User
from kajitori.rehearsal.proposals import Proposals
from kajitori.rehearsal.recorded import Left
from kajitori.rehearsal.replay import Judges
from kajitori.rehearsal.stage import Stage
from kajitori.rehearsal.trial import Trial, try_out
from kajitori.rehearsal.writes import Write, of_object

Object = dict[str, Any]

ADMIN = User("admin", groups=("system:masters", "system:authenticated"))
JANE = User("jane", groups=("system:authenticated",))


def staged(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A test that gets an empty stage as its first argument."""

    @wraps(test)
    def run(**given: Any) -> None:
        async def main() -> None:
            await test(await Stage.empty(), **given)

        asyncio.run(main())

    del run.__dict__["__wrapped__"]  # pytest would look for a fixture `stage`
    return run


def config_map(name: str = "a", namespace: str = "default", **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def pod(name: str = "p", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "x"}], **spec},
    }


def namespace(name: str, **labels: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def created(stage: Stage, obj: Object, user: User = ADMIN) -> Write:
    return of_object(stage, obj, "CREATE", user)


async def put(stage: Stage, *objects: Object) -> None:
    for each in objects:
        await stage.add(each)


async def said(stage: Stage, write: Write) -> list[tuple[str, str]]:
    """Results and messages of what is on the stage."""
    judged = await Judges(stage).judge(write)
    return [(each.result, each.message) for each in judged.findings]


async def tried(stage: Stage, proposed: list[Object], writes: list[Write]) -> Trial:
    proposals = Proposals([("files", each) for each in proposed])
    await proposals.define(stage)
    assert not proposals.problems, proposals.problems
    return await try_out(stage, proposals, writes, Left())
