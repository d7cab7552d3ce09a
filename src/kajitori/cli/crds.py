"""`kajitori crds`: CustomResourceDefinitions as YAML, to install on any cluster."""

import argparse
import importlib
from collections.abc import Iterator, Sequence

from kajitori.apimachinery.crdgen import crd_yaml
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import crd_for
from kajitori.cli.main import CommandError
from kajitori.cluster.operators import OPERATORS
from kajitori.world.random import SYSTEM_RANDOM

__all__ = ["main"]

GUARDRAILS = "guardrails"

EXAMPLES = """\
examples:
  kajitori crds | kubectl apply --server-side -f -       install the kinds of every operator
  kajitori crds mysql > mysql-crds.yaml                  those of one operator
  kajitori crds guardrails | kubectl apply -f -          what Guardrails need: kinds, and the right to confirm
  kajitori crds my_operator.kinds:Widget                 those of your own classes
"""


def main(arguments: Sequence[str]) -> int:
    """Prints definitions, one YAML document each.

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
        help=f"an operator ({', '.join(OPERATORS)}), {GUARDRAILS} or MODULE:CLASS; default: every operator",
    )
    chosen = parser.parse_args(arguments)
    for name in chosen.source or OPERATORS:
        for crd in _definitions(name):
            print(crd_yaml(crd), end="")
    return 0


def _definitions(name: str) -> Iterator[JsonObject]:
    if name == GUARDRAILS:
        from kajitori.apis.guardrails_v1alpha1 import manifests

        yield from manifests()
        return
    if name in OPERATORS:
        yield from OPERATORS[name].load(SYSTEM_RANDOM).crds()
        return
    module_name, colon, class_name = name.partition(":")
    if not colon:
        raise CommandError(
            f"{name} is no operator; use one of {', '.join(OPERATORS)}, {GUARDRAILS}, or MODULE:CLASS for a class "
            "of yours",
            2,
        )
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise CommandError(f"{name} cannot be imported: {error}", 2) from None
    try:
        yield crd_for(found)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{name} is not a kind: {error}", 2) from None
