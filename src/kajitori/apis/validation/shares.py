"""Numbers that may be percentages, as in `maxUnavailable: 25%`.

Source: ValidatePositiveIntOrPercent and IsNotMoreThan100Percent in pkg/apis/apps/validation.
"""

import re

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.validation import regex_error
from kajitori.apis.validation.checks import Errors, check_not_negative

__all__ = ["check_at_most_all", "check_share", "share_amount"]

_percent_matches = re.compile("[0-9]+%").fullmatch
_NO_PERCENT = regex_error(
    "a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%"
)
_DIGITS_MAX = 19
"""Of a number that Go can hold; more digits mean more than all in any case."""


def check_share(value: int | str, path: str, errors: Errors) -> None:
    """A number or a percentage, not negative."""
    if isinstance(value, int):
        check_not_negative(value, path, errors)
    elif not _percent_matches(value):
        errors.append(FieldError.invalid(path, value, _NO_PERCENT))


def share_amount(value: int | str) -> int:
    """The number, or that of the percentage; 0 for what is neither."""
    if isinstance(value, int):
        return value
    if not _percent_matches(value):
        return 0
    return int(value[:-1].lstrip("0")[:_DIGITS_MAX] or "0")


def check_at_most_all(value: int | str, path: str, errors: Errors) -> None:
    """A percentage of at most 100; any number is fine."""
    if isinstance(value, str) and share_amount(value) > 100:
        errors.append(FieldError.invalid(path, value, "must not be greater than 100%"))
