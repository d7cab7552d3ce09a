"""Calling the functions of libraries by the ids of their overloads, as programs do once these are chosen."""

from typing import Any

from kajitori.apimachinery.cel.functions import Library, Overload

__all__ = ["call", "overload"]


def overload(library: Library, id: str) -> Overload:
    """The overload of this id."""
    return next(each for one in library.functions for each in one.overloads if each.id == id)


def call(library: Library, id: str, *arguments: Any) -> Any:
    """What it gives for these values."""
    return overload(library, id).call(*arguments)
