"""What hangs on an object: read from the store, as the garbage collector would find it.

An owner's uid stands in what it owns: bytes without it are not looked at any closer.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Store

__all__ = ["Surroundings"]

_decode = msgspec.json.Decoder(dict[str, Any]).decode

_NEAR = ("/pods", "/services", "policy/poddisruptionbudgets")
"""What a loss of Pods concerns."""
DEPENDENTS_MAX = 100_000
"""Of one deletion: beyond it there is no need to look further to know that it is large."""


class Surroundings:
    """The objects of a cluster, each with the resource that it is of."""

    def __init__(self, store: Store, resources: Callable[[], Iterable[Resource]]) -> None:
        self._store, self._resources = store, resources

    def _buckets(self) -> dict[str, Resource]:
        found: dict[str, Resource] = {}
        for each in self._resources():
            found.setdefault(each.bucket, each)
        return found

    def going_with(self, owner: JsonObject) -> Iterator[tuple[Resource, JsonObject]]:
        """What is deleted when an object is: contents of namespaces, objects of definitions, what it owns.

        What another owner keeps is among it: whether that one goes too, only time tells.
        """
        seen = {str(owner["metadata"].get("uid") or "")}
        waiting = [owner]
        while waiting and len(seen) < DEPENDENTS_MAX:
            for resource, each in self._below(waiting.pop()):
                uid = str(each["metadata"].get("uid") or "")
                if uid not in seen:
                    seen.add(uid)
                    waiting.append(each)
                    yield resource, each

    def _below(self, owner: JsonObject) -> Iterator[tuple[Resource, JsonObject]]:
        metadata = owner["metadata"]
        namespace, group = (
            metadata.get("namespace") or "",
            str(owner.get("apiVersion", "")).rpartition("/")[0],
        )
        if owner.get("kind") == "Namespace" and not group:
            yield from self._in_namespace(str(metadata["name"]))
            return
        buckets = self._buckets()
        if owner.get("kind") == "CustomResourceDefinition":
            spec = owner["spec"]
            bucket = f"{spec['group']}/{spec['names']['plural']}"
            if bucket in buckets:
                yield from self._of(buckets[bucket], bucket, "", None)
        uid = str(metadata.get("uid") or "").encode()
        for bucket, resource in buckets.items() if uid else ():
            if not namespace or resource.kind.namespaced:
                for found, each in self._of(resource, bucket, f"{namespace}/" if namespace else "", uid):
                    owners = each["metadata"].get("ownerReferences") or ()
                    if any(str(reference.get("uid", "")).encode() == uid for reference in owners):
                        yield found, each

    def _in_namespace(self, name: str) -> Iterator[tuple[Resource, JsonObject]]:
        for bucket, resource in self._buckets().items():
            if resource.kind.namespaced:
                yield from self._of(resource, bucket, f"{name}/", None)

    def _of(
        self, resource: Resource, bucket: str, prefix: str, within: bytes | None
    ) -> Iterator[tuple[Resource, JsonObject]]:
        kind = resource.kind
        for item in self._store.range(bucket, prefix):
            if within is None or within in item.value:
                obj = _decode(item.value)
                yield resource, {**obj, "apiVersion": kind.api_version, "kind": kind.kind}

    def near(self, namespaces: Iterable[str]) -> list[JsonObject]:
        """What a loss in these namespaces could touch: Pods, Services, budgets, and all volumes."""
        buckets = self._buckets()
        found: list[JsonObject] = []
        for namespace in sorted(set(namespaces)):
            for bucket in _NEAR:
                found += [each for _, each in self._of(buckets[bucket], bucket, f"{namespace}/", None)]
        found += [each for _, each in self._of(buckets[_VOLUMES], _VOLUMES, "", None)]
        return found


_VOLUMES = "/persistentvolumes"
