"""Selecting and indexing: what `a.b`, `a[b]`, `a.?b` and `has(a.b)` find in any value.

Sits under the interpreter; generated code comes here when the quick way did not work.

Promises
    S1  in an object with properties null is as good as absent; in a map it is a value
    S2  asking for what is absent is `no such key` or `index out of bounds`, optionally nothing

Source: cel-go's interpreter/attributes.go (refQualify); apiserver's pkg/cel/common/valuesunstructured.go.
"""

from typing import Any

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.show import shown
from kajitori.apimachinery.cel.values import MISSING, MapValue, Struct, UInt, find, go_type, index_of

__all__ = ["probe", "qualify"]

_KEYS = frozenset((str, int, UInt, float, bool))


def qualify(holder: Any, key: Any, written: Any, *, declared: bool) -> Any:
    """The value at a key or position. `declared` when the holder is of a type with properties.

    Raises:
        EvaluationError: there is none.
    """
    if isinstance(holder, Struct):
        return holder.get(written)
    found = probe(holder, key, declared=declared)
    if found is not MISSING:
        return found
    if isinstance(holder, list | tuple):
        raise EvaluationError(f"index out of bounds: {shown(written)}")
    raise EvaluationError(f"no such key: {shown(written)}")


def probe(holder: Any, key: Any, *, declared: bool) -> Any:
    """The value at a key or position, or `MISSING`.

    Raises:
        EvaluationError: the holder is a list, and the key can be no position.
    """
    if type(key) not in _KEYS:
        raise EvaluationError(f"invalid qualifier type: {go_type(key)}")
    if isinstance(holder, dict | MapValue):
        found = find(holder, key)
        return MISSING if found is None and declared else found
    if isinstance(holder, list | tuple):
        position = index_of(key)
        return holder[position] if 0 <= position < len(holder) else MISSING
    return MISSING
