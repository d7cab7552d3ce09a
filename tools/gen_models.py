"""Writes the typed models of the built-in kinds: src/kajitori/apis/core_v1.py, apps_v1.py and their like.

    python tools/gen_models.py            writes them, and removes those of packages that are no longer served
    python tools/gen_models.py --check    names those that are not what would be written; exit code 1 when there are

The facts say which definitions the served kinds and subresources reach, and what Go's fields are. Each Go package
becomes a module, each struct a frozen class. ObjectMeta is written by hand (apimachinery/objectmeta.py).

Promises
    G1  every kind that discovery names, and every body of a subresource, is a class with its `__kind__`
    G2  a field that Go has as a pointer is `T | None`; every other has Go's zero as its default
    G3  the same facts give the same bytes
    G4  what definitions of other kinds require and may be empty, ALWAYS_WRITTEN, is written also when it is

Source: the Go types of Kubernetes, as tools/gofacts prints them.
"""

import keyword
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from kajitori.apimachinery.kind import Kind
from kajitori.apis import facts
from kajitori.apis.resources import resources

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "src/kajitori/apis"
MARK = "Written by tools/gen_models.py"
REFERENCE = "https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/"

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
OBJECT_META = f"{META}.ObjectMeta"

# What each basic kind is in Python, and Go's zero of it.
BASIC = {
    "string": ("str", '""'),
    "bool": ("bool", "False"),
    "int32": ("int", "0"),
    "int64": ("int", "0"),
    "float64": ("float", "0.0"),
    "bytes": ("bytes", 'b""'),
    "any": ("Any", "None"),
}
# Types that write themselves.
CUSTOM = {
    f"{META}.Time": ("Time | None", "None"),
    f"{META}.MicroTime": ("MicroTime | None", "None"),
    f"{META}.FieldsV1": ("Any", "None"),
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ("Quantity", '"0"'),
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": ("IntOrString", "0"),
    "io.k8s.apimachinery.pkg.runtime.RawExtension": ("Any", "None"),
    f"{EXTENSIONS}.JSON": ("Any", "None"),
    f"{EXTENSIONS}.JSONSchemaPropsOrArray": ("JSONSchemaProps | tuple[JSONSchemaProps, ...] | None", "None"),
    f"{EXTENSIONS}.JSONSchemaPropsOrBool": ("JSONSchemaProps | bool | None", "None"),
    f"{EXTENSIONS}.JSONSchemaPropsOrStringArray": ("JSONSchemaProps | tuple[str, ...] | None", "None"),
}
DECLARED = ("IntOrString", "MicroTime", "Quantity", "Time")
BY_HAND = ("ObjectMeta", "OwnerReference")
META_OFFERS = ("IntOrString", "MicroTime", "ObjectMeta", "OwnerReference", "Quantity", "Time")
ALWAYS_WRITTEN = {(f"{META}.Condition", "message")}
NAMES = {
    "openAPIV3Schema": "open_api_v3_schema",
    "$ref": "ref",
    "$schema": "schema",
}
SHADOWING = {"int", "bool", "str", "bytes", "float", "tuple"}
"""Names that the annotations below them in a class still need."""


def main() -> int:
    texts = modules()
    kept = [path for path in sorted(OUT.rglob("*.py")) if MARK in path.read_text(encoding="utf-8")]
    gone = [path for path in kept if path not in texts]
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in (*stale, *gone):
            print(f"{path.relative_to(ROOT)} is not what tools/gen_models.py writes; run it")
        return 1 if stale or gone else 0
    for path in stale:
        path.write_text(texts[path], encoding="utf-8")
    for path in gone:
        path.unlink()
    return 0


def modules() -> dict[Path, str]:
    """The text of every generated module, by its path."""
    packages: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(reached()):
        packages[name.rpartition(".")[0]].append(name)
    return {path_of(package): _formatted(_module(package, names)) for package, names in packages.items()}


def module_name(package: str) -> str:
    """`io.k8s.api.core.v1` to `core_v1`."""
    parts = package.split(".")
    return f"{parts[-2]}_{parts[-1]}"


def path_of(package: str) -> Path:
    name = module_name(package)
    # Some groups have more than types, and so a folder.
    return OUT / name / "models.py" if (OUT / name / "__init__.py").exists() else OUT / f"{name}.py"


@cache
def kinds() -> dict[str, Kind]:
    """Every definition that is a kind: of objects under their resource, of subresources without a path."""
    found: dict[str, Kind] = {}
    for each in resources():
        found.setdefault(each.definition, each.kind)
    for each in resources():
        for sub in each.subresources.values():
            kind = sub.kind
            if sub.definition and not facts.definition(sub.definition).schema:
                continue  # The query of a connection, such as PodExecOptions.
            found.setdefault(sub.definition, Kind(kind.group, kind.version, kind.kind, "", kind.namespaced))
    found.pop("", None)
    return found


@cache
def reached() -> dict[str, list[facts.GoField]]:
    """The fields of every struct that becomes a class."""
    found: dict[str, list[facts.GoField]] = {}
    waiting = list(kinds())
    while waiting:
        name = waiting.pop()
        if name in found or name in CUSTOM or name == OBJECT_META:
            continue
        fields = facts.definition(name).fields
        assert fields is not None, f"{name} writes itself and has no type here"
        found[name] = [
            each for each in fields if each.name not in ("apiVersion", "kind") or not _is_head(name)
        ]
        waiting += [_core(each.type) for each in found[name] if _core(each.type).startswith("io.")]
    return found


def _is_head(name: str) -> bool:
    return name in kinds()


def _core(word: str) -> str:
    return re.sub(r"^(\*|\[\]|\{\})*", "", word).partition("=")[0]


def _ordered(names: list[str]) -> list[str]:
    """Structs after those that their fields are made of, as far as they do not contain themselves."""
    done: dict[str, None] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in done or name in above:
            return
        for field in reached()[name]:
            inner = _core(field.type)
            if inner in names:
                visit(inner, (*above, name))
        done[name] = None

    for name in names:
        visit(name, ())
    return list(done)


@dataclass
class _Used:
    """What a module takes from elsewhere."""

    classes: set[str]
    declared: set[str]
    any: bool = False
    map: bool = False
    msgspec: bool = False


def _module(package: str, names: list[str]) -> str:
    used = _Used(set(), set())
    known: set[str] = set()
    blocks: list[str] = []
    for name in _ordered(names):
        known.add(name)
        blocks.append(_class(name, package, known - {name}, used))
    module = module_name(package)
    offered = sorted({*(_short(each) for each in names), *(META_OFFERS if module == "meta_v1" else ())})
    if module == "meta_v1":
        used.classes.update(f"{META}.{each}" for each in BY_HAND)
        used.declared.update(DECLARED)
    group_version = {kinds()[name].api_version for name in names if name in kinds()}
    said = ", ".join(sorted(group_version)) or "what objects of all groups share"
    return "\n".join(
        [
            f'"""Typed models of {said}: frozen classes, unset fields at their zero.',
            "",
            f"{MARK} from the facts: change that, and run it. What the fields mean is told by",
            "`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.",
            "",
            f"Source: {REFERENCE}",
            '"""',
            "",
            *_imports(package, used, bool(group_version)),
            "",
            f"__all__ = {offered!r}",
            "",
            *blocks,
        ]
    )


def _imports(package: str, used: _Used, has_kinds: bool) -> list[str]:
    lines = ["from collections.abc import Mapping"] if used.map else []
    lines += [f"from typing import {'Any, ' if used.any else ''}ClassVar", ""]
    lines += ["import msgspec", ""] if used.msgspec else []
    lines.append("from kajitori.apimachinery.built_in import BuiltIn")
    if used.declared:
        lines.append(f"from kajitori.apimachinery.declare import {', '.join(sorted(used.declared))}")
    if used.map:
        lines.append("from kajitori.apimachinery.frozen import EMPTY")
    if has_kinds:
        lines.append("from kajitori.apimachinery.kind import Kind")
    by_package: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(used.classes):
        origin, _, short = name.rpartition(".")
        by_hand = name.startswith(META) and short in BY_HAND
        by_package["kajitori.apimachinery.objectmeta" if by_hand else _import_name(origin)].append(short)
    lines += [f"from {origin} import {', '.join(shorts)}" for origin, shorts in sorted(by_package.items())]
    return lines


def _import_name(package: str) -> str:
    return ".".join(path_of(package).relative_to(ROOT / "src").with_suffix("").parts)


def _class(name: str, package: str, known: set[str], used: _Used) -> str:
    kind = kinds().get(name)
    lines = [
        f"class {_short(name)}(BuiltIn, frozen=True, kw_only=True):",
        f'    """{_told(name, kind)}"""',
        "",
    ]
    if kind is not None:
        shown = f'Kind("{kind.group}", "{kind.version}", "{kind.kind}", "{kind.plural}", {kind.namespaced})'
        lines.append(f"    __kind__: ClassVar[Kind] = {shown}")
    lines.append(f'    __definition__: ClassVar[str] = "{name}"')
    taken: set[str] = set()
    for field in reached()[name]:
        lines.append(f"    {_field(name, field, package, known, used)}")
        python = python_name(field.name)
        assert python not in taken, f"{name} has two fields called {python}"
        taken.add(python)
    return "\n".join([*lines, "", ""])


def _told(name: str, kind: Kind | None) -> str:
    if kind is None:
        return f"`{_short(name)}` of {'.'.join(name.split('.')[-3:-1])}."
    if not kind.plural:
        return f"The body of a subresource, {kind.kind} of {kind.api_version}."
    where = "in a namespace" if kind.namespaced else "of the cluster"
    return f"`{kind.plural}` of {kind.api_version}, {where}."


def _field(struct: str, field: facts.GoField, package: str, known: set[str], used: _Used) -> str:
    annotation, default = _typed(field.type, package, used)
    if any(_core(field.type) == each for each in _unknown(field, package, known)):
        annotation = f'"{annotation}"'
    python = python_name(field.name)
    if (struct, field.name) in ALWAYS_WRITTEN:
        used.msgspec = True
        # msgspec leaves a default out, but not what a factory makes.
        return f"{python}: {annotation} = msgspec.field(default_factory={annotation})"
    if _camel(python) != field.name:
        used.msgspec = True
        return f'{python}: {annotation} = msgspec.field(default={default}, name="{field.name}")'
    return f"{python}: {annotation} = {default}"


def _unknown(field: facts.GoField, package: str, known: set[str]) -> list[str]:
    """The types of a field that are not defined above it."""
    core = _core(field.type)
    if core in CUSTOM:
        return [core] if f"{package}.JSONSchemaProps" not in known and "JSONSchemaPropsOr" in core else []
    return [core] if core.startswith(f"{package}.") and core not in known and core != OBJECT_META else []


def _typed(word: str, package: str, used: _Used) -> tuple[str, str]:
    """The annotation of a Go type, and its zero."""
    if word.startswith("*"):
        inner = _typed(word[1:], package, used)[0]
        return (inner if inner == "Any" or inner.endswith("| None") else f"{inner} | None"), "None"
    if word.startswith("[]"):
        return f"tuple[{_member(word[2:], package, used)}, ...]", "()"
    if word.startswith("{}"):
        used.map = True
        return f"Mapping[str, {_member(word[2:], package, used)}]", "EMPTY"
    basic = word.partition("=")[0]
    if basic in BASIC:
        used.any |= basic == "any"
        return BASIC[basic]
    if word in CUSTOM:
        annotation, default = CUSTOM[word]
        used.any |= annotation == "Any"
        used.declared.update(each for each in DECLARED if re.search(rf"\b{each}\b", annotation))
        return annotation, default
    if not word.startswith(f"{package}.") or word == OBJECT_META:
        used.classes.add(word)
    return _short(word), f"{_short(word)}()"


def _member(word: str, package: str, used: _Used) -> str:
    return _typed(word, package, used)[0].removesuffix(" | None")


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def python_name(wire: str) -> str:
    """`podCIDRs` to `pod_cidrs`, `from` to `from_`."""
    name = NAMES.get(wire)
    if name is None:
        words = re.sub(r"[^A-Za-z0-9]", "_", wire)
        words = re.sub(r"([A-Z]+)s(?=[A-Z]|$)", lambda found: found[1][0] + found[1][1:].lower() + "s", words)
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", words)
        name = words.lower()
    return f"{name}_" if keyword.iskeyword(name) or name in SHADOWING else name


def _camel(python: str) -> str:
    """What msgspec's rename="camel" makes of a name."""
    struct = msgspec.defstruct("_", [(python, int)], rename="camel")
    return msgspec.structs.fields(struct)[0].encode_name


def _formatted(text: str) -> str:
    ran = subprocess.run(
        [Path(sys.executable).with_name("ruff"), "format", "--stdin-filename", "models.py", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return ran.stdout


if __name__ == "__main__":
    sys.exit(main())
