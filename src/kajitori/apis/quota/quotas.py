"""A ResourceQuota, as far as it is compared with what objects use.

Source: api/core/v1 ResourceQuota; getScopeSelectorsFromQuota in apiserver's pkg/quota/v1/generic.
"""

from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity
from kajitori.apis.quota.quantities import amounts_of

__all__ = ["Quota", "Selector", "quota_of"]


class Selector(msgspec.Struct, frozen=True):
    """One scope: which objects a quota counts."""

    scope: str
    operator: str = "Exists"
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, said: JsonObject) -> "Selector":
        return cls(said.get("scopeName", ""), said.get("operator", ""), tuple(said.get("values") or ()))

    def selects(self, value: str | None) -> bool:
        """Whether a label with this value, or none, would be selected."""
        if self.operator == "In":
            return value in self.values
        if self.operator == "NotIn":
            return value is None or value not in self.values
        return (value is None) == (self.operator == "DoesNotExist")

    def __str__(self) -> str:
        return f"{{{self.scope} {self.operator} [{' '.join(self.values)}]}}"


class Quota(msgspec.Struct, frozen=True):
    """What is allowed, and what is used."""

    name: str
    hard: dict[str, Quantity]
    """As the status has it: what the controller has seen."""
    used: dict[str, Quantity]
    selectors: tuple[Selector, ...] = ()


def quota_of(obj: Any) -> Quota:
    """The quota in a ResourceQuota."""
    spec: JsonObject = obj.get("spec") or {}
    status: JsonObject = obj.get("status") or {}
    selectors = [Selector(each) for each in spec.get("scopes") or ()]
    selectors += [
        Selector.of(each) for each in (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    ]
    return Quota(
        obj["metadata"]["name"],
        amounts_of(status.get("hard")),
        amounts_of(status.get("used")),
        tuple(selectors),
    )
