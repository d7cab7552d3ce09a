"""Which kinds a cluster serves, and what can be done with them.

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client

__all__ = ["Served", "ServedKind", "names_of_kinds", "served_kinds"]

_ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True, slots=True)
class ServedKind:
    """One kind in the version that the server prefers."""

    kind: Kind
    verbs: frozenset[str]
    versions: list[str] = field(default_factory=list[str])
    """All versions that are served, the preferred one first."""
    names: frozenset[str] = frozenset()
    """What people call it, without its group: plural, singular, short names."""
    categories: frozenset[str] = frozenset()
    """The sets that it is one of: `all`."""


@dataclass(frozen=True, slots=True)
class Served:
    """What discovery says."""

    kinds: list[ServedKind]
    stale: list[str]
    """Groups with version (`metrics.k8s.io/v1beta1`) whose own server does not answer: more kinds may be there."""


async def served_kinds(client: Client) -> Served:
    """Every resource of every group, each in its first version that has it.

    Raises: ApiError, TransportError.
    """
    found: dict[tuple[str, str], ServedKind] = {}
    stale: list[str] = []
    async for group, version in _all_versions(client):
        if version.get("freshness") == "Stale":
            stale.append(f"{group}/{version['version']}")
        for resource in version.get("resources") or ():
            each = _served(group, version["version"], resource)
            known = found.setdefault((group, each.kind.plural), each)
            known.versions.append(each.kind.version)
    return Served(list(found.values()), stale)


async def names_of_kinds(client: Client) -> list[tuple[Kind, str]]:
    """Every kind in every version that is served, with the singular of its plural.

    Raises: ApiError, TransportError.
    """
    return [
        (_served(group, version["version"], resource).kind, resource.get("singularResource") or "")
        async for group, version in _all_versions(client)
        for resource in version.get("resources") or ()
    ]


async def _all_versions(client: Client) -> AsyncIterator[tuple[str, JsonObject]]:
    for root in ("/api", "/apis"):
        response = await client.send("GET", root, accept=_ACCEPT)
        document: JsonObject = msgspec.json.decode(response.body)
        for each in _versions(document):
            yield each


def _versions(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for group in document.get("items") or ():
        name = (group.get("metadata") or {}).get("name", "")
        for version in group.get("versions") or ():
            yield name, version


def _served(group: str, version: str, resource: dict[str, Any]) -> ServedKind:
    kind = Kind(
        group,
        version,
        (resource.get("responseKind") or {}).get("kind", ""),
        resource["resource"],
        resource.get("scope") == "Namespaced",
    )
    names = {kind.plural, resource.get("singularResource") or kind.kind.lower()}
    return ServedKind(
        kind,
        frozenset(resource.get("verbs") or ()),
        names=frozenset(names.union(resource.get("shortNames") or ())),
        categories=frozenset(resource.get("categories") or ()),
    )
