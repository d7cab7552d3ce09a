"""Definitions that people publish, and objects of theirs, judged as kube-apiserver 1.36.2 judged them.

`published.json.gz` has definitions of the Gateway API, cert-manager, Cilium, the Prometheus operator, Karpenter and
MOCO, without their descriptions, each with objects that were accepted and objects that were refused, and why.
"""

import copy
import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kajitori.apimachinery.errors import FieldError, invalid
from kajitori.apimachinery.rules import SchemaRules
from kajitori.apimachinery.structural import StructuralSchema, has_rules
from kajitori.apis.apiextensions_v1 import default_crd, prepare_create, validate_crd

RECORDED = Path(__file__).with_name("published.json.gz")


@cache
def recorded() -> dict[str, Any]:
    cases = json.loads(gzip.decompress(RECORDED.read_bytes()))
    return {each["definition"]["metadata"]["name"]: each for each in cases}


@cache
def structural(name: str) -> StructuralSchema:
    raw = recorded()[name]["definition"]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return StructuralSchema(raw, rules=SchemaRules(raw) if has_rules(raw) else None)


def judged(name: str, value: dict[str, Any]) -> list[FieldError]:
    obj = copy.deepcopy(value)
    schema = structural(name)
    assert schema.decode(obj).error is None
    return schema.validate(obj)


@pytest.mark.parametrize("name", recorded())
def test_the_definition_is_accepted(name: str) -> None:
    crd = {"apiVersion": "apiextensions.k8s.io/v1", **copy.deepcopy(recorded()[name]["definition"])}
    default_crd(crd)
    prepare_create(crd)
    assert [str(each) for each in validate_crd(crd)] == []


@pytest.mark.parametrize("name", recorded())
def test_good_objects_are_accepted(name: str) -> None:
    for value in recorded()[name]["good"]:
        assert [str(each) for each in judged(name, value)] == []


@pytest.mark.parametrize("name", recorded())
def test_bad_objects_are_refused_for_the_same_reasons(name: str) -> None:
    for case in recorded()[name]["bad"]:
        answer = invalid("Kind", "group", "name", judged(name, case["object"]))
        assert sorted([each.reason, each.message, each.field] for each in answer.causes) == sorted(
            case["causes"]
        )
