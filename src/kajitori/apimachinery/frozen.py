"""JSON objects that nobody can change: what a cache can hand out without copying.

`FrozenDict` and `FrozenList` are dicts and lists whose every mutator raises, all the way down; they read,
compare and encode (msgspec, json) exactly like the plain ones. `Unstructured` is a frozen Kubernetes object
with the few names everybody needs. `thaw` gives a private copy to change.

Promises
    F1  no method or operator of a frozen value, nor of anything inside it, changes it
    F2  a frozen value equals, iterates and encodes like the plain value it was made of
    F3  what `thaw` returns is plain all the way down and shares nothing that can change

Sits below client and ctrl; opens no door.
"""

from collections.abc import Mapping
from typing import Any, NoReturn, overload

from kajitori.apimachinery.kind import JsonObject, NamespacedName

__all__ = ["EMPTY", "FrozenDict", "FrozenList", "Unstructured", "freeze", "thaw"]


def _refuse(self: object, *arguments: object, **named: object) -> NoReturn:
    raise TypeError("this object is shared and frozen; change a copy of it: thaw(object)")


class FrozenDict(dict[str, Any]):
    """A JSON object that cannot be changed. `copy()`, `|` and `{**frozen}` give plain dicts with frozen
    members.
    """

    __slots__ = ()

    __setitem__ = __delitem__ = _refuse
    __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> JsonObject:
        return thaw(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild_dict, (type(self), dict(self)))


class FrozenList(list[Any]):
    """A JSON array that cannot be changed. Slices, `copy()` and `+` give plain lists with frozen members."""

    __slots__ = ()

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = pop = remove = clear = sort = reverse = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return thaw(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenList, (list(self),))


class Unstructured(FrozenDict):
    """A frozen Kubernetes object whose kind no class describes: a dict, and names for what every object
    has.
    """

    __slots__ = ()

    @property
    def metadata(self) -> FrozenDict:
        """`metadata`, empty when the object has none."""
        return self.get("metadata") or EMPTY

    @property
    def name(self) -> str:
        name: str = self.metadata.get("name", "")
        return name

    @property
    def namespace(self) -> str:
        """Empty for cluster-scoped objects."""
        namespace: str = self.metadata.get("namespace", "")
        return namespace

    @property
    def key(self) -> NamespacedName:
        return NamespacedName(self.namespace, self.name)

    @property
    def uid(self) -> str:
        uid: str = self.metadata.get("uid", "")
        return uid

    @property
    def resource_version(self) -> str:
        version: str = self.metadata.get("resourceVersion", "")
        return version

    @property
    def generation(self) -> int:
        generation: int = self.metadata.get("generation", 0)
        return generation

    @property
    def labels(self) -> Mapping[str, str]:
        labels: Mapping[str, str] = self.metadata.get("labels") or EMPTY
        return labels

    @property
    def annotations(self) -> Mapping[str, str]:
        annotations: Mapping[str, str] = self.metadata.get("annotations") or EMPTY
        return annotations

    @property
    def finalizers(self) -> list[str]:
        finalizers: list[str] = self.metadata.get("finalizers") or _EMPTY_LIST
        return finalizers

    @property
    def owner_references(self) -> list[Any]:
        """The references as JSON objects."""
        references: list[Any] = self.metadata.get("ownerReferences") or _EMPTY_LIST
        return references

    @property
    def being_deleted(self) -> bool:
        return bool(self.metadata.get("deletionTimestamp"))


EMPTY = FrozenDict()
"""No members at all: one for everybody who has none."""

_EMPTY_LIST = FrozenList()


def _rebuild_dict(cls: type[FrozenDict], members: JsonObject) -> FrozenDict:
    return cls(members)


def freeze(value: JsonObject) -> Unstructured:
    """The frozen form of an object, in time linear in its size.

    Takes the object over: its plain members are replaced by frozen ones, so nobody else may go on using it.
    """
    if isinstance(value, Unstructured):
        return value
    if type(value) is dict:
        _freeze_members(value)
    return Unstructured(value)


def _freeze_members(members: JsonObject) -> None:
    # Members are replaced while iterating: legal, since no key is added. Frozen ones are met again and left
    # alone.
    for name, member in members.items():
        kind = type(member)
        if kind is dict:
            _freeze_members(member)
            members[name] = FrozenDict(member)
        elif kind is list:
            members[name] = _freeze_list(member)


def _freeze_list(items: list[Any]) -> FrozenList:
    frozen: list[Any] = []
    for item in items:
        kind = type(item)
        if kind is dict:
            _freeze_members(item)
            frozen.append(FrozenDict(item))
        elif kind is list:
            frozen.append(_freeze_list(item))
        else:
            frozen.append(item)
    return FrozenList(frozen)


@overload
def thaw(value: FrozenDict) -> JsonObject: ...
@overload
def thaw(value: FrozenList) -> list[Any]: ...
@overload
def thaw(value: Any) -> Any: ...
def thaw(value: Any) -> Any:
    """A private, plain, deep copy of a JSON value, frozen or not."""
    if isinstance(value, dict):
        return {
            name: thaw(member) if isinstance(member, (dict, list)) else member
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [thaw(item) if isinstance(item, (dict, list)) else item for item in value]
    return value
