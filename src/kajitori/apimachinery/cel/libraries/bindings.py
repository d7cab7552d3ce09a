"""`cel.bind(name, value, body)`: an extension of cel-go that no environment of Kubernetes has.

Source: cel-go's ext/bindings.go.
"""

from collections.abc import Sequence

from kajitori.apimachinery.cel.functions import Library
from kajitori.apimachinery.cel.macros import UNUSED, Builder, Macro, MacroError
from kajitori.apimachinery.cel.tree import Expression, Ident

__all__ = ["bindings"]


def _bind(build: Builder, target: Expression | None, args: Sequence[Expression]) -> Expression | None:
    """A comprehension over nothing, whose accumulator is the bound name."""
    if not isinstance(target, Ident) or target.name != "cel":
        return None
    variable, value, body = args
    if not isinstance(variable, Ident):
        raise MacroError("cel.bind() variable names must be simple identifiers", variable)
    nothing = build.list()
    never = build.literal(False)
    same = build.ident(variable.name)
    return build.comprehension(nothing, UNUSED, value, never, same, body, accu_var=variable.name)


bindings = Library("cel.lib.ext.cel.bindings", macros=(Macro("bind", 3, True, _bind),))
