"""The types that expressions for mutations make values of: `Object{…}`, `Object.spec{…}` and `JSONPatch{…}`.

Known without any schema: an `Object` and what is below it take any field of any type. Whether the names fit where
they stand is looked at afterwards, by `misplaced_types`.

Source: apiserver's pkg/cel/mutation.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kajitori.apimachinery.cel.types import DYN, STRING, Kind, Type
from kajitori.apimachinery.cel.values import MapValue, Struct
from kajitori.apimachinery.decode import go_quote

__all__ = ["JSON_PATCH", "OBJECT", "misplaced_types", "mutation_types"]

OBJECT = "Object"


class _AnyField(Mapping[str, Type]):
    """Every field there could be, of type dyn; none to go over."""

    def __getitem__(self, name: str) -> Type:
        return DYN

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_ANY_FIELD = _AnyField()


class _PatchFields(Mapping[str, Type]):
    """The members of a patch. Kubernetes takes any other name too, with a type that nothing but dyn goes into."""

    _known: Mapping[str, Type] = {"op": STRING, "path": STRING, "from": STRING, "value": DYN}
    _other = Type(Kind.UINT, "")

    def __getitem__(self, name: str) -> Type:
        return self._known.get(name, self._other)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


JSON_PATCH = Type(Kind.OBJECT, "JSONPatch", fields=_PatchFields())
"""One operation of a JSON patch."""


class _MutationTypes:
    """Finds these types by their names."""

    heads = frozenset((OBJECT, JSON_PATCH.name))

    def __call__(self, name: str) -> Type | None:
        if name == JSON_PATCH.name:
            return JSON_PATCH
        if name == OBJECT or name.startswith(f"{OBJECT}."):
            return Type(Kind.OBJECT, name, fields=_ANY_FIELD)
        return None


mutation_types = _MutationTypes()
"""The resolver that an environment for mutations is extended with."""


def misplaced_types(value: Struct) -> list[str]:
    """What is wrong with the names in a value: below `Object`, the field `spec` may only hold an `Object.spec`."""
    return list(_misplaced(value, value.cel_type.name))


def _misplaced(value: Any, expected: str) -> Iterator[str]:
    if isinstance(value, Struct):
        name = value.cel_type.name
        if name != expected:
            yield (
                f"unexpected type name {go_quote(name)}, expected {go_quote(expected)}, "
                "which matches field name path from root Object type"
            )
        for field, member in value.items():
            yield from _misplaced(member, f"{expected}.{field}")
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _misplaced(member, expected)
    elif isinstance(value, dict | MapValue):
        for _, member in value.items():
            yield from _misplaced(member, expected)
