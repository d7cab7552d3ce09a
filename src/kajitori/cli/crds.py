"""`kajitori crds`: CustomResourceDefinitions as YAML, to install on any cluster.

Promises
    C1  unchanged classes give the same bytes, printed, written and compared
    C2  what an API server would refuse is told here, with the class that it comes from; nothing is written then
"""

import argparse
import difflib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kajitori.apimachinery.crdgen import crd_yaml
from kajitori.apimachinery.declare import declaration_of
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.versions import Versions
from kajitori.apis.declared import check_crd
from kajitori.cli.main import CommandError
from kajitori.cli.modules import declared_kinds, definitions_of, import_module
from kajitori.cluster.operators import OPERATORS
from kajitori.world.random import SYSTEM_RANDOM

__all__ = ["main"]

GUARDRAILS = "guardrails"

DIFFERENCES_SHOWN_MAX = 60
"""Lines of one file; the rest is a look at git away."""

EXAMPLES = """\
examples:
  kajitori crds | kubectl apply --server-side -f -       install the kinds of every operator
  kajitori crds mysql > mysql-crds.yaml                  those of one operator
  kajitori crds guardrails | kubectl apply -f -          what Guardrails need: kinds, and the right to confirm
  kajitori crds my_operator.kinds                        those of your own module: its classes declared with @kind
  kajitori crds operator.py:Widget                       one class, or one `Versions`, of a file
  kajitori crds my_operator.kinds -o config/crd          a file each: config/crd/GROUP_PLURAL.yaml
  kajitori crds my_operator.kinds --check config/crd     for CI: exit code 1 when the files are others
"""


def main(arguments: Sequence[str]) -> int:
    """Prints definitions, one YAML document each; or writes them, or compares them with what is there.

    Raises: CommandError.
    """
    parser = argparse.ArgumentParser(
        prog="kajitori crds",
        description="Print CustomResourceDefinitions: of the operators, or of classes declared with @kind.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source",
        nargs="*",
        help=f"an operator ({', '.join(OPERATORS)}), {GUARDRAILS}, MODULE, FILE.py, MODULE:CLASS; "
        "default: every operator",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="write a file for each into this folder"
    )
    how.add_argument(
        "--check", type=Path, metavar="PATH", help="compare with this folder of files, or with this file"
    )
    chosen = parser.parse_args(arguments)
    manifests = [crd for name in chosen.source or OPERATORS for crd in _definitions(name)]
    if chosen.output is not None:
        return _write(chosen.output, _files(manifests))
    whole = "".join(crd_yaml(each) for each in manifests)
    if chosen.check is not None:
        is_folder = chosen.check.is_dir()
        return _compare(
            {chosen.check / name: text for name, text in _files(manifests).items()}
            if is_folder
            else {chosen.check: whole}
        )
    print(whole, end="")
    return 0


def _files(manifests: Sequence[JsonObject]) -> dict[str, str]:
    """Texts by the names that controller-gen gives such files."""
    files: dict[str, str] = {}
    for each in manifests:
        plural, _, group = each["metadata"]["name"].partition(".")
        is_definition = each["kind"] == "CustomResourceDefinition"
        name = f"{group}_{plural}" if is_definition else f"{each['kind']}_{each['metadata']['name']}".lower()
        files[f"{name.replace(':', '_')}.yaml"] = crd_yaml(each)
    return files


def _write(folder: Path, files: dict[str, str]) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
            print(f"Wrote {folder / name}")
    except OSError as error:
        raise CommandError(f"{folder} cannot be written: {error.strerror}", 1) from None
    return 0


def _compare(files: dict[Path, str]) -> int:
    code = 0
    for path, text in files.items():
        try:
            there = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            print(f"{path} is missing")
            code = 1
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path} cannot be read: {error}", 1) from None
        if there != text:
            print(f"{path} is not what the classes say:")
            lines = difflib.unified_diff(
                there.splitlines(), text.splitlines(), str(path), "the classes", lineterm=""
            )
            for shown, line in enumerate(lines):
                if shown == DIFFERENCES_SHOWN_MAX:
                    print("...")
                    break
                print(line)
            code = 1
    return code


def _definitions(name: str) -> Iterator[JsonObject]:
    if name == GUARDRAILS:
        from kajitori.apis.guardrails_v1alpha1 import manifests

        yield from manifests()
        return
    if name in OPERATORS:
        yield from OPERATORS[name].load(SYSTEM_RANDOM).crds()
        return
    module = import_module(name)
    where, colon, member = name.rpartition(":")
    if colon and member.isidentifier():
        classes = _classes(where, member, getattr(module, member, None))
    else:
        classes = declared_kinds(module)
        if not classes:
            raise CommandError(
                f"{name}: {module.__name__} has no kinds; declare a class with @kind, or name one in KINDS", 2
            )
    for crd in definitions_of(name, classes):
        if problems := check_crd(crd):
            told = "\n  ".join(problems)
            raise CommandError(f"{name}: {crd['spec']['names']['kind']} would be refused:\n  {told}", 2)
        _warn_of_conversion(crd, classes)
        yield crd


def _warn_of_conversion(crd: JsonObject, classes: Sequence[type[Any]]) -> None:
    kind = crd["spec"]["names"]["kind"]
    converted = [
        each for each in classes if hasattr(each, "convert_to") and declaration_of(each).kind == kind
    ]
    if converted and "conversion" not in crd["spec"]:
        print(
            f"{kind}: its versions are converted by a manager (manager.conversion); until one runs, an API server "
            "changes nothing but apiVersion",
            file=sys.stderr,
        )


def _classes(where: str, member: str, found: Any) -> list[type[Any]]:
    if isinstance(found, Versions):
        return list(found.classes)
    try:
        declaration_of(found)
    except TypeError:
        raise CommandError(
            f"{where}: {member} is not a class declared with @kind, nor a Versions of such", 2
        ) from None
    return [found]
