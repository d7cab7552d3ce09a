"""`kajitori explain KIND/NAME`: what an operator sees of an object, its state, its plan. Nothing is done."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import yaml

from kajitori.apimachinery.errors import ApiError
from kajitori.cli.main import CommandError
from kajitori.client import Client, TransportError
from kajitori.client.config import ConfigError, load_config
from kajitori.client.network import NetworkTransport
from kajitori.cluster.operators import OPERATORS, Known
from kajitori.world.random import SYSTEM_RANDOM

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Prints an explanation.

    Raises: CommandError.
    """
    parser = argparse.ArgumentParser(
        prog="kajitori explain",
        description="Show what an operator sees of an object, the state it takes it to be in, and what it would do.",
        epilog="example: kajitori explain mysqlcluster/orders -n db",
    )
    parser.add_argument("object", metavar="KIND/NAME", help=f"KIND is one of {', '.join(_kinds())}")
    parser.add_argument("-n", "--namespace", help="namespace of the object (default: the context's)")
    parser.add_argument("--kubeconfig", help="kubeconfig to use (default: as kubectl finds it)")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument(
        "-o", "--output", choices=("text", "json", "yaml"), default="text", help="how to print it"
    )
    chosen = parser.parse_args(arguments)
    kind, slash, name = chosen.object.partition("/")
    if not slash or not name:
        raise CommandError(f"{chosen.object}: name the object as KIND/NAME, e.g. mysqlcluster/orders", 2)
    known = _kinds().get(kind.lower().partition(".")[0])
    if known is None:
        raise CommandError(f"no operator explains {kind}; use one of {', '.join(_kinds())}", 2)
    try:
        config = load_config(chosen.kubeconfig, chosen.context)
        namespace = chosen.namespace or config.namespace or "default"
        client = Client(NetworkTransport(config), field_manager="kajitori-explain")
        found = asyncio.run(_explained(known, client, namespace, name))
    except (ConfigError, TransportError, ApiError) as error:
        raise CommandError(str(error)) from None
    if found is None:
        raise CommandError(f"{kind} {namespace}/{name} not found")
    print("\n".join(_printed(found, chosen.output)))
    return 0


def _kinds() -> dict[str, Known]:
    return {name: known for known in OPERATORS.values() for name in known.explains}


async def _explained(known: Known, client: Client, namespace: str, name: str) -> dict[str, Any] | None:
    operator = known.load(SYSTEM_RANDOM)
    assert operator.explain is not None, operator.name
    async with client:
        return await operator.explain(client, namespace, name)


def _printed(found: dict[str, Any], output: str) -> Iterator[str]:
    if output == "json":
        yield msgspec.json.format(msgspec.json.encode(found)).decode()
        return
    if output == "yaml":
        text: str = yaml.safe_dump(found, sort_keys=False, allow_unicode=True)
        yield text.rstrip()
        return
    yield str(found["object"])
    yield f"state: {found['state']} ({found['reason']})"
    yield "seen:"
    yield from _nested(found["seen"], 2)
    for each in found["problems"]:
        yield f"problem: {each['reason']}: {each['message']}"
    yield "plan:" if found["plan"] else "plan: nothing to do"
    for each in found["plan"]:
        where = f"{each['namespace']}/{each['name']}" if each["namespace"] else each["name"]
        yield f"  {each['action']} {each['kind']} {where}: {each['why']}"


def _nested(value: Any, depth: int) -> Iterator[str]:
    """A value as indented lines."""
    indent = " " * depth
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, (dict, list)) and each:
                yield f"{indent}{name}:"
                yield from _nested(each, depth + 2)
            else:
                yield f"{indent}{name}: {_scalar(each)}"
    else:
        for each in value:
            if isinstance(each, dict):
                shown = ", ".join(f"{name} {_scalar(item)}" for name, item in each.items())
                yield f"{indent}- {shown}"
            else:
                yield f"{indent}- {_scalar(each)}"


def _scalar(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
