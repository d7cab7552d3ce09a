"""The objects of one kind, by name and by index: what an informer keeps.

Promises
    S1  an object and its index entries change together: no reader sees one without the other
    S2  a list by namespace, labels and indexes gives exactly the stored objects that match all of them
    S3  an index function that fails for an object disturbs nothing else: it is logged and counted, and the object is
        found by everything but that index
    S4  an object that is there and cannot be read is never taken for absent: `get` raises UnreadableObject; lists
        leave it out

Source: client-go's tools/cache thread-safe store.
"""

import builtins
import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from kajitori.apimachinery.labels import LabelSelector
from kajitori.client.accessors import key_pair_of, labels_of
from kajitori.ctrl.stored import Unreadable

__all__ = ["IndexFunction", "Key", "Store", "UnreadableObject"]

_log = logging.getLogger(__name__)

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped kinds) and name."""

IndexFunction = Callable[[Any], Iterable[str]]
"""From an object to the values it is found under."""


class UnreadableObject(Exception):
    """The object exists, but its class cannot hold it, or preparing it failed. It comes again when it can be read."""


class _Index:
    __slots__ = ("by_value", "errors", "function", "name", "values")

    def __init__(self, name: str, function: IndexFunction) -> None:
        self.name = name
        self.function = function
        self.errors = 0
        self.by_value: dict[str, dict[Key, Any]] = {}
        self.values: dict[Key, tuple[str, ...]] = {}

    def put(self, key: Key, value: Any) -> None:
        try:
            found = tuple(self.function(value))
        except Exception:
            self.errors += 1
            _log.exception(
                "an index function failed; the object is not found by that index",
                extra={"index": self.name, "object": "/".join(key)},
            )
            found = ()
        for gone in self.values.get(key, ()):
            if gone not in found:
                self._remove(gone, key)
        for each in found:
            self.by_value.setdefault(each, {})[key] = value
        if found:
            self.values[key] = found
        else:
            self.values.pop(key, None)

    def remove(self, key: Key) -> None:
        for value in self.values.pop(key, ()):
            self._remove(value, key)

    def _remove(self, value: str, key: Key) -> None:
        members = self.by_value.get(value)
        if members is not None:
            members.pop(key, None)
            if not members:
                del self.by_value[value]


class Store:
    """Frozen objects by key. Used on one event loop."""

    def __init__(self) -> None:
        self._objects: dict[Key, Any] = {}
        self._namespaces: dict[str, dict[Key, Any]] = {}
        self._indexes: dict[str, _Index] = {}
        self._unreadable: dict[Key, Unreadable] = {}
        """Of those that could be read before, the last readable form is kept, to be told as the old one."""

    @property
    def index_errors(self) -> int:
        """How often index functions have failed."""
        return sum(index.errors for index in self._indexes.values())

    @property
    def unreadable(self) -> dict[Key, str]:
        """The objects that cannot be read, each with why."""
        return {key: value.error for key, value in self._unreadable.items()}

    def add_index(self, name: str, function: IndexFunction) -> None:
        """Objects can be listed by what `function` says of them. Safe at any time.

        Raises: ValueError when the name is taken by another function.
        """
        known = self._indexes.get(name)
        if known is not None:
            if known.function is not function:
                raise ValueError(f"index {name!r} exists already with another function")
            return
        index = _Index(name, function)
        for key, value in self._objects.items():
            index.put(key, value)
        self._indexes[name] = index

    def get(self, namespace: str, name: str) -> Any:
        """None when there is none. Raises: UnreadableObject."""
        if self._unreadable and (namespace, name) in self._unreadable:
            raise UnreadableObject(
                f"{f'{namespace}/' if namespace else ''}{name} is there and cannot be read: "
                f"{self._unreadable[(namespace, name)].error}"
            )
        return self._objects.get((namespace, name))

    def peek(self, key: Key) -> Any:
        """What stands for an object: itself, or why it cannot be read; None when there is none."""
        return self._unreadable.get(key) or self._objects.get(key)

    def list(
        self,
        namespace: str | None = None,
        labels: LabelSelector | None = None,
        indexes: Sequence[tuple[str, str]] = (),
    ) -> builtins.list[Any]:
        """Raises: KeyError when there is no such index."""
        if indexes:
            found = self._found(indexes)
            if namespace is None:
                values = list(found.values())
            else:
                values = [value for key, value in found.items() if key[0] == namespace]
        elif namespace is None:
            values = list(self._objects.values())
        else:
            values = list(self._namespaces.get(namespace, {}).values())
        if self._unreadable:
            values = [value for value in values if key_pair_of(value) not in self._unreadable]
        if labels is not None and labels:
            return [value for value in values if labels.matches(labels_of(value))]
        return values

    def _found(self, indexes: Sequence[tuple[str, str]]) -> dict[Key, Any]:
        several = [self._indexes[name].by_value.get(value, {}) for name, value in indexes]
        smallest = min(several, key=len)
        if len(several) == 1:
            return smallest
        return {key: value for key, value in smallest.items() if all(key in each for each in several)}

    def has_index(self, name: str) -> bool:
        return name in self._indexes

    def put(self, value: Any) -> Any:
        """Stores an object; what was there before, or None."""
        key = key_pair_of(value)
        if self._unreadable:
            self._unreadable.pop(key, None)
        old = self._objects.get(key)
        self._objects[key] = value
        self._namespaces.setdefault(key[0], {})[key] = value
        for index in self._indexes.values():
            index.put(key, value)
        return old

    def put_unreadable(self, value: Unreadable) -> bool:
        """Stores that an object cannot be read; whether that is news, for this version of it."""
        key = key_pair_of(value)
        known = self._unreadable.get(key)
        self._unreadable[key] = value
        return known is None or known.metadata.resource_version != value.metadata.resource_version

    def remove(self, key: Key) -> Any:
        """Forgets an object; what was there, or None."""
        if self._unreadable:
            self._unreadable.pop(key, None)
        old = self._objects.pop(key, None)
        if old is not None:
            members = self._namespaces[key[0]]
            del members[key]
            if not members:
                del self._namespaces[key[0]]
            for index in self._indexes.values():
                index.remove(key)
        return old

    def sample(self, most: int) -> builtins.list[Any]:
        """So many objects at most, whichever."""
        return list(islice(self._objects.values(), most))

    def keys(self, namespace: str | None = None) -> builtins.list[Key]:
        """Of all that is there, readable or not, in a namespace or in all."""
        if namespace is None:
            keys: dict[Key, Any] = self._objects
        else:
            keys = self._namespaces.get(namespace, {})
        if not self._unreadable:
            return list(keys)
        unreadable = (key for key in self._unreadable if namespace is None or key[0] == namespace)
        return list(dict.fromkeys([*keys, *unreadable]))

    def __len__(self) -> int:
        return len(self._objects)
