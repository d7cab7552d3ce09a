"""The objects of one kind, by name and by index: what an informer keeps.

Promises
    S1  an object and its index entries change together: no reader sees one without the other
    S2  a list by namespace, labels and index gives exactly the stored objects that match all of them

Source: client-go's tools/cache thread-safe store.
"""

import builtins
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from kajitori.apimachinery.labels import LabelSelector
from kajitori.client.accessors import key_pair_of, labels_of

__all__ = ["IndexFunction", "Key", "Store"]

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped kinds) and name."""

IndexFunction = Callable[[Any], Iterable[str]]
"""From an object to the values it is found under."""


class _Index:
    __slots__ = ("by_value", "function", "values")

    def __init__(self, function: IndexFunction) -> None:
        self.function = function
        self.by_value: dict[str, dict[Key, Any]] = {}
        self.values: dict[Key, tuple[str, ...]] = {}

    def put(self, key: Key, value: Any) -> None:
        found = tuple(self.function(value))
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

    def add_index(self, name: str, function: IndexFunction) -> None:
        """Objects can be listed by what `function` says of them. Safe at any time.

        Raises: ValueError when the name is taken by another function.
        """
        known = self._indexes.get(name)
        if known is not None:
            if known.function is not function:
                raise ValueError(f"index {name!r} exists already with another function")
            return
        index = _Index(function)
        for key, value in self._objects.items():
            index.put(key, value)
        self._indexes[name] = index

    def get(self, namespace: str, name: str) -> Any:
        """None when there is none."""
        return self._objects.get((namespace, name))

    def list(
        self,
        namespace: str | None = None,
        labels: LabelSelector | None = None,
        index: tuple[str, str] | None = None,
    ) -> builtins.list[Any]:
        """Raises: KeyError when there is no such index."""
        if index is not None:
            found = self._indexes[index[0]].by_value.get(index[1], {})
            if namespace is None:
                values = list(found.values())
            else:
                values = [value for key, value in found.items() if key[0] == namespace]
        elif namespace is None:
            values = list(self._objects.values())
        else:
            values = list(self._namespaces.get(namespace, {}).values())
        if labels is not None and labels:
            return [value for value in values if labels.matches(labels_of(value))]
        return values

    def put(self, value: Any) -> Any:
        """Stores an object; what was there before, or None."""
        key = key_pair_of(value)
        old = self._objects.get(key)
        self._objects[key] = value
        self._namespaces.setdefault(key[0], {})[key] = value
        for index in self._indexes.values():
            index.put(key, value)
        return old

    def remove(self, key: Key) -> Any:
        """Forgets an object; what was there, or None."""
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

    def keys(self) -> builtins.list[Key]:
        return list(self._objects)

    def __len__(self) -> int:
        return len(self._objects)
