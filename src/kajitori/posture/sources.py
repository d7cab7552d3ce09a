"""Reading what is to be judged: from a cluster, from a backup of one, from manifests.

Promises
    S1  a cluster is only read: every request is a GET, and of Secrets the names alone are asked for
    S2  a kind that may not be read, or that an older server does not have, stops nothing; the former is told
    S3  a backup is read as it stands, by checksums, and nothing of it is changed
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from kajitori.apimachinery.errors import ApiError, Expired, MethodNotAllowed, NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client
from kajitori.posture.inventory import KINDS, Inventory, bucket_of, without_secrets
from kajitori.storage.backup import read_items

__all__ = ["from_backup", "from_cluster"]

PAGE_SIZE = 500

_JSON = "application/json"
_NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_AT_ONCE = 4
"""Kinds that are listed at the same time: quick, and no burden."""


async def from_cluster(client: Client, source: str, namespace: str = "") -> Inventory:
    """What a cluster has now; with a namespace what is in it, and what is in none.

    Raises: TransportError; ApiError where not even the version may be asked for.
    """
    told = msgspec.json.decode((await client.send("GET", "/version")).body)
    limit = asyncio.Semaphore(_AT_ONCE)
    objects: dict[str, list[JsonObject]] = {}
    unread: dict[str, str] = {}

    async def read(bucket: str, versions: list[Kind]) -> None:
        async with limit:
            for kind in versions:
                try:
                    objects[bucket] = without_secrets(bucket, await _listed(client, kind, namespace))
                    return
                except (NotFound, MethodNotAllowed):
                    continue  # an older server
                except ApiError as error:
                    unread[bucket] = str(error)
                    return

    async with asyncio.TaskGroup() as group:
        for bucket, versions in _by_bucket().items():
            group.create_task(read(bucket, versions))
    ordered = {bucket: objects[bucket] for bucket in _by_bucket() if bucket in objects}
    told = told if isinstance(told, dict) else {}
    return Inventory(
        source,
        ordered,
        unread=dict(sorted(unread.items())),
        version=str(told.get("gitVersion") or ""),
        lookalike=not told.get("goVersion"),
        only=namespace,
    )


def from_backup(path: Path) -> Inventory:
    """What was in a cluster when `kajitori backup` made this file.

    Raises: BackupUnfit.
    """
    wanted = list(_by_bucket())
    objects: dict[str, list[JsonObject]] = {}
    for bucket, values in read_items(path, wanted).items():
        objects[bucket] = without_secrets(bucket, map(msgspec.json.decode, values))
    return Inventory(f"backup {path}", objects)


def _by_bucket() -> dict[str, list[Kind]]:
    found: dict[str, list[Kind]] = {}
    for kind in KINDS:
        found.setdefault(bucket_of(kind), []).append(kind)
    return found


async def _listed(client: Client, kind: Kind, namespace: str) -> list[JsonObject]:
    """All objects of a kind, page by page; anew, in one, when the pages get too old meanwhile."""
    if namespace and kind.plural == "namespaces":
        return [msgspec.json.decode((await client.send("GET", kind.path("", namespace))).body)]
    try:
        return await _pages(client, kind, namespace, f"?limit={PAGE_SIZE}")
    except Expired:
        return await _pages(client, kind, namespace, "")


async def _pages(client: Client, kind: Kind, namespace: str, query: str) -> list[JsonObject]:
    accept = _NAMES_ONLY if kind.plural == "secrets" and not kind.group else _JSON
    found: list[JsonObject] = []
    further = ""
    while True:
        answer = await client.send("GET", kind.path(namespace) + query + further, accept=accept)
        page: Any = msgspec.json.decode(answer.body)
        found += _objects(page.get("items") or ())
        token = (page.get("metadata") or {}).get("continue")
        if not token:
            return found
        further = f"&continue={quote(token)}"


def _objects(items: Iterable[Any]) -> Iterable[JsonObject]:
    return (each for each in items if isinstance(each, dict))
