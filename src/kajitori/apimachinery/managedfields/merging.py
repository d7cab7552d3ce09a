"""A configuration merged into an object: what the configuration says wins, the rest stays.

Promises
    G1  neither input is changed; unchanged parts are shared with the live object
    G2  no member or item of the live object is lost, but where a value changes its form
    G3  items of associative lists keep the live order; where the configuration orders shared items otherwise,
        its order wins

Source: structured-merge-diff's TypedValue.Merge.
"""

from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.elements import element_text
from kajitori.apimachinery.managedfields.types import ListType, MapType, Type, TypeProblem

__all__ = ["merge"]

_REPEATED: Any = object()


def merge(live: Any, config: Any, of: Type) -> Any:
    """`live` with `config` merged into it, both values of the type.

    Raises: TypeProblem when an item of an associative list has no keys, or `config` repeats one.
    """
    if live is config or live == config:
        return live
    was, now = type(live), type(config)
    if (now is dict or config is None) and of.map is not None and (was is dict or live is None):
        return _merge_maps(live, config, of.map)
    if (now is list or config is None) and of.list is not None and (was is list or live is None):
        return _merge_lists(live, config, of.list)
    return config


def _at(step: str, live: Any, config: Any, of: Type) -> Any:
    try:
        return merge(live, config, of)
    except TypeProblem as problem:
        problem.path = step + problem.path
        raise


def _merge_maps(live: JsonObject | None, config: JsonObject | None, of: MapType) -> Any:
    if of.atomic or not (live or config):
        return config
    result = dict(live or {})
    for name, value in (config or {}).items():
        if name in result:
            value = _at("." + name, result[name], value, of.member(name))
        result[name] = value
    return result


def _merge_lists(live: list[Any] | None, config: list[Any] | None, of: ListType) -> Any:
    if of.atomic or not (live or config):
        return config
    ours = _unique(config or [], of)
    theirs = [(_element(index, item, of), item) for index, item in enumerate(live or [])]
    present: dict[str, Any] = {}
    for element, item in theirs:
        # Repeated items are not merged with: the new one replaces them all.
        present[element] = _REPEATED if element in present else item
    merged = {
        element: _at(element_text(element), present[element], item, of.items)
        if present.get(element, _REPEATED) is not _REPEATED
        else item
        for element, item in ours.items()
    }
    shared = [element for element in ours if element in present]
    result: list[Any] = []
    waiting = list(ours)
    # Both lists side by side: items that only one has keep their place, shared ones come in our order.
    for element, item in theirs:
        if element not in ours:
            result.append(item)
            continue
        if not shared or element != shared[0]:
            continue  # It comes, or came, where our order puts it.
        while waiting and waiting[0] != element:
            result.append(merged[waiting.pop(0)])
        result.append(merged[waiting.pop(0)])
        shared.pop(0)
    return result + [merged[element] for element in waiting]


def _element(index: int, item: Any, of: ListType) -> str:
    try:
        return of.element(item)
    except TypeProblem as problem:
        raise TypeProblem(f"element {index}: {problem.message}") from None


def _unique(items: list[Any], of: ListType) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for index, item in enumerate(items):
        element = _element(index, item, of)
        if element in result:
            raise TypeProblem(f"duplicate entries for key {element_text(element)}")
        result[element] = item
    return result
