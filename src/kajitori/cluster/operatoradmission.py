"""An operator's admission in process: what would be its webhooks on another cluster, without the way there.

Defaults are set before the schema has judged the object, as by a mutating webhook; the rules are asked after it, as a
validating webhook is.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Protocol

import msgspec

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["Admit", "Default", "OperatorAdmission"]

_decode = msgspec.json.Decoder(JsonObject).decode

Default = Callable[[JsonObject], JsonObject]
"""Fills in a new object."""

Lookup = Callable[..., Iterable[JsonObject]]
"""All objects of a kind, in a namespace or everywhere."""


class Admit(Protocol):
    """An operator's rules: the object, as it may be stored. Raises Invalid or Forbidden."""

    def __call__(
        self, operation: Any, obj: JsonObject, old: JsonObject | None, lookup: Any, /
    ) -> JsonObject: ...


class Rules(Protocol):
    """An operator, as far as admission knows it."""

    @property
    def admit(self) -> Admit: ...

    @property
    def default(self) -> Default: ...


class _Lookup:
    """Reads other objects for the rules: what is stored now."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, kind: Kind, namespace: str = "") -> Iterable[JsonObject]:
        prefix = f"{namespace}/" if namespace else ""
        for item in self._store.range(f"{kind.group}/{kind.plural}", prefix):
            yield _decode(item.value)


class OperatorAdmission:
    """Asks an operator's rules about the writes of its kinds."""

    def __init__(
        self, name: str, load: Callable[[], Rules], buckets: frozenset[str], *, store: Store
    ) -> None:
        """`load` gives the operator's rules; it is called with the first write of its kinds."""
        self.name = name
        self._load = load
        self._buckets = buckets
        self._lookup = _Lookup(store)

    @cached_property
    def _rules(self) -> Rules:
        return self._load()

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return bucket in self._buckets and not subresource

    def mutate(self, attributes: Attributes) -> None:
        """Sets the operator's defaults in a new object."""
        obj = attributes.obj
        if attributes.operation == "CREATE" and obj is not None and isinstance(obj.get("spec"), dict):
            attributes.obj = self._rules.default(obj)

    def validate(self, attributes: Attributes) -> None:
        """Raises: Invalid, Forbidden."""
        obj = attributes.obj if attributes.obj is not None else attributes.old
        assert obj is not None, attributes
        self._rules.admit(attributes.operation, obj, attributes.old, self._lookup)
