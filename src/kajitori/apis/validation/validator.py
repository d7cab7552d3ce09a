"""The shape of the rules of one kind, as the modules of this package tell them.

A check appends what is wrong to a list; nothing appended means that the object may be stored.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.validation.checks import Errors

__all__ = ["CreateCheck", "UpdateCheck", "Validator", "only_new", "same_rules"]

CreateCheck = Callable[[JsonObject, Errors], None]
UpdateCheck = Callable[[JsonObject, JsonObject, str, Errors], None]
"""New object, old object, subresource (empty for the object itself), complaints."""


@dataclass(frozen=True, slots=True)
class Validator:
    """The rules of one kind. Objects come decoded and defaulted; metadata is checked elsewhere."""

    create: CreateCheck
    update: UpdateCheck


def same_rules(check: CreateCheck) -> Validator:
    """A kind whose changes are checked like new objects; a change of its status is not checked."""

    def update(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
        if not subresource:
            check(obj, errors)

    return Validator(check, update)


def only_new(check: CreateCheck) -> Validator:
    """A kind of whose changes nothing is asked here, because nothing that was checked may change."""

    def update(obj: JsonObject, old: JsonObject, subresource: str, errors: Errors) -> None:
        pass

    return Validator(check, update)
