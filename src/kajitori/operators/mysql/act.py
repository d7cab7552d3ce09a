"""Carrying out a plan: the only part of the operator that writes.

Promises
    X1  actions are carried out in order; the first that fails ends the round, and the next one decides anew
    X2  every action is safe to repeat, and concerns only the very object that was seen
    X3  an event is told after its action has succeeded, never before
    X4  applied fields belong to one field manager, and are taken over from others
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from kajitori.apis import JsonObject, Kind
from kajitori.apis.mysql_v1beta2 import MYSQL_CLUSTER
from kajitori.client import AlreadyExists, ApiError, Client, Conflict, NotFound
from kajitori.operators.mysql.metrics import ClusterMetrics
from kajitori.operators.mysql.plan import (
    Action,
    Apply,
    Create,
    Delete,
    Event,
    GrowClaim,
    Patch,
    RecreateStatefulSet,
    ReplaceClaim,
)
from kajitori.operators.mysql.seen import ClusterSeen
from kajitori.operators.mysql.settings import FIELD_MANAGER

__all__ = ["StillThere", "act", "quietly", "write_status"]

GONE_POLLS_MAX = 100
"""How often to look whether a deleted object has gone: for five seconds. Longer than that somebody else holds
it,
and the worker is needed."""
GONE_POLL_SECONDS = 0.05

Tell = Callable[[Event], None]


class StillThere(Exception):
    """An object that was deleted did not go in time; the next round goes on from there."""


async def act(
    client: Client, seen: ClusterSeen, actions: tuple[Action, ...], *, tell: Tell, metrics: ClusterMetrics
) -> None:
    """Carries out the actions.

    Raises: ApiError, TransportError, StillThere.
    """
    key = (seen.cluster["metadata"]["namespace"], seen.cluster["metadata"]["name"])
    for action in actions:
        with metrics.counting(key, action):
            await _carry_out(client, action)
        if action.event is not None:
            tell(action.event)


async def _carry_out(client: Client, action: Action) -> None:
    match action:
        case Apply():
            await client.apply(action.kind, action.obj, force=True, field_manager=FIELD_MANAGER)
        case Create():
            await _create(client, action.kind, action.obj, may_exist=action.may_exist)
        case Patch():
            await client.patch(
                action.kind, action.namespace, action.name, action.patch, field_manager=FIELD_MANAGER
            )
        case Delete():
            await _delete(client, action)
        case GrowClaim():
            await _grow(client, action)
        case ReplaceClaim():
            await _replace_claim(client, action)
        case RecreateStatefulSet():
            await _recreate(client, action)


async def _create(client: Client, kind: Kind, obj: JsonObject, *, may_exist: bool) -> None:
    try:
        await client.create(kind, obj, field_manager=FIELD_MANAGER)
    except AlreadyExists:
        if not may_exist:
            raise


async def _delete(client: Client, action: Delete) -> None:
    try:
        await client.delete(
            action.kind, action.namespace, action.name, uid=action.uid, propagation="Background"
        )
    except NotFound:
        pass
    except Conflict:
        # Another object of that name took its place: what was to go has gone.
        pass


async def _grow(client: Client, action: GrowClaim) -> None:
    patch = {
        "metadata": {"uid": action.uid},
        "spec": {"resources": {"requests": {"storage": action.storage}}},
    }
    await client.patch(action.kind, action.namespace, action.name, patch, field_manager=FIELD_MANAGER)


async def _replace_claim(client: Client, action: ReplaceClaim) -> None:
    namespace, name = action.obj["metadata"]["namespace"], action.obj["metadata"]["name"]
    with suppress(NotFound):
        # The version makes sure that nobody has bound it meanwhile.
        await client.delete(
            action.kind, namespace, name, uid=action.uid, resource_version=action.resource_version
        )
    await _wait_gone(client, action.kind, namespace, name, action.uid)
    # The StatefulSet's controller may have been faster, out of the same template.
    await _create(client, action.kind, action.obj, may_exist=True)


async def _recreate(client: Client, action: RecreateStatefulSet) -> None:
    namespace, name = action.obj["metadata"]["namespace"], action.obj["metadata"]["name"]
    with suppress(NotFound):
        await client.delete(action.kind, namespace, name, uid=action.uid, propagation="Orphan")
    await _wait_gone(client, action.kind, namespace, name, action.uid)
    await client.apply(action.kind, action.obj, force=True, field_manager=FIELD_MANAGER)


async def _wait_gone(client: Client, kind: Kind, namespace: str, name: str, uid: str) -> None:
    for _ in range(GONE_POLLS_MAX):
        try:
            live = await client.get(kind, namespace, name)
        except NotFound:
            return
        if live.uid != uid:
            return
        await asyncio.sleep(GONE_POLL_SECONDS)
    raise StillThere(f"{kind.kind} {namespace}/{name} is being deleted and has not gone yet")


async def write_status(client: Client, cluster: JsonObject, status: JsonObject) -> None:
    """Writes members of a cluster's status, unless the cluster has changed since it was seen.

    Raises: Conflict when it has; NotFound when it is gone; any other ApiError.
    """
    metadata = cluster["metadata"]
    patch = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": status}
    await client.patch(
        MYSQL_CLUSTER,
        metadata["namespace"],
        metadata["name"],
        patch,
        subresource="status",
        field_manager=FIELD_MANAGER,
    )


async def quietly(write: Awaitable[None]) -> None:
    """Awaits a write whose failure must not hide the error that is being told."""
    with suppress(ApiError):
        await write
