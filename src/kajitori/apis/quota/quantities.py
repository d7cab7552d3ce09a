"""Amounts of several resources at once.

Source: apiserver's pkg/quota/v1/resources.go.
"""

from collections.abc import Collection, Iterable, Mapping

from kajitori.apimachinery.quantity import Quantity, parse_quantity

__all__ = ["ONE", "ZERO", "Amounts", "add", "amounts_of", "largest", "less", "masked", "texts_of", "told"]

Amounts = Mapping[str, Quantity]

ZERO = Quantity(0)
ONE = Quantity(1)


def amounts_of(texts: Mapping[str, str] | None) -> dict[str, Quantity]:
    """The amounts that an object says."""
    return {name: parse_quantity(text) for name, text in texts.items()} if texts else {}


def texts_of(amounts: Amounts) -> dict[str, str]:
    """The amounts as an object says them, by name."""
    return {name: str(amounts[name]) for name in sorted(amounts)}


def add(one: Amounts, other: Amounts) -> dict[str, Quantity]:
    total = dict(one)
    for name, amount in other.items():
        total[name] = total[name] + amount if name in total else amount
    return total


def less(one: Amounts, other: Amounts) -> dict[str, Quantity]:
    """What of `one` is beyond `other`; nothing is below zero."""
    rest: dict[str, Quantity] = {}
    for name in {**one, **other}:
        left = one.get(name, ZERO) - other.get(name, ZERO)
        rest[name] = left if left > ZERO else ZERO
    return rest


def largest(parts: Iterable[Amounts]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for part in parts:
        for name, amount in part.items():
            if name not in found or amount > found[name]:
                found[name] = amount
    return found


def masked(amounts: Amounts, names: Collection[str]) -> dict[str, Quantity]:
    return {name: amount for name, amount in amounts.items() if name in names}


def told(amounts: Amounts) -> str:
    """`cpu=1,memory=1Gi`, by name."""
    return ",".join(f"{name}={amounts[name]}" for name in sorted(amounts))
