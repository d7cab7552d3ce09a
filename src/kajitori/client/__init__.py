"""Talking to any API server: get, list, watch, create, update, patch, apply, delete."""

import importlib
import typing

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
from kajitori.client.objects import DoesNotFit, Model, ObjectList, WatchEvent, kind_of
from kajitori.client.options import (
    DeleteOptions,
    FieldValidation,
    ListOptions,
    PatchType,
    Propagation,
    WatchOptions,
    WriteOptions,
)
from kajitori.client.subresource import Subresource
from kajitori.client.transport import RawResponse, RawStream, Transport, TransportError

if typing.TYPE_CHECKING:  # A client in the process of its server needs none of these.
    from kajitori.client.config import ConfigError, ConnectionConfig, load_config
    from kajitori.client.following import follow, wait_until
    from kajitori.client.network import NetworkTransport, connect

__all__ = [
    "PAGE_SIZE",
    "AlreadyExists",
    "ApiError",
    "BadRequest",
    "Client",
    "ConfigError",
    "Conflict",
    "ConnectionConfig",
    "DeleteOptions",
    "DoesNotFit",
    "Expired",
    "FieldValidation",
    "Forbidden",
    "Gone",
    "InternalError",
    "Invalid",
    "ListOptions",
    "MethodNotAllowed",
    "Model",
    "NetworkTransport",
    "NotFound",
    "ObjectList",
    "PatchType",
    "Propagation",
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
    "WatchOptions",
    "WriteOptions",
    "connect",
    "follow",
    "key_of",
    "kind_of",
    "load_config",
    "wait_until",
]

_HOME = {
    **dict.fromkeys(("ConfigError", "ConnectionConfig", "load_config"), "config"),
    **dict.fromkeys(("follow", "wait_until"), "following"),
    **dict.fromkeys(("NetworkTransport", "connect"), "network"),
}


def __getattr__(name: str) -> typing.Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    return found
