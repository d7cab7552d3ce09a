"""`kajitori run`: operators against any Kubernetes cluster."""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.names import is_dns1123_label
from kajitori.cli.leading import LEADERSHIP_LOST, add_leader_election, leader_election, seconds_of
from kajitori.cli.main import CommandError
from kajitori.cli.modules import SETUP, load, name_of
from kajitori.cli.probing import OFF, Address, parse_address
from kajitori.cli.running import Logs, Means, logging_to_stderr, run_operators
from kajitori.cli.sharding import add_sharding, sharding_of
from kajitori.cli.webhook_flags import add_webhooks, webhook_place
from kajitori.client import Client, TransportError
from kajitori.client.config import SERVICE_ACCOUNT_FOLDER, ConfigError, load_config
from kajitori.client.network import NetworkTransport
from kajitori.cluster.operators import OPERATORS
from kajitori.ctrl import LeadershipLost
from kajitori.ctrl.definitions import NotEstablished
from kajitori.ctrl.logs import LEVELS

__all__ = ["main"]

EXAMPLES = """\
examples:
  kajitori run mysql                                 the MySQL operator, on the cluster of your kubeconfig
  kajitori run my_operator --context staging         a module of yours: its setup(manager) adds controllers to a Manager
  kajitori run widgets.py:install --install-crds     another function of a file; its kinds are installed first
  kajitori run kubewarden --webhook-address 192.0.2.7:9443
                                                     policies in WebAssembly, asked by the API server at that address
  kajitori run mysql --leader-elect                  in several processes: one works, the others stand by
  kajitori run my_operator --shard-ring my-operator --shard-mode ranges
                                                     in several processes: each works on a part of the objects

Install the kinds first: kajitori crds | kubectl apply --server-side -f -
"""

METRICS_PORT = 8080
HEALTH_PORT = 8081
"""As in controller-runtime and kubebuilder."""


def main(arguments: Sequence[str]) -> int:
    """Runs controllers until a signal ends them.

    Raises: CommandError.
    """
    chosen = _parser().parse_args(arguments)
    means = _means(chosen)
    operators = [load(target) for target in chosen.target]
    try:
        config = load_config(chosen.kubeconfig, chosen.context)
        if config.user.token_file == str(SERVICE_ACCOUNT_FOLDER / "token"):
            means = _in_a_pod(means, chosen)
        name = name_of(operators)
        client = Client(NetworkTransport(config), field_manager=name, user_agent=name)
        with logging_to_stderr(Logs(chosen.log_level, chosen.log_format)):
            import uvloop

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(run_operators(client, operators, means))
    except LeadershipLost as lost:
        raise CommandError(str(lost), LEADERSHIP_LOST) from None
    except (ConfigError, NotEstablished, TransportError, ApiError, OSError) as error:
        raise CommandError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
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
        "-n",
        "--namespace",
        action="append",
        default=[],
        metavar="NAMESPACE",
        help="watch and cache objects of namespaced kinds there only; may be repeated, or several with commas "
        "(default: in all)",
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        default=1,
        metavar="N",
        help="of each controller that does not say how many it has; so many objects are reconciled at the same time "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--graceful-shutdown-timeout",
        default="30s",
        metavar="DURATION",
        help="so long may reconciles go on after the first signal to stop; a second one ends at once "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--install-crds",
        action="store_true",
        help="install the operators' kinds first, or bring them up to date, by server-side apply",
    )
    add_webhooks(parser)
    _add_endpoints(parser)
    add_leader_election(parser)
    add_sharding(parser)
    return parser


def _means(chosen: argparse.Namespace) -> Means:
    return Means(
        parse_address("--metrics-bind-address", chosen.metrics_bind_address or OFF),
        parse_address("--health-probe-bind-address", chosen.health_probe_bind_address or OFF),
        webhook_place(chosen),
        leader_election(chosen),
        sharding=sharding_of(chosen),
        namespaces=_namespaces(chosen.namespace),
        install_crds=chosen.install_crds,
        workers=chosen.workers,
        grace_seconds=seconds_of("--graceful-shutdown-timeout", chosen.graceful_shutdown_timeout),
        says=chosen.log_format == "text",
        hooks=parse_address("--hook-bind-address", chosen.hook_bind_address),
    )


def _namespaces(given: Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for each in given for name in each.split(",")))
    for name in names:
        problems = is_dns1123_label(name)
        if problems:
            raise CommandError(f"--namespace {name or repr(name)}: {problems[0]}", 2)
    return names


def _in_a_pod(means: Means, chosen: argparse.Namespace) -> Means:
    """There nobody else has the ports, and who probes comes from outside."""
    metrics, health = means.metrics, means.health
    if chosen.metrics_bind_address is None:
        metrics = Address("", METRICS_PORT)
    if chosen.health_probe_bind_address is None:
        health = Address("", HEALTH_PORT)
    return replace(means, metrics=metrics, health=health)


def _add_endpoints(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("logs, probes and figures")
    group.add_argument(
        "--log-level", default="info", choices=LEVELS, help="from what on is logged (default: %(default)s)"
    )
    group.add_argument(
        "--log-format",
        default="text",
        choices=("text", "json"),
        help="json: one object a line, with controller-runtime's keys (default: %(default)s)",
    )
    group.add_argument(
        "--metrics-bind-address",
        metavar="ADDRESS",
        help="serve /metrics there, and to this machine the status page; HOST:PORT, :PORT for every address, 0: none "
        f"(default: :{METRICS_PORT} in a Pod, else 0)",
    )
    group.add_argument(
        "--health-probe-bind-address",
        metavar="ADDRESS",
        help=f"serve /healthz, /livez and /readyz there (default: :{HEALTH_PORT} in a Pod, else 0)",
    )
    group.add_argument(
        "--hook-bind-address",
        metavar="ADDRESS",
        default=OFF,
        help="take the calls of the operators' HTTP event sources there, such as a git server's (default: %(default)s)",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text}: use 1 or more")
    return int(text)
