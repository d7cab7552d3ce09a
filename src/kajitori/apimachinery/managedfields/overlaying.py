"""A configuration laid over an object by a policy: merged like a server-side apply, without anybody owning anything.

Promises
    V1  what the configuration says wins, the rest of the object stays; neither is changed
    V2  a configuration that does not fit its type is refused, and one that sets an atomic list, map or struct: all
        that it leaves out there would be lost

Source: apiserver's pkg/admission/plugin/policy/mutating/patch/smd.go.
"""

from collections.abc import Iterator
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.checking import check
from kajitori.apimachinery.managedfields.merging import merge
from kajitori.apimachinery.managedfields.types import Type, TypeProblem

__all__ = ["OverlayError", "overlay"]


class OverlayError(Exception):
    """Why a configuration cannot be laid over an object, in Kubernetes' words."""


def overlay(live: JsonObject, config: JsonObject, of: Type, *, live_fits: bool = False) -> JsonObject:
    """The object with the configuration merged into it, both of the type.

    `live_fits`: the object is known to be of the type. Raises: OverlayError.
    """
    doing = "convert patch object to typed object"
    try:
        check(config, of)
        atomic = ", ".join(_atomic(config, of, ""))
        if atomic:
            told = f"may not mutate atomic arrays, maps or structs: {atomic}"
            raise OverlayError(f"invalid ApplyConfiguration: {told}")
        if not live_fits:
            doing = "convert original object to typed object"
            check(live, of, repeated_items_allowed=True)
        doing = "merge patch"
        merged: JsonObject = merge(live, config, of)
    except TypeProblem as problem:
        raise OverlayError(f"failed to {doing}: {problem}") from None
    return merged


def _atomic(value: Any, of: Type, path: str) -> Iterator[str]:
    """Where the value has atomic parts. Below undeclared members nobody looks."""
    if type(value) is dict and of.map is not None:
        if of.map.atomic:
            yield path
        for name, member in value.items():
            if of.map.declares(name):
                yield from _atomic(member, of.map.member(name), f"{path}.{name}")
    elif type(value) is list and of.list is not None:
        if of.list.atomic:
            yield path
        for index, item in enumerate(value):
            yield from _atomic(item, of.list.items, f"{path}[{index}]")
