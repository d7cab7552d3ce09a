"""What the codec needs to know about messages; where it is written down is the caller's affair."""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol

__all__ = ["Field", "Shape", "Table"]


class Shape(Enum):
    """How often a field's value stands in the JSON."""

    SINGLE = ""
    REPEATED = "*"
    MAP = "%"
    """From texts to values of the field's type."""
    INLINE = "&"
    """The members of the field's message stand directly in the parent's JSON."""


class Field(NamedTuple):
    """One field of a message. `name` is the JSON key; `type` a scalar's name or a message's."""

    number: int
    name: str
    type: str
    shape: Shape


class Table(Protocol):
    """Messages by name and kinds by message."""

    def fields(self, message: str) -> Sequence[Field]:
        """The fields of a message.

        Raises: KeyError when there is no such message.
        """
        ...

    def message(self, api_version: str, kind: str) -> str | None:
        """The message of a kind, None when it has none."""
        ...
