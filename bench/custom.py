"""What the rules of a definition cost: custom resources of 200 fields, with 20 CEL rules and without any."""

import asyncio
import json
from typing import Any

from load import Load
from servers import Server

__all__ = ["custom"]

FIELDS = 200
PER_GROUP = 10
OBJECTS = 2_000
GROUP = "bench.example.com"

Schema = dict[str, Any]


def schema(with_rules: bool) -> Schema:
    """Twenty parts of ten fields; with rules one for each part, of the kinds that operators write."""
    parts = {f"part{number}": part(number if with_rules else None) for number in range(FIELDS // PER_GROUP)}
    spec = {"type": "object", "properties": parts}
    return {"type": "object", "properties": {"spec": spec}}


def part(number: int | None) -> Schema:
    """A part of the schema. Half of its fields are numbers, the others texts; one of each is a list and a map."""
    fields: dict[str, Schema] = {f"n{each}": {"type": "integer"} for each in range(4)}
    fields |= {f"s{each}": {"type": "string", "maxLength": 64} for each in range(4)}
    fields["l"] = {"type": "array", "maxItems": 16, "items": {"type": "string", "maxLength": 64}}
    fields["m"] = {
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {"type": "string", "maxLength": 64},
    }
    found: Schema = {"type": "object", "properties": fields}
    if number is not None:
        rules = (
            {"rule": "self.n0 <= self.n1", "message": "n0 must not exceed n1"},
            {"rule": "!has(self.s0) || self.s0.startsWith('a')"},
            {"rule": "self.l.all(each, each.size() > 0)"},
            {"rule": "self.n2 == oldSelf.n2", "message": "n2 never changes"},
            {"rule": "self.s1 in ['on', 'off'] && (self.s1 == 'off' || self.n3 > 0)"},
        )
        found["x-kubernetes-validations"] = [rules[number % len(rules)]]
    return found


def definition(plural: str, kind: str, with_rules: bool) -> bytes:
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema(with_rules)},
    }
    names = {"plural": plural, "kind": kind}
    spec = {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]}
    return json.dumps(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{GROUP}"},
            "spec": spec,
        }
    ).encode()


def instance(kind: str, name: str) -> bytes:
    """An object that sets every field."""
    one = {f"n{each}": each + 1 for each in range(4)} | {
        f"s{each}": "a value of some length" for each in range(4)
    }
    one |= {"s1": "on", "l": ["x", "y", "z"], "m": {"a": "b", "c": "d"}}
    spec = {f"part{number}": one for number in range(FIELDS // PER_GROUP)}
    body = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return json.dumps(body).encode()


async def custom(server: Server) -> dict[str, float]:
    """p50 of a create with one client, of both kinds of resource, in turns so that both see the same machine."""
    load = server.load
    kinds = {"plain": ("plains", "Plain", False), "ruled": ("ruleds", "Ruled", True)}
    for plural, kind, with_rules in kinds.values():
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        await load.once("POST", path, definition(plural, kind, with_rules))
        await _served(load, plural)
    await load.once("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": "custom"}}).encode())
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    rounds = 10
    for turn in range(rounds):
        for name, (plural, kind, _) in kinds.items():
            path = f"/apis/{GROUP}/v1/namespaces/custom/{plural}"
            requests = [
                load.request("POST", path, instance(kind, f"{turn}-{number}"))
                for number in range(OBJECTS // rounds)
            ]
            got = await load.run(1, len(requests), requests.__getitem__, 201)
            taken[name].append(got.p50_ms)
    plain, ruled = (sorted(each)[rounds // 2] for each in taken.values())
    return {"custom_plain": plain, "custom_ruled": ruled, "custom_ratio": ruled / plain}


async def _served(load: Load, plural: str) -> None:
    for _ in range(100):
        status, _ = await load.once("GET", f"/apis/{GROUP}/v1/{plural}?limit=1")
        if status == 200:
            return
        await asyncio.sleep(0.02)
    raise RuntimeError(f"{plural} are not served")
