"""What `kajitori cel` evaluates over: objects from files, variables from options, and the types they have.

Sits below the command, which reads nothing itself.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kajitori.apimachinery.cel.admission import AdmissionVariables
from kajitori.apimachinery.cel.conversion import converter
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.estimator import Sizes, no_sizes, sizes_below
from kajitori.apimachinery.cel.kubernetes import COMPATIBILITY_MINOR, environments
from kajitori.apimachinery.cel.schemas import declared_type
from kajitori.apimachinery.cel.types import DYN, Type
from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apis import facts
from kajitori.apis.cel_types import built_in_type
from kajitori.cli.main import CommandError

__all__ = ["Scene", "Subject", "read_scene"]

_SEPARATOR = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
_ABSENT = ("oldObject", "namespaceObject", "params")
"""Variables of policies that are null where there is nothing for them."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One object to look at."""

    name: str
    """`Deployment default/web`, as far as it says so; empty when there is no object."""
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything around an expression."""

    environment: Environment
    sizes: Sizes
    subjects: tuple[Subject, ...]


def read_scene(chosen: argparse.Namespace) -> Scene:
    """The scene that the options describe.

    Raises: CommandError.
    """
    given = _given(chosen.var, chosen.var_file)
    documents = list(_objects(chosen.file)) if chosen.file else []
    old = next(_objects(chosen.old), None) if chosen.old else None
    for path, found in ((chosen.file, documents), (chosen.old, [old] if old is not None else [])):
        if path and not found:
            raise CommandError(f"{path}: there is no object in it", 2)
    one, convert = _typed(chosen, documents)
    subject = chosen.subject
    before = "oldSelf" if subject == "self" else "oldObject"
    types: dict[str, Type] = dict.fromkeys(given, DYN)
    if one is not None or documents or subject == "self":
        types[subject] = one or DYN
        types[before] = one or DYN
    base = environments(_minor(chosen.compatibility_version)).new
    if subject == "object":
        base = AdmissionVariables(params=True).extend(base)
    declared = {name: kind for name, kind in types.items() if name not in base.names or kind is not DYN}
    environment = base.extend(variables=declared, types=() if one is None else (one,))
    shared = {**(dict.fromkeys(_ABSENT) if subject == "object" else {}), **given}
    if old is not None or subject == "object":
        shared[before] = None if old is None else _converted(old, convert)
    subjects = [Subject(_name(each), {**shared, subject: _converted(each, convert)}) for each in documents]
    return Scene(environment, _sizes(types, one, subject), tuple(subjects or [Subject("", shared)]))


def _sizes(types: Mapping[str, Type], one: Type | None, subject: str) -> Sizes:
    if one is None:
        return no_sizes
    below = sizes_below(one)
    if subject == "self":
        return below
    return lambda path: below(path) if path and types.get(path[0]) is one else None


def _minor(text: str | None) -> int:
    if text is None:
        return COMPATIBILITY_MINOR
    match = re.fullmatch(r"v?1\.([0-9]{1,3})", text)
    if match is None:
        raise CommandError(
            f"--compatibility-version {text}: a version of Kubernetes is meant, such as 1.33", 2
        )
    return int(match[1])


# Files.


def _objects(path: str) -> Iterator[Any]:
    """The objects of a file; of a List, those in it."""
    for document in _documents(path):
        if (
            isinstance(document, dict)
            and str(document.get("kind", "")).endswith("List")
            and "items" in document
        ):
            yield from document["items"] or []
        else:
            yield document


def _documents(path: str) -> Iterator[Any]:
    text = _text(path)
    for part in _SEPARATOR.split(text):
        if not part.strip():
            continue
        try:
            value, _ = decode_yaml(part.encode())
        except DecodeError as error:
            raise CommandError(f"{path}: {error}", 2) from None
        if value is not None:
            yield value


def _text(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}", 2) from None


def _given(pairs: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
    """The variables from `--var` and `--var-file`."""
    found: dict[str, Any] = {}
    for option, texts in (("--var", pairs), ("--var-file", files)):
        for text in texts:
            name, equals, value = text.partition("=")
            if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
                raise CommandError(f"{option} {text}: NAME=VALUE is meant", 2)
            found[name] = _value(value) if option == "--var" else next(_documents(value), None)
    return found


def _value(text: str) -> Any:
    """JSON, or else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _name(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name") or metadata.get("generateName") or ""
    namespace = metadata.get("namespace")
    return f"{value.get('kind', '')} {f'{namespace}/' if namespace else ''}{name}".strip()


# Types.

_Convert = Callable[[Any], Any]


def _typed(chosen: argparse.Namespace, documents: Sequence[Any]) -> tuple[Type | None, _Convert]:
    """The type of the objects, if the options say one, and what makes values of that type of their JSON."""
    if chosen.kind and chosen.schema:
        raise CommandError("--kind and --schema: one of them says the type", 2)
    if chosen.kind:
        return _of_kind(chosen.kind)
    if chosen.schema:
        schema = _schema(chosen.schema, documents)
        one = declared_type(schema, f"{chosen.subject}Type", root=True)
        if one is None:
            raise CommandError(f"{chosen.schema}: expressions cannot look into what this schema describes", 2)
        return one, converter(schema, root=True, checked=True)
    return None, lambda value: value


def _converted(value: Any, convert: _Convert) -> Any:
    try:
        return convert(value)
    except EvaluationError as error:
        raise CommandError(f"{_name(value) or 'the object'} does not fit its schema: {error}", 2) from None


def _of_kind(text: str) -> tuple[Type, _Convert]:
    *group, version, kind = f"/{text}".split("/")
    one = built_in_type("/".join(group).strip("/"), version, kind)
    if one is None:
        raise CommandError(
            f"--kind {text}: no built-in kind; GROUP/VERSION/KIND is meant, such as apps/v1/Deployment", 2
        )
    reference = facts.kind_definitions()[text.strip("/")]
    return one, converter({"$ref": reference}, root=True, checked=True, resolve=_definition)


def _definition(reference: str) -> Mapping[str, Any]:
    return facts.definition(reference.rpartition("/")[2]).schema


def _schema(path: str, documents: Sequence[Any]) -> Mapping[str, Any]:
    """The schema in a file: of the CustomResourceDefinition of the objects' kind and version, or the file itself."""
    found = list(_objects(path))
    definitions = [
        each for each in found if isinstance(each, dict) and each.get("kind") == "CustomResourceDefinition"
    ]
    if not definitions:
        if len(found) == 1 and isinstance(found[0], dict):
            return found[0]
        raise CommandError(f"{path}: neither a CustomResourceDefinition nor a schema", 2)
    first = documents[0] if documents and isinstance(documents[0], dict) else {}
    group, _, version = str(first.get("apiVersion", "")).rpartition("/")
    for definition in definitions:
        spec = definition.get("spec") or {}
        named = spec.get("group") == group and (spec.get("names") or {}).get("kind") == first.get("kind")
        if named or (len(definitions) == 1 and not first):
            return _of_version(path, spec, version)
    raise CommandError(f"{path}: no definition of {first.get('apiVersion')} {first.get('kind')}", 2)


def _of_version(path: str, spec: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    versions = spec.get("versions") or []
    chosen = [each for each in versions if each.get("name") == version] or [
        each for each in versions if each.get("storage")
    ]
    for each in chosen[:1]:
        schema: Mapping[str, Any] | None = (each.get("schema") or {}).get("openAPIV3Schema")
        if schema is not None:
            return schema
    raise CommandError(f"{path}: the definition has no schema", 2)
