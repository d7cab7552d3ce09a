"""Compiles the recorded column definitions of Kubernetes' tables into the resource that the package reads.

    python tools/compile_tables.py ../shared/kubernetes-1.36/tables.json

One line per resource: `"apps/v1/deployments":[["Name","string","name",0], …]`, a column being its name, type,
format and priority. Resources whose columns are the default ones (Name, Created At) are left out.
"""

import argparse
import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "src" / "kajitori" / "apis" / "facts" / "tables.json"
DEFAULT = [["Name", "string", "name", 0], ["Created At", "date", "", 0]]


def compiled(tables: dict[str, dict[str, Any]]) -> str:
    lines: list[str] = []
    for resource in sorted(tables):
        columns = [
            [column["name"], column["type"], column["format"], column["priority"]]
            for column in tables[resource]["columns"]
        ]
        if columns != DEFAULT:
            lines.append(f"{json.dumps(resource)}:{json.dumps(columns, separators=(',', ':'))}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path, help="tables.json of the recorded facts")
    parser.add_argument("--target", type=Path, default=TARGET)
    arguments = parser.parse_args()
    arguments.target.write_text(compiled(json.loads(arguments.source.read_text())))


if __name__ == "__main__":
    main()
