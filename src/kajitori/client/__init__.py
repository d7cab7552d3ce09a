"""Talking to any API server: get, list, watch, create, update, patch, apply, delete."""

from kajitori.apimachinery.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    Expired,
    Forbidden,
    Gone,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    ServerTimeout,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)
from kajitori.client.accessors import key_of
from kajitori.client.client import PAGE_SIZE, Client
from kajitori.client.objects import Model, ObjectList, WatchEvent, kind_of
from kajitori.client.options import PatchType
from kajitori.client.subresource import Subresource
from kajitori.client.transport import RawResponse, RawStream, Transport, TransportError

__all__ = [
    "PAGE_SIZE",
    "AlreadyExists",
    "ApiError",
    "BadRequest",
    "Client",
    "Conflict",
    "Expired",
    "Forbidden",
    "Gone",
    "InternalError",
    "Invalid",
    "MethodNotAllowed",
    "Model",
    "NotFound",
    "ObjectList",
    "PatchType",
    "RawResponse",
    "RawStream",
    "ServerTimeout",
    "ServiceUnavailable",
    "Subresource",
    "Timeout",
    "TooManyRequests",
    "Transport",
    "TransportError",
    "Unauthorized",
    "UnsupportedMediaType",
    "WatchEvent",
    "key_of",
    "kind_of",
]
