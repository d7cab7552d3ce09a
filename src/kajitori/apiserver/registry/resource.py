"""One served resource in one version: everything the registry must know about it, built-in or custom.

The registry works on objects in the version they are stored in; what a client sends and gets is in the version of
its path. For almost all kinds these are the same, and nothing is converted.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.errors import BadRequest
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.schema import Schema
from kajitori.apis import printers, typed
from kajitori.apis.conversion import convert
from kajitori.apis.definitions import built_in_definitions
from kajitori.apis.resources import ResourceInfo, SubresourceInfo
from kajitori.apis.strategies import strategy_for
from kajitori.apis.strategies.base import Strategy
from kajitori.apiserver.registry.scale import BUILT_IN, ScalePaths

__all__ = ["BuiltInResource", "Resource", "encode"]

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(JsonObject).decode


class Resource:
    """One resource of one group and version, as it is served.

    Subclasses say how a client's JSON becomes an object of the kind, and how it is converted and shown.
    """

    custom = False
    stored = True

    def __init__(
        self,
        *,
        kind: Kind,
        storage_kind: Kind,
        singular: str,
        list_kind: str,
        verbs: Sequence[str],
        short_names: Sequence[str],
        categories: Sequence[str],
        subresources: Mapping[str, SubresourceInfo],
        bucket: str,
        strategy: Strategy,
    ) -> None:
        self.kind = kind
        self.storage_kind = storage_kind
        self.singular = singular
        self.list_kind = list_kind
        self.verbs = frozenset(verbs)
        self.listed_verbs = tuple(verbs)
        self.short_names = tuple(short_names)
        self.categories = tuple(categories)
        self.subresources = subresources
        self.bucket = bucket
        self.strategy = strategy
        self.converted = kind.api_version != storage_kind.api_version
        """Whether objects are stored in another version than this one."""
        self.scale_paths: ScalePaths | None = None
        self.since = 0
        """The revision before which there were no objects of this kind, and nobody may ask to watch from."""
        self.deprecation = ""
        """What every request for this version is warned of."""
        self.item_prefix = b'{"kind":"%s","apiVersion":"%s",' % (
            kind.kind.encode(),
            kind.api_version.encode(),
        )
        """What every serialised object begins with; left out of the items of a list."""

    # What a client sends, and what it gets.

    def decode(self, raw: JsonObject, problems: list[str]) -> JsonObject:
        """A client's JSON as an object of this kind: typed, unknown fields dropped and told in `problems`.

        Raises: BadRequest where a value is of the wrong type.
        """
        raise NotImplementedError

    def decode_patched(self, patched: JsonObject, problems: list[str]) -> JsonObject:
        """The outcome of a patch as an object of this kind."""
        return self.decode(patched, problems)

    def default(self, obj: JsonObject) -> None:
        """Fills in what the client left out, in this version."""
        raise NotImplementedError

    def to_storage(self, obj: JsonObject) -> JsonObject:
        """The object in the version it is stored in."""
        return obj

    def from_storage(self, obj: JsonObject) -> JsonObject:
        """The stored object in this version."""
        return obj

    def convert(self, obj: JsonObject, api_version: str) -> JsonObject:
        """The object in any served version of its kind. Raises: BadRequest for a version that is none."""
        if obj.get("apiVersion") == api_version:
            return obj
        raise BadRequest(f"{self.kind.kind} has no version {api_version}")

    @property
    def schema(self) -> Schema | None:
        """The shape of the kind in this version; None where it has none."""
        raise NotImplementedError

    def parse(self, value: bytes) -> JsonObject:
        """A stored value as a private dict, in the stored version."""
        return _decode(value)

    def serve(self, value: bytes) -> bytes:
        """A stored value as this version's JSON."""
        return encode(self.from_storage(_decode(value))) if self.converted else value

    # Selecting and showing.

    def field_label(self, label: str) -> str:
        """The stored field that a selector's label means.

        Raises: BadRequest for a field that objects of this kind cannot be selected by.
        """
        return self.strategy.field_label(label)

    def selectable_fields(self, value: bytes) -> dict[str, str]:
        """The fields of a stored object that selectors may ask for."""
        obj = _decode(value)
        metadata = obj["metadata"]
        fields = {
            "metadata.name": metadata.get("name", ""),
            "metadata.namespace": metadata.get("namespace", ""),
        }
        fields.update(self.strategy.selectable_fields(obj))
        return fields

    def columns(self) -> Sequence[JsonObject]:
        """Table column definitions."""
        raise NotImplementedError

    def cells(self, obj: JsonObject, now: float) -> list[Any]:
        """A table row; `obj` is in this version."""
        raise NotImplementedError

    def go_type(self, *, is_list: bool) -> str:
        """What messages call the type: `*apps.DeploymentList`."""
        package = self.kind.group.split(".", 1)[0] or "core"
        if self.custom:
            return "*unstructured.UnstructuredList" if is_list else "*unstructured.Unstructured"
        return f"*{package}.{self.list_kind if is_list else self.kind.kind}"

    def key(self, namespace: str, name: str) -> str:
        """Where an object stands in its bucket."""
        return f"{namespace}/{name}" if self.kind.namespaced else name


class BuiltInResource(Resource):
    """A resource of Kubernetes itself, from the facts."""

    def __init__(self, info: ResourceInfo) -> None:
        super().__init__(
            kind=info.kind,
            storage_kind=info.storage_kind,
            singular=info.singular,
            list_kind=info.list_kind,
            verbs=info.verbs,
            short_names=info.short_names,
            categories=info.categories,
            subresources=info.subresources,
            bucket=info.bucket,
            strategy=strategy_for(info.kind.group, info.kind.plural),
        )
        self.info = info
        self.stored = info.stored
        self._decode: Callable[[Any, list[bool]], JsonObject] | None = None
        self._default: Callable[[JsonObject], None] | None = None
        if "scale" in info.subresources:
            self.scale_paths = BUILT_IN

    def decode(self, raw: JsonObject, problems: list[str]) -> JsonObject:
        decoded = self._decode
        if decoded is None:
            decoded = self._decode = typed.decoder(self.info.definition)
        unknown: list[bool] = []
        obj = decoded(raw, unknown)
        if unknown:
            from kajitori.apis import strict  # only read where something is unknown

            problems += strict.unknown_fields(self.info.definition, raw)
        obj["kind"], obj["apiVersion"] = self.kind.kind, self.kind.api_version
        return obj

    def default(self, obj: JsonObject) -> None:
        if self._default is None:
            from kajitori.apis.defaults import default_for

            self._default = default_for(self.info.definition)
        self._default(obj)

    def to_storage(self, obj: JsonObject) -> JsonObject:
        return convert(obj, self.storage_kind.api_version) if self.converted else obj

    def from_storage(self, obj: JsonObject) -> JsonObject:
        return convert(obj, self.kind.api_version) if self.converted else obj

    def convert(self, obj: JsonObject, api_version: str) -> JsonObject:
        return obj if obj.get("apiVersion") == api_version else convert(obj, api_version)

    @property
    def schema(self) -> Schema | None:
        return built_in_definitions().get(self.info.definition)

    def columns(self) -> Sequence[JsonObject]:
        kind = self.kind
        return printers.columns(kind.group, kind.version, kind.plural)

    def cells(self, obj: JsonObject, now: float) -> list[Any]:
        kind = self.kind
        return printers.cells(kind.group, kind.version, kind.plural, obj, now)
