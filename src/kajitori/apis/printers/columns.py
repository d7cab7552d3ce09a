"""The column definitions of the built-in kinds.

They come from `facts/tables.json`; the descriptions are ours, because the facts have no prose.

Promises
    C1  name, type, format and priority of each column are those of Kubernetes 1.36
    C2  a kind without columns of its own has the default ones: Name, Created At
"""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

__all__ = ["column", "columns", "has_own_columns"]

_FACTS = Path(__file__).parent.parent / "facts" / "tables.json"

_DESCRIPTIONS = {
    "Name": "The name of the object, unique among its kind in its namespace.",
    "Age": "How long ago the object was created.",
    "Created At": "When the object was created.",
    "Status": "What the object is doing, in a word.",
    "Ready": "How many of the desired parts are ready.",
    "Restarts": "How often containers were restarted, and how long ago the last time was.",
    "IP": "The address of the pod.",
    "Node": "The node it is assigned to.",
    "Nominated Node": "The node on which others are being preempted for it.",
    "Readiness Gates": "How many of its readiness gates hold.",
    "Containers": "The names of the containers in the template.",
    "Images": "The images of the containers in the template.",
    "Selector": "Which pods it selects.",
    "Desired": "How many replicas it should have.",
    "Current": "How many replicas it has.",
    "Up-to-date": "How many replicas have the newest template.",
    "Available": "How many replicas are available, or whether it is.",
    "Completions": "How many pods succeeded, of how many.",
    "Duration": "How long it ran, or has been running.",
    "Schedule": "When it runs, in cron's language.",
    "Suspend": "Whether it is suspended.",
    "Active": "How many of its jobs are running.",
    "Last Schedule": "How long ago it ran.",
    "Type": "Its type.",
    "Cluster-IP": "The address inside the cluster.",
    "External-IP": "The addresses outside the cluster.",
    "Port(s)": "Its ports and protocols.",
    "Endpoints": "The addresses behind it.",
    "Roles": "The roles of the node.",
    "Version": "The version of the node's agent.",
    "Capacity": "How much it holds.",
    "Access Modes": "How it may be mounted.",
    "StorageClass": "The class of its storage.",
    "Data": "How many entries it has.",
    "Last Seen": "How long ago it was observed.",
    "Reason": "Why, in a word.",
    "Object": "What it is about.",
    "Message": "Why, in a sentence.",
}


def column(
    name: str, type: str, format: str = "", priority: int = 0, description: str = ""
) -> dict[str, Any]:
    """One TableColumnDefinition."""
    return {
        "name": name,
        "type": type,
        "format": format,
        "description": description or _DESCRIPTIONS.get(name, ""),
        "priority": priority,
    }


@cache
def _facts() -> dict[str, list[tuple[str, str, str, int]]]:
    return msgspec.json.decode(_FACTS.read_bytes(), type=dict[str, list[tuple[str, str, str, int]]])


_DEFAULT = [("Name", "string", "name", 0), ("Created At", "date", "", 0)]


def has_own_columns(group: str, version: str, resource: str) -> bool:
    """Whether Kubernetes prints this kind in a way of its own."""
    return f"{group}/{version}/{resource}".removeprefix("/") in _facts()


def columns(group: str, version: str, resource: str) -> list[dict[str, Any]]:
    """The TableColumnDefinitions of a resource (`apps`, `v1`, `deployments`)."""
    found = _facts().get(f"{group}/{version}/{resource}".removeprefix("/"), _DEFAULT)
    return [column(*each) for each in found]
