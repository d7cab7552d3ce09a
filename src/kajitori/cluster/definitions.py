"""The definitions of the operators' kinds in a new cluster: compiled beforehand, stored as if they had been applied.

Generating and judging them would take longer than all else that a start does, and a new cluster knows the outcome. One
that has definitions already is asked nicely: its operators apply theirs where they differ.

Promises
    F1  a new cluster serves the kinds of its operators from its first moment, as if they had been applied by them
    F2  definitions that are not what this version ships are applied, as on any cluster; those that are, are left alone

The resource is made by `tools/compile_definitions.py`.
"""

import asyncio
from collections.abc import Collection, Iterator
from importlib.resources import files

import msgspec

from kajitori.apimachinery.time import format_time
from kajitori.apis.apiextensions_v1.stored import StoredDefinition
from kajitori.apiserver.customresources import BUCKET
from kajitori.storage import Store
from kajitori.world.clock import Clock
from kajitori.world.random import Random

__all__ = ["FILE", "MANAGER", "NOW", "REVISION", "UID", "ensure_definitions"]

FILE = files("kajitori.cluster") / "definitions.jsonl"
MANAGER = "kajitori-operators"
"""Who owns the fields of the definitions."""

NOW, REVISION, UID = "@now@", "@revision@", "@uid@"
"""What stands in the resource for what is new in every cluster."""


class _Line(msgspec.Struct):
    operator: str
    definition: msgspec.Raw


_line = msgspec.json.Decoder(_Line).decode


def _shipped() -> Iterator[tuple[str, bytes]]:
    for line in FILE.read_bytes().splitlines():
        found = _line(line)
        yield found.operator, bytes(found.definition)


async def ensure_definitions(
    store: Store, operators: Collection[str], *, clock: Clock, random: Random
) -> frozenset[str]:
    """Stores the definitions of these operators in a cluster that has none yet, before it serves; gives the operators
    that have to apply theirs.
    """
    if not operators:
        return frozenset()
    is_new = not store.count(BUCKET)
    now = format_time(clock.now().timestamp()).encode()
    differing: set[str] = set()
    async with asyncio.TaskGroup() as tasks:
        for operator, definition in _shipped():
            if operator not in operators:
                continue
            shipped = StoredDefinition(definition)
            if is_new:
                filled = definition.replace(NOW.encode(), now).replace(UID.encode(), random.uuid4().encode())
                tasks.create_task(_store(store, shipped.name, filled))
            else:
                standing = store.get(BUCKET, shipped.name)
                if standing is None or StoredDefinition(standing.value).digest != shipped.digest:
                    differing.add(operator)
    return frozenset(differing)


async def _store(store: Store, name: str, definition: bytes) -> None:
    def render(revision: int) -> bytes:
        return definition.replace(REVISION.encode(), str(revision).encode())

    await store.put(BUCKET, name, render, expect=0)
