"""`kajitori version`."""

import argparse
from collections.abc import Sequence

import msgspec

from kajitori import __version__
from kajitori.apis import facts

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Prints which kajitori this is, and which Kubernetes it speaks."""
    parser = argparse.ArgumentParser(prog="kajitori version", description="Print the version.")
    parser.add_argument(
        "-o", "--output", choices=("text", "json", "yaml"), default="text", help="how to print it"
    )
    chosen = parser.parse_args(arguments)
    versions = {"kajitori": __version__, "kubernetes": facts.VERSION["gitVersion"]}
    if chosen.output == "json":
        print(msgspec.json.format(msgspec.json.encode(versions)).decode())
    elif chosen.output == "yaml":
        print("\n".join(f"{name}: {text}" for name, text in versions.items()))
    else:
        print(f"kajitori {versions['kajitori']}, speaking Kubernetes {versions['kubernetes']}")
    return 0
