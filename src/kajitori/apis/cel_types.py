"""The types that expressions see of built-in kinds: from their OpenAPI definitions, as type checking has them.

At run time the objects of policies are dynamic; these types are for telling beforehand what cannot work.

Source: apiserver's pkg/admission/plugin/policy/validating/typechecking.go and pkg/cel/openapi/resolver.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kajitori.apimachinery.cel.schemas import declared_type
from kajitori.apimachinery.cel.types import Type
from kajitori.apis import facts

__all__ = ["built_in_type"]

TYPES_MAX = 64
"""How many kinds are remembered; each holds what was looked at of it."""


@lru_cache(maxsize=TYPES_MAX)
def built_in_type(group: str, version: str, kind: str, name: str = "") -> Type | None:
    """The type of a kind, an object type named like it, or `name`; `None` when the kind is no built-in one."""
    definition = facts.kind_definitions().get(f"{group}/{version}/{kind}".removeprefix("/"))
    if definition is None:
        return None
    return declared_type({"$ref": definition}, name or kind, root=True, resolve=_definition)


def _definition(reference: str) -> Mapping[str, Any]:
    return facts.definition(reference.rpartition("/")[2]).schema
