"""Finalizers: names that keep a deleted object until their owner has cleaned up.

Both functions read the given object, which may come from a cache, and write only when something is to
change. The patch names the resource version, so that a finalizer somebody else adds meanwhile is not lost
(Conflict instead).

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
"""

from typing import Any

from kajitori.client.accessors import deletion_timestamp_of, finalizers_of, key_of, resource_version_of
from kajitori.client.client import Client
from kajitori.client.objects import Model

__all__ = ["add_finalizer", "being_deleted", "has_finalizer", "remove_finalizer"]


def has_finalizer(value: Any, finalizer: str) -> bool:
    return finalizer in finalizers_of(value)


def being_deleted(value: Any) -> bool:
    return bool(deletion_timestamp_of(value))


async def add_finalizer(client: Client, model: Model, value: Any, finalizer: str) -> Any:
    """The object with the finalizer. Do this before creating anything that must be cleaned up.

    Raises: Conflict when the object changed meanwhile; NotFound; any other ApiError.
    """
    if has_finalizer(value, finalizer):
        return value
    return await _write(client, model, value, [*finalizers_of(value), finalizer])


async def remove_finalizer(client: Client, model: Model, value: Any, finalizer: str) -> Any:
    """The object without the finalizer; the last one gone, a deleted object goes.

    Raises: Conflict when the object changed meanwhile; NotFound; any other ApiError.
    """
    if not has_finalizer(value, finalizer):
        return value
    return await _write(client, model, value, [each for each in finalizers_of(value) if each != finalizer])


async def _write(client: Client, model: Model, value: Any, finalizers: list[str]) -> Any:
    key = key_of(value)
    metadata = {"finalizers": finalizers or None, "resourceVersion": resource_version_of(value)}
    return await client.patch(model, key.namespace, key.name, {"metadata": metadata})
