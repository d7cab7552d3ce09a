"""Indexes of a Job's Pods as it writes them: `0,2-5`, in order.

Source: validateIndexesFormat and its parts in pkg/apis/batch/validation.
"""

import re

from kajitori.apimachinery.decode import go_quote

__all__ = ["index_problem", "overlap_problem"]

_integer_matches = re.compile("[+-]?[0-9]{1,18}").fullmatch


class _Problem(ValueError):
    """Why a text does not name indexes, in Kubernetes' words."""


def _interval(text: str, completions: int) -> tuple[int, int]:
    limits = text.split("-")
    if len(limits) > 2:
        raise _Problem(
            f"the fragment {go_quote(text)} violates the requirement that an index interval can have "
            "at most two parts separated by '-'"
        )
    numbers: list[int] = []
    for limit in limits:
        if not _integer_matches(limit):
            raise _Problem(f"cannot convert string to integer for index: {go_quote(limit)}")
        if int(limit) >= completions:
            raise _Problem(f"too large index: {go_quote(limit)}")
        numbers.append(int(limit))
    first, last = numbers[0], numbers[-1]
    if len(numbers) > 1 and first >= last:
        raise _Problem(f"non-increasing order, previous: {first}, current: {last}")
    return first, last


def index_problem(text: str, completions: int) -> tuple[int, str]:
    """How many indexes the text names, and what is wrong with it."""
    if not text:
        return 0, ""
    total, before = 0, None
    try:
        for fragment in text.split(","):
            first, last = _interval(fragment, completions)
            if before is not None and before >= first:
                return 0, f"non-increasing order, previous: {before}, current: {first}"
            total += last - first + 1
            before = last
    except _Problem as problem:
        return 0, str(problem)
    return total, ""


def _intervals(text: str, completions: int) -> list[tuple[int, int]]:
    """Those that can be understood; the others are told elsewhere."""
    found: list[tuple[int, int]] = []
    for fragment in text.split(",") if text else ():
        try:
            found.append(_interval(fragment, completions))
        except _Problem:
            continue
    return found


def overlap_problem(completed: str, failed: str, completions: int) -> str:
    """What two texts have in common, though an index is either completed or failed."""
    done, lost = _intervals(completed, completions), _intervals(failed, completions)
    while done and lost:
        (first, last), (lost_first, lost_last) = done[0], lost[0]
        if first <= lost_last and lost_first <= last:
            return f"failedIndexes and completedIndexes overlap at index: {max(first, lost_first)}"
        (done if first <= lost_first else lost).pop(0)
    return ""
