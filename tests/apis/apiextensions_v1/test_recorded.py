"""The answers of a real API server about definitions and their objects, as far as our pure parts decide them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kajitori.apimachinery.errors import FieldError, invalid
from kajitori.apimachinery.structural import StructuralSchema
from kajitori.apis.apiextensions_v1 import (
    default_crd,
    initial_status,
    prepare_create,
    served_resources,
    validate_crd,
)

SCENARIOS = Path(__file__).resolve().parents[3].parent / "shared" / "conformance" / "scenarios"
NAMESPACE = "ns-1"
NOW = "2026-01-01T00:00:00Z"


def scenarios() -> Iterator[Any]:
    for name in ("crd.yaml", "errors.yaml", "discovery.yaml"):
        path = SCENARIOS / name
        if not path.exists():
            continue
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        text = path.read_text().replace("${NS}", NAMESPACE)
        for scenario in yaml.load(text, loader):
            if any("customresourcedefinitions" in step.get("request", "") for step in scenario["steps"]):
                yield pytest.param(scenario, id=scenario["name"])


class Server:
    """As much of an API server as it takes to decide creations."""

    def __init__(self) -> None:
        self.crds: dict[str, dict[str, Any]] = {}

    def create_crd(self, body: dict[str, Any], dry_run: bool) -> tuple[int, dict[str, Any], list[str]]:
        crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", **body}
        default_crd(crd)
        prepare_create(crd)
        name = crd["metadata"]["name"]
        errors = validate_crd(crd)
        if errors:
            return 422, refusal("CustomResourceDefinition", "apiextensions.k8s.io", name, errors), []
        if not dry_run:
            self.crds[name] = crd
            for each in self.crds.values():
                each["status"] = initial_status(each, list(self.crds.values()), NOW)
        return 201, crd, []

    def schema(self, group: str, version: str, plural: str) -> tuple[str, StructuralSchema] | None:
        crd = self.crds.get(f"{plural}.{group}")
        for each in served_resources(crd) if crd else []:
            if each.version == version:
                return each.kind, each.structural
        return None


def refusal(kind: str, group: str, name: str, errors: list[FieldError]) -> dict[str, Any]:
    status = invalid(kind, group, name, errors).to_status()
    causes = status["details"]["causes"]
    causes.sort(key=lambda cause: [cause.get(key, "") for key in ("field", "reason", "message")])
    found = re.match(r"(.* is invalid: )\[(.*)\]$", status["message"], re.DOTALL)
    if found:
        parts = dict.fromkeys(f"{cause['field']}: {cause['message']}" for cause in causes)
        status["message"] = found[1] + "[" + ", ".join(parts) + "]"
    return status


def create_object(
    kind: str, schema: StructuralSchema, group: str, version: str, body: dict[str, Any]
) -> tuple[int, dict[str, Any], list[str]]:
    coerced = schema.decode(body)
    if coerced.error is not None:
        told = f'{kind} in version "{version}" cannot be handled as a {kind}: {coerced.error}'
        return 400, {"code": 400, "message": told}, []
    errors = schema.validate(body)
    warnings = [f'299 - "unknown field \\"{each}\\""' for each in coerced.unknown]
    if errors:
        return 422, refusal(kind, group, body["metadata"]["name"], errors), warnings
    return 201, body, warnings


OBJECTS = re.compile(r"POST /apis/([^/]+)/([^/]+)/namespaces/[^/]+/([^/?]+)$")


@pytest.mark.parametrize("scenario", list(scenarios()))
def test_creations_are_answered_as_recorded(scenario: dict[str, Any]) -> None:
    server, compared = Server(), 0
    for step in scenario["steps"]:
        request, expected = step.get("request", ""), step.get("expect", {})
        found = OBJECTS.match(request)
        if request.startswith("POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions"):
            if step.get("user") or "body" not in step:
                continue
            answer = server.create_crd(step["body"], "dryRun" in request)
        elif found and (known := server.schema(found[1], found[2], found[3])) and "body" in step:
            answer = create_object(*known, found[1], found[2], step["body"])
        else:
            continue
        status, body, warnings = answer
        if "already exists" in str(expected):
            continue
        compared += 1
        assert status == expected["status"], (request, body.get("message"))
        check(expected.get("body") or {}, body)
        if "unknown field" in str(expected.get("warnings")):
            assert warnings == expected["warnings"]
    if not compared:
        pytest.skip("nothing in it that these parts decide")


def check(expected: dict[str, Any], body: dict[str, Any]) -> None:
    causes = expected.get("details.causes") or (expected.get("details") or {}).get("causes")
    if causes is not None:
        assert body["details"]["causes"] == causes
    if "message" in expected:
        assert body.get("message") == expected["message"]
    if "spec" in expected and expected["spec"] != "<absent>" and "metadata" not in expected:
        assert body.get("spec") == expected["spec"]
