"""Objects as bytes in the form that was asked for: JSON, YAML or protobuf; whole, as rows, or metadata only.

Plain JSON is the road that must be fast: a stored value is written as it stands, a list is a join. Every other
form parses the value for the request that asked for it.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/ (Table, PartialObjectMetadata, protobuf);
apiserver/pkg/endpoints/handlers/response.go.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.errors import ApiError, NotAcceptable
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.http import Joined
from kajitori.apiserver.negotiation import JSON, PROTOBUF, YAML, Form
from kajitori.apiserver.registry.resource import Resource, encode

if TYPE_CHECKING:
    from kajitori.apiserver.registry.protobuf import ProtobufBodies

__all__ = ["ListPage", "Renderer", "write_any"]

_decode = msgspec.json.Decoder(JsonObject).decode


class ListPage(msgspec.Struct):
    """What a list answers besides its items."""

    revision: int
    continue_token: str = ""
    remaining: int | None = None
    shard: str = ""
    """The selector, where only a part of all objects was asked for."""


def _metadata(page: ListPage, *, whole: bool) -> JsonObject:
    """Of a list; that of tables and of metadata alone does not tell what part it is."""
    metadata: JsonObject = {"resourceVersion": str(page.revision)}
    if page.continue_token:
        metadata["continue"] = page.continue_token
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    if page.shard and whole:
        metadata["shardInfo"] = {"selector": page.shard}
    return metadata


def write_any(obj: Any, media: str) -> bytes:
    """Any value as JSON, YAML or protobuf."""
    if media == PROTOBUF:
        # Lists, Status and single objects alike carry their own kind.
        from kajitori.apis.facts.protobuf import protobuf_codec

        return protobuf_codec().encode(obj)
    if media == YAML:
        from kajitori.apimachinery.yaml_text import encode_yaml

        return encode_yaml(obj)
    return encode(obj) + b"\n"


class Renderer:
    """Writes the objects of one resource."""

    __slots__ = ("_now", "_resource", "include")

    def __init__(self, resource: Resource, now: Callable[[], float], include: str = "Metadata") -> None:
        self._resource = resource
        self._now = now
        self.include = include
        """What rows of a Table carry: None, Metadata or Object."""

    def one(self, value: bytes, form: Form) -> bytes:
        """A stored value as the answer to a request for one object.

        Raises: NotAcceptable for a list form.
        """
        if form.kind == "PartialObjectMetadataList":
            raise self._not_acceptable(form, is_list=False)
        bodies = self._protobuf(form)
        if bodies is not None:
            return bodies.whole(value)
        if form.media == JSON and form.kind != "Table":
            return self._json(value, form) + b"\n"
        return write_any(self._transformed(value, form), form.media)

    def _protobuf(self, form: Form) -> "ProtobufBodies | None":
        """What makes protobuf of values: of the whole, or of the metadata alone; None for any other form."""
        if form.media != PROTOBUF:
            return None
        if not form.kind:
            return self._resource.protobuf
        return self._resource.protobuf_metadata if form.version == "v1" else None

    def _json(self, value: bytes, form: Form) -> bytes:
        """The whole object, or its metadata alone."""
        if not form.kind:
            return self._resource.serve(value)
        metadata = self._resource.metadata_json(value)
        return b'{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/%b","metadata":%b}' % (
            form.version.encode(),
            metadata,
        )

    def _transformed(self, value: bytes, form: Form, *, headers: bool = True) -> JsonObject:
        if form.kind != "Table":
            return _decode(self._json(value, form))
        obj = _decode(self._resource.serve(value))
        return self._table([obj], form, obj["metadata"], headers=headers)

    def many(self, values: Iterable[bytes], page: ListPage, form: Form) -> bytes | Joined:
        """A list of stored values, whole or in pieces.

        Raises: NotAcceptable for the form of one object.
        """
        resource = self._resource
        if form.media == JSON and not form.kind:
            return self._json_list(values, page)
        if form.kind == "PartialObjectMetadata":
            raise self._not_acceptable(form, is_list=True)
        metadata = _metadata(page, whole=not form.kind)
        bodies = self._protobuf(form)
        if bodies is not None:
            return bodies.many(values, metadata)
        if form.kind == "Table":
            objects = [_decode(resource.serve(value)) for value in values]
            return write_any(self._table(objects, form, metadata), form.media)
        if form.kind:
            kind = {"kind": form.kind, "apiVersion": f"meta.k8s.io/{form.version}"}
        else:
            kind = {"kind": resource.list_kind, "apiVersion": resource.kind.api_version}
        items = [msgspec.Raw(self._json(value, form)) for value in values]
        if form.media == JSON:
            return write_any({**kind, "metadata": metadata, "items": items}, JSON)
        listed = [_decode(item) for item in items]
        if not (form.kind or resource.custom):
            for obj in listed:
                del obj["kind"], obj["apiVersion"]
        return write_any({**kind, "metadata": metadata, "items": listed}, form.media)

    def _json_list(self, values: Iterable[bytes], page: ListPage) -> Joined:
        resource = self._resource
        metadata = _metadata(page, whole=True)
        if resource.custom:
            metadata.setdefault("continue", "")
        head = b'{"kind":"%s","apiVersion":"%s","metadata":%s,"items":[' % (
            resource.list_kind.encode(),
            resource.kind.api_version.encode(),
            encode(metadata),
        )
        values = list(values) if resource.serves_stored else [resource.serve(value) for value in values]
        if resource.custom:  # items of custom resources keep their kind
            return Joined(head, values, b"]}\n", separator=b",")
        if not values:
            return Joined(head, values, b"]}\n", separator=b"")
        return Joined(head + b"{", values, b"]}\n", separator=b",{", skip=len(resource.item_prefix))

    def _table(
        self, objects: Sequence[JsonObject], form: Form, metadata: JsonObject, *, headers: bool = True
    ) -> JsonObject:
        from kajitori.apis.printers import table  # with the first table

        return table(
            self._resource.printer,
            objects,
            metadata,
            self._now(),
            include_object=self.include,
            api_version=f"meta.k8s.io/{form.version}",
            headers=headers,
        )

    def _not_acceptable(self, form: Form, *, is_list: bool) -> NotAcceptable:
        what = "is a list" if is_list else "is not a list"
        type_ = self._resource.go_type(is_list=is_list)
        return NotAcceptable(f"you requested {form.kind}, but the requested object {what} ({type_})")

    # Watch events.

    def event(self, type_: str, value: bytes, form: Form, *, headers: bool = True) -> bytes:
        """One frame of a watch stream; of tables only the first says what its columns are."""
        if form.kind == "PartialObjectMetadataList":
            raise self._not_acceptable(form, is_list=False)
        bodies = self._protobuf(form)
        if bodies is not None:
            return bodies.event(type_, value)
        if form.media == JSON and form.kind != "Table":
            return b'{"type":"%b","object":%b}\n' % (type_.encode(), self._json(value, form))
        return self._frame(type_, self._transformed(value, form, headers=headers), form)

    def bookmark(self, revision: int, form: Form, *, initial_end: bool = False) -> bytes:
        """The frame that says how far the stream has come."""
        metadata: JsonObject = {"resourceVersion": str(revision)}
        if initial_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        kind = self._resource.kind
        obj: JsonObject = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
        if form.kind == "Table":
            return self._frame("BOOKMARK", self._table([obj], form, metadata), form)
        if form.kind:
            obj |= {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{form.version}"}
        return self._frame("BOOKMARK", obj, form)

    def error_event(self, error: ApiError, form: Form) -> bytes:
        """The frame that ends a stream which cannot go on."""
        return self._frame("ERROR", error.to_status(), form)

    def _frame(self, type_: str, obj: JsonObject, form: Form) -> bytes:
        if form.media == PROTOBUF:
            from kajitori.apis.facts.protobuf import protobuf_codec

            return protobuf_codec().encode_watch_event(type_, obj)
        return encode({"type": type_, "object": obj}) + b"\n"
