"""Random expressions, right and wrong, as Kubernetes' own environments of several versions check them.

`checked.jsonl` is what cel-go 0.26 says in the environments of Kubernetes 1.36: a type, or issues with their places.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.apimachinery.cel.tagged import type_named

from kajitori.apimachinery.cel.admission import NAMESPACE, REQUEST
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import CompileError, Issue
from kajitori.apimachinery.cel.kubernetes import environments
from kajitori.apimachinery.cel.libraries.authorizer import AUTHORIZER
from kajitori.apimachinery.cel.libraries.quantity import QUANTITY
from kajitori.apimachinery.cel.libraries.semver import SEMVER
from kajitori.apimachinery.cel.libraries.urls import URL
from kajitori.apimachinery.cel.types import DURATION, TIMESTAMP, Type

RECORDED = [json.loads(line) for line in (Path(__file__).parent / "checked.jsonl").read_text().splitlines()]
NAMED = {each.name: each for each in (AUTHORIZER, NAMESPACE, QUANTITY, REQUEST, SEMVER, URL)}
NAMED |= {"duration": DURATION, "timestamp": TIMESTAMP}


def variables() -> dict[str, Type]:
    declared: dict[str, str] = RECORDED[0]["variables"]
    return {name: NAMED.get(text) or type_named(text) for name, text in declared.items()}


@cache
def environment(minor: int, stored: bool) -> Environment:
    both = environments(minor)
    chosen = both.stored if stored else both.new
    return chosen.extend(variables=variables(), types=[REQUEST, NAMESPACE])


def shown(text: str, issues: tuple[Issue, ...]) -> Iterator[str]:
    for issue in issues:
        before = text[: issue.offset]
        yield f"{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}: {issue.message}"


@pytest.mark.parametrize("minor", sorted({each["minor"] for each in RECORDED[1:]}))
def test_types_and_issues_are_those_of_kubernetes(minor: int) -> None:
    for recorded in RECORDED[1:]:
        if recorded["minor"] != minor:
            continue
        text = recorded["text"]
        found: dict[str, Any]
        try:
            checked = environment(minor, recorded.get("stored", False)).check(text)
        except CompileError as error:
            found = {"issues": list(shown(text, error.issues))}
        else:
            found = {"type": str(checked.type)}
        assert found == {name: recorded[name] for name in ("type", "issues") if name in recorded}, text
