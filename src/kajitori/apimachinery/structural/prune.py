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
    properties = raw.get("properties") or {}
    known: dict[str, Pruner | None] = {name: pruner(each) for name, each in properties.items()}
    if embedded:
        known.update(dict.fromkeys(META_FIELDS))
    additional = raw.get("additionalProperties")
    other = _other_members(additional)
    preserves = bool(raw.get("x-kubernetes-preserve-unknown-fields"))
    items = raw.get("items")
    if preserves:
        on_item = _skipping_pruner(items) if isinstance(items, Mapping) else None
    else:
        on_item = pruner(items) if isinstance(items, Mapping) else _drop_everything
    keeps_unknown = preserves and other is None

    def prune(value: Any) -> list[str] | None:
        if type(value) is dict:
            return _prune_members(value, known, other, keeps_unknown)
        if type(value) is list and on_item is not None:
            return _prune_items(value, on_item)
        return None

    return prune


def _skipping_pruner(raw: Mapping[str, Any]) -> Pruner:
    """For items below preserved unknown fields, whose own unknown fields are preserved as well."""
    return _pruner({**raw, "x-kubernetes-preserve-unknown-fields": True}, embedded=False)


def _other_members(additional: Any) -> Pruner | None:
    """How members without a property of their own are pruned; None when they are dropped."""
    if isinstance(additional, Mapping):
        return pruner(additional)
    # With a mere boolean nothing is known of the members: they stay, but what is inside goes.
    return None if additional is None else _drop_everything


def _drop_everything(value: Any) -> list[str] | None:
    if type(value) is dict:
        dropped = list(value)
        value.clear()
        return dropped or None
    if type(value) is list:
        return _prune_items(value, _drop_everything)
    return None


def _prune_members(
    value: dict[str, Any], known: dict[str, Pruner | None], other: Pruner | None, keeps_unknown: bool
) -> list[str] | None:
    dropped: list[str] | None = None
    unknown: list[str] | None = None
    for name, member in value.items():
        if name not in known:
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
