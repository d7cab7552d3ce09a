"""Any schema is refused with complaints or works: it defaults, prunes, judges and is published, and none hangs."""

import random
from typing import Any

import msgspec
from tests.fuzz.inputs import LONG, guarded

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apis.apiextensions_v1 import default_crd, prepare_create, validate_crd
from kajitori.apis.apiextensions_v1.openapi import document, v2_definitions
from kajitori.apis.apiextensions_v1.openapi_shared import Shared
from kajitori.apis.apiextensions_v1.serving import served_resources
from kajitori.apis.apiextensions_v1.stored import StoredDefinition
from kajitori.apis.typed import decoder

COUNT = 300_000 if LONG else 600
"""Definitions."""
VALUES = 3
"""Objects for each definition that is taken."""

_decode = decoder("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition")
_NAMES = ("a", "b", "metadata", "apiVersion", "kind", "spec", "status", "é", "x-y")
_TYPES = ("object", "array", "string", "integer", "number", "boolean", "", "null")
_SCALARS: tuple[Any, ...] = (None, True, False, 0, 1, -1, 2**63, 1.5, 1e300, "", "a", "0", "(a+)+$", "é" * 9)
_PATTERNS = ("^a+$", "(a|aa)+$", "(", "[z-a]", "a{1001}", r"\pL{3}", "(?i)é", r"\C", "")
_FORMATS = ("date-time", "int32", "uuid", "ipv4", "byte", "duration", "nonsense", "k8s-long-name")


class Schemas:
    """Endless schemas: mostly well-formed, with keywords where they should not be."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def value(self, depth: int = 0) -> Any:
        chance = self.random
        if depth > 3 or chance.random() < 0.6:
            return chance.choice(_SCALARS)
        if chance.random() < 0.3:
            return [self.value(depth + 1) for _ in range(chance.randrange(4))]
        return {chance.choice(_NAMES): self.value(depth + 1) for _ in range(chance.randrange(4))}

    def schema(self, depth: int = 0) -> Any:
        chance = self.random
        if chance.random() < 0.01:
            return self.value()
        found: dict[str, Any] = {"type": chance.choice(_TYPES[:6] if chance.random() < 0.95 else _TYPES)}
        kind = found["type"]
        if kind == "object" and depth < 5:
            below = {chance.choice(_NAMES): self.schema(depth + 1) for _ in range(chance.randrange(4))}
            found["properties"] = below
            if chance.random() < 0.15:
                found = {"type": kind, "additionalProperties": self.schema(depth + 1)}
        if kind == "array":
            found["items"] = self.schema(depth + 1) if depth < 5 else {"type": "string"}
        for _ in range(chance.choice((0, 0, 0, 1, 1, 2, 4)) if depth < 7 else 0):
            name, value = self._keyword(depth)
            found[name] = value
        return found

    def _keyword(self, depth: int) -> tuple[str, Any]:
        chance = self.random
        judging = max(5, depth + 1)
        few = [self.schema(judging) for _ in range(chance.randrange(3))]
        flag = chance.random() < 0.9
        some = chance.sample(_NAMES, 2)
        keywords: tuple[tuple[str, Any], ...] = (
            ("default", self.value()),
            ("enum", [self.value(3) for _ in range(chance.randrange(4))]),
            ("pattern", chance.choice(_PATTERNS)),
            ("format", chance.choice(_FORMATS)),
            ("nullable", flag),
            ("required", some),
            ("minimum", chance.choice((0, -5, 1.5, 2**60))),
            ("maximum", chance.choice((0, 5, 1e300))),
            ("exclusiveMinimum", flag),
            ("multipleOf", chance.choice((0, 2, 0.1, 1e-300))),
            ("minLength", chance.choice((0, 3, -1))),
            ("maxLength", chance.choice((0, 3, 2**62))),
            ("maxItems", chance.choice((0, 2, -1))),
            ("minProperties", chance.choice((0, 2))),
            ("maxProperties", chance.choice((0, 1))),
            ("uniqueItems", flag),
            ("anyOf", few),
            ("oneOf", few),
            ("allOf", few),
            ("not", self.schema(judging)),
            ("additionalProperties", chance.choice((True, False, {"type": "string"}))),
            ("$ref", "#/definitions/a"),
            ("definitions", {"a": {"$ref": "#/definitions/a"}}),
            ("x-kubernetes-int-or-string", flag),
            ("x-kubernetes-embedded-resource", flag),
            ("x-kubernetes-preserve-unknown-fields", flag),
            ("x-kubernetes-list-type", chance.choice(("set", "map", "atomic", "other"))),
            ("x-kubernetes-list-map-keys", some),
            ("x-kubernetes-map-type", chance.choice(("granular", "atomic", "other"))),
            ("description", "é" * chance.randrange(9)),
        )
        return chance.choice(keywords)

    def root(self) -> Any:
        if self.random.random() < 0.05:
            return self.schema()
        return {"type": "object", "properties": {"spec": self.schema(), "status": self.schema()}}

    def definition(self) -> dict[str, Any]:
        chance = self.random
        versions = [
            {
                "name": name,
                "served": True,
                "storage": name == "v1",
                "schema": {"openAPIV3Schema": self.root()},
                "subresources": {"status": {}} if chance.random() < 0.5 else {},
                "additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".spec.a"}],
            }
            for name in chance.choice((["v1"], ["v1"], ["v1", "v2"]))
        ]
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com"},
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"plural": "things", "kind": "Thing"},
                "versions": versions,
            },
        }


def _works(crd: dict[str, Any], schemas: Schemas, shared: Shared) -> None:
    """Everything that is done with a definition that was taken."""
    condition = {"type": "Established", "status": "True"}
    crd["status"] = {"conditions": [condition], "acceptedNames": crd["spec"]["names"]}
    stored = StoredDefinition(msgspec.json.encode(crd))
    versions = served_resources(stored.crd, stored.schema)
    msgspec.json.encode(document(versions, shared))
    for each in versions:
        msgspec.json.encode(v2_definitions(each, shared))
        for _ in range(VALUES):
            body = {"spec": schemas.value(), "status": schemas.value(), "other": schemas.value(2)}
            obj = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, **body}
            if each.structural.decode(obj).error is not None:
                continue
            errors = each.structural.validate(obj)
            again = copy_json(obj)
            assert each.structural.decode(again).error is None and again == obj, (obj, again)
            assert each.structural.validate(obj, copy_json(obj)) == [] or errors
            each.structural.validate_status(obj, obj)


def test_any_schema_is_refused_or_works() -> None:
    schemas, shared = Schemas("schemas"), Shared()
    taken = 0
    with guarded() as watched:
        for _ in range(COUNT):
            crd = schemas.definition()
            watched.reads(crd)
            try:
                crd = _decode(crd, [])
            except DecodeError:
                continue
            default_crd(crd)
            prepare_create(crd)
            if not validate_crd(crd):
                taken += 1
                _works(crd, schemas, shared)
    assert taken > COUNT / 20
