"""The standard library of CEL: every operator and function that the language itself has.

    logic        && || ! ?: == !=, and what comprehensions stop by
    arithmetic   + - * / % and the sign
    comparison   < <= > >=
    collections  in, [], size
    conversions  bool() bytes() double() … type() and the names of types
    strings      contains, endsWith, matches, startsWith
    time         the getters of timestamps and durations
    costs        what those of them cost that cost more than one unit

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
from kajitori.apimachinery.cel.standard.costs import with_costs

__all__ = ["STANDARD"]

STANDARD = Library(
    "standard",
    functions=tuple(
        with_costs(each)
        for each in (
            *logic.FUNCTIONS,
            *arithmetic.FUNCTIONS,
            *comparison.FUNCTIONS,
            *collections.FUNCTIONS,
            *conversions.FUNCTIONS,
            *strings.FUNCTIONS,
            *time.FUNCTIONS,
        )
    ),
    constants=conversions.TYPES,
)
