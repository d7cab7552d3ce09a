"""Field ownership on the road of a write: one field manager per resource and subresource, made when first needed.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.managed import Applied, FieldManager, KindVersions, timestamps_kept
from kajitori.apimachinery.managedfields.rules import Convert
from kajitori.apimachinery.managedfields.scale import ReplicasPaths
from kajitori.apimachinery.managedfields.sets import FieldSet, from_paths
from kajitori.apimachinery.managedfields.types import Type, TypeProblem, Types
from kajitori.apimachinery.schema import Schema
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.resource import Resource

__all__ = ["Ownership"]


class _Schemas(Mapping[str, Schema | None]):
    """The schemas of a kind by version, each parsed when it is asked for."""

    def __init__(self, versions: Mapping[str, Resource]) -> None:
        self._versions = versions

    def __getitem__(self, api_version: str) -> Schema | None:
        return self._versions[api_version].schema

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __len__(self) -> int:
        return len(self._versions)


def _through_structs(versions: Mapping[str, Resource]) -> Convert:
    """How built-in kinds are converted while they are merged and pruned: parts may be missing or null by then."""

    def convert(obj: JsonObject, api_version: str) -> JsonObject:
        resource = versions[obj["apiVersion"]]
        try:
            return resource.convert(resource.decode(obj, []), api_version)
        except DecodeError as error:
            raise TypeProblem(str(error)) from None

    return convert


class Ownership:
    """Keeps `metadata.managedFields`."""

    def __init__(self, resources: Callable[[], Iterable[Resource]]) -> None:
        """`resources` are those served now: other versions of a kind are found among them."""
        self._resources = resources
        self._types = Types()  # built-in kinds share definitions
        self._managers: dict[tuple[Resource, str], FieldManager] = {}

    def forget(self, resource: Resource) -> None:
        """The resource is no longer served in this shape."""
        for key in [key for key in self._managers if key[0].bucket == resource.bucket]:
            del self._managers[key]

    def settled(self, live: JsonObject, new: JsonObject) -> JsonObject:
        """`new`, equal to `live` when only the times of its ownership differ."""
        return timestamps_kept(live, new)

    def own(
        self,
        resource: Resource,
        obj: JsonObject,
        live: JsonObject | None,
        call: Call,
        *,
        subresource: str,
        now: str,
    ) -> None:
        """Puts into `obj` who owns what after this write; `live` is the stored object in the same version."""
        entries = self._manager(resource, subresource).update(live, obj, manager=call.manager, now=now)
        metadata = obj["metadata"]
        if entries:
            metadata["managedFields"] = entries
        else:
            metadata.pop("managedFields", None)

    def apply(
        self,
        resource: Resource,
        config: JsonObject,
        live: JsonObject | None,
        call: Call,
        *,
        subresource: str,
        now: str,
    ) -> Applied:
        """The object with a configuration applied.

        Raises: Conflict, BadRequest, ApiError.
        """
        manager = self._manager(resource, subresource)
        return manager.apply(
            live, config, manager=call.options.field_manager, force=bool(call.options.force), now=now
        )

    def type_of(self, resource: Resource) -> Type:
        """How the values of a kind merge, in the version of the resource."""
        return self._manager(resource, "").type

    def type_of_definition(self, name: str) -> Type | None:
        """How the values of a definition merge; None for one that is not published as a kind."""
        from kajitori.apis.definitions import built_in_definitions  # with the first

        schema = built_in_definitions().get(name)
        if "x-kubernetes-group-version-kind" not in schema.raw:
            return None
        return self._types.root(schema)

    def replicas(self, resource: Resource) -> ReplicasPaths:
        """Where the versions of a kind have the number that its Scale shows."""
        return {
            each.kind.api_version: tuple(f"f:{name}" for name in each.scale_paths.spec)
            if each.scale_paths is not None
            else None
            for each in self._versions(resource).values()
        }

    def _versions(self, resource: Resource) -> dict[str, Resource]:
        found = (*self._resources(), resource)
        return {each.kind.api_version: each for each in found if each.bucket == resource.bucket}

    def _manager(self, resource: Resource, subresource: str) -> FieldManager:
        manager = self._managers.get((resource, subresource))
        if manager is None:
            versions = self._versions(resource)
            convert = resource.convert if resource.custom else _through_structs(versions)
            types = None if resource.custom else self._types
            kind = KindVersions(resource.kind.kind, _Schemas(versions), convert, types)
            reset: dict[str, FieldSet] = {}
            paths = [".".join(path) for path in resource.strategy.reset_fields(subresource)]
            if paths:
                # Of a custom kind's managers only those of the request's version are held to it.
                held = (resource.kind.api_version,) if resource.custom else versions
                reset = {api_version: from_paths(*paths) for api_version in held}
            manager = FieldManager(kind, resource.kind.api_version, subresource=subresource, reset=reset)
            self._managers[resource, subresource] = manager
        return manager
