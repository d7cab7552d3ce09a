"""The bytes of a WebAssembly module, as far as a host wants to know before it compiles them.

Promises
    M1  a module is read without being compiled, and what is none raises ModuleError

Source: https://webassembly.github.io/spec/core/binary/modules.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["ModuleError", "OddFunctions", "custom_section", "export_names", "odd_functions"]

_MAGIC = b"\0asm"
_VERSION_1 = b"\1\0\0\0"
_CUSTOM, _TYPES, _IMPORTS, _FUNCTIONS, _EXPORTS = 0, 1, 2, 3, 7
_A_FUNCTION, _A_TABLE, _A_MEMORY, _A_GLOBAL = 0, 1, 2, 3
_FUNCTION_TYPE = 0x60
_NUMBERS = frozenset((0x7F, 0x7E, 0x7D, 0x7C))
_OTHERS = frozenset((0x7B, 0x70, 0x6F))
"""Vectors, functions and foreign things."""
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


@dataclass(frozen=True, slots=True)
class OddFunctions:
    """Functions at a module's edge that take or give something else than numbers, or give several."""

    imported: frozenset[tuple[str, str]]
    exported: frozenset[str]


def odd_functions(module: bytes) -> OddFunctions:
    """Of a module without garbage collection and typed references, whose types are longer. Raises: ModuleError."""
    odd_types: list[bool] = []
    odd: list[bool] = []
    imported: set[tuple[str, str]] = set()
    exported: set[str] = set()
    try:
        for number, start, end in _sections(module):
            if number == _TYPES:
                odd_types.extend(_types(module, start, end))
            elif number == _IMPORTS:
                for where, name, index in _imports(module, start, end):
                    odd.append(odd_types[index])
                    if odd[-1]:
                        imported.add((where, name))
            elif number == _FUNCTIONS:
                count, position = _number(module, start, end)
                for _ in range(count):
                    index, position = _number(module, position, end)
                    odd.append(odd_types[index])
            elif number == _EXPORTS:
                count, position = _number(module, start, end)
                for _ in range(count):
                    name, position = _name(module, position, end)
                    kind = module[position]
                    index, position = _number(module, position + 1, end)
                    if kind == _A_FUNCTION and odd[index]:
                        exported.add(name)
    except IndexError:
        raise ModuleError("it names a type or a function that it does not have") from None
    return OddFunctions(frozenset(imported), frozenset(exported))


def _types(module: bytes, position: int, end: int) -> Iterator[bool]:
    """Whether each type of a function is an odd one."""
    count, position = _number(module, position, end)
    for _ in range(count):
        if module[position] != _FUNCTION_TYPE:
            raise ModuleError("it has types of something else than functions")
        taken, position = _number(module, position + 1, end)
        parameters = module[position : position + taken]
        given, position = _number(module, position + taken, end)
        results = module[position : position + given]
        position += given
        kinds = {*parameters, *results}
        if position > end or not kinds <= _NUMBERS | _OTHERS:
            raise ModuleError("it has a function's type that cannot be read")
        yield given > 1 or not kinds <= _NUMBERS


def _imports(module: bytes, position: int, end: int) -> Iterator[tuple[str, str, int]]:
    """The functions that a module imports, with the number of their type."""
    count, position = _number(module, position, end)
    for _ in range(count):
        where, position = _name(module, position, end)
        name, position = _name(module, position, end)
        kind = module[position]
        position += 1
        if kind == _A_FUNCTION:
            index, position = _number(module, position, end)
            yield where, name, index
        elif kind in (_A_TABLE, _A_MEMORY):
            position = _limits(module, position + (kind == _A_TABLE), end)
        elif kind == _A_GLOBAL:
            position += 2
        else:
            raise ModuleError("it imports what cannot be read")


def _limits(module: bytes, position: int, end: int) -> int:
    """Where the limits of a memory or a table end."""
    has_most = module[position] & 1
    _, position = _number(module, position + 1, end)
    return _number(module, position, end)[1] if has_most else position


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
