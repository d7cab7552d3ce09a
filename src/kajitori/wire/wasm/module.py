"""The bytes of a WebAssembly module, as far as a host wants to know before it compiles them.

Promises
    M1  a module is read without being compiled, and what is none raises ModuleError

Source: https://webassembly.github.io/spec/core/binary/modules.html
"""

from collections.abc import Iterator

__all__ = ["ModuleError", "custom_section", "export_names"]

_MAGIC = b"\0asm"
_VERSION_1 = b"\1\0\0\0"
_CUSTOM, _EXPORTS = 0, 7
_LEB_BYTES_MAX = 5


class ModuleError(ValueError):
    """Bytes that are no WebAssembly module."""


def custom_section(module: bytes, name: str) -> bytes | None:
    """The content of a custom section; None where there is none of this name. Raises: ModuleError."""
    for number, start, end in _sections(module):
        if number == _CUSTOM:
            found, position = _name(module, start, end)
            if found == name:
                return module[position:end]
    return None


def export_names(module: bytes) -> frozenset[str]:
    """What a module offers, by name. Raises: ModuleError."""
    for number, start, end in _sections(module):
        if number == _EXPORTS:
            count, position = _number(module, start, end)
            names: list[str] = []
            for _ in range(count):
                name, position = _name(module, position, end)
                _, position = _number(module, position + 1, end)
                names.append(name)
            return frozenset(names)
    return frozenset()


def _sections(module: bytes) -> Iterator[tuple[int, int, int]]:
    """The number of each section, and from where to where its content goes."""
    if module[:4] != _MAGIC:
        raise ModuleError("it does not begin as a WebAssembly module does")
    if module[4:8] != _VERSION_1:
        raise ModuleError("it is no WebAssembly module of version 1 (a component, perhaps)")
    position, length = 8, len(module)
    while position < length:
        number = module[position]
        size, start = _number(module, position + 1, length)
        position = start + size
        if position > length:
            raise ModuleError("it ends in the middle of a section")
        yield number, start, position


def _name(module: bytes, position: int, end: int) -> tuple[str, int]:
    size, start = _number(module, position, end)
    if start + size > end:
        raise ModuleError("a name goes over the end of its section")
    return module[start : start + size].decode("utf-8", "replace"), start + size


def _number(module: bytes, position: int, end: int) -> tuple[int, int]:
    """An unsigned LEB128 number of 32 bits, and where it ends."""
    value = 0
    for place in range(_LEB_BYTES_MAX):
        if position >= end:
            raise ModuleError("it ends in the middle of a number")
        byte = module[position]
        position += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, position
    raise ModuleError("a number is longer than 32 bits")
