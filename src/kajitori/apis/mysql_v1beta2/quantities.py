"""Reading amounts such as `1Gi` where a manifest may hold anything."""

from kajitori.apimachinery.quantity import Quantity, QuantityError, parse_quantity

__all__ = ["quantity_or_none"]


def quantity_or_none(value: object) -> Quantity | None:
    """The amount that a JSON value means; None when it is missing or no quantity."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return parse_quantity(str(value))
    except QuantityError:
        return None
