"""Python source in the making: statements with their indentation, names, and what the straight code costs.

Sits under the emitter, which knows what to write.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

__all__ = ["BLOCKS_MAX", "CannotEmit", "PythonWriter"]

BLOCKS_MAX = 90
"""How deep blocks may be indented; Python takes a hundred."""


class CannotEmit(Exception):
    """The plan is to be interpreted."""


class PythonWriter:
    """The body of one function; `cost` is a local of it."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.lines: list[str] = []
        self.names = names
        """What the source refers to."""
        self._indent = 2
        self._cost = 0
        self._terms: list[str] = []
        self._count = 0

    def line(self, text: str) -> None:
        """One statement."""
        self.lines.append(" " * self._indent + text)

    def name(self, prefix: str = "t") -> str:
        """A name that nothing else has."""
        self._count += 1
        return f"{prefix}{self._count}"

    def constant(self, value: Any, prefix: str = "c") -> str:
        """An expression for a value known now."""
        if value is None or type(value) in (bool, str, int):
            return repr(value)
        return self.named(value, prefix)

    def named(self, value: Any, prefix: str = "c") -> str:
        """A name for a value known now."""
        name = self.name(prefix)
        self.names[name] = value
        return name

    def bound(self, expression: str) -> str:
        """The expression as something that may be written several times."""
        if (
            expression.isidentifier()
            or expression.isdecimal()
            or (expression[0] in "'\"" and _is_literal(expression))
        ):
            return expression
        name = self.name()
        self.line(f"{name} = {expression}")
        return name

    def pay(self, cost: int, *terms: str) -> None:
        """Add to what the straight code costs."""
        self._cost += cost
        self._terms += terms

    def flush(self) -> None:
        """Write what the straight code up to here costs."""
        parts = [str(self._cost)] if self._cost else []
        parts += self._terms
        if parts:
            self.line(f"cost += {' + '.join(parts)}")
        self._cost, self._terms = 0, []

    @contextmanager
    def block(self, head: str, *, flush: bool = True) -> Generator[None]:
        """What is written inside belongs to the head; its costs stay inside."""
        if self._indent >= BLOCKS_MAX:
            raise CannotEmit
        if flush:
            self.flush()
        outside = self._cost, self._terms
        self._cost, self._terms = 0, []
        self.line(head)
        self._indent += 1
        length = len(self.lines)
        yield
        self.flush()
        if len(self.lines) == length:
            self.line("pass")
        self._indent -= 1
        self._cost, self._terms = outside

    @property
    def owed(self) -> tuple[int, tuple[str, ...]]:
        """What the straight code up to here costs and has not been written."""
        return self._cost, tuple(self._terms)


def _is_literal(expression: str) -> bool:
    return len(expression) < 40 and expression[0] in "'\"" and expression[0] not in expression[1:-1]
