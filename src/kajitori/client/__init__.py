"""Talking to any API server: get, list, watch, create, update, patch, apply, delete."""

from kajitori.client.accessors import key_of
from kajitori.client.client import PAGE_SIZE, Client
from kajitori.client.objects import Model, ObjectList, WatchEvent, kind_of
from kajitori.client.options import PatchType
from kajitori.client.subresource import Subresource
from kajitori.client.transport import RawResponse, RawStream, Transport, TransportError

__all__ = [
    "PAGE_SIZE",
    "Client",
    "Model",
    "ObjectList",
    "PatchType",
    "RawResponse",
    "RawStream",
    "Subresource",
    "Transport",
    "TransportError",
    "WatchEvent",
    "key_of",
    "kind_of",
]
