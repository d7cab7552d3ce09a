"""Which kinds a cluster serves, and what can be done with them.

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client

__all__ = ["ServedKind", "served_kinds"]

_ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True, slots=True)
class ServedKind:
    """One kind in the version that the server prefers."""

    kind: Kind
    verbs: frozenset[str]


async def served_kinds(client: Client) -> list[ServedKind]:
    """Every resource of every group, each in its first version that has it.

    Raises: ApiError, TransportError.
    """
    found: dict[tuple[str, str], ServedKind] = {}
    for root in ("/api", "/apis"):
        response = await client.send("GET", root, accept=_ACCEPT)
        document: JsonObject = msgspec.json.decode(response.body)
        for each in _resources(document):
            found.setdefault((each.kind.group, each.kind.plural), each)
    return list(found.values())


def _resources(document: JsonObject) -> Iterator[ServedKind]:
    for group in document.get("items") or ():
        name = (group.get("metadata") or {}).get("name", "")
        for version in group.get("versions") or ():
            for resource in version.get("resources") or ():
                yield _served(name, version["version"], resource)


def _served(group: str, version: str, resource: dict[str, Any]) -> ServedKind:
    kind = Kind(
        group,
        version,
        (resource.get("responseKind") or {}).get("kind", ""),
        resource["resource"],
        resource.get("scope") == "Namespaced",
    )
    return ServedKind(kind, frozenset(resource.get("verbs") or ()))
