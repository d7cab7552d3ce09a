"""What the fields of built-in kinds may say, one module per group; found here by kind.

Strategies ask: what may never change is theirs, what may not be said at all is here. A module tells its rules in
`VALIDATORS`, by resource; modules are imported when an object of their group is first checked.

Promises
    V1  a kind without rules has no complaints
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject, Kind

__all__ = ["Validator", "validate", "validate_update"]


class Validator(Protocol):
    """The rules of one kind. Objects come decoded and defaulted; metadata is checked elsewhere."""

    def validate(self, obj: JsonObject) -> list[FieldError]:
        """What is wrong with a new object."""
        ...

    def validate_update(self, obj: JsonObject, old: JsonObject, subresource: str) -> list[FieldError]:
        """What is wrong with a changed object."""
        ...


def validate(kind: Kind, obj: JsonObject) -> list[FieldError]:
    """Complaints about a new object of a built-in kind."""
    validator = _validators(kind.group).get(kind.plural)
    return validator.validate(obj) if validator else []


def validate_update(kind: Kind, obj: JsonObject, old: JsonObject, subresource: str) -> list[FieldError]:
    """Complaints about a change of an object of a built-in kind."""
    validator = _validators(kind.group).get(kind.plural)
    return validator.validate_update(obj, old, subresource) if validator else []


@cache
def _validators(group: str) -> Mapping[str, Validator]:
    """The rules of a group: `VALIDATORS` of the module that has the first part of its name."""
    name = f"{__name__}.{group.partition('.')[0] or 'core'}"
    if find_spec(name) is None:
        return {}
    found: Mapping[str, Validator] = import_module(name).VALIDATORS
    return found
