"""The shapes of the built-in kinds as `Schema` trees, with what Go's encoder adds to them.

Sits between the facts and whatever looks inside an object: strategic merge, field ownership, validation.

Promises
    D1  one tree for the whole process: a definition is parsed when first asked for, then shared
    D2  `omit_zero` and `emitted` of every struct say what Go leaves out and what it always writes
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from kajitori.apimachinery.schema import Definitions, Schema
from kajitori.apis import facts

__all__ = ["built_in_definitions", "is_written_when_zero", "zero_value"]

_ZEROS: Mapping[str, Any] = {"string": "", "bool": False, "int32": 0, "int64": 0, "float64": 0}
_WRITTEN_ZEROS: Mapping[str, Any] = {
    # Types that write themselves.
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "0",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": 0,
}


def zero_value(word: str) -> Any:
    """What Go writes for the zero value of a type (see `facts.GoField`): None is written as null."""
    if word[0] in "*[{" or word in ("bytes", "any"):
        return None
    basic = word.partition("=")[0]
    if basic in _ZEROS:
        return _ZEROS[basic]
    fields = facts.definition(word).fields
    if fields is None:
        return _WRITTEN_ZEROS.get(word)
    return {each.name: zero_value(each.type) for each in fields if is_written_when_zero(each)}


def is_written_when_zero(field: facts.GoField) -> bool:
    """Whether Go writes the field of a zero struct: omitempty leaves no struct out."""
    if "z" in field.flags:
        return False
    return "e" not in field.flags or field.type.startswith("io.")


class _BuiltInDefinitions(Definitions):
    def __init__(self) -> None:
        super().__init__(lambda name: facts.definition(name).schema)
        self._told: set[str] = set()

    def get(self, name: str) -> Schema:
        schema = super().get(name)
        if name not in self._told:
            self._told.add(name)
            fields = facts.definition(name).fields or ()
            schema.emitted = {
                each.name: zero_value(each.type) for each in fields if is_written_when_zero(each)
            }
            schema.omit_zero = frozenset(
                each.name
                for each in fields
                if each.name not in schema.emitted and not each.type.startswith("*")
            )
        return schema


@cache
def built_in_definitions() -> Definitions:
    """The definitions of the built-in kinds, by OpenAPI name."""
    return _BuiltInDefinitions()
