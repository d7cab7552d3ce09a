"""The kinds of an operator, installed by the operator itself: for development, and for those who may.

    await install_crds(client, crd_for(Widget))

Promises
    D1  what is there already becomes what is given, by server-side apply under the client's field manager
    D2  when it returns the API server serves the kinds; when it never will, that is said at once

Source: envtest's InstallCRDs.
"""

import asyncio

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client.client import Client
from kajitori.ctrl.conditions import find_condition, is_condition_true

__all__ = ["CUSTOM_RESOURCE_DEFINITIONS", "ESTABLISHED_SECONDS", "NotEstablished", "install_crds"]

CUSTOM_RESOURCE_DEFINITIONS = Kind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)

ESTABLISHED_SECONDS = 30.0
"""How long it may take until all kinds are served; a real API server takes half a second."""

PAUSE_SECONDS = 0.05

PAUSE_SECONDS_MAX = 1.0


class NotEstablished(Exception):
    """The API server has a definition and does not serve it."""


async def install_crds(client: Client, *definitions: JsonObject) -> None:
    """Returns when all are served. Raises: NotEstablished; ApiError, Forbidden when we may not."""
    manager = client.field_manager or "kajitori"
    installed = [
        await client.apply(CUSTOM_RESOURCE_DEFINITIONS, each, force=True, field_manager=manager)
        for each in definitions
    ]
    name = ""
    try:
        async with asyncio.timeout(ESTABLISHED_SECONDS):
            for each in installed:
                name = each.name
                await _established(client, each)
    except TimeoutError:
        raise NotEstablished(
            f"CustomResourceDefinition {name} is not established after {ESTABLISHED_SECONDS:g} s"
        ) from None


async def _established(client: Client, crd: Unstructured) -> None:
    pause = PAUSE_SECONDS
    while True:
        conditions = (crd.get("status") or {}).get("conditions")
        if is_condition_true(conditions, "Established"):
            return
        names = find_condition(conditions, "NamesAccepted")
        if names is not None and names.get("status") == "False":
            raise NotEstablished(f"CustomResourceDefinition {crd.name}: {names.get('message')}")
        await asyncio.sleep(pause)
        pause = min(2 * pause, PAUSE_SECONDS_MAX)
        crd = await client.get(CUSTOM_RESOURCE_DEFINITIONS, "", crd.name)
