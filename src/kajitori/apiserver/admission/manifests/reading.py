"""What the files of a directory say, as objects that plugins can use.

Promises
    M1  files ending in .yaml, .yml and .json are read in the order of their names, with all documents in them and all
        items of lists; others are left alone
    M2  an object is one of v1 without unknown or repeated fields, has its defaults, and is valid by the API's rules
    M3  its name ends in STATIC_SUFFIX and is its own; it refers to nothing that only the API has: no parameters, no
        Services, no policies that are not in the directory too
    M4  whatever is wrong is told at once, each with its file, its document and its field

Source: apiserver's pkg/admission/plugin/manifest, policy/manifest/loader and webhook/manifest/loader.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.yaml import decode_yaml, warnings_of
from kajitori.apis import validation
from kajitori.apis.strategies.admission import STATIC_SUFFIX
from kajitori.apiserver.registry.meta import invalid_metadata
from kajitori.apiserver.registry.resource import Resource

__all__ = ["GROUP", "PLUGIN_KINDS", "Contents", "ManifestError", "read_manifests"]

GROUP = "admissionregistration.k8s.io"
API_VERSION = f"{GROUP}/v1"

PLUGIN_KINDS: Mapping[str, tuple[str, ...]] = {
    "MutatingAdmissionPolicy": ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
    "MutatingAdmissionWebhook": ("mutatingwebhookconfigurations",),
    "ValidatingAdmissionPolicy": ("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
    "ValidatingAdmissionWebhook": ("validatingwebhookconfigurations",),
}
"""The resources that each plugin works with."""

_SUFFIXES = frozenset([".yaml", ".yml", ".json"])
_SEPARATOR = re.compile(rb"^---[ \t]*(?:#.*)?\r?(?:\n|\Z)", re.MULTILINE)
_BAD_SEPARATOR = re.compile(rb"^---[ \t]*([^\r\n]+)", re.MULTILINE)
_LIST_MEMBERS = frozenset(["apiVersion", "kind", "metadata", "items"])


class ManifestError(ValueError):
    """What is wrong with manifests, a line for each."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a directory says."""

    hash: str = ""
    """Of the files; empty where there is nothing in them."""
    objects: Mapping[str, Sequence[JsonObject]] = field(default_factory=dict[str, Sequence[JsonObject]])
    """By resource, and in the order of their names."""


def read_manifests(directory: Path, resources: Iterable[Resource]) -> Contents:
    """The contents of a directory in which there may be objects of these resources.

    Raises: ManifestError.
    """
    reading = _Reading(resources)
    digest = hashlib.sha256()
    has_data = False
    for path in _files(directory):
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ManifestError(f"{path}: cannot be read: {error.strerror}") from None
        if data:
            has_data = True
            digest.update(data + b"\0")
            reading.file(str(path), data)
    return Contents(f"sha256:{digest.hexdigest()}" if has_data else "", reading.result())


def _files(directory: Path) -> Iterator[Path]:
    try:
        found = sorted(directory.iterdir())
    except OSError as error:
        raise ManifestError(f"{directory}: cannot be read: {error.strerror}") from None
    return (each for each in found if each.suffix.lower() in _SUFFIXES and not each.is_dir())


class _Reading:
    """Objects found so far, and what is wrong with them."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_kind = {each.kind.kind: each for each in resources}
        self._found: dict[str, dict[str, JsonObject]] = {
            each.kind.plural: {} for each in self._by_kind.values()
        }
        self._places: dict[tuple[str, str], str] = {}
        """Where each object stands, by resource and name."""
        self._seen: set[tuple[str, str]] = set()
        """Those that are refused, too: who refers to them is right."""
        self._problems: list[str] = []

    def file(self, path: str, data: bytes) -> None:
        """Takes in the documents of a file."""
        number = 0
        for document in _SEPARATOR.split(data):
            if not document.strip():
                continue
            number += 1
            place = f"{path}: document {number}"
            try:
                value, repeated = decode_yaml(document)
            except DecodeError as error:
                self._problems.append(f"{place}: {error}")
                continue
            rest = _BAD_SEPARATOR.search(document)
            if rest is not None:
                told = f"invalid Yaml document separator: {rest[1].decode(errors='replace')}"
                self._problems.append(f"{place}: {told}; nothing but a comment may stand behind ---")
            elif repeated:
                self._problems += [f"{place}: {each}" for text in repeated for each in warnings_of(text)]
            elif value is not None:
                self._take(value, place)

    def _take(self, value: Any, place: str) -> None:
        """Takes in an object, or what is in a list."""
        said = value if isinstance(value, dict) else {}
        version, kind = (_text(said.get(name)) for name in ("apiVersion", "kind"))
        of_items = kind.removesuffix("List")
        if (version, kind) == ("v1", "List") or (of_items != kind and of_items in self._by_kind):
            self._list(said, place, {} if kind == "List" else {"apiVersion": version, "kind": of_items})
        elif kind not in self._by_kind:
            known = ", ".join(sorted(self._by_kind))
            told = f"kind is {kind or 'missing'}; the admission plugins that read this directory know {known}"
            self._problems.append(f"{place}: {told}")
        elif version != API_VERSION:
            self._problems.append(
                f"{place}: {kind}: apiVersion is {version or 'missing'}; write {API_VERSION}"
            )
        else:
            self._object(self._by_kind[kind], said, place)

    def _list(self, said: JsonObject, place: str, meta: JsonObject) -> None:
        """Takes in the items of a list, which are of what `meta` says unless they say it themselves."""
        self._problems += [
            f'{place}: unknown field "{each}"; a list has items' for each in said.keys() - _LIST_MEMBERS
        ]
        items = said.get("items") or []
        if not isinstance(items, list):
            self._problems.append(f"{place}: items: must be a list")
            return
        for number, item in enumerate(items, start=1):
            self._take({**meta, **item} if isinstance(item, dict) else item, f"{place}, item {number}")

    def _object(self, resource: Resource, raw: JsonObject, place: str) -> None:
        name = (raw.get("metadata") or {}).get("name") if isinstance(raw.get("metadata"), dict) else None
        place = f"{place}: {resource.kind.kind} {name or 'without a name'}"
        self._seen.add((resource.kind.plural, str(name)))
        unknown: list[str] = []
        try:
            obj = resource.decode(raw, unknown)
        except DecodeError as error:
            self._problems.append(f"{place}: {error}")
            return
        if unknown:
            self._problems += [f"{place}: {each}" for each in unknown]
            return
        resource.default(obj)
        plural, name = resource.kind.plural, obj["metadata"].get("name", "")
        errors = invalid_metadata(resource, obj["metadata"]) + validation.validate(resource.kind, obj)
        errors += _manifest_errors(plural, obj)
        self._problems += [f"{place}: {each}" for each in errors]
        if name in self._found[plural]:
            first = self._places[plural, name]
            self._problems.append(
                f"{place}: {FieldError.duplicate('metadata.name', name)}; the other one is in {first}"
            )
            return
        self._found[plural][name] = obj
        self._places[plural, name] = place

    def result(self) -> dict[str, Sequence[JsonObject]]:
        """The objects by resource, in the order of their names. Raises: ManifestError."""
        for bindings, policies in (
            ("mutatingadmissionpolicybindings", "mutatingadmissionpolicies"),
            ("validatingadmissionpolicybindings", "validatingadmissionpolicies"),
        ):
            for name, binding in self._found.get(bindings, {}).items():
                policy = binding["spec"].get("policyName")
                if policy and (policies, policy) not in self._seen:
                    self._problems.append(
                        f"{self._places[bindings, name]}: {FieldError.not_found('spec.policyName', policy)}; "
                        "the policy has to be in the same directory"
                    )
        if self._problems:
            raise ManifestError("\n".join(self._problems))
        return {
            plural: [found[name] for name in sorted(found)] for plural, found in self._found.items() if found
        }


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _manifest_errors(plural: str, obj: JsonObject) -> list[FieldError]:
    """What is wrong with an object because it is in a file."""
    errors: list[FieldError] = []
    name: str = obj["metadata"].get("name", "")
    if name and not name.endswith(STATIC_SUFFIX):
        errors.append(FieldError.invalid("metadata.name", name, f'must end with "{STATIC_SUFFIX}"'))
    if plural.endswith("webhookconfigurations"):
        for index, webhook in enumerate(obj.get("webhooks") or ()):
            client = webhook.get("clientConfig") or {}
            if client.get("service") is not None:
                path = f"webhooks[{index}].clientConfig.service"
                errors.append(FieldError.forbidden(path, "not supported in manifests; use clientConfig.url"))
    elif plural.endswith("bindings"):
        policy = obj["spec"].get("policyName", "")
        if policy and not policy.endswith(STATIC_SUFFIX):
            errors.append(FieldError.invalid("spec.policyName", policy, f'must end with "{STATIC_SUFFIX}"'))
        if "paramRef" in obj["spec"]:
            errors.append(
                FieldError.forbidden(
                    "spec.paramRef", "not supported in manifests; write values into the policy"
                )
            )
    elif "paramKind" in obj["spec"]:
        errors.append(
            FieldError.forbidden("spec.paramKind", "not supported in manifests; write values into the policy")
        )
    return errors
