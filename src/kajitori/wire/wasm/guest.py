"""What protocols ask of whoever runs a guest: its memory, and calling its functions."""

from typing import Protocol

__all__ = ["Guest", "GuestError", "Memory", "unsigned"]


class GuestError(Exception):
    """A guest that does not keep to its protocol, or says itself that it has failed; the text says how."""


class Memory(Protocol):
    """A guest's memory. Addresses are unsigned."""

    def read(self, start: int, size: int) -> bytes:
        """Raises: GuestError where the memory ends before."""
        ...

    def write(self, start: int, data: bytes) -> None:
        """Raises: GuestError where the memory ends before."""
        ...


class Guest(Protocol):
    """A guest that can be called."""

    @property
    def memory(self) -> Memory: ...

    def call(self, name: str, *arguments: int) -> int:
        """What an exported function gives; 0 of one that gives nothing. Raises: GuestError."""
        ...


def unsigned(number: int) -> int:
    """An address, which WebAssembly hands over as a signed number."""
    return number & 0xFFFFFFFF
