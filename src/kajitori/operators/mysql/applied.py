"""What the operator applied to an object before, read back from the object's managed fields.

Sits under `decide`, which applies an object again only when what it wants differs from what it applied last.
That keeps a settled cluster free of writes, and sees both what somebody else changed and what the operator no
longer wants.

Promises
    E1  `extract` gives the fields that the manager owns by apply, with their present values
    E2  `is_applied` is true only when applying again would change nothing that the manager owns
    E3  amounts are compared as amounts: `1024Mi` is `1Gi`

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from kajitori.apis import JsonObject
from kajitori.apis.mysql_v1beta2.quantities import quantity_or_none

__all__ = ["extract", "is_applied"]

_HOLDERS_OF_AMOUNTS = frozenset(("requests", "limits", "sizeLimit", "divisor"))


def is_applied(wanted: JsonObject, live: Mapping[str, Any] | None, manager: str) -> bool:
    """Whether the live object already is as an earlier apply of just this made it."""
    if live is None:
        return False
    applied = extract(live, manager)
    return applied is not None and _same(_without_identity(wanted), applied, amounts=False)


def extract(live: Mapping[str, Any], manager: str) -> JsonObject | None:
    """The fields of an object that a manager owns by server-side apply; None when it never applied.

    What tells objects apart (apiVersion, kind, name, namespace) is owned by nobody and left out.
    """
    for entry in live.get("metadata", {}).get("managedFields") or ():
        if (
            entry.get("manager") == manager
            and entry.get("operation") == "Apply"
            and not entry.get("subresource")
            and entry.get("apiVersion") == live.get("apiVersion")
        ):
            owned = _owned(live, entry.get("fieldsV1") or {})
            return dict(owned) if isinstance(owned, dict) else {}
    return None


def _owned(value: Any, fields: Mapping[str, Any]) -> Any:
    if not fields:
        return value  # a scalar, or something that has one owner as a whole
    if isinstance(value, dict):
        return {
            name[2:]: _owned(value[name[2:]], inner)
            for name, inner in fields.items()
            if name.startswith("f:") and name[2:] in value
        }
    if isinstance(value, list):
        return _owned_items(value, fields)
    return value


def _owned_items(items: list[Any], fields: Mapping[str, Any]) -> list[Any]:
    """In the order in which they stand, which is the order in which they were applied."""
    keys = [(msgspec.json.decode(name[2:]), inner) for name, inner in fields.items() if name.startswith("k:")]
    values = [msgspec.json.decode(name[2:]) for name in fields if name.startswith("v:")]
    owned: list[Any] = []
    for item in items:
        if isinstance(item, dict):
            for key, inner in keys:
                if all(item.get(name, _KEY_DEFAULTS.get(name)) == value for name, value in key.items()):
                    owned.append(_owned(item, inner))
                    break
        elif item in values:
            owned.append(item)
    return owned


_KEY_DEFAULTS = {"protocol": "TCP"}
"""Of members that tell list items apart, when an item leaves them out."""


def _without_identity(wanted: JsonObject) -> JsonObject:
    rest = {key: value for key, value in wanted.items() if key not in ("apiVersion", "kind")}
    metadata = {key: value for key, value in wanted["metadata"].items() if key not in ("name", "namespace")}
    return {**rest, "metadata": metadata}


def _same(wanted: Any, applied: Any, *, amounts: bool) -> bool:
    if isinstance(wanted, dict) and isinstance(applied, dict):
        for key in wanted.keys() | applied.keys():
            below = amounts or key in _HOLDERS_OF_AMOUNTS
            if not _same(wanted.get(key), applied.get(key), amounts=below):
                return False
        return True
    if isinstance(wanted, list) and isinstance(applied, list):
        return len(wanted) == len(applied) and all(
            _same(mine, theirs, amounts=amounts) for mine, theirs in zip(wanted, applied, strict=True)
        )
    if wanted == applied and isinstance(wanted, bool) == isinstance(applied, bool):
        return True
    if applied is None and wanted in ("", [], {}):
        return True  # the server leaves empty values out
    if amounts:
        amount = quantity_or_none(wanted)
        return amount is not None and amount == quantity_or_none(applied)
    return False
