"""The objects that tokens live as long as, read from the store.

Every request with a service account's token asks for the account and what the token is bound to. What these
objects say about that is small; it is read from their bytes once, and again when they have changed.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from kajitori.storage import Item, Store

__all__ = ["StoreLookup"]

_REMEMBERED_MAX = 10_000
"""Objects remembered, about half a KiB each."""


class _Metadata(msgspec.Struct, rename="camel", omit_defaults=True):
    namespace: str = ""
    name: str = ""
    uid: str = ""
    deletion_timestamp: str = ""


class _SecretMetadata(_Metadata, rename="camel", omit_defaults=True):
    labels: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class _Spec(msgspec.Struct, rename="camel", omit_defaults=True):
    service_account_name: str = ""
    node_name: str = ""


class _Secret(msgspec.Struct, omit_defaults=True):
    metadata: _SecretMetadata
    type: str = ""
    data: dict[str, str] | None = None
    """As it is stored: base64."""


class _Object(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)


_read_secret = msgspec.json.Decoder(_Secret).decode
_read_object = msgspec.json.Decoder(_Object).decode


class StoreLookup:
    """Finds the object of a resource, namespace and name in a store: its metadata, what a Pod runs as and of
    a Secret what it holds.
    """

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._known: dict[tuple[str, str], tuple[Item, Mapping[str, Any]]] = {}

    def __call__(self, resource: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        key = f"{namespace}/{name}" if namespace else name
        item = self._store.get(f"/{resource}", key)
        if item is None:
            return None
        known = self._known.get((resource, key))
        if known is not None and known[0] is item:
            return known[1]
        reads = _read_secret if resource == "secrets" else _read_object
        found: Mapping[str, Any] = msgspec.to_builtins(reads(item.value))
        if len(self._known) >= _REMEMBERED_MAX:
            self._known.clear()
        self._known[resource, key] = (item, found)
        return found
