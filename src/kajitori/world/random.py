"""What cannot be guessed: the one door to randomness.

Promises
    R1  `uuid4` is a random UUID of version 4 in lower-case text
    R2  `token` holds as many random bytes as asked, in URL-safe text without padding
    R3  `name_suffix` uses only the letters Kubernetes uses for generated names
    R4  `SeededRandom` says the same after the same seed; `SystemRandom` says what nobody can foresee

Source of R3: apimachinery/pkg/util/rand; generateName appends five such letters.
"""

import os
import random
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Protocol

__all__ = [
    "NAME_SUFFIX_ALPHABET",
    "NAME_SUFFIX_LENGTH",
    "SYSTEM_RANDOM",
    "Random",
    "SeededRandom",
    "SystemRandom",
]

NAME_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and no digits that look like one: no word is ever spelt by accident."""

NAME_SUFFIX_LENGTH = 5
"""As `metadata.generateName` appends."""

_UUIDS_AT_ONCE = 128
_VARIANTS = {digit: "89ab"[number % 4] for number, digit in enumerate("0123456789abcdef")}
_VERSION_MASK = ~((0xF << 76) | (0x3 << 62))
_VERSION_BITS = (0x4 << 76) | (0x2 << 62)


class Random(Protocol):
    """Names, tokens and jitter."""

    def uuid4(self) -> str:
        """`3f2b8f4e-0d0c-4a57-9f0e-6a1f3c1f0b9d`."""
        ...

    def token(self, size_bytes: int = 32) -> str:
        """A secret of `size_bytes` random bytes, safe in a URL."""
        ...

    def name_suffix(self, length: int = NAME_SUFFIX_LENGTH) -> str:
        """`x7k2p`: what is appended to a `generateName`."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """A number between the two: jitter."""
        ...


class _FromSource:
    """All of `Random` from one source of bits."""

    __slots__ = ("_bits", "_choices", "_uniform")

    def __init__(self, source: random.Random) -> None:
        self._bits: Callable[[int], int] = source.getrandbits
        self._choices = source.choices
        self._uniform = source.uniform

    def uuid4(self) -> str:
        text = f"{self._bits(128) & _VERSION_MASK | _VERSION_BITS:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def token(self, size_bytes: int = 32) -> str:
        raw = self._bits(size_bytes * 8).to_bytes(size_bytes, "big")
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    def name_suffix(self, length: int = NAME_SUFFIX_LENGTH) -> str:
        return "".join(self._choices(NAME_SUFFIX_ALPHABET, k=length))

    def uniform(self, low: float, high: float) -> float:
        return self._uniform(low, high)


class SystemRandom(_FromSource):
    """The operating system's randomness: fit for keys and tokens."""

    __slots__ = ("_digits",)

    def __init__(self) -> None:
        super().__init__(random.SystemRandom())
        self._digits: list[str] = []
        """For UUIDs, which are no secrets: asking the system for each would cost as much as all else about it."""

    def uuid4(self) -> str:
        if not self._digits:
            digits = os.urandom(16 * _UUIDS_AT_ONCE).hex()
            self._digits = [digits[start : start + 32] for start in range(0, len(digits), 32)]
        text = self._digits.pop()
        variant = _VARIANTS[text[16]]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


class SeededRandom(_FromSource):
    """Repeatable: for tests and simulation, never for secrets."""

    __slots__ = ()

    def __init__(self, seed: int) -> None:
        super().__init__(random.Random(seed))


SYSTEM_RANDOM = SystemRandom()
