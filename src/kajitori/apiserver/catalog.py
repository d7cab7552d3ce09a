"""What is served: every resource by its path, built-in and custom, and the discovery documents about them.

Documents are made when first asked for after a change, and kept as bytes.

Promises
    K1  a resource is found under its path from the moment it is added until it is removed, and so it is discovered
    K2  built-in groups answer what Kubernetes answers, to the letter; custom groups follow, by name
    K3  versions of a group come in Kubernetes' order: v2, v1, v1beta2, v1beta1, v1alpha1, then others by name

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import facts
from kajitori.apiserver.registry.resource import Resource

__all__ = ["Catalog", "version_priority"]

_encode = msgspec.json.Encoder().encode

_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")


def version_priority(version: str) -> tuple[int, int, int, str]:
    """A sort key that puts the best version first.

    Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        return (3, 0, 0, version)
    stage = {None: 0, "beta": 1, "alpha": 2}[found[2]]
    return (stage, -int(found[1]), -int(found[3] or 0), version)


class Catalog:
    """The resources that are served now."""

    def __init__(self, built_in: Iterable[Resource]) -> None:
        self._resources: dict[tuple[str, str, str], Resource] = {}
        self._groups: dict[str, list[str]] = {}
        for resource in built_in:
            kind = resource.kind
            self._resources[kind.group, kind.version, kind.plural] = resource
            versions = self._groups.setdefault(kind.group, [])
            if kind.version not in versions:
                versions.append(kind.version)
        self._custom: dict[str, tuple[Resource, ...]] = {}
        self._grouped: dict[str, dict[str, list[Resource]]] | None = {}
        self._documents: dict[tuple[str, bool], tuple[bytes, str]] = {}

    @property
    def _by_group(self) -> dict[str, dict[str, list[Resource]]]:
        """What is custom, by group and version; made when asked for: definitions come by the hundred."""
        if self._grouped is None:
            self._grouped = {}
            for owned in self._custom.values():
                for each in owned:
                    versions = self._grouped.setdefault(each.kind.group, {})
                    versions.setdefault(each.kind.version, []).append(each)
        return self._grouped

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self._resources.get((group, version, plural))

    def has_group(self, group: str) -> bool:
        return group in self._groups or group in self._by_group

    def is_built_in(self, group: str) -> bool:
        """Whether Kubernetes itself has the group."""
        return group in self._groups

    def has_version(self, group: str, version: str) -> bool:
        return version in self._groups.get(group, ()) or version in self._by_group.get(group, {})

    def all(self) -> Sequence[Resource]:
        """Every resource that is served, in no particular order."""
        return tuple(self._resources.values())

    # Custom resources come and go.

    def set_custom(self, owner: str, resources: Sequence[Resource]) -> tuple[Resource, ...]:
        """Serves `resources` on behalf of the CustomResourceDefinition `owner`; gives what it served before."""
        before = self._custom.pop(owner, ())
        for each in before:
            self._resources.pop((each.kind.group, each.kind.version, each.kind.plural), None)
        if resources:
            self._custom[owner] = tuple(resources)
        for each in resources:
            self._resources[each.kind.group, each.kind.version, each.kind.plural] = each
        self._grouped = None
        self._documents.clear()
        return before

    def terminate_custom(self, owner: str) -> None:
        """From now on nothing is created of what `owner` serves."""
        for each in self._custom.get(owner, ()):
            each.terminate()
        self._documents.clear()

    def custom(self) -> Sequence[Resource]:
        return [each for owned in self._custom.values() for each in owned]

    # Discovery.

    def document(self, path: str, *, aggregated: bool = False) -> tuple[bytes, str] | None:
        """The discovery document at a path (`/apis/apps`) and its hash; None where there is none."""
        key = (path, aggregated)
        known = self._documents.get(key)
        if known is None:
            value = self._aggregated(path) if aggregated else self._legacy(path)
            if value is None:
                return None
            body = _encode(value) + b"\n"
            known = self._documents[key] = (body, hashlib.sha512(body).hexdigest().upper())
        return known

    def paths(self) -> list[str]:
        """The paths that have a document."""
        found = [path for path in facts.root_paths() if path.startswith("/api")]
        for group, versions in self._by_group.items():
            if group not in self._groups:
                found.append(f"/apis/{group}")
            found += [f"/apis/{group}/{version}" for version in versions]
        return found

    def is_custom(self, path: str) -> bool:
        """Whether the document at the path is about custom resources."""
        parts = path.split("/")[2:]
        return len(parts) == 2 and parts[1] in self._by_group.get(parts[0], ())

    def _legacy(self, path: str) -> JsonObject | None:
        recorded = facts.legacy_discovery().get(path)
        if path == "/apis" and recorded is not None:
            groups = [*recorded["groups"], *(self._group(each) for each in self._custom_groups())]
            return {**recorded, "groups": groups}
        parts = path.split("/")[2:]
        if not parts or parts[0] not in self._by_group:
            return recorded
        if len(parts) == 1:
            if recorded is not None:
                extra = self._group(parts[0])["versions"]
                return {**recorded, "versions": [*recorded["versions"], *extra]}
            return {"kind": "APIGroup", "apiVersion": "v1", **self._group(parts[0])}
        if parts[1] not in self._by_group[parts[0]]:
            return recorded
        listed = self._resource_list(parts[0], parts[1])
        if recorded is not None:
            return {**recorded, "resources": [*recorded["resources"], *listed["resources"]]}
        return listed

    def _custom_groups(self) -> list[str]:
        return sorted(group for group in self._by_group if group not in self._groups)

    def _group(self, group: str) -> JsonObject:
        versions = sorted(self._by_group[group], key=version_priority)
        entries = [{"groupVersion": f"{group}/{each}", "version": each} for each in versions]
        return {"name": group, "versions": entries, "preferredVersion": entries[0]}

    def _resource_list(self, group: str, version: str) -> JsonObject:
        listed: list[JsonObject] = []
        for resource in self._by_group[group][version]:
            entry: JsonObject = {
                "name": resource.kind.plural,
                "singularName": resource.singular,
                "namespaced": resource.kind.namespaced,
                "kind": resource.kind.kind,
                "verbs": resource.listed_verbs,
            }
            if resource.short_names:
                entry["shortNames"] = resource.short_names
            if resource.categories:
                entry["categories"] = resource.categories
            entry["storageVersionHash"] = _storage_hash(resource)
            listed.append(entry)
            for name, each in resource.subresources.items():
                below: JsonObject = {
                    "name": f"{resource.kind.plural}/{name}",
                    "singularName": "",
                    "namespaced": resource.kind.namespaced,
                }
                if (each.kind.group, each.kind.version) != (group, version):
                    below |= {"group": each.kind.group, "version": each.kind.version}
                listed.append({**below, "kind": each.kind.kind, "verbs": each.verbs})
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": f"{group}/{version}",
            "resources": listed,
        }

    def _aggregated(self, path: str) -> JsonObject | None:
        recorded = facts.discovery(path.strip("/"))
        if path != "/apis":
            return recorded
        items: list[Any] = []
        for item in recorded["items"]:
            extra = self._by_group.get(item["metadata"]["name"])
            items.append(
                {**item, "versions": [*item["versions"], *self._versions(item["metadata"]["name"])]}
                if extra
                else item
            )
        items += [
            {"metadata": {"name": group}, "versions": self._versions(group)}
            for group in self._custom_groups()
        ]
        return {**recorded, "items": items}

    def _versions(self, group: str) -> list[JsonObject]:
        found: list[JsonObject] = []
        for version in sorted(self._by_group[group], key=version_priority):
            resources = [_aggregated_resource(each) for each in self._by_group[group][version]]
            found.append({"version": version, "resources": resources, "freshness": "Current"})
        return found


def _aggregated_resource(resource: Resource) -> JsonObject:
    kind = resource.kind
    entry: JsonObject = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": resource.listed_verbs,
    }
    if resource.short_names:
        entry["shortNames"] = resource.short_names
    if resource.categories:
        entry["categories"] = resource.categories
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": name,
                "responseKind": {
                    "group": each.kind.group,
                    "version": each.kind.version,
                    "kind": each.kind.kind,
                },
                "verbs": each.verbs,
            }
            for name, each in resource.subresources.items()
        ]
    return entry


def _storage_hash(resource: Resource) -> str:
    """As Kubernetes makes it: the first eight bytes of a SHA-256 over group, version and kind as stored."""
    import base64

    kind = resource.storage_kind
    text = f"{kind.group}/{kind.version}/{kind.kind}"
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()
