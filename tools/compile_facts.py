"""Compiles the facts about a Kubernetes release into the resources that `kajitori.apis.facts` reads.

    python tools/compile_facts.py FACTS_DIR GOFACTS_JSON

FACTS_DIR holds discovery.json, discovery-legacy.json, paths.json and openapi-v3/*.json.gz as recorded from an
API server; GOFACTS_JSON is what tools/gofacts prints. Run again, it writes the same bytes. The OpenAPI documents that
are served are compiled by tools/compile_openapi.py.

Promises
    F1  every definition of every OpenAPI document is found by its name, one line of a file each
    F2  where two documents tell different kinds for one definition, the definition tells them all
"""

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "src/kajitori/apis/facts"
KINDS = "x-kubernetes-group-version-kind"


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    facts, gofacts = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    OUT.mkdir(parents=True, exist_ok=True)
    documents = dict(_documents(facts / "openapi-v3"))
    schemas = _schemas(documents)
    _write_definitions(schemas, gofacts)
    _write_discovery(facts, _kinds(schemas, gofacts))
    return 0


def _documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(folder.glob("*.json.gz")):
        yield (
            file.name.removesuffix(".json.gz").replace("__", "/"),
            json.loads(gzip.decompress(file.read_bytes())),
        )


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _schemas(documents: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    schemas: dict[str, dict[str, Any]] = {}
    for document in documents.values():
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            known = schemas.setdefault(name, schema)
            if known != schema:
                known[KINDS] = known[KINDS] + [each for each in schema[KINDS] if each not in known[KINDS]]
                rest, rest_known = dict(schema), dict(known)
                del rest[KINDS], rest_known[KINDS]
                assert rest == rest_known, f"two documents disagree about {name}"
    return schemas


def _write_definitions(schemas: dict[str, dict[str, Any]], gofacts: dict[str, Any]) -> None:
    """Line 1: name to [start, length] after line 1. Then a line each: {"schema": ..., "fields": ...}."""
    lines: list[bytes] = []
    index: dict[str, list[int]] = {}
    start = 0
    for name in sorted({*schemas, *gofacts["structs"]}):
        fields = gofacts["structs"].get(name)
        line = _compact({"schema": schemas.get(name, {}), "fields": fields}) + b"\n"
        index[name] = [start, len(line)]
        lines.append(line)
        start += len(line)
    (OUT / "definitions.jsonl").write_bytes(_compact(index) + b"\n" + b"".join(lines))


def _kinds(schemas: dict[str, dict[str, Any]], gofacts: dict[str, Any]) -> dict[str, str]:
    """`apps/v1/Deployment` to its definition; kinds without a schema stand in the package of their group."""
    kinds: dict[str, str] = {}
    packages: dict[str, str] = {}
    for name, schema in schemas.items():
        package, _, short = name.rpartition(".")
        for kind in schema.get(KINDS, ()):
            group_version = f"{kind['group']}/{kind['version']}".removeprefix("/")
            kinds[f"{group_version}/{kind['kind']}"] = name
            if len(schema[KINDS]) == 1:
                packages[package] = group_version
    for name in gofacts["structs"]:
        package, _, short = name.rpartition(".")
        if package in packages and short.endswith("Options"):
            kinds.setdefault(f"{packages[package]}/{short}", name)
    return dict(sorted(kinds.items()))


def _write_discovery(facts: Path, kinds: dict[str, str]) -> None:
    aggregated = json.loads((facts / "discovery.json").read_text())
    legacy = json.loads((facts / "discovery-legacy.json").read_text())
    paths = json.loads((facts / "paths.json").read_text())["paths"]
    (OUT / "discovery.json").write_bytes(
        _compact({**aggregated, "legacy": legacy, "paths": paths, "kinds": kinds})
    )


if __name__ == "__main__":
    sys.exit(main())
