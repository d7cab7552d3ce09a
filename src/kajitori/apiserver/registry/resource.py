"""One served resource in one version: everything the registry must know about it, built-in or custom.

The registry works on built-in objects in the version they are stored in; what a client sends and gets is in the
version of its path. For almost all kinds these are the same, and nothing is converted. On custom objects it works in
the version of the path, as Kubernetes does: what is read of the store comes in that version, and is written in the
stored one.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from kajitori.apimachinery.errors import BadRequest
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.schema import Schema
from kajitori.apis.resources import ResourceInfo, SubresourceInfo
from kajitori.apiserver.registry.scale import BUILT_IN, ScalePaths

if TYPE_CHECKING:
    from kajitori.apis.printers import Printer
    from kajitori.apis.strategies.base import Strategy
    from kajitori.apiserver.registry.converting import Conversion
    from kajitori.apiserver.registry.protobuf import ProtobufBodies

__all__ = ["BuiltInResource", "Remembered", "Resource", "encode", "replace_revision", "stored_metadata"]

encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(JsonObject).decode


def stored_metadata(value: bytes) -> JsonObject:
    """The metadata of a stored value, which is the same in all versions."""
    metadata: JsonObject = _decode(_metadata_of(value).metadata)
    return metadata


def replace_revision(value: bytes, old: int, new: int) -> bytes:
    """The same object as of another revision.

    Metadata stands first in what is stored, with nothing before its resourceVersion that could hold a quote, so
    the first occurrence is the right one.
    """
    return value.replace(b'"resourceVersion":"%d"' % old, b'"resourceVersion":"%d"' % new, 1)


class _MetadataOnly(msgspec.Struct):
    """What is read of an object whose metadata alone is asked for."""

    metadata: msgspec.Raw


_metadata_of = msgspec.json.Decoder(_MetadataOnly).decode

Read = TypeVar("Read")

_UNTIL_THE_END = frozenset(("delete", "deletecollection", "get", "list", "watch"))
"""What discovery offers of a kind that is going away."""

_DEPRECATED = {
    "ComponentStatus": "v1 ComponentStatus is deprecated in v1.19+",
    "Endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
"""What Kubernetes warns of besides what definitions say, in v1."""


class Remembered(Generic[Read]):
    """What a function reads in the last two values it was asked about.

    Everybody who watches asks about the same two: an object, and what it was before.
    """

    __slots__ = ("_before", "_last", "_read")

    def __init__(self, read: Callable[[bytes], Read]) -> None:
        self._read = read
        self._last: tuple[bytes, Read] | None = None
        self._before: tuple[bytes, Read] | None = None

    def __call__(self, value: bytes) -> Read:
        last, before = self._last, self._before
        if last is not None and last[0] is value:
            return last[1]
        if before is not None and before[0] is value:
            return before[1]
        read = self._read(value)
        self._before, self._last = last, (value, read)
        return read


class Resource:
    """One resource of one group and version, as it is served.

    Subclasses say how a client's JSON becomes an object of the kind, and how it is converted and shown.
    """

    custom = False

    def __init__(self, info: ResourceInfo) -> None:
        self.info = info
        self.kind = info.kind
        self.storage_kind = info.storage_kind
        self.singular = info.singular
        self.list_kind = info.list_kind
        self.verbs = frozenset(info.verbs)
        self.listed_verbs = info.verbs
        self.has_tables = "get" in info.verbs or "list" in info.verbs
        """Whether it can be printed: questions, which are only created, cannot."""
        self.is_terminating = False
        """Whether the kind is going away: what is there can be read, changed and deleted."""
        self.short_names = info.short_names
        self.categories = info.categories
        self.subresources = info.subresources
        self.bucket = info.bucket
        self.stored = info.stored
        """Whether objects are kept; otherwise they are questions, answered and forgotten."""
        self.converted = info.kind.api_version != info.storage_kind.api_version
        """Whether objects are stored in another version than this one."""
        self.scale_paths: ScalePaths | None = None
        self.serves_stored = not self.converted
        """Whether a stored value is this version's JSON as it stands."""
        self.conversion: Conversion | None = None
        """The webhook that converts between stored and served versions; None where nobody is asked."""
        self.since = 0
        """The revision before which there were no objects of this kind, and nobody may ask to watch from."""
        self.deprecation = _DEPRECATED.get(info.kind.kind, "") if info.kind.api_version == "v1" else ""
        """What every request for this version is warned of."""
        self.item_prefix = b'{"kind":"%s","apiVersion":"%s",' % (
            info.kind.kind.encode(),
            info.kind.api_version.encode(),
        )
        """What every serialised object begins with; left out of the items of a list."""

    @property
    def strategy(self) -> "Strategy":
        """What Kubernetes does in code with objects of this kind."""
        raise NotImplementedError

    def terminate(self) -> None:
        """The kind is going away."""
        self.is_terminating = True
        self.listed_verbs = tuple(each for each in self.listed_verbs if each in _UNTIL_THE_END)

    def part(self, subresource: str) -> SubresourceInfo | None:
        """The subresource, where what is sent to it is neither the object nor its Scale: a Binding, an Eviction."""
        found = self.subresources.get(subresource)
        if found is None or subresource == "scale":
            return None
        same = (found.kind.group, found.kind.kind) == (self.kind.group, self.kind.kind)
        return None if same else found

    # What a client sends, and what it gets.

    def decode(self, raw: JsonObject, problems: list[str]) -> JsonObject:
        """A client's JSON as an object of this kind: typed, unknown fields dropped and told in `problems`.

        Raises: BadRequest where a value is of the wrong type.
        """
        raise NotImplementedError

    def decode_admitted(self, changed: JsonObject, problems: list[str]) -> JsonObject:
        """What a policy or a webhook has made of an object. Raises: BadRequest."""
        return self.decode(changed, problems)

    def decode_applied(self, applied: JsonObject) -> JsonObject:
        """The outcome of a server-side apply as an object of this kind."""
        return self.decode(applied, [])

    def default(self, obj: JsonObject) -> None:
        """Fills in what the client left out, in this version."""
        raise NotImplementedError

    def to_storage(self, obj: JsonObject) -> JsonObject:
        """The object in the version it is stored in."""
        return obj

    def from_storage(self, obj: JsonObject) -> JsonObject:
        """The stored object in this version."""
        return obj

    def written(self, obj: JsonObject) -> JsonObject:
        """What is stored of an object that the registry has worked on."""
        return obj

    async def brought(self, values: Sequence[bytes]) -> list[bytes]:
        """Stored values as `parse` and `serve` can read them: by the webhook, where there is one."""
        return list(values)

    async def sent(self, obj: JsonObject) -> JsonObject:
        """An object as `written` can take it: converted by the webhook, where there is one."""
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

    def metadata_json(self, value: bytes) -> bytes:
        """The metadata of a stored value, as this version shows it."""
        return bytes(_metadata_of(self.serve(value)).metadata)

    @cached_property
    def protobuf(self) -> "ProtobufBodies":
        """Stored objects in protocol buffers; custom kinds have no such form."""
        from kajitori.apiserver.registry.protobuf import ProtobufBodies  # with the first

        def parse(value: bytes) -> JsonObject:
            return _decode(self.serve(value))

        return ProtobufBodies(self.kind.api_version, self.kind.kind, self.list_kind, parse)

    @cached_property
    def protobuf_metadata(self) -> "ProtobufBodies":
        """The metadata of stored objects in protocol buffers."""
        from kajitori.apiserver.registry.protobuf import ProtobufBodies  # with the first

        def parse(value: bytes) -> JsonObject:
            return {"metadata": _decode(self.metadata_json(value))}

        kind = "PartialObjectMetadata"
        return ProtobufBodies("meta.k8s.io/v1", kind, f"{kind}List", parse)

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

    @cached_property
    def fields_of(self) -> Remembered[dict[str, str]]:
        """`selectable_fields`, for many who ask about the same object."""
        return Remembered(self.selectable_fields)

    @property
    def printer(self) -> "Printer":
        """How objects are shown in tables."""
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
    """A resource of Kubernetes itself, from the facts.

    What is needed to decode, default, check or show its objects is imported with the first one: a server that
    has just started has none.
    """

    def __init__(self, info: ResourceInfo) -> None:
        super().__init__(info)
        self._decode: Callable[[Any, list[bool]], JsonObject] | None = None
        self._default: Callable[[JsonObject], None] | None = None
        self._strategy: Strategy | None = None
        self.families: tuple[str, ...] = ("IPv4",)
        """The IP families of the cluster's Services, the default one first; set before the first request."""
        self._printer: Printer | None = None
        if "scale" in info.subresources:
            self.scale_paths = BUILT_IN

    @property
    def strategy(self) -> "Strategy":
        if self._strategy is None:
            from kajitori.apis.strategies import strategy_for

            self._strategy = strategy_for(self.kind.group, self.kind.plural).in_cluster(self.families)
        return self._strategy

    def decode(self, raw: JsonObject, problems: list[str]) -> JsonObject:
        decoded = self._decode
        if decoded is None:
            from kajitori.apis import typed

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
        return self.convert(obj, self.storage_kind.api_version) if self.converted else obj

    def from_storage(self, obj: JsonObject) -> JsonObject:
        return self.convert(obj, self.kind.api_version) if self.converted else obj

    def convert(self, obj: JsonObject, api_version: str) -> JsonObject:
        if obj.get("apiVersion") == api_version:
            return obj
        from kajitori.apis.conversion import convert

        return convert(obj, api_version)

    @property
    def schema(self) -> Schema | None:
        from kajitori.apis.definitions import built_in_definitions

        return built_in_definitions().get(self.info.definition)

    @property
    def printer(self) -> "Printer":
        if self._printer is None:
            from kajitori.apis.printers import builtin_printer

            kind = self.kind
            self._printer = builtin_printer(kind.group, kind.version, kind.plural)
        return self._printer
