"""Stored objects of one resource in protocol buffers, each encoded once for all who list or watch it.

Beside the renderer. JSON is stored as it is sent; protobuf has to be made of it, which costs a hundred times more.
Go clients list and watch in protobuf unless told otherwise, and a manager's informers, or those of several managers,
ask for the same objects within a moment.

Promises
    B1  what is sent is what the stored value says now: bodies are found by the value itself, so none is ever stale
    B2  no more than KEPT_BYTES_MAX is kept for a resource; the oldest goes first
"""

from collections.abc import Callable, Iterable
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.facts.protobuf import protobuf_codec
from kajitori.apiserver.http import Joined

__all__ = ["KEPT_BYTES_MAX", "ProtobufBodies"]

KEPT_BYTES_MAX = 32 * 1024 * 1024
"""Values and the bodies made of them, counted together: those of about five thousand Pods."""


class ProtobufBodies:
    """Encodes the stored values of a resource as objects of one kind: its own, or PartialObjectMetadata.

    `parse` gives of a stored value what the kind has, in the version that is asked for.
    """

    def __init__(
        self, api_version: str, kind: str, list_kind: str, parse: Callable[[bytes], JsonObject]
    ) -> None:
        self._api_version = api_version
        self._kind = kind
        self._list_kind = list_kind
        self._parse = parse
        self._kept: dict[bytes, bytes] = {}
        self._kept_bytes = 0

    def whole(self, value: bytes) -> bytes:
        """One object in its envelope.

        It is not kept: who reads single objects reads those that have just changed.
        """
        return protobuf_codec().envelope(self._api_version, self._kind, self._body(value, keep=False))

    def event(self, type_: str, value: bytes) -> bytes:
        """One frame of a watch."""
        codec = protobuf_codec()
        body = self._body(value, keep=type_ == "ADDED")
        return codec.watch_frame(type_, codec.envelope(self._api_version, self._kind, body))

    def many(self, values: Iterable[bytes], metadata: dict[str, Any]) -> Joined:
        """A list in its envelope."""
        codec = protobuf_codec()
        pieces: list[bytes] = []
        for value in values:
            body = self._body(value, keep=True)
            pieces += (codec.item_prefix(len(body)), body)
        size = sum(map(len, pieces))
        head, tail = codec.around_items(self._api_version, self._list_kind, metadata, size)
        return Joined(head, pieces, tail, separator=b"")

    def _body(self, value: bytes, *, keep: bool) -> bytes:
        body = self._kept.get(value)
        if body is None:
            body = protobuf_codec().encode_body(self._parse(value), self._api_version, self._kind)
            if keep:
                self._keep(value, body)
        return body

    def _keep(self, value: bytes, body: bytes) -> None:
        kept = self._kept
        kept[value] = body
        self._kept_bytes += len(value) + len(body)
        while self._kept_bytes > KEPT_BYTES_MAX:
            oldest = next(iter(kept))
            self._kept_bytes -= len(oldest) + len(kept.pop(oldest))
