"""Kubernetes objects in protocol buffers: JSON values to bytes and back, driven by a table of field numbers.

Sits beside the JSON codec of the API server and of the client; most Go clients prefer it for built-in kinds.

    table     what the codec needs to know of messages, handed in by the caller
    scalars   varints, tags and the little messages that stand for one JSON value (times, quantities …)
    decoder   bytes of a message → JSON object, compiled per message
    encoder   JSON object → bytes of a message, compiled per message
    codec     the envelope around them, lists, watch events and their frames

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding and
https://protobuf.dev/programming-guides/encoding/
"""

from .codec import MEDIA_TYPE, STREAM_MEDIA_TYPE, ProtobufCodec, UnknownKindError, frames
from .scalars import ProtobufError
from .table import Field, Shape, Table

__all__ = [
    "MEDIA_TYPE",
    "STREAM_MEDIA_TYPE",
    "Field",
    "ProtobufCodec",
    "ProtobufError",
    "Shape",
    "Table",
    "UnknownKindError",
    "frames",
]
