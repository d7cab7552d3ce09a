"""Manifests in files: the objects of a file, or of all files below a folder.

Promises
    M1  what is no object of a known kind is passed over; what cannot be read, or has a field of a wrong type, is
        named, with its file
    M2  of a List the objects in it count
"""

import re
from collections.abc import Iterator
from pathlib import Path

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apis.facts import kind_definitions
from kajitori.apis.typed import decode
from kajitori.posture.inventory import KINDS, Inventory, bucket_of, namespace_of, without_secrets

__all__ = ["FILES_MAX", "documents", "files_below", "from_manifests", "objects_in"]

FILES_MAX = 20_000
"""Files of a folder that are looked into; a repository of manifests has a tenth of that."""

_ENDS = (".yaml", ".yml", ".json")
_SEPARATOR = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
_KINDS = {f"{each.api_version}/{each.kind}": each for each in KINDS}


def from_manifests(path: Path) -> Inventory:
    """The objects of a file or folder.

    Raises: OSError when it cannot be read at all.
    """
    objects: dict[str, list[JsonObject]] = {}
    notes: list[str] = []
    files = files_below(path)
    if len(files) > FILES_MAX:
        notes.append(f"{path}: only the first {FILES_MAX} of {len(files)} files are read")
    for file in files[:FILES_MAX]:
        for each in documents(file, notes):
            named = f"{each.get('apiVersion')}/{each.get('kind')}"
            kind, definition = _KINDS.get(named), kind_definitions().get(named)
            if kind is None or definition is None:
                continue
            try:
                obj, _ = decode(definition, each)
            except DecodeError as error:
                notes.append(f"{file}: {error}")
                continue
            if kind.namespaced and not namespace_of(obj):
                # As kubectl apply would put it where its context says nothing else.
                obj["metadata"] = {**(obj.get("metadata") or {}), "namespace": "default"}
            objects.setdefault(bucket_of(kind), []).append(obj)
    kept = {bucket: without_secrets(bucket, several) for bucket, several in objects.items()}
    return Inventory(f"{'folder' if path.is_dir() else 'file'} {path}", kept, whole=False, notes=notes)


def files_below(path: Path) -> list[Path]:
    """The file itself, or the manifests of a folder. Raises: OSError when there is no such file."""
    if not path.is_dir():
        path.stat()
        return [path]
    return sorted(each for each in path.rglob("*") if each.suffix in _ENDS and each.is_file())


def documents(file: Path, notes: list[str]) -> Iterator[JsonObject]:
    """The objects of a file; what cannot be read is told in `notes`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        notes.append(f"{file}: {error}")
        return
    yield from objects_in(text, str(file), notes)


def objects_in(text: str, name: str, notes: list[str]) -> Iterator[JsonObject]:
    """The objects of a text that is called `name`."""
    for number, part in enumerate(_SEPARATOR.split(text), start=1):
        if not part.strip():
            continue
        try:
            value, _ = decode_yaml(part.encode())
        except DecodeError as error:
            notes.append(f"{name}, document {number}: {' '.join(str(error).split())}")
            continue
        if not isinstance(value, dict):
            continue
        items = value.get("items")
        if str(value.get("kind", "")).endswith("List") and isinstance(items, list):
            yield from (each for each in items if isinstance(each, dict))
        else:
            yield value
