"""From bytes to what a cache keeps: prepared, decoded, transformed, frozen; and what cannot be read, told apart.

Sits between the client's codecs and the informers. An object that its class cannot hold, or that `prepare` or
`transform` fails on, must neither end the watch nor be taken for absent: it comes out as an `Unreadable`.

Promises
    K1  whatever comes out is frozen all the way down
    K2  an object that cannot be read comes out as an Unreadable that says which it is and why; those beside it come
        out as ever
    K3  texts and small maps that many objects have (kind, namespace, time, labels) are kept once

Source: client-go's TransformFunc; there one object that cannot be decoded keeps all of its kind from being listed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from sys import intern
from typing import Any, cast

import msgspec

from kajitori.apimachinery.frozen import freeze
from kajitori.apimachinery.frozen_structs import Shared, changeable_class, freeze_struct
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.objectmeta import PartialObjectMetadata
from kajitori.client.objects import (
    Codec,
    DoesNotFit,
    EventType,
    ListMeta,
    Model,
    ObjectList,
    Prepare,
    WatchEvent,
    codec_of,
    kind_of,
    partial_codec,
)

__all__ = ["Making", "StoredCodec", "Transform", "Unreadable", "stored_codec"]

Transform = Callable[[Any], Any]
"""From a decoded object to what is kept of it."""


class Unreadable(msgspec.Struct, frozen=True):
    """Stands for an object that is there and cannot be read."""

    metadata: "_Identity"
    error: str


class _Identity(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class _Identified(msgspec.Struct):
    metadata: _Identity


class _RawList(msgspec.Struct):
    items: list[msgspec.Raw] | None = None
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)


class _RawEvent(msgspec.Struct):
    type: str
    object: msgspec.Raw


_decode_list = msgspec.json.Decoder(_RawList).decode
_decode_event = msgspec.json.Decoder(_RawEvent).decode
_decode_plain = msgspec.json.Decoder().decode
_identify = msgspec.json.Decoder(_Identified).decode


@dataclass(frozen=True, slots=True)
class Making:
    """How objects are made into what is kept."""

    prepare: Prepare | None = None
    transform: Transform | None = None
    keep_managed_fields: bool | frozenset[str] = False


def stored_codec(model: Model, making: Making, *, metadata_only: bool = False) -> "StoredCodec":
    """The codec of a cache.

    Raises: TypeError when a class, or one of its members', is not frozen, or is no kind.
    """
    if isinstance(model, Kind):
        return _UntypedCodec(model, making)
    if metadata_only:
        return _TypedCodec(PartialObjectMetadata, partial_codec(kind_of(model)), making)
    culprit = changeable_class(model)
    if culprit is not None:
        raise TypeError(
            f"{culprit.__qualname__} is not frozen, so what a cache shares could be changed by anybody; "
            "declare it with frozen=True"
        )
    return _TypedCodec(model, codec_of(model), making)


_NOBODY: frozenset[str] = frozenset()


def _leave_managed_fields(metadata: JsonObject, managers: frozenset[str]) -> None:
    entries = metadata.pop("managedFields", None)
    if managers and entries:
        kept = [each for each in entries if each.get("manager") in managers]
        if kept:
            metadata["managedFields"] = kept


class StoredCodec(Codec[Any]):
    """Reads lists and events object by object, so that one that cannot be read leaves the others alone."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind)

    def decode_list(self, body: bytes) -> ObjectList[Any]:
        raw = _decode_list(body)
        meta = raw.metadata
        items = [self._kept(item) for item in raw.items or ()]
        return ObjectList(items, meta.resource_version, meta.continue_, meta.remaining_item_count)

    def decode_event(self, line: bytes) -> WatchEvent[Any] | JsonObject:
        raw = _decode_event(line)
        if raw.type not in ("ADDED", "MODIFIED", "DELETED"):
            # Neither a Status nor a bookmark is an object of the kind.
            return super().decode_event(line)
        value = self._kept(raw.object)
        return WatchEvent(cast(EventType, raw.type), value, self._version(value))

    def _kept(self, raw: msgspec.Raw) -> Any:
        try:
            return self._made(raw)
        except Exception as error:  # Also whatever `prepare` and `transform` raise.
            why = error.why if isinstance(error, DoesNotFit) else error
            return Unreadable(_identify(raw).metadata, f"{type(error).__name__}: {why}")

    def _made(self, raw: msgspec.Raw) -> Any:
        raise NotImplementedError

    def _version(self, value: Any) -> str:
        version: str = value.metadata.resource_version
        return version


class _UntypedCodec(StoredCodec):
    def __init__(self, kind: Kind, making: Making) -> None:
        super().__init__(kind)
        self._making = making
        self._shared = Shared()

    def _made(self, raw: msgspec.Raw) -> Any:
        value: JsonObject = _decode_plain(raw)
        if "kind" not in value or "apiVersion" not in value:
            value = {**self._head, **value}
        making = self._making
        if making.prepare is not None:
            value = making.prepare(value)
        metadata = value["metadata"]
        if making.keep_managed_fields is not True:
            _leave_managed_fields(metadata, making.keep_managed_fields or _NOBODY)
        self._share(value, metadata)
        kept: Any = freeze(value)
        if making.transform is not None:
            kept = freeze(making.transform(kept))
        return kept

    def _share(self, value: JsonObject, metadata: JsonObject) -> None:
        for name in ("apiVersion", "kind"):
            value[name] = intern(value[name])
        for name in ("namespace", "creationTimestamp"):
            text = metadata.get(name)
            if text is not None:
                metadata[name] = intern(text)
        labels = metadata.get("labels")
        if labels:
            metadata["labels"] = self._shared.frozen(labels)

    def _version(self, value: Any) -> str:
        version: str = (
            value.metadata.resource_version if type(value) is Unreadable else value.resource_version
        )
        return version


class _TypedCodec(StoredCodec):
    def __init__(self, cls: type[Any], codec: Codec[Any], making: Making) -> None:
        super().__init__(codec.kind)
        self._class = cls
        self._decode_object = codec.decode
        self._making = making
        self._shared = Shared()

    def _made(self, raw: msgspec.Raw) -> Any:
        making = self._making
        if making.prepare is None:
            value = self._decode_object(cast(bytes, raw))
        else:
            value = msgspec.convert(making.prepare(_decode_plain(raw)), self._class)
        if making.transform is not None:
            value = making.transform(value)
        return freeze_struct(value, self._shared)
