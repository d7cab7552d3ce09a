"""The Widget contract as an operator: each Widget has one ConfigMap of its name, and says so in its status.

`kajitori run widgets.py` runs it, as it would run anybody's.
"""

from typing import Annotated

import msgspec

from kajitori.apis import Kind, ObjectMeta, crd_for, kind
from kajitori.client import Client
from kajitori.ctrl import DONE, Cache, Manager, Request, Result, controller_reference

__all__ = ["CONFIG_MAPS", "Widget", "WidgetSpec", "definition"]

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")


class WidgetSpec(msgspec.Struct, frozen=True, rename="camel"):
    size: Annotated[int, msgspec.Meta(ge=0)]


class WidgetStatus(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    ready: bool = False
    observed_generation: int = 0


@kind(group="bench.example.com", version="v1", plural="widgets", status=True)
class Widget(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """So many of something."""

    metadata: ObjectMeta
    spec: WidgetSpec
    status: WidgetStatus = WidgetStatus()


def definition() -> bytes:
    return msgspec.json.encode(crd_for(Widget))


class Reconciler:
    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache

    async def reconcile(self, request: Request) -> Result:
        namespace, name = request.namespace, request.name
        widget = self._cache.get(Widget, namespace, name)
        if widget is None:
            return DONE
        data = {"size": str(widget.spec.size)}
        found = self._cache.get(CONFIG_MAPS, namespace, name)
        if found is None:
            owner = controller_reference(widget)
            metadata = {"name": name, "namespace": namespace, "ownerReferences": [owner]}
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
            await self._client.create(CONFIG_MAPS, body)
        elif found["data"] != data:
            await self._client.patch(CONFIG_MAPS, namespace, name, {"data": data})
        if widget.status.observed_generation != widget.metadata.generation:
            status = {"ready": True, "observedGeneration": widget.metadata.generation}
            await self._client.patch(Widget, namespace, name, {"status": status}, subresource="status")
        return DONE


def setup(manager: Manager) -> None:
    reconciler = Reconciler(manager.client, manager.cache)
    manager.controller("widgets", reconciler, for_=Widget, owns=[CONFIG_MAPS], workers=8)
