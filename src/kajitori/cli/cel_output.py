"""What `kajitori cel` prints: values, types and costs, and every part of an expression with what it came to."""

import base64
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from kajitori.apimachinery.cel.cost import UINT64_MAX, Cost
from kajitori.apimachinery.cel.explaining import Explained
from kajitori.apimachinery.cel.show import formatted
from kajitori.apimachinery.cel.times import format_duration, format_timestamp
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.cel.values import Duration, MapValue, Optional, Timestamp

__all__ = ["Outcome", "explanation_lines", "explanation_told", "json_told", "printed"]

_VALUE_WIDTH_MAX = 40
"""Longer values are cut off in an explanation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an expression for one object."""

    subject: str
    type: str
    estimate: Cost
    evaluated: bool = False
    value: Any = None
    error: str | None = None
    cost: int = 0
    explained: Explained | None = None


def printed(outcomes: Sequence[Outcome], output: str) -> Iterator[str]:
    """The lines of the answer; several objects are told one after the other."""
    if output == "text":
        for number, outcome in enumerate(outcomes):
            if number:
                yield ""
            if outcome.subject and len(outcomes) > 1:
                yield f"{outcome.subject}:"
            yield from _text(outcome)
        return
    told: Any = [_told(outcome) for outcome in outcomes]
    if len(outcomes) == 1:
        (told,) = told
    if output == "json":
        yield msgspec.json.format(msgspec.json.encode(told)).decode()
    else:
        text: str = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=1000)
        yield text.rstrip()


def _text(outcome: Outcome) -> Iterator[str]:
    rows = [("type", outcome.type), ("estimate", _between(outcome.estimate))]
    if outcome.error is not None:
        rows = [("error", outcome.error), *rows, ("cost", str(outcome.cost))]
    elif outcome.evaluated:
        rows = [("value", formatted(outcome.value)), *rows, ("cost", str(outcome.cost))]
    yield from (f"{name:<10}{text}" for name, text in rows)
    if outcome.explained is not None:
        yield ""
        yield from explanation_lines(outcome.explained)


def _between(cost: Cost) -> str:
    least, most = (("unlimited" if one >= UINT64_MAX else str(one)) for one in (cost.min, cost.max))
    return least if least == most else f"{least} to {most}"


# Explanations.


def explanation_lines(root: Explained) -> Iterator[str]:
    """A table of all parts of an expression, each with its cost and value."""
    rows = list(_rows(root, 0))
    width = max(len("VALUE"), *(len(value) for value, _, _ in rows))
    yield f"COST  {'VALUE':<{width}}  EXPRESSION"
    yield from (f"{cost:>4}  {value:<{width}}  {text}" for value, cost, text in rows)


def _rows(part: Explained, depth: int) -> Iterator[tuple[str, str, str]]:
    """Value, cost and text of it and all below it."""
    value, cost = "not evaluated", ""
    if part.error is not None:
        value, cost = f"error: {part.error}", str(part.cost)
    elif part.evaluated:
        value, cost = formatted(part.value), str(part.cost)
    if len(value) > _VALUE_WIDTH_MAX:
        value = f"{value[: _VALUE_WIDTH_MAX - 1]}…"
    if part.in_loop and part.evaluated:
        value += " (last)"
    yield value, cost, "  " * depth + part.text
    for below in part.parts:
        yield from _rows(below, depth + 1)


# JSON.


def _told(outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"object": outcome.subject} if outcome.subject else {}
    if outcome.error is not None:
        told["error"] = outcome.error
    elif outcome.evaluated:
        told["value"] = json_told(outcome.value)
    told["type"] = outcome.type
    told["estimatedCost"] = {"min": outcome.estimate.min, "max": outcome.estimate.max}
    if outcome.evaluated or outcome.error is not None:
        told["cost"] = outcome.cost
    if outcome.explained is not None:
        told["explanation"] = explanation_told(outcome.explained)
    return told


def explanation_told(part: Explained) -> dict[str, Any]:
    """The same for programs."""
    told: dict[str, Any] = {"expression": part.text, "evaluated": part.evaluated}
    if part.error is not None:
        told |= {"error": part.error, "cost": part.cost}
    elif part.evaluated:
        told |= {"value": json_told(part.value), "cost": part.cost}
    if part.in_loop:
        told["inLoop"] = True
    if part.parts:
        told["parts"] = [explanation_told(each) for each in part.parts]
    return told


def json_told(value: Any) -> Any:
    """A value as JSON has it; what JSON does not have, as text."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return int(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case bytes():
            return base64.b64encode(value).decode()
        case list() | tuple():
            return [json_told(each) for each in value]
        case Mapping() | MapValue():
            return {
                key if isinstance(key, str) else formatted(key): json_told(each)
                for key, each in value.items()
            }
        case Optional():
            return json_told(value.value) if value.present else None
        case Timestamp():
            return format_timestamp(value)
        case Duration():
            return format_duration(value)
        case Type():
            return value.name
        case _:
            return formatted(value)
