"""`kajitori run`: operators against any Kubernetes cluster."""

import argparse
import asyncio
import contextlib
import importlib
import inspect
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.http import Request, Response, serve
from kajitori.cli.leading import LEADERSHIP_LOST, add_leader_election, leader_election
from kajitori.cli.main import CommandError
from kajitori.client import Client, TransportError
from kajitori.client.config import ConfigError, load_config
from kajitori.client.network import NetworkTransport
from kajitori.cluster.operators import OPERATORS
from kajitori.ctrl import LeaderElection, LeadershipLost, Manager, WebhooksNotServed
from kajitori.world.random import SYSTEM_RANDOM

if TYPE_CHECKING:
    from kajitori.cli.webhooks import HttpsWebhooks

__all__ = ["main"]

EXAMPLES = """\
examples:
  kajitori run mysql                                 the MySQL operator, on the cluster of your kubeconfig
  kajitori run my_operator:setup --context staging   a function of yours that adds controllers to a Manager
  kajitori run kubewarden --webhook-address 192.0.2.7:9443
                                                     policies in WebAssembly, asked by the API server at that address
  kajitori run my_operator:manager                   a function of yours that makes a Manager for a Client
  kajitori run mysql --leader-elect                  in several processes: one works, the others stand by

Install the kinds first: kajitori crds | kubectl apply --server-side -f -
"""

PLAIN = "text/plain; version=0.0.4; charset=utf-8"


def main(arguments: Sequence[str]) -> int:
    """Runs controllers until a signal ends them.

    Raises: CommandError.
    """
    parser = argparse.ArgumentParser(
        prog="kajitori run",
        description="Run operators against any Kubernetes cluster.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "target",
        nargs="+",
        metavar="OPERATOR|MODULE:MANAGER",
        help=f"an operator ({', '.join(OPERATORS)}) or yours",
    )
    parser.add_argument(
        "--kubeconfig", help="kubeconfig to use (default: as kubectl finds it, then in-cluster)"
    )
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument(
        "--metrics-address", metavar="HOST:PORT", help="serve /metrics and /healthz there (default: nowhere)"
    )
    parser.add_argument(
        "--webhook-address",
        metavar="HOST:PORT",
        help="answer the operators' webhooks there, with HTTPS; the API server must be able to reach it",
    )
    parser.add_argument(
        "--webhook-host",
        metavar="NAME",
        help="what the API server calls that host by, where it is another name (default: HOST)",
    )
    add_leader_election(parser)
    chosen = parser.parse_args(arguments)
    election = leader_election(chosen)
    targets = [(name, _target(name)) for name in chosen.target]
    address = _address("--metrics-address", chosen.metrics_address)
    webhooks = _webhooks(chosen.webhook_address, chosen.webhook_host or "")
    try:
        transport = NetworkTransport(load_config(chosen.kubeconfig, chosen.context))
        return asyncio.run(
            _run(Client(transport, field_manager="kajitori"), targets, _Means(address, webhooks, election))
        )
    except LeadershipLost as lost:
        raise CommandError(str(lost), LEADERSHIP_LOST) from None
    except (ConfigError, TransportError, ApiError, OSError) as error:
        raise CommandError(str(error)) from None
    except ExceptionGroup as group:
        first = _first_of(group)
        raise CommandError(str(first), LEADERSHIP_LOST if isinstance(first, LeadershipLost) else 1) from None


def _first_of(group: "ExceptionGroup[Exception]") -> Exception:
    error: Exception = group
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _webhooks(text: str | None, name: str) -> "HttpsWebhooks | None":
    address = _address("--webhook-address", text)
    if address is None:
        return None
    if address[0] in ("", "0.0.0.0", "::") and not name:
        raise CommandError(
            f"--webhook-address {text}: say with --webhook-host what the API server calls this host", 2
        )
    from kajitori.cli.webhooks import HttpsWebhooks  # few operators have webhooks

    return HttpsWebhooks(*address, name)


def _address(flag: str, text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise CommandError(f"{flag} {text}: write it as HOST:PORT, e.g. 127.0.0.1:8080", 2)
    return host.strip("[]"), int(port)


def _target(name: str) -> Callable[[Any], Any]:
    """What adds controllers to a Manager, or makes a Manager for a Client."""
    if name in OPERATORS:
        return OPERATORS[name].load(SYSTEM_RANDOM).setup
    module_name, colon, attribute = name.partition(":")
    if not colon:
        raise CommandError(f"{name} is no operator; use one of {', '.join(OPERATORS)}, or MODULE:MANAGER", 2)
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise CommandError(f"{name} cannot be imported: {error}", 2) from None
    if not callable(found):
        raise CommandError(f"{name} must be a function of a Manager, or of a Client that gives a Manager", 2)
    function: Callable[[Any], Any] = found
    return function


def _makes_manager(function: Callable[[Any], Any]) -> bool:
    """Whether the function wants a Client: its first parameter says so by name or type."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        return False
    return parameters[0].name == "client" or parameters[0].annotation in (Client, "Client")


@dataclass(frozen=True, slots=True)
class _Means:
    """What the flags give to the operators."""

    address: tuple[str, int] | None
    webhooks: "HttpsWebhooks | None"
    election: LeaderElection | None


def _shared_manager(client: Client, means: _Means) -> Manager:
    try:
        return Manager(client, webhooks=means.webhooks, leader_election=means.election)
    except ValueError as error:
        raise CommandError(f"{error}; here: --leader-elect-resource-namespace", 2) from None


async def _run(
    client: Client,
    targets: Sequence[tuple[str, Callable[[Any], Any]]],
    means: "_Means",
) -> int:
    async with contextlib.AsyncExitStack() as stack:
        if means.webhooks is not None:
            await stack.enter_async_context(means.webhooks)
        return await _run_all(client, targets, means)


async def _run_all(
    client: Client,
    targets: Sequence[tuple[str, Callable[[Any], Any]]],
    means: "_Means",
) -> int:
    loop = asyncio.get_running_loop()
    address, webhooks = means.address, means.webhooks
    shared = _shared_manager(client, means)
    managers: list[Manager] = []
    for name, function in targets:
        if _makes_manager(function):
            made = function(client)
            if not isinstance(made, Manager):
                raise CommandError(f"{name} gave no Manager but {type(made).__name__}", 2)
            if means.election is not None:
                raise CommandError(
                    f"--leader-elect: {name} makes a Manager of its own; give that one its leader_election", 2
                )
            managers.append(made)
        else:
            try:
                function(shared)
            except WebhooksNotServed as error:
                raise CommandError(f"{error}; say with --webhook-address where", 2) from None
            if shared not in managers:
                managers.append(shared)

    def stop() -> None:
        print("\nStopping ...", flush=True)
        for manager in managers:
            manager.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    names = ", ".join(controller.name for manager in managers for controller in manager.controllers)
    print(f"Running {names or 'no controllers'}. Stop with Ctrl-C.", flush=True)
    if webhooks is not None:
        print(f"Webhooks at {webhooks.url}", flush=True)
    server = None
    if address is not None:
        server = await serve(_figures(managers), host=address[0], port=address[1], ssl_context=None)
        print(f"Metrics at {server.url}/metrics", flush=True)
    try:
        async with client, asyncio.TaskGroup() as tasks:
            for manager in managers:
                tasks.create_task(manager.run())
    finally:
        if server is not None:
            await server.close(1.0)
    return 0


def _figures(managers: Sequence[Manager]) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        if request.path in ("/healthz", "/readyz"):
            return Response(200, b"ok", PLAIN)
        if request.path != "/metrics":
            return Response(404, b"not found\n", PLAIN)
        from prometheus_client import generate_latest

        return Response(200, b"".join(generate_latest(each.metrics_registry()) for each in managers), PLAIN)

    return answer
