"""Compiles the recorded field numbers of Kubernetes' messages into the resource that the package reads.

    python tools/compile_protobuf.py ../shared/kubernetes-1.36/protobuf.json

One line per message, so that a message is found and read without parsing the others:

    api.core.v1.PodSpec<TAB>1volumes*.Volume 2containers*.Container 7nodeSelector%string …

A field is its number, its JSON key, `=` (single), `*` (repeated), `%` (map from texts) or `&` (inline), and
its type: a scalar, or a message without the leading `k8s.io.` (`.Volume` in the same package). The first
lines, `@group<TAB>package`, say in which package the kinds of a group are.
"""

import argparse
import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "src" / "kajitori" / "apis" / "facts" / "protobuf.txt"
PREFIX = "k8s.io."
SCALARS = ("string", "bytes", "bool", "int32", "int64", "double")

# Groups whose package is not called like the first part of their name.
PACKAGES = {
    "": "api.core",
    "apiextensions.k8s.io": "apiextensions_apiserver.pkg.apis.apiextensions",
    "apiregistration.k8s.io": "kube_aggregator.pkg.apis.apiregistration",
    "internal.apiserver.k8s.io": "api.apiserverinternal",
    "meta.k8s.io": "apimachinery.pkg.apis.meta",
}
GROUPS = (
    "admission.k8s.io",
    "admissionregistration.k8s.io",
    "apidiscovery.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "imagepolicy.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
)


def shortened(type_name: str, package: str) -> str:
    """The type as it stands in a line of a message of `package`."""
    if type_name in SCALARS:
        return type_name
    short = type_name.removeprefix(PREFIX)
    own, _, name = short.rpartition(".")
    return f".{name}" if own == package else short


def field_text(number: str, field: dict[str, Any], package: str) -> str:
    name = field.get("json", field["name"])
    if "map" in field:
        key, value = field["map"]
        assert key == "string", field
        return f"{number}{name}%{shortened(value, package)}"
    mark = "&" if field.get("inline") else "*" if field.get("repeated") else "="
    return f"{number}{name}{mark}{shortened(field['type'], package)}"


def compiled(messages: dict[str, dict[str, Any]]) -> str:
    packages = {**PACKAGES, **{group: f"api.{group.split('.')[0]}" for group in GROUPS}}
    known = {name.removeprefix(PREFIX).rsplit(".", 2)[0] for name in messages}
    lines = [f"@{group}\t{package}" for group, package in sorted(packages.items()) if package in known]
    for name in sorted(messages):
        short = name.removeprefix(PREFIX)
        package = short.rpartition(".")[0]
        fields = sorted(messages[name].items(), key=lambda item: int(item[0]))
        texts = [field_text(number, field, package) for number, field in fields]
        lines.append(f"{short}\t{' '.join(texts)}")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path, help="protobuf.json of the recorded facts")
    parser.add_argument("--target", type=Path, default=TARGET)
    arguments = parser.parse_args()
    arguments.target.write_text(compiled(json.loads(arguments.source.read_text())))


if __name__ == "__main__":
    main()
