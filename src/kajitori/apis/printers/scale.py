"""What `kubectl get --subresource=scale` shows.

Promises
    S1  a Scale shows how many replicas are wanted, and how many there are
    S2  the columns are those of the kind that is scaled: built-in kinds and custom ones differ a little

Source: kubernetes/pkg/printers/internalversion; apiextensions-apiserver's customresource_handler.
"""

from functools import cache
from typing import Any

from kajitori.apimachinery.kind import JsonObject

from .columns import column
from .custom import custom_printer
from .table import Printer
from .texts import age_of, member, name_of

__all__ = ["scale_printer"]

_CUSTOM = (
    {
        "name": "Desired",
        "type": "integer",
        "jsonPath": ".spec.replicas",
        "description": "Number of desired replicas",
    },
    {
        "name": "Available",
        "type": "integer",
        "jsonPath": ".status.replicas",
        "description": "Number of actual replicas",
    },
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
)


@cache
def scale_printer(*, custom: bool) -> Printer:
    """What prints the Scales of a custom kind, or of a built-in one."""
    if custom:
        return custom_printer(_CUSTOM)
    columns = [
        column("Name", "string"),
        column("Desired", "integer"),
        column("Available", "integer"),
        column("Age", "string"),
    ]
    return Printer(columns, _cells)


def _cells(scale: JsonObject, now: float) -> list[Any]:
    counts = (member(scale, each, "replicas") or 0 for each in ("spec", "status"))
    return [name_of(scale), *counts, age_of(scale, now)]
