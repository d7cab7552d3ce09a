"""`kajitori run`: operators against any Kubernetes cluster."""

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.http import Request, Response, serve
from kajitori.cli.leading import LEADERSHIP_LOST, add_leader_election, leader_election
from kajitori.cli.main import CommandError
from kajitori.cli.modules import SETUP, OperatorModule, load, set_up
from kajitori.client import Client, TransportError
from kajitori.client.config import ConfigError, load_config
from kajitori.client.network import NetworkTransport
from kajitori.cluster.operators import OPERATORS
from kajitori.ctrl import LeaderElection, LeadershipLost, Manager, WebhooksNotServed
from kajitori.ctrl.definitions import NotEstablished, install_crds

if TYPE_CHECKING:
    from kajitori.cli.webhooks import HttpsWebhooks

__all__ = ["main"]

EXAMPLES = """\
examples:
  kajitori run mysql                                 the MySQL operator, on the cluster of your kubeconfig
  kajitori run my_operator --context staging         a module of yours: its setup(manager) adds controllers to a Manager
  kajitori run widgets.py:install --install-crds     another function of a file; its kinds are installed first
  kajitori run kubewarden --webhook-address 192.0.2.7:9443
                                                     policies in WebAssembly, asked by the API server at that address
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
        metavar="OPERATOR|MODULE[:FUNCTION]",
        help=f"an operator ({', '.join(OPERATORS)}), or a module or file of yours with a function "
        f"{SETUP}(manager), or with that which you name",
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
    parser.add_argument(
        "--install-crds",
        action="store_true",
        help="install the operators' kinds first, or bring them up to date, by server-side apply",
    )
    add_leader_election(parser)
    chosen = parser.parse_args(arguments)
    election = leader_election(chosen)
    operators = [load(target) for target in chosen.target]
    address = _address("--metrics-address", chosen.metrics_address)
    webhooks = _webhooks(chosen.webhook_address, chosen.webhook_host or "")
    try:
        transport = NetworkTransport(load_config(chosen.kubeconfig, chosen.context))
        return asyncio.run(
            _run(
                Client(transport, field_manager="kajitori"),
                operators,
                _Means(address, webhooks, election, chosen.install_crds),
            )
        )
    except LeadershipLost as lost:
        raise CommandError(str(lost), LEADERSHIP_LOST) from None
    except (ConfigError, NotEstablished, TransportError, ApiError, OSError) as error:
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


@dataclass(frozen=True, slots=True)
class _Means:
    """What the flags give to the operators."""

    address: tuple[str, int] | None
    webhooks: "HttpsWebhooks | None"
    election: LeaderElection | None
    install_crds: bool


def _shared_manager(client: Client, means: _Means) -> Manager:
    try:
        return Manager(client, webhooks=means.webhooks, leader_election=means.election)
    except ValueError as error:
        raise CommandError(f"{error}; here: --leader-elect-resource-namespace", 2) from None


async def _run(client: Client, operators: Sequence[OperatorModule], means: "_Means") -> int:
    async with contextlib.AsyncExitStack() as stack:
        if means.webhooks is not None:
            await stack.enter_async_context(means.webhooks)
        await stack.enter_async_context(client)
        return await _run_all(client, operators, means)


async def _run_all(client: Client, operators: Sequence[OperatorModule], means: "_Means") -> int:
    loop = asyncio.get_running_loop()
    address, webhooks = means.address, means.webhooks
    manager = _shared_manager(client, means)
    if means.install_crds:
        await install_crds(client, *(each for operator in operators for each in operator.definitions()))
    for operator in operators:
        try:
            await set_up(operator, manager)
        except WebhooksNotServed as error:
            raise CommandError(f"{error}; say with --webhook-address where", 2) from None

    def stop() -> None:
        print("\nStopping ...", flush=True)
        manager.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    names = ", ".join(controller.name for controller in manager.controllers)
    print(f"Running {names or 'no controllers'}. Stop with Ctrl-C.", flush=True)
    if webhooks is not None:
        print(f"Webhooks at {webhooks.url}", flush=True)
    server = None
    if address is not None:
        server = await serve(_figures(manager), host=address[0], port=address[1], ssl_context=None)
        print(f"Metrics at {server.url}/metrics", flush=True)
    try:
        await manager.run()
    finally:
        if server is not None:
            await server.close(1.0)
    return 0


def _figures(manager: Manager) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        if request.path in ("/healthz", "/readyz"):
            return Response(200, b"ok", PLAIN)
        if request.path != "/metrics":
            return Response(404, b"not found\n", PLAIN)
        from prometheus_client import generate_latest

        return Response(200, generate_latest(manager.metrics_registry()), PLAIN)

    return answer
