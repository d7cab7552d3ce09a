"""How objects of a kind become bytes and come back: as frozen JSON, or as the struct that declares the kind.

A *model* is what callers name a kind by: a `Kind` (objects are `Unstructured`) or a class declared with
`@kind` or carrying `__kind__: Kind` (objects are its instances; it needs a `metadata` member like
`ObjectMeta`).

Promises
    O1  every untyped object handed out is frozen and says its `apiVersion` and `kind`, also out of lists,
        where servers leave them out
    O2  what is sent says its `apiVersion` and `kind`, whether or not the caller wrote them
    O3  an object that does not fit the class is told by its name and the path of what does not fit
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar, cast

import msgspec

from kajitori.apimachinery import declare
from kajitori.apimachinery.frozen import Unstructured, freeze
from kajitori.apimachinery.frozen_structs import encodable
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.objectmeta import PartialObjectMetadata
from kajitori.apimachinery.struct_decoder import struct_decoder

__all__ = [
    "METADATA",
    "AnyObject",
    "Codec",
    "DoesNotFit",
    "EventType",
    "ListMeta",
    "Model",
    "ObjectList",
    "Prepare",
    "WatchEvent",
    "codec_of",
    "kind_of",
    "partial_codec",
]

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
"""What to accept to get nothing but the metadata of an object."""

AnyObject = TypeVar("AnyObject")
Model = Kind | type[Any]
Prepare = Callable[[JsonObject], JsonObject]
"""Changes a decoded object, which it owns, before it is frozen."""
EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]


class DoesNotFit(msgspec.ValidationError):
    """An object that is not what its class declares; the text says which and why."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(text)
        self.why = why
        """Only that, with the path of what does not fit."""


class ObjectList(msgspec.Struct, Generic[AnyObject], frozen=True):
    """A list, or one page of it."""

    items: list[AnyObject]
    resource_version: str = ""
    """Watch from here to miss nothing."""
    continue_token: str = ""
    """Empty on the last page."""
    remaining_item_count: int | None = None
    """How many more there are; None when the server did not say."""

    def __iter__(self) -> Iterator[AnyObject]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class WatchEvent(msgspec.Struct, Generic[AnyObject], frozen=True):
    """What happened to one object. Of a BOOKMARK only the resource version counts."""

    type: EventType
    object: AnyObject
    resource_version: str = ""
    initial_events_end: bool = False
    """This bookmark says that everything that existed at the start has been sent."""


class ListMeta(msgspec.Struct, rename="camel"):
    """`metadata` of a list."""

    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")
    remaining_item_count: int | None = None


class _RawList(msgspec.Struct):
    items: list[Any] | None = None
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)


class _RawObjects(msgspec.Struct):
    items: list[msgspec.Raw] | None = None
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)


class _RawEvent(msgspec.Struct):
    type: str
    object: Any


class _TypedEvent(msgspec.Struct):
    type: str
    object: msgspec.Raw


_decode_any = msgspec.json.Decoder().decode
_decode_list = msgspec.json.Decoder(_RawList).decode
_decode_raw_list = msgspec.json.Decoder(_RawObjects).decode
_decode_event = msgspec.json.Decoder(_RawEvent).decode
_decode_typed_event = msgspec.json.Decoder(_TypedEvent).decode
_encode = msgspec.json.Encoder().encode
_INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class Codec(Generic[AnyObject]):
    """Bytes to objects of one model and back. This one reads untyped objects; `_TypedCodec` reads structs."""

    def __init__(self, kind: Kind, prepare: Prepare | None = None) -> None:
        self.kind = kind
        self._prepare = prepare
        self._head = {"apiVersion": kind.api_version, "kind": kind.kind}

    def decode(self, body: bytes) -> AnyObject:
        """Raises: msgspec.DecodeError for bytes that are no such object."""
        return self._finish(_decode_any(body))

    def decode_list(self, body: bytes) -> ObjectList[AnyObject]:
        raw = _decode_list(body)
        finish, head = self._finish, self._head
        items = [
            finish(item if "kind" in item and "apiVersion" in item else {**head, **item})
            for item in raw.items or ()
        ]
        meta = raw.metadata
        return ObjectList(items, meta.resource_version, meta.continue_, meta.remaining_item_count)

    def decode_event(self, line: bytes) -> "WatchEvent[AnyObject] | JsonObject":
        """One watch event; of an ERROR event, the Status."""
        raw = _decode_event(line)
        value = raw.object
        if raw.type == "ERROR":
            return cast(JsonObject, value)
        meta = value["metadata"]
        version = meta.get("resourceVersion", "")
        if raw.type == "BOOKMARK":
            ended = (meta.get("annotations") or {}).get(_INITIAL_EVENTS_END) == "true"
            return WatchEvent("BOOKMARK", cast(AnyObject, freeze(value)), version, ended)
        return WatchEvent(cast(EventType, raw.type), self._finish(value), version)

    def encode(self, value: Any, *, complete: bool = True) -> bytes:
        """`complete`: add `apiVersion` and `kind` where they are missing."""
        if complete and ("apiVersion" not in value or "kind" not in value):
            value = {**self._head, **value}
        return _encode(value)

    def _finish(self, value: JsonObject) -> AnyObject:
        if self._prepare is not None:
            value = self._prepare(value)
        return cast(AnyObject, freeze(value))


class _TypedCodec(Codec[AnyObject]):
    def __init__(self, model: type[AnyObject], kind: Kind) -> None:
        super().__init__(kind)
        fields = msgspec.structs.fields(cast(Any, model))
        names = {field.encode_name for field in fields}
        if "metadata" not in names:
            raise TypeError(
                f"{model.__qualname__} has no `metadata` member, so its objects cannot be told apart; "
                "declare `metadata: ObjectMeta = ObjectMeta()`"
            )
        self._model = model
        self._decode = struct_decoder(model)
        listed = msgspec.defstruct(
            f"{model.__name__}List",
            [
                ("items", list[model], msgspec.field(default_factory=list)),  # type: ignore[valid-type]
                ("metadata", ListMeta, msgspec.field(default_factory=ListMeta)),
            ],
        )
        self._decode_list = cast(Callable[[bytes], Any], msgspec.json.Decoder(cast(Any, listed)).decode)
        head = _encode(self._head)
        self._prefix = b"" if names & {"apiVersion", "kind"} else head[:-1]

    def decode(self, body: bytes) -> AnyObject:
        try:
            return self._decode(body)
        except msgspec.ValidationError as error:
            raise DoesNotFit(self._told(body, error), str(error)) from None

    def _told(self, body: bytes, error: Exception) -> str:
        value: JsonObject = _decode_any(body)
        metadata = value.get("metadata") or {}
        name = "/".join(metadata[each] for each in ("namespace", "name") if metadata.get(each))
        module, named = self._model.__module__, self._model.__qualname__
        return f"{self.kind.kind} {name} is not what {module}.{named} declares: {error}"

    def decode_list(self, body: bytes) -> ObjectList[AnyObject]:
        try:
            raw = self._decode_list(body)
            items, meta = raw.items, raw.metadata
        except msgspec.ValidationError:
            # One of them has nulls, or does not fit the class.
            one_by_one = _decode_raw_list(body)
            items, meta = (
                [self.decode(cast(bytes, each)) for each in one_by_one.items or ()],
                one_by_one.metadata,
            )
        return ObjectList(items, meta.resource_version, meta.continue_, meta.remaining_item_count)

    def decode_event(self, line: bytes) -> "WatchEvent[AnyObject] | JsonObject":
        raw = _decode_typed_event(line)
        if raw.type == "ERROR" or raw.type == "BOOKMARK":
            # Neither is an object of the class: an error is a Status, a bookmark has a version and nothing
            # else.
            return super().decode_event(line)
        value = self.decode(cast(bytes, raw.object))
        return WatchEvent(cast(EventType, raw.type), value, cast(Any, value).metadata.resource_version)

    def encode(self, value: Any, *, complete: bool = True) -> bytes:
        if isinstance(value, Mapping):
            return super().encode(value, complete=complete)
        value = encodable(value)
        if not self._prefix:
            return super().encode(msgspec.to_builtins(value), complete=complete)
        body = _encode(value)
        return self._prefix + (b"," if len(body) > 2 else b"") + body[1:]


def codec_of(model: Model, prepare: Prepare | None = None) -> Codec[Any]:
    """The codec of a model; `prepare` is for untyped models only.

    Raises: TypeError when a class is not a kind, or has no `metadata`.
    """
    if prepare is not None and isinstance(model, Kind):
        return Codec[Unstructured](model, prepare)
    return _codec_of(model)


def partial_codec(kind: Kind) -> Codec[PartialObjectMetadata]:
    """Reads of objects of a kind nothing but their metadata."""
    return _TypedCodec(PartialObjectMetadata, kind)


def _new_codec(model: Model) -> Codec[Any]:
    if isinstance(model, Kind):
        return Codec[Unstructured](model)
    return _TypedCodec(model, kind_of(model))


_codec_of = cast(Callable[[Model], Codec[Any]], lru_cache(maxsize=1024)(_new_codec))


def kind_of(model: Model) -> Kind:
    """The Kind that a model names.

    Raises: TypeError when a class is not a kind.
    """
    if isinstance(model, Kind):
        return model
    named = getattr(model, "__kind__", None)
    return named if isinstance(named, Kind) else declare.kind_of(model)
