"""The public conformance cases of cel-spec; see spec/README.md for where they are from."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.apimachinery.cel.environments import everything
from tests.apimachinery.cel.tagged import comparable, type_named, value_of

from kajitori.apimachinery.cel.errors import CelError
from kajitori.apimachinery.cel.functions import Library, Overload, function

FOLDER = Path(__file__).parent / "spec"


def cases() -> list[Any]:
    """All cases, named by file, section and test."""
    found = []
    for path in sorted(FOLDER.glob("*.jsonl")):
        if path.name == "left_out.jsonl":
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            found.append(pytest.param(case, id=f"{path.stem}/{case['section']}/{case['name']}"))
    return found


def declared(case: dict[str, Any]) -> Library:
    """The functions that a case declares, which have no implementation."""
    overloads: dict[str, list[Overload]] = {}
    for each in case.get("functions", ()):
        parameters = tuple(type_named(type_) for type_ in each["args"])
        one = Overload(
            each["id"], parameters, type_named(each["result"]), lambda *_: None, member=each["member"]
        )
        overloads.setdefault(each["name"], []).append(one)
    return Library("declared", tuple(function(name, *ways) for name, ways in overloads.items()))


@pytest.mark.parametrize("case", cases())
def test_conformance(case: dict[str, Any]) -> None:
    expected = case.get("kubernetes") or {
        name: case[name] for name in ("value", "type", "error") if name in case
    }
    environment = everything(macros=not case.get("disable_macros")).extend(
        variables={name: type_named(type_) for name, type_ in case.get("declare", {}).items()},
        libraries=[declared(case)] if "functions" in case else [],
        container=case.get("container"),
    )
    variables = {name: value_of(value) for name, value in case.get("variables", {}).items()}
    checked = not case.get("disable_check")
    if "error" in expected:
        with pytest.raises(CelError):
            environment.compile(case["expr"], checked=checked).evaluate(variables)
        return
    made = environment.compile(case["expr"], checked=checked)
    if "type" in expected:
        assert str(made.type) == expected["type"]
    if "value" in expected and not case.get("check_only"):
        assert comparable(made.evaluate(variables)) == comparable(value_of(expected["value"]))
