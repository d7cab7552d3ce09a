"""Which objects a command line means, in a cluster: named, selected by labels, or standing in manifests."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kajitori.apimachinery.errors import Expired
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.cli.main import CommandError
from kajitori.client import Client, key_of
from kajitori.controllers.discovery import Served, ServedKind, served_kinds
from kajitori.posture.manifests import documents, files_below, objects_in

__all__ = ["Meant", "add_flags", "check_flags", "find"]

_WRONG = 2


@dataclass(frozen=True, slots=True)
class Meant:
    """One object, and its metadata where that was read already."""

    kind: Kind
    namespace: str
    name: str
    seen: Mapping[str, Any] | None = None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which objects are meant."""
    parser.add_argument(
        "objects",
        metavar="KIND/NAME",
        nargs="*",
        help="objects; or KIND NAME..., or KIND,... with -l, -A or --all",
    )
    parser.add_argument(
        "-f",
        "--filename",
        metavar="PATH",
        action="append",
        default=[],
        help="the objects of a manifest, a folder of them, or - for standard input; repeatable",
    )
    parser.add_argument(
        "-l", "--selector", metavar="LABELS", default="", help="those with these labels: app=web,tier!=db"
    )
    parser.add_argument("-n", "--namespace", help="where they are (default: the context's namespace)")
    parser.add_argument(
        "-A", "--all-namespaces", action="store_true", help="all objects of the kinds, in all namespaces"
    )
    parser.add_argument("--all", action="store_true", help="all objects of the kinds, in one namespace")


def check_flags(chosen: argparse.Namespace) -> None:
    """Raises: CommandError for what cannot be meant together."""
    many = bool(chosen.selector or chosen.all_namespaces or chosen.all)
    words: list[str] = chosen.objects
    if bool(words) == bool(chosen.filename):
        raise CommandError(
            "name objects as KIND/NAME, e.g. deployment/web, or give their manifests with -f", _WRONG
        )
    if chosen.filename and many:
        raise CommandError("-f names its objects; -l, -A and --all go with KIND", _WRONG)
    if chosen.all_namespaces and chosen.namespace:
        raise CommandError("-n and -A: it is either one namespace or all of them", _WRONG)
    if any("/" in word for word in words):
        alone = next((word for word in words if not all(word.partition("/"))), None)
        if alone is not None:
            raise CommandError(f"{alone}: KIND/NAME is meant here", _WRONG)
        if many:
            raise CommandError(f"{words[0]} is one object; -l, -A and --all go with KIND alone", _WRONG)
    elif len(words) == 1 and not many:
        raise CommandError(
            f"{words[0]}: all of them? Say so with --all or -A, select some with -l, or name them: {words[0]}/NAME",
            _WRONG,
        )
    elif len(words) > 1 and many:
        raise CommandError(f"{words[1]} is one object; -l, -A and --all go with KIND alone", _WRONG)


async def find(client: Client, chosen: argparse.Namespace, namespace: str) -> list[Meant]:
    """The objects that are meant, each once; `namespace` is that of the context.

    Raises: CommandError; ApiError, TransportError.
    """
    found = await _found(client, chosen, namespace)
    return list({(each.kind, each.namespace, each.name): each for each in found}.values())


async def _found(client: Client, chosen: argparse.Namespace, namespace: str) -> list[Meant]:
    # Files are read first: what is wrong in them is said without asking a cluster.
    manifests = [each for path in chosen.filename for each in _read(path)]
    served = await served_kinds(client)
    here = chosen.namespace or namespace or "default"
    if chosen.filename:
        return [_of_manifest(served, where, obj, here, chosen.namespace) for where, obj in manifests]
    words: list[str] = chosen.objects
    if "/" in words[0]:
        pairs = [(kind, name) for kind, _, name in (word.partition("/") for word in words)]
    else:
        pairs = [(kind, name) for kind in words[0].split(",") for name in words[1:]]
    if pairs:
        named = [(_named(served, kind), name) for kind, name in pairs]
        return [Meant(kind, here if kind.namespaced else "", name) for kind, name in named]
    found: list[Meant] = []
    kinds = dict.fromkeys(kind for word in words[0].split(",") for kind in _kinds(served, word))
    for kind in kinds:
        found += await _listed(client, kind, "" if chosen.all_namespaces else here, chosen.selector)
    return found


def _read(path: str) -> Iterator[tuple[str, JsonObject]]:
    """The objects of a file or folder, with the file's name. Raises: CommandError."""
    notes: list[str] = []
    if path == "-":
        found = [("standard input", each) for each in objects_in(sys.stdin.read(), "standard input", notes)]
    else:
        try:
            files = files_below(Path(path))
        except OSError as error:
            raise CommandError(f"{path}: it cannot be read: {error.strerror}", _WRONG) from None
        found = [(str(file), each) for file in files for each in documents(file, notes)]
    if notes:
        raise CommandError(notes[0], _WRONG)
    if not found:
        raise CommandError(f"{path}: no object is in it", _WRONG)
    yield from found


def _of_manifest(served: Served, where: str, obj: JsonObject, here: str, asked: str | None) -> Meant:
    version, kind = obj.get("apiVersion"), obj.get("kind")
    group = version.rpartition("/")[0] if isinstance(version, str) else ""
    found = next((each for each in served.kinds if (each.kind.group, each.kind.kind) == (group, kind)), None)
    if found is None:
        raise CommandError(f"{where}: the cluster has no kind {kind} of {version}", _WRONG)
    given: Any = obj.get("metadata")
    metadata: JsonObject = given if isinstance(given, dict) else {}
    name, namespace = metadata.get("name"), metadata.get("namespace") or ""
    if not name or not isinstance(name, str) or not isinstance(namespace, str):
        raise CommandError(
            f"{where}: a {kind} in it does not say who it is; metadata.name must be a text", _WRONG
        )
    if not found.kind.namespaced:
        return Meant(found.kind, "", name)
    if asked and namespace and namespace != asked:
        raise CommandError(f"{where}: {kind} {name} is of namespace {namespace}, and -n says {asked}", _WRONG)
    return Meant(found.kind, namespace or here, name)


def _named(served: Served, word: str) -> Kind:
    found = [each for each in served.kinds if _is_called(each, word.lower())]
    if not found:
        raise CommandError(f"{word}: the cluster has no such kind; see: kubectl api-resources", _WRONG)
    return found[0].kind


def _kinds(served: Served, word: str) -> list[Kind]:
    """Those of a category, or the one that is named."""
    usable = {"list", "patch"}
    several = [each.kind for each in served.kinds if word in each.categories and usable <= each.verbs]
    return several or [_named(served, word)]


def _is_called(each: ServedKind, word: str) -> bool:
    """Whether a word is the kind's: `deploy`, `deployments.apps`, `deployments.v1.apps`."""
    name, _, rest = word.partition(".")
    group = each.kind.group
    known = ("", group, *(f"{version}.{group}".rstrip(".") for version in each.versions))
    return name in each.names and rest.rstrip(".") in known


async def _listed(client: Client, kind: Kind, namespace: str, labels: str) -> list[Meant]:
    pages = client.list_pages(kind, namespace, labels=labels, metadata_only=True)
    try:
        objects = [each async for page in pages for each in page]
    except Expired:
        # The pages got too old meanwhile: all in one, then.
        objects = list(await client.list(kind, namespace, labels=labels, metadata_only=True))
    keys: Sequence[Any] = [key_of(each) for each in objects]
    return [Meant(kind, key.namespace, key.name, each) for key, each in zip(keys, objects, strict=True)]
