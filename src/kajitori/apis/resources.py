"""The built-in resources: what is served at which path, as which kind, stored where.

Sits between discovery (the facts) and the registry of the API server, which adds the custom resources.

Promises
    R1  every group, version and resource of Kubernetes' discovery is here, in its order, and nothing else
    R2  resources that share objects (Events; autoscaling v1 and v2) share a bucket and a stored version
    R3  what Kubernetes never stores (reviews, bindings, component statuses) says so
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from kajitori.apimachinery.kind import Kind
from kajitori.apis import facts

__all__ = ["ResourceInfo", "SubresourceInfo", "find_kind", "find_resource", "resources"]


@dataclass(frozen=True, slots=True)
class SubresourceInfo:
    """A path below an object, such as `status` or `scale`.

    `kind.plural` and `kind.namespaced` are the parent's: only the body has another kind.
    """

    name: str
    kind: Kind
    verbs: tuple[str, ...]
    definition: str
    """Name of the body's definition; empty where OpenAPI and Go know none."""


@dataclass(frozen=True, slots=True)
class ResourceInfo:
    """One resource of one group and version."""

    kind: Kind
    singular: str
    list_kind: str
    verbs: tuple[str, ...]
    short_names: tuple[str, ...]
    categories: tuple[str, ...]
    subresources: Mapping[str, SubresourceInfo]
    definition: str
    """Name of the kind's definition, `io.k8s.api.apps.v1.Deployment`."""
    stored: bool
    """Whether objects are kept; if not, a create is answered and forgotten."""
    bucket: str
    """Where objects are kept: `apps/deployments`, `/pods`."""
    storage_kind: Kind
    """The kind in the version in which objects are kept."""
    storage_version_hash: str

    @property
    def storage_version(self) -> str:
        """The `apiVersion` in which objects are kept: `autoscaling/v2`."""
        return self.storage_kind.api_version


_STORED_AS: Mapping[tuple[str, str], tuple[str, str]] = {
    # Group and plural to the group and version whose objects these are.
    ("events.k8s.io", "events"): ("", "v1"),
    ("autoscaling", "horizontalpodautoscalers"): ("autoscaling", "v2"),
}


@cache
def resources() -> tuple[ResourceInfo, ...]:
    """All built-in resources, in discovery's order."""
    found: list[ResourceInfo] = []
    for root in ("api", "apis"):
        for group in facts.discovery(root)["items"]:
            for version in group["versions"]:
                name = group["metadata"].get("name", "")
                found += (_resource(name, version["version"], each) for each in version["resources"])
    return tuple(found)


def find_resource(group: str, version: str, plural: str) -> ResourceInfo | None:
    """The resource at a path, e.g. `apps`, `v1`, `deployments`; None when there is none."""
    return _by_plural().get((group, version, plural))


def find_kind(group: str, version: str, kind: str) -> ResourceInfo | None:
    """The resource whose objects are of this kind; None when there is none."""
    return _by_kind().get((group, version, kind))


@cache
def _by_plural() -> dict[tuple[str, str, str], ResourceInfo]:
    return {(each.kind.group, each.kind.version, each.kind.plural): each for each in resources()}


@cache
def _by_kind() -> dict[tuple[str, str, str], ResourceInfo]:
    return {(each.kind.group, each.kind.version, each.kind.kind): each for each in resources()}


def _resource(group: str, version: str, raw: dict[str, Any]) -> ResourceInfo:
    plural, name = raw["resource"], raw["responseKind"]["kind"]
    kind = Kind(group, version, name, plural, raw["scope"] == "Namespaced")
    stored_group, stored_version = _STORED_AS.get((group, plural), (group, version))
    storage_kind = Kind(stored_group, stored_version, name, plural, kind.namespaced)
    subresources = {each["subresource"]: _subresource(kind, each) for each in raw.get("subresources", ())}
    verbs = tuple(raw["verbs"])
    return ResourceInfo(
        kind=kind,
        singular=raw["singularResource"],
        list_kind=name + "List",
        verbs=verbs,
        short_names=tuple(raw.get("shortNames", ())),
        categories=tuple(raw.get("categories", ())),
        subresources=MappingProxyType(subresources),
        definition=_definition(group, version, name),
        stored="update" in verbs,
        bucket=f"{stored_group}/{plural}",
        storage_kind=storage_kind,
        storage_version_hash=_hashes(kind.api_version).get(plural, ""),
    )


def _subresource(parent: Kind, raw: dict[str, Any]) -> SubresourceInfo:
    body = raw["responseKind"]
    # Discovery leaves group and version empty where they are the parent's.
    group = body["group"] if body["version"] else parent.group
    version = body["version"] or parent.version
    kind = Kind(group, version, body["kind"], parent.plural, parent.namespaced)
    name = raw["subresource"]
    return SubresourceInfo(name, kind, tuple(raw["verbs"]), _definition(group, version, body["kind"]))


def _definition(group: str, version: str, kind: str) -> str:
    return facts.kind_definitions().get(f"{group}/{version}/{kind}".removeprefix("/"), "")


@cache
def _hashes(api_version: str) -> dict[str, str]:
    path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    listed = facts.legacy_discovery()[path]["resources"]
    return {each["name"]: each["storageVersionHash"] for each in listed if "storageVersionHash" in each}
