"""Amounts of resources: `100m`, `1.5Gi`, `12e6`.

Sits under defaulting (what a sent quantity looks like when shown again), quota, scheduling and autoscaling.

Promises
    Q1  a text is accepted exactly when Kubernetes accepts it (but see EXPONENT_MAX), and shown as it shows it
    Q2  amounts are exact: no float is involved; what is finer than 1n is rounded up, once, on parsing
    Q3  comparing and adding never depends on how the amounts were written

Source: apimachinery's pkg/api/resource (ParseQuantity, CanonicalizeBytes, Add, Sub, Cmp).
"""

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = ["Quantity", "QuantityError", "QuantityFormat", "normal_quantity", "parse_quantity"]

EXPONENT_MAX = 1000
"""How far `1e1000` may go. Kubernetes has no bound, and two such amounts can keep it comparing for good."""
_TEXTS_MAX = 4096
"""How many parsed texts are remembered: a cluster's manifests say `100m` and `128Mi` over and over."""
_TEXT_CHARACTERS_MAX = 4096
"""Longer texts are refused; turning digits into a number takes time that grows with their square."""

_NANO = -9
_FAST_DIGITS_MAX = 18
"""Amounts of up to this many digits keep the text they were written in, if it is already canonical."""
_INT64_MAX = (1 << 63) - 1

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIXES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIXES = {exponent: suffix for suffix, exponent in _BINARY.items()}

_scan = re.compile(r"([+-]?)(0*)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)").fullmatch
_exponent_matches = re.compile("[eE]([-+]?[0-9]+)").fullmatch

_WRONG_FORMAT = r"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_WRONG_SUFFIX = "unable to parse quantity's suffix"


class QuantityError(ValueError):
    """A text that is no quantity; the message is Kubernetes' own."""


class QuantityFormat(Enum):
    """The family of suffixes that an amount is shown with."""

    DECIMAL_EXPONENT = "DecimalExponent"
    BINARY_SI = "BinarySI"
    DECIMAL_SI = "DecimalSI"


class Quantity:
    """An exact amount, `unscaled` times ten to the `scale`, and the family of suffixes it is shown with.

    Amounts are equal when they are the same amount, however written: `1` equals `1000m`.
    """

    __slots__ = ("_text", "format", "scale", "unscaled", "wide")

    def __init__(
        self,
        unscaled: int,
        scale: int = 0,
        *,
        format: QuantityFormat = QuantityFormat.DECIMAL_SI,
        text: str = "",
        wide: bool = False,
    ) -> None:
        """`text` is the canonical text when the caller knows it already."""
        self.unscaled = unscaled
        self.scale = scale
        self.format = format
        self.wide = wide
        """Kubernetes did not read the text into 64 bits, which it can do even with some small amounts (`0.5Gi`)."""
        self._text = text

    def __str__(self) -> str:
        if not self._text:
            self._text = self._canonical()
        return self._text

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"

    def _canonical(self) -> str:
        if not self.unscaled:
            return "0"
        if self.format is QuantityFormat.BINARY_SI and abs(self) >= Quantity(1024):
            if self.scale >= 0:
                return _binary(self.unscaled * 10**self.scale)
            whole, rest = divmod(self.unscaled, 10**-self.scale)
            if not rest:
                return _binary(whole)
        # A binary amount that is small or fractional is shown in decimal, so as to lose nothing.
        unscaled, exponent = self._reduced()
        unscaled, exponent = unscaled * 10 ** (exponent % 3), exponent - exponent % 3
        if self.format is QuantityFormat.DECIMAL_EXPONENT:
            return f"{unscaled}e{exponent}" if exponent else str(unscaled)
        # Beyond 10**18 Kubernetes has no suffix and shows none.
        return f"{unscaled}{_DECIMAL_SUFFIXES.get(exponent, '')}"

    def as_fraction(self) -> "Fraction":
        """The amount itself."""
        from fractions import Fraction  # Brings decimal along, which a process may never need.

        return Fraction(self.unscaled) * Fraction(10) ** self.scale

    def value(self) -> int:
        """The whole units, rounded away from zero."""
        return self.scaled_value(0)

    def milli_value(self) -> int:
        """The thousandths, rounded away from zero."""
        return self.scaled_value(-3)

    def scaled_value(self, scale: int) -> int:
        """How often ten to the `scale` fits, rounded away from zero."""
        shift = self.scale - scale
        if shift >= 0:
            return int(self.unscaled * 10**shift)
        return _divided_up(self.unscaled, 10**-shift)

    def _aligned(self, other: "Quantity") -> tuple[int, int, int]:
        """Both unscaled values at the smaller of the two scales, and that scale."""
        scale = self.scale
        if scale == other.scale:  # as nearly always
            return self.unscaled, other.unscaled, scale
        scale = min(scale, other.scale)
        return self.unscaled * 10 ** (self.scale - scale), other.unscaled * 10 ** (other.scale - scale), scale

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        mine, theirs, _ = self._aligned(other)
        return bool(mine == theirs)

    def __lt__(self, other: "Quantity") -> bool:
        mine, theirs, _ = self._aligned(other)
        return bool(mine < theirs)

    def __le__(self, other: "Quantity") -> bool:
        return not other < self

    def __gt__(self, other: "Quantity") -> bool:
        return other < self

    def __ge__(self, other: "Quantity") -> bool:
        return not self < other

    def __hash__(self) -> int:
        return hash(self._reduced())

    def _reduced(self) -> tuple[int, int]:
        """Unscaled value and scale, with no factor of ten left in the value: one pair for each amount."""
        unscaled, scale = self.unscaled, self.scale
        if not unscaled:
            return 0, 0
        while not unscaled % 10:
            unscaled //= 10
            scale += 1
        return unscaled, scale

    def __bool__(self) -> bool:
        return bool(self.unscaled)

    def __neg__(self) -> "Quantity":
        return Quantity(-self.unscaled, self.scale, format=self.format)

    def __abs__(self) -> "Quantity":
        return -self if self.unscaled < 0 else self

    def __add__(self, other: "Quantity") -> "Quantity":
        """The sum, shown like the left amount; like the right one when the left is zero."""
        mine, theirs, scale = self._aligned(other)
        return Quantity(mine + theirs, scale, format=self.format if self.unscaled else other.format)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return self + -other

    def __mul__(self, factor: int) -> "Quantity":
        return Quantity(self.unscaled * factor, self.scale, format=self.format)

    __rmul__ = __mul__


def _binary(whole: int) -> str:
    exponent = 0
    while not whole % 1024:
        whole //= 1024
        exponent += 10
    return f"{whole}{_BINARY_SUFFIXES.get(exponent, '')}"


def _divided_up(number: int, divisor: int) -> int:
    """The quotient, rounded away from zero."""
    return -(-number // divisor) if number >= 0 else number // divisor


@lru_cache(maxsize=_TEXTS_MAX)
def parse_quantity(text: str | int) -> Quantity:
    """The amount that a text says, or a bare number.

    Raises: QuantityError.
    """
    if not isinstance(text, str):
        text = str(text)
    scanned = _scan(text) if text and len(text) <= _TEXT_CHARACTERS_MAX else None
    if scanned is None:
        raise QuantityError(_WRONG_FORMAT)
    sign, _, whole, fraction, suffix = scanned.groups("")
    base, exponent, format = _interpreted(suffix)
    digits = (whole or "0") + fraction
    sized = int(digits)
    kept = _kept_text(text, whole or "0", fraction, (base, exponent))
    if base == 2:
        sized <<= exponent
        exponent = 0
    scale = exponent - len(fraction)
    if kept is None:
        # The exact road: round up to the smallest amount there is, and cap binary amounts.
        sized, scale = _rounded(sized, scale)
        if base == 2:
            sized, scale, format = _bounded(sized, scale)
    amount = -sized if sign == "-" else sized
    return Quantity(amount, scale, format=format, text=kept or "", wide=kept is None)


def _interpreted(suffix: str) -> tuple[int, int, QuantityFormat]:
    """Base, exponent and format of a suffix."""
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], QuantityFormat.DECIMAL_SI
    if suffix in _BINARY:
        return 2, _BINARY[suffix], QuantityFormat.BINARY_SI
    found = _exponent_matches(suffix)
    if found is None or len(found[1]) > 10 or int(found[1]) > EXPONENT_MAX:
        raise QuantityError(_WRONG_SUFFIX)
    return 10, int(found[1]), QuantityFormat.DECIMAL_EXPONENT


def _kept_text(text: str, whole: str, fraction: str, power: tuple[int, int]) -> str | None:
    """The text itself when Kubernetes shows it again as it stands, "" when it works the text out anew.

    None: the amount is too long or too fine for 64 bits, and takes the exact road.
    """
    base, exponent = power
    digits = whole + fraction
    if base == 2:
        if fraction or len(whole) > 14 - exponent * 3 // 10 or int(whole) << exponent > _INT64_MAX:
            return None
        return text if int(whole) & 7 else ""
    scale = exponent - len(fraction)
    if len(digits) > _FAST_DIGITS_MAX or scale < _NANO:
        return None
    return text if scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0" else ""


def _rounded(sized: int, scale: int) -> tuple[int, int]:
    if not sized or scale >= _NANO:
        return sized, scale
    if _NANO - scale > _TEXT_CHARACTERS_MAX:  # Finer than any text has digits: the smallest amount.
        return 1, _NANO
    return _divided_up(sized, 10 ** (_NANO - scale)), _NANO


def _bounded(sized: int, scale: int) -> tuple[int, int, QuantityFormat]:
    """A binary amount, at most 2**63-1; below one it becomes decimal."""
    unit = 10**-scale
    if sized > _INT64_MAX * unit:
        return _INT64_MAX, 0, QuantityFormat.BINARY_SI
    small = 0 < sized < unit
    return sized, scale, QuantityFormat.DECIMAL_SI if small else QuantityFormat.BINARY_SI


def normal_quantity(value: object) -> str:
    """What a sent quantity, a text or a JSON number, becomes when it is shown again.

    Raises: QuantityError.
    """
    if isinstance(value, str):
        return str(parse_quantity(value.strip(" \t\r\n")))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(parse_quantity(repr(value)))
    raise QuantityError(_WRONG_FORMAT)
