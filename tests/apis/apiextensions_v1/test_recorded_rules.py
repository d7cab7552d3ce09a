"""Random schemas with rules and random objects, judged as kube-apiserver 1.36.2 judged them.

`recorded_rules.json.gz` has schemas with all their rules and what kube-apiserver says of such a definition; the same
schemas with the rules that it takes, and what each of those may cost at most; and objects, some with what they were
before, with errors, warnings and what was left of the budget.
"""

import copy
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kajitori.apimachinery.rules import RuleCompiler, SchemaRules
from kajitori.apis.apiextensions_v1 import validate_crd

RECORDED = Path(__file__).with_name("recorded_rules.json.gz")
_SELF_TYPE = re.compile(r"selfType\d*")


@cache
def recorded() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(gzip.decompress(RECORDED.read_bytes()))
    return cases


def told(errors: Any) -> list[str]:
    return sorted(_SELF_TYPE.sub("selfType", str(each)) for each in errors)


def definition(schema: Mapping[str, Any]) -> dict[str, Any]:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    spec = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": names,
        "conversion": {"strategy": "None"},
        "versions": [version],
    }
    return {"metadata": {"name": "things.example.com"}, "spec": spec, "status": {"storedVersions": ["v1"]}}


def nodes(raw: Mapping[str, Any], path: str = "", is_root: bool = True) -> Iterator[tuple[str, Any, bool]]:
    yield path, raw, is_root or bool(raw.get("x-kubernetes-embedded-resource"))
    for name, each in (raw.get("properties") or {}).items():
        yield from nodes(each, f"{path}.properties[{name}]", False)
    for name in ("items", "additionalProperties"):
        if isinstance(raw.get(name), Mapping):
            yield from nodes(raw[name], f"{path}.{name}", False)


@pytest.mark.parametrize("number", range(len(recorded())))
def test_definitions(number: int) -> None:
    case = recorded()[number]
    assert told(validate_crd(definition(copy.deepcopy(case["whole"])))) == case["definition_errors"]


@pytest.mark.parametrize("number", range(len(recorded())))
def test_estimates(number: int) -> None:
    case = recorded()[number]
    found: list[tuple[str, int, int]] = []
    for path, raw, is_root in nodes(case["schema"]):
        rules = raw.get("x-kubernetes-validations") or ()
        for index, rule in enumerate(rules):
            expression = RuleCompiler(raw, is_root=is_root).compile(rule).expression
            found.append((path, index, 0 if expression is None else expression.cost_max))
    assert sorted(found) == sorted(map(tuple, case["costs"]))


@pytest.mark.parametrize("number", range(len(recorded())))
def test_objects(number: int) -> None:
    case = recorded()[number]
    rules = SchemaRules(case["schema"])
    for run in case["runs"]:
        warnings: list[str] = []
        errors, left = rules.run(copy.deepcopy(run["object"]), copy.deepcopy(run["old"]), warnings)
        assert (told(errors), sorted(warnings), left) == (run["errors"], run["warnings"], run["remaining"])
