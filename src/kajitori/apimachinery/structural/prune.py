"""Dropping the fields that a schema does not know.

Sits in the road of every write to a custom resource, and of every read of one that was stored under another
schema. Values are changed in place: they were decoded for this purpose.

Promises
    X1  what is left has only fields that the schema, or `x-kubernetes-preserve-unknown-fields`, allows
    X2  the paths of dropped fields are told as Kubernetes tells them: `spec.list[0].zz`
    X3  `apiVersion`, `kind` and `metadata` of the object and of embedded resources are left alone

Source: apiextensions' pkg/apiserver/schema/pruning.
"""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["META_FIELDS", "Pruner", "pruner"]

META_FIELDS = frozenset(("apiVersion", "kind", "metadata"))

Pruner = Callable[[Any], list[str] | None]
"""Prunes a value in place; gives the paths of what it dropped, below the value, or None."""

_CONTAINERS = frozenset((dict, list))


def pruner(raw: Mapping[str, Any], *, is_root: bool = False) -> Pruner:
    """The pruning of values of one schema node; at the root of a resource its own metadata stays."""
    return _pruner(raw, embedded=is_root or bool(raw.get("x-kubernetes-embedded-resource")))


def _pruner(raw: Mapping[str, Any], *, embedded: bool) -> Pruner:
    known = _Known(raw.get("properties") or {}, META_FIELDS if embedded else frozenset())
    additional = raw.get("additionalProperties")
    other = None if additional is None else _LazyPruner(additional)
    preserves = bool(raw.get("x-kubernetes-preserve-unknown-fields"))
    items = raw.get("items")
    on_item: Pruner | None = None if preserves else _drop_everything
    if isinstance(items, Mapping):
        # Below preserved unknown fields, those of items are preserved as well.
        on_item = _LazyPruner({**items, "x-kubernetes-preserve-unknown-fields": True} if preserves else items)
    keeps_unknown = preserves and other is None

    def prune(value: Any) -> list[str] | None:
        if type(value) is dict:
            return _prune_members(value, known, other, keeps_unknown)
        if type(value) is list and on_item is not None:
            return _prune_items(value, on_item)
        return None

    return prune


class _LazyPruner:
    """A pruner made when a value first needs it. With a mere boolean for a schema, nothing inside is known."""

    __slots__ = ("_prune", "_raw")

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._prune: Pruner | None = None if isinstance(raw, Mapping) else _drop_everything

    def __call__(self, value: Any) -> list[str] | None:
        prune = self._prune
        if prune is None:
            prune = self._prune = pruner(self._raw)
        return prune(value)


class _Known(dict[str, "Pruner | None"]):
    """The pruners of known fields, each made when a value first needs it; of a resource's metadata there is none."""

    def __init__(self, properties: Mapping[str, Any], exempt: frozenset[str]) -> None:
        super().__init__(dict.fromkeys(exempt))
        self._properties = properties
        self.names = frozenset(properties) | exempt

    def __missing__(self, name: str) -> Pruner | None:
        prune = self[name] = pruner(self._properties[name])
        return prune


def _drop_everything(value: Any) -> list[str] | None:
    if type(value) is dict:
        dropped = list(value)
        value.clear()
        return dropped or None
    if type(value) is list:
        return _prune_items(value, _drop_everything)
    return None


def _prune_members(
    value: dict[str, Any], known: _Known, other: Pruner | None, keeps_unknown: bool
) -> list[str] | None:
    dropped: list[str] | None = None
    unknown: list[str] | None = None
    names = known.names
    for name, member in value.items():
        if name not in names:
            if other is None:
                if not keeps_unknown:
                    unknown = unknown or []
                    unknown.append(name)
                continue
            below = other(member)
        elif type(member) not in _CONTAINERS:
            continue
        else:
            prune = known[name]
            if prune is None:
                continue
            below = prune(member)
        if below:
            dropped = dropped or []
            dropped += [f"{name}{each}" if each[0] == "[" else f"{name}.{each}" for each in below]
    if unknown is None:
        return dropped
    for name in unknown:
        del value[name]
    return unknown if dropped is None else dropped + unknown


def _prune_items(value: list[Any], prune: Pruner) -> list[str] | None:
    dropped: list[str] | None = None
    for index, item in enumerate(value):
        if type(item) not in _CONTAINERS:
            continue
        below = prune(item)
        if below:
            dropped = dropped or []
            dropped += [f"[{index}]{each}" if each[0] == "[" else f"[{index}].{each}" for each in below]
    return dropped
