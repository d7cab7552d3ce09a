"""Carries out a plan. Every step is safe to repeat."""

from kajitori.apis import JsonObject, Kind
from kajitori.apis.policies_v1 import FINALIZER, unique_name
from kajitori.client import Client, NotFound
from kajitori.ctrl import add_finalizer, remove_finalizer
from kajitori.operators.kubewarden.plan import MUTATING, VALIDATING, Plan
from kajitori.operators.kubewarden.settings import FIELD_MANAGER

__all__ = ["act", "write_status"]


async def act(client: Client, kind: Kind, policy: JsonObject, plan: Plan) -> None:
    """Raises: ApiError, TransportError."""
    if plan.add_finalizer:
        policy = await add_finalizer(client, kind, policy, FINALIZER)
    if plan.applied is not None:
        applied = MUTATING if plan.applied["kind"] == MUTATING.kind else VALIDATING
        await client.apply(applied, plan.applied, force=True, field_manager=FIELD_MANAGER)
    for each in plan.deleted:
        try:
            await client.delete(each, "", unique_name(policy))
        except NotFound:
            continue
    if plan.status is not None:
        await write_status(client, kind, policy, plan.status)
    if plan.remove_finalizer:
        await remove_finalizer(client, kind, policy, FINALIZER)


async def write_status(client: Client, kind: Kind, obj: JsonObject, status: JsonObject) -> None:
    """Writes a status that differs from what was seen, unless the object has changed since.

    Raises: Conflict when it has; any other ApiError.
    """
    if obj.get("status") == status:
        return
    metadata = obj["metadata"]
    patch = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": status}
    await client.patch(
        kind,
        metadata.get("namespace", ""),
        metadata["name"],
        patch,
        subresource="status",
        field_manager=FIELD_MANAGER,
    )
