"""What is known of Kubernetes 1.36, as recorded: discovery, OpenAPI documents, definitions, Go's field facts.

The data files beside this module are compiled by tools/compile_facts.py, the OpenAPI documents by
tools/compile_openapi.py; nothing here interprets them. Each
is read when first asked for, and of the definitions only the line that is asked for, so that a process that
serves three kinds does not pay for sixty.

Promises
    F1  a definition costs one short read; the file of definitions is never parsed as a whole
    F2  an OpenAPI v3 document is given back as Kubernetes serves it, to the byte, compressed, with the hash of its text
    F3  discovery is read once
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kajitori.apimachinery.kind import JsonObject

__all__ = [
    "VERSION",
    "Definition",
    "GoField",
    "OpenApiDocument",
    "definition",
    "definition_names",
    "discovery",
    "kind_definitions",
    "legacy_discovery",
    "openapi_v3",
    "openapi_v3_hashes",
    "root_paths",
]

# Not importlib.resources: its import costs more than everything that is read here.
_HERE = Path(__file__).parent

VERSION: Mapping[str, str] = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
"""What `/version` answers: the API this is compatible with, and no build of it."""


class GoField(NamedTuple):
    """One field of a Go struct, as Go's JSON encoder sees it.

    `type` is a word of the language described in tools/gofacts: `string`, `string=v1.Protocol`, `*int32`,
    `[]io.k8s.api.core.v1.Container`, `{}string`. `flags`: `e` for omitempty, `z` for omitzero. `embedded`: the
    Go struct inside this one that the field stands in, if any; only messages of Go's decoder show it.
    """

    name: str
    type: str
    flags: str
    embedded: str = ""


class Definition(msgspec.Struct, frozen=True):
    """One named type: its JSON schema ({} where OpenAPI has none) and its Go fields in Go's order.

    `fields` is None for types that write themselves (times, quantities), which have no fields.
    """

    schema: dict[str, Any]
    fields: list[GoField] | None


class OpenApiDocument(NamedTuple):
    """An OpenAPI v3 document: gzip-compressed JSON, and the hash of the text that its address carries."""

    gzipped: bytes
    hash: str


class _Discovery(msgspec.Struct, frozen=True):
    api: JsonObject
    apis: JsonObject
    legacy: dict[str, JsonObject]
    paths: list[str]
    kinds: dict[str, str]


class _DefinitionFile:
    """The index of the definitions, and where the lines begin."""

    def __init__(self) -> None:
        self.path = _HERE / "definitions.jsonl"
        with self.path.open("rb") as file:
            head = file.readline()
        self.start = len(head)
        self.places: dict[str, tuple[int, int]] = msgspec.json.decode(head, type=dict[str, tuple[int, int]])


_index = cache(_DefinitionFile)
_definition_decoder = msgspec.json.Decoder(Definition)


def definition(name: str) -> Definition:
    """The definition called `name`, e.g. `io.k8s.api.core.v1.PodSpec`; parsed anew at each call.

    Raises: KeyError when there is none.
    """
    index = _index()
    start, length = index.places[name]
    with index.path.open("rb") as file:
        file.seek(index.start + start)
        return _definition_decoder.decode(file.read(length))


def definition_names() -> tuple[str, ...]:
    """The names of all definitions, in order."""
    return tuple(_index().places)


@cache
def _discovery() -> _Discovery:
    return msgspec.json.decode((_HERE / "discovery.json").read_bytes(), type=_Discovery)


def discovery(root: str) -> JsonObject:
    """The aggregated discovery document of `root`, `api` or `apis`. Shared: not to be changed."""
    return _discovery().api if root == "api" else _discovery().apis


def legacy_discovery() -> Mapping[str, JsonObject]:
    """The unaggregated discovery documents by path (`/apis/apps/v1`). Shared: not to be changed."""
    return _discovery().legacy


def root_paths() -> tuple[str, ...]:
    """The paths that `/` lists."""
    return tuple(_discovery().paths)


def kind_definitions() -> Mapping[str, str]:
    """The name of each kind's definition, by `apps/v1/Deployment`."""
    return _discovery().kinds


@cache
def openapi_v3_hashes() -> Mapping[str, str]:
    """The hash of every OpenAPI v3 document, by its path (`apis/apps/v1`)."""
    hashes: dict[str, str] = msgspec.json.decode((_HERE / "openapi-v3" / "index.json").read_bytes())
    return hashes


def openapi_v3(path: str) -> OpenApiDocument:
    """The OpenAPI v3 document of `path` (`apis/apps/v1`), read anew at each call.

    Raises: KeyError when there is none.
    """
    known = openapi_v3_hashes()[path]
    return OpenApiDocument(
        (_HERE / "openapi-v3" / (path.replace("/", "__") + ".json.gz")).read_bytes(), known
    )
