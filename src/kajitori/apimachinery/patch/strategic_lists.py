"""Lists in strategic merge patches: merging by key, directives of single items, and the order of the result.

Sits under `strategic`, which finds out what the schema says of a list.

Promises
    L1  items of the result keep the patch's order among themselves, the others the server's
    L2  every item of a list that merges by key has that key, or the patch is refused

Source: apimachinery's util/strategicpatch.
"""

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from kajitori.apimachinery.errors import ApiError, Invalid
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.patch.go_text import go_name, go_text

__all__ = [
    "DIRECTIVE",
    "ORDER_PREFIX",
    "bad_argument",
    "check_order",
    "merge_list",
    "one_element_type",
    "ordered",
    "partition",
    "without_directives",
    "without_nulls",
]

DIRECTIVE = "$patch"
ORDER_PREFIX = "$setElementOrder"
_REJECTED = "the server rejected our request due to an error in our request"

MergeItem = Callable[[JsonObject, JsonObject], JsonObject]


def merge_list(
    original: list[Any], patch: list[Any], merge_key: str, *, deletes: bool, merge_item: MergeItem
) -> list[Any]:
    """A list of merge strategy with the patch's items merged in.

    `deletes`: the patch lists primitives to take away.
    """
    if not original and not patch:
        return original
    if one_element_type(original, patch) is not dict:
        if deletes:
            return [each for each in original if not _contains(patch, each)]
        merged = _distinct([*original, *patch])
        return ordered(*partition(merged, patch, merge_key), patch, original, "", keyed=False)
    if not merge_key:
        raise ApiError("cannot merge lists without merge key for type struct")
    original, patch = _apply_item_directives(original, patch, merge_key)
    merged = list(original)
    for item in patch:
        wanted = _key_of(item, merge_key)
        at = _find(merged, merge_key, wanted)
        if at < 0:
            merged.append(item)
        else:
            merged[at] = merge_item(merged[at], item)
    return ordered(*partition(merged, patch, merge_key), patch, original, merge_key, keyed=True)


def _apply_item_directives(
    original: list[Any], patch: list[Any], merge_key: str
) -> tuple[list[Any], list[Any]]:
    """Deletes and replaces as single items of the patch say; gives the patch without those items."""
    plain: list[Any] = []
    replace = False
    for item in patch:
        directive = item.get(DIRECTIVE)
        if DIRECTIVE not in item:
            plain.append(item)
        elif directive == "delete":
            gone = _key_of(item, merge_key)
            original = [each for each in original if not _same_key(each, merge_key, gone)]
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            raise ApiError("merging lists cannot yet be specified in the patch")
        else:
            raise ApiError(f"unknown patch type: {go_text(directive)} in map: {go_text(item)}")
    return (plain, []) if replace else (original, plain)


def check_order(patch: list[Any], order: list[Any], merge_key: str) -> None:
    """Refuses a patch whose items are not in the order, or in another one; deleted items do not count."""
    if not patch or not order:
        return
    kept = patch
    if merge_key:
        kept = [each for each in patch if _map_or_error(each).get(DIRECTIVE) != "delete"]
    at = 0
    for place in order:
        while at < len(kept) and isinstance(kept[at], dict) and DIRECTIVE in kept[at]:
            at += 1
        if at == len(kept):
            return
        if merge_key:
            same = _equal(
                _key_of(_map_or_error(kept[at]), merge_key), _key_of(_map_or_error(place), merge_key)
            )
        else:
            same = _equal(kept[at], place)
        at += same
    if at < len(kept):
        expected = f"{ORDER_PREFIX} list:\n{go_text(order)}\n"
        raise ApiError(f"The order in patch list:\n{go_text(patch)}\n doesn't match {expected}")


def partition(items: list[Any], by: list[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    """The items that are in `by`, and the others."""
    inside: list[Any] = []
    outside: list[Any] = []
    for item in items:
        if merge_key:
            found = _find(by, merge_key, _key_of(_map_or_error(item), merge_key)) >= 0
        else:
            found = _contains(by, item)
        (inside if found else outside).append(item)
    return inside, outside


def ordered(
    in_patch: list[Any],
    server_only: list[Any],
    patch_order: list[Any],
    server_order: list[Any],
    merge_key: str,
    *,
    keyed: bool,
) -> list[Any]:
    """Both lists in one, each in its own order; where both orders know two items the server's decides."""
    if keyed:
        for each in (*in_patch, *patch_order, *server_only, *server_order):
            _key_of(_map_or_error(each), merge_key)
    left = _sorted_by(server_only, server_order, merge_key)
    right = _sorted_by(in_patch, patch_order, merge_key)
    result: list[Any] = []
    for item in left:
        place = _place(server_order, item, merge_key)
        while right:
            other = _place(server_order, right[0], merge_key)
            if place >= 0 and other >= 0 and place < other:
                break
            result.append(right.pop(0))
        result.append(item)
    return result + right


def _sorted_by(items: list[Any], order: list[Any], merge_key: str) -> list[Any]:
    def compare(one: Any, other: Any) -> int:
        first, second = _place(order, one, merge_key), _place(order, other, merge_key)
        return first - second if first >= 0 and second >= 0 else 0

    return sorted(items, key=cmp_to_key(compare))


def _place(order: list[Any], item: Any, merge_key: str) -> int:
    if merge_key:
        return _find(order, merge_key, item.get(merge_key))
    return next((at for at, each in enumerate(order) if _equal(each, item)), -1)


def one_element_type(*lists: list[Any]) -> type:
    """The Python type all elements have.

    Raises: Invalid for lists of lists, ApiError for mixed or no elements.
    """
    elements = [each for one in lists for each in one]
    if not elements:
        raise ApiError("no elements in any of the given slices")
    if isinstance(elements[0], list):
        raise Invalid(_REJECTED, details={})
    first = go_name(elements[0])
    if any(go_name(each) != first for each in elements):
        raise ApiError(f"list element types are not identical: {go_text(list(lists))}")
    return type(elements[0])


def without_nulls(value: Any) -> Any:
    """The value without members that are null, at any depth."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value


def without_directives(value: Any) -> tuple[Any, bool]:
    """The value without maps that hold a `$patch`, and whether it is to be kept at all."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return None, False
        pairs = ((key, *without_directives(each)) for key, each in value.items())
        return {key: each for key, each, keep in pairs if keep}, True
    if isinstance(value, list):
        return [each for each, keep in map(without_directives, value) if keep], True
    return value, True


def bad_argument(expected: Any, actual: Any) -> ApiError:
    """`expected a []interface {}, but received a string`; of null Go prints that there is nothing to print."""
    received = "%!s(<nil>)" if actual is None else go_name(actual)
    return ApiError(f"expected a {go_name(expected)}, but received a {received}")


def _map_or_error(item: Any) -> JsonObject:
    if not isinstance(item, dict):
        raise bad_argument({}, item)
    return item


def _key_of(item: JsonObject, merge_key: str) -> Any:
    if merge_key not in item:
        raise ApiError(f"map: {go_text(item)} does not contain declared merge key: {merge_key}")
    return item[merge_key]


def _find(items: list[Any], merge_key: str, value: Any) -> int:
    for at, item in enumerate(items):
        if not isinstance(item, dict):
            raise ApiError(f"value for key {at} is not a map.")
        if _same_key(item, merge_key, value):
            return at
    return -1


def _same_key(item: JsonObject, merge_key: str, value: Any) -> bool:
    return merge_key in item and _equal(item[merge_key], value)


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _contains(items: list[Any], wanted: Any) -> bool:
    return any(_equal(each, wanted) for each in items)


def _distinct(items: list[Any]) -> list[Any]:
    """Each once. A repeated one is replaced by the last item, as Kubernetes does it."""
    items = list(items)
    at = 0
    while at < len(items) - 1:
        other = at + 1
        while other < len(items):
            if _equal(items[at], items[other]):
                items[other] = items[-1]
                items.pop()
            else:
                other += 1
        at += 1
    return items
