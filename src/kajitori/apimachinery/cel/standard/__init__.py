"""The standard library of CEL: every operator and function that the language itself has.

    logic        && || ! ?: == !=, and what comprehensions stop by
    arithmetic   + - * / % and the sign
    comparison   < <= > >=
    collections  in, [], size
    conversions  bool() bytes() double() … type() and the names of types
    strings      contains, endsWith, matches, startsWith
    time         the getters of timestamps and durations

Source: cel-go's common/stdlib, whose overload ids these are.
"""

from kajitori.apimachinery.cel.functions import Library
from kajitori.apimachinery.cel.standard import (
    arithmetic,
    collections,
    comparison,
    conversions,
    logic,
    strings,
    time,
)

__all__ = ["STANDARD"]

STANDARD = Library(
    "standard",
    functions=(
        *logic.FUNCTIONS,
        *arithmetic.FUNCTIONS,
        *comparison.FUNCTIONS,
        *collections.FUNCTIONS,
        *conversions.FUNCTIONS,
        *strings.FUNCTIONS,
        *time.FUNCTIONS,
    ),
    constants=conversions.TYPES,
)
