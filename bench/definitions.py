"""Definitions as a cloud provider of Crossplane has them: hundreds, with schemas of 10 to 50 KB each."""

import json
import random
from typing import Any

__all__ = ["definition", "instances"]

_WORDS = (
    "name",
    "resource",
    "provider",
    "region",
    "manages",
    "where",
    "otherwise",
    "default",
    "applies",
    "all",
)
GROUPS = 60


def definition(number: int) -> bytes:
    """The same for the same number."""
    made = random.Random(number)
    target = made.randint(10_000, 50_000)
    fields: dict[str, Any] = {}
    while len(json.dumps(fields)) < target // 2:  # half of it comes twice
        fields[f"field{len(fields)}"] = _field(made, 1)
    names = list(fields)
    spec = {
        "type": "object",
        "required": ["forProvider"],
        "properties": {
            "deletionPolicy": {"type": "string", "enum": ["Orphan", "Delete"], "default": "Delete"},
            "forProvider": {"type": "object", "properties": fields},
            "initProvider": {"type": "object", "properties": {name: fields[name] for name in names[::2]}},
        },
    }
    observed = {"type": "object", "properties": {name: fields[name] for name in names[1::2]}}
    status = {"type": "object", "properties": {"atProvider": observed}}
    schema = {
        "description": _sentence(made),
        "type": "object",
        "required": ["spec"],
        "properties": {"spec": spec, "status": status},
    }
    group, plural, kind = _group(number), f"managed{number}s", f"Managed{number}"
    columns = [
        {"jsonPath": ".status.conditions[?(@.type=='Ready')].status", "name": "READY", "type": "string"},
        {"jsonPath": ".metadata.creationTimestamp", "name": "AGE", "type": "date"},
    ]
    version = {
        "name": "v1beta1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": schema},
    }
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Cluster",
            "names": {"plural": plural, "kind": kind, "categories": ["crossplane", "managed"]},
            "versions": [version],
        },
    }
    return json.dumps(body).encode()


def instances(number: int) -> str:
    """The path of the objects of a definition."""
    return f"/apis/{_group(number)}/v1beta1/managed{number}s"


def _group(number: int) -> str:
    return f"service{number % GROUPS}.provider.example.org"


def _sentence(made: random.Random) -> str:
    return " ".join(made.choices(_WORDS, k=made.randint(6, 30))).capitalize() + "."


def _field(made: random.Random, depth: int) -> dict[str, Any]:
    chance = made.random()
    about = {"description": _sentence(made)}
    if depth < 4 and chance < 0.22:
        inner = {f"part{number}": _field(made, depth + 1) for number in range(made.randint(2, 6))}
        return {**about, "type": "object", "properties": inner}
    if depth < 4 and chance < 0.36:
        return {**about, "type": "array", "items": _field(made, depth + 1)}
    if chance < 0.42:
        return {**about, "type": "object", "additionalProperties": {"type": "string"}}
    if chance < 0.5:
        return {**about, "type": "string", "enum": ["A", "B", "Observe"], "default": "A"}
    if chance < 0.55:
        most = made.randint(9, 60)
        return {**about, "type": "string", "pattern": f"^[a-z0-9]([-a-z0-9]{{0,{most}}}[a-z0-9])?$"}
    return {**about, "type": made.choice(["string", "number", "integer", "boolean"])}
