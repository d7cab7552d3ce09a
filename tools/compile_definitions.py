"""Compiles the definitions of the operators' kinds into the resource that a new cluster stores, as it would store them.

    python tools/compile_definitions.py

Generating and judging them takes longer than all else that a new cluster does. One line of JSON for each: what the API
server keeps when they are applied, with words in the place of what is new in every cluster.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from kajitori.apis import Kind
from kajitori.cluster.definitions import FILE, MANAGER, NOW, REVISION, UID
from kajitori.cluster.operators import OPERATORS
from kajitori.ctrl import is_condition_true
from kajitori.testing import TestEnv
from kajitori.world.random import SYSTEM_RANDOM

__all__ = ["compiled"]

CRDS = Kind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)


def compiled() -> str:
    """The text of the resource."""
    return asyncio.run(_compiled())


async def _compiled() -> str:
    async with TestEnv() as env:
        lines = [line async for line in _lines(env)]
    return b"".join(line + b"\n" for line in lines).decode()


async def _lines(env: TestEnv) -> AsyncIterator[bytes]:
    client = env.client(MANAGER)
    for name in sorted(OPERATORS):
        for crd in OPERATORS[name].load(SYSTEM_RANDOM).crds():
            await client.apply(CRDS, crd, force=True)
            path = CRDS.path("", crd["metadata"]["name"])
            await env.wait_for_object(
                CRDS,
                "",
                crd["metadata"]["name"],
                lambda found: is_condition_true(found.get("status", {}).get("conditions"), "Established"),
            )
            stored = (await client.send("GET", path)).body.decode().strip()
            stored = re.sub(r'"uid":"[^"]*"', f'"uid":"{UID}"', stored, count=1)
            stored = re.sub(r'"resourceVersion":"[^"]*"', f'"resourceVersion":"{REVISION}"', stored, count=1)
            stored = re.sub(
                r'("(?:creationTimestamp|time|lastTransitionTime)":)"\d{4}-\d\d-\d\dT[\d:]*Z"',
                rf'\1"{NOW}"',
                stored,
            )
            yield msgspec.json.encode({"operator": name, "definition": msgspec.Raw(stored.encode())})


if __name__ == "__main__":
    Path(str(FILE)).write_text(compiled(), encoding="utf-8")
