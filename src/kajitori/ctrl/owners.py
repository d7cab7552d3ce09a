"""Owner references: what makes the garbage collector delete a child with its parent.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
"""

from typing import Any, TypeVar, cast, overload

import msgspec

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apimachinery.objectmeta import ObjectMeta, OwnerReference
from kajitori.client.accessors import Owner, key_of, owners_of, uid_of
from kajitori.client.objects import kind_of

__all__ = ["AlreadyOwned", "controller_of", "controller_reference", "owner_reference", "with_controller"]

S = TypeVar("S", bound=msgspec.Struct)


class AlreadyOwned(Exception):
    """The object has another controller; two would fight over it."""


def controller_reference(owner: Any, kind: Kind | None = None) -> JsonObject:
    """The entry for `metadata.ownerReferences` of an object that `owner` controls. Of a cluster-scoped or
    same-namespace owner only. `kind` is needed when the owner is a JSON object without `apiVersion` and
    `kind`.
    """
    return {**owner_reference(owner, kind), "controller": True, "blockOwnerDeletion": True}


def owner_reference(owner: Any, kind: Kind | None = None) -> JsonObject:
    """The same, of one owner among several, which does not control.

    Raises: ValueError when the owner has no uid: it has not been created.
    """
    uid = uid_of(owner)
    if not uid:
        raise ValueError(f"owner {key_of(owner)} has no uid; create it before its children")
    if kind is not None:
        api_version, kind_name = kind.api_version, kind.kind
    elif isinstance(owner, dict):
        api_version, kind_name = owner["apiVersion"], owner["kind"]
    else:
        declared = kind_of(type(owner))
        api_version, kind_name = declared.api_version, declared.kind
    return {"apiVersion": api_version, "kind": kind_name, "name": key_of(owner).name, "uid": uid}


def controller_of(value: Any) -> Owner | None:
    """The owner that controls an object."""
    return next((each for each in owners_of(value) if each.controller), None)


@overload
def with_controller(value: JsonObject, owner: Any, kind: Kind | None = None) -> JsonObject: ...
@overload
def with_controller(value: S, owner: Any, kind: Kind | None = None) -> S: ...
def with_controller(value: Any, owner: Any, kind: Kind | None = None) -> Any:
    """A copy of `value`, a plain JSON object or an instance of a class, controlled by `owner`.

    Raises: AlreadyOwned when another object controls it; ValueError when the owner is in a namespace and `value` is
    not, or is in another: the garbage collector would delete it.
    """
    reference = controller_reference(owner, kind)
    _check_within(value, owner)
    now = controller_of(value)
    if now is not None and now.uid != reference["uid"]:
        name = value.get("kind", "object") if isinstance(value, dict) else type(value).__name__
        raise AlreadyOwned(
            f"{name} {key_of(value)} is controlled by {now.kind} {now.name}; "
            f"{reference['kind']} {reference['name']} cannot control it too"
        )
    if isinstance(value, msgspec.Struct):
        meta: ObjectMeta = cast(Any, value).metadata
        mine = msgspec.convert(reference, OwnerReference)
        rest = tuple(each for each in meta.owner_references if each.uid != mine.uid)
        return msgspec.structs.replace(
            value, metadata=msgspec.structs.replace(meta, owner_references=(*rest, mine))
        )
    metadata = value.get("metadata") or {}
    others = [each for each in metadata.get("ownerReferences") or () if each.get("uid") != reference["uid"]]
    return {**value, "metadata": {**metadata, "ownerReferences": [*others, reference]}}


def _check_within(value: Any, owner: Any) -> None:
    within, key = key_of(owner).namespace, key_of(value)
    if not within:
        return
    if key.namespace and key.namespace != within:
        raise ValueError(
            f"{key} cannot be owned by {key_of(owner)}: an owner is in the same namespace, or in none"
        )
    try:
        is_of_cluster = not isinstance(value, dict) and not kind_of(type(value)).namespaced
    except TypeError:
        return  # A class that is no kind: where its objects are is not known.
    if is_of_cluster:
        raise ValueError(f"{key} is cluster-scoped; {key_of(owner)}, which is in a namespace, cannot own it")
