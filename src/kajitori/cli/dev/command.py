"""`kajitori dev MODULE`: the command line, and what it puts together."""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kajitori.apimachinery.errors import ApiError
from kajitori.cli.dev import embedded
from kajitori.cli.dev.code import Code
from kajitori.cli.dev.debugging import StandingLoop
from kajitori.cli.dev.happenings import Happening, Started
from kajitori.cli.dev.lines import json_line, lines_of
from kajitori.cli.dev.live import Live
from kajitori.cli.dev.logs import LEVELS, Logs, Printed
from kajitori.cli.dev.manifests import Manifests
from kajitori.cli.dev.playing import Options, develop
from kajitori.cli.dev.session import Means, innermost
from kajitori.cli.dev.terminal import is_usable
from kajitori.cli.dev.webhooks import Webhooks
from kajitori.cli.main import CommandError
from kajitori.cli.webhook_flags import add_webhooks, webhook_place
from kajitori.cli.webhooks import WebhookPlace
from kajitori.client import Client, TransportError
from kajitori.client.config import ConfigError, ConnectionConfig, load_config
from kajitori.client.network import NetworkTransport
from kajitori.cluster.cluster import ClusterError
from kajitori.ctrl import CacheOptions, Manager
from kajitori.ctrl.definitions import NotEstablished
from kajitori.wire.go_time import parse_duration
from kajitori.world.clock import SYSTEM_CLOCK

__all__ = ["main"]

EXAMPLES = """\
examples:
  kajitori dev widgets.py                      a file with a function setup(manager), on a cluster in this process
  kajitori dev my_company.widgets              a module; what it imports from its package is watched too
  kajitori dev widgets.py --context staging    the same on a cluster of your kubeconfig
  kajitori dev widgets.py --apply samples/     with objects from files, applied again when they are saved
  kajitori dev widgets.py --once               until nothing is left to do; the exit code says how it went
  kajitori dev                                 what to write into widgets.py to begin with

Save a file: the new code runs within a second, with the caches and the queue of the old one. What is broken is shown,
and the old code goes on. breakpoint() in a reconcile stops there; leave out what is shown meanwhile with --plain.
"""

KUBECONFIG = Path(".kajitori") / "kubeconfig"

GRACEFUL_SECONDS = 5.0
"""How long reconciles may go on at the end."""


def parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = argparse.ArgumentParser(
        prog="kajitori dev",
        description="Run an operator while you write it: every save is loaded into what runs, caches and queue stay.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "target",
        nargs="?",
        metavar="MODULE[:FUNCTION]",
        help="a module or file with a function setup(manager), or with that which you name; its kinds, declared with "
        "@kind, are installed and kept up to date",
    )
    where = parser.add_argument_group(
        "where it runs (default: on a cluster in this process, gone at the end)"
    )
    where.add_argument("--kubeconfig", metavar="FILE", help="on the cluster of a kubeconfig")
    where.add_argument("--context", help="on that of a context of the kubeconfig")
    where.add_argument(
        "-n",
        "--namespace",
        action="append",
        default=[],
        metavar="NAMESPACE",
        help="watch and cache objects of namespaced kinds there only; may be repeated (default: in all)",
    )
    where.add_argument(
        "--apply",
        action="append",
        type=Path,
        default=[],
        metavar="PATH",
        help="apply the objects of a file or folder when the code runs first, and again when they are saved; may be "
        "repeated",
    )
    where.add_argument(
        "--no-install-crds", action="store_true", help="leave the definitions of its kinds as they are there"
    )
    here = parser.add_argument_group("the cluster in this process")
    here.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="keep its state there (default: in memory, gone at the end)",
    )
    here.add_argument(
        "--port", type=int, default=0, help="port of its API; 0 takes a free one (default: %(default)s)"
    )
    here.add_argument(
        "--write-kubeconfig",
        type=Path,
        default=KUBECONFIG,
        metavar="FILE",
        help="where kubectl finds it (default: %(default)s)",
    )
    here.add_argument(
        "--api-only", action="store_true", help="without Kubernetes' own controllers, as in envtest"
    )
    _add_output(parser)
    add_webhooks(parser)
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    shows = parser.add_argument_group("what it shows")
    shows.add_argument("--plain", action="store_true", help="lines instead of a screen, also at a terminal")
    shows.add_argument(
        "-o",
        "--output",
        choices=("text", "json"),
        default="text",
        help="json: one object a line, for programs",
    )
    shows.add_argument(
        "--log-level",
        choices=LEVELS,
        default="info",
        help="of what your code and its libraries log; debug: also of kajitori (default: %(default)s)",
    )
    once = parser.add_argument_group("in CI")
    once.add_argument(
        "--once",
        action="store_true",
        help="end when nothing is left to do: exit code 0 when all is well, 1 when names fail or time is up",
    )
    once.add_argument("--timeout", default="60s", metavar="DURATION", help="of --once (default: %(default)s)")


def main(arguments: Sequence[str]) -> int:
    """Runs code until a signal ends it, or with --once until it has settled.

    Raises: CommandError.
    """
    chosen = parser().parse_args(arguments)
    if chosen.target is None:
        from kajitori.cli.dev.teaching import FIRST_STEPS

        print(FIRST_STEPS, end="")
        return 2
    options = _options(chosen)
    code = Code(chosen.target)
    webhooks = webhook_place(chosen)
    try:
        with _cluster(chosen, webhooks) as place:
            return _run(options, chosen, code, place)
    except (ClusterError, ConfigError, NotEstablished, TransportError, ApiError) as error:
        raise CommandError(str(error)) from None
    except ExceptionGroup as group:
        # Of the task group that owns what runs.
        first = innermost(group)
        if isinstance(first, CommandError):
            raise first from None
        if isinstance(first, (NotEstablished, TransportError, ApiError)):
            raise CommandError(str(first)) from None
        raise


def _options(chosen: argparse.Namespace) -> Options:
    try:
        seconds = parse_duration(chosen.timeout) / 1e9
    except ValueError:
        raise CommandError(f"--timeout {chosen.timeout}: write it with its unit, e.g. 90s or 2m", 2) from None
    if not 0 <= chosen.port <= 65535:
        raise CommandError(f"--port {chosen.port}: use a port from 0 to 65535", 2)
    live = None
    if chosen.output == "text" and not chosen.plain and not chosen.once and is_usable():
        live = Live()
    stream = sys.stdout
    line = json_line if chosen.output == "json" else _lines

    def tell(happening: Happening) -> None:
        print(line(happening), file=stream, flush=True)

    return Options(
        seconds if chosen.once else None,
        tell if live is None else live.tell,
        live,
        chosen.output == "json",
        chosen.log_level,
    )


def _lines(happening: Happening) -> str:
    return "\n".join(lines_of(happening))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the code runs."""

    config: ConnectionConfig
    kubeconfig: str
    """The one that was written for it; empty: it was named."""
    webhooks: WebhookPlace | None


@contextlib.contextmanager
def _cluster(chosen: argparse.Namespace, webhooks: WebhookPlace | None) -> Generator[_Place]:
    if chosen.kubeconfig is not None or chosen.context is not None:
        yield _Place(load_config(chosen.kubeconfig, chosen.context), "", webhooks)
        return
    kubeconfig: Path = chosen.write_kubeconfig
    if kubeconfig == KUBECONFIG:
        # A credential, in a folder that is mostly a repository.
        kubeconfig.parent.mkdir(exist_ok=True)
        kubeconfig.parent.joinpath(".gitignore").write_text("*\n")
    here = webhooks or WebhookPlace(host="127.0.0.1", port=0)
    with embedded.running(kubeconfig, data_dir=chosen.data_dir, port=chosen.port, api_only=chosen.api_only):
        yield _Place(load_config(str(kubeconfig), None), str(kubeconfig.absolute()), here)


def _run(options: Options, chosen: argparse.Namespace, code: Code, place: _Place) -> int:
    # As `kajitori run` will be known: what it owns is the same then.
    name = code.name
    client = Client(NetworkTransport(place.config), field_manager=name, user_agent=name)
    namespaces: list[str] = chosen.namespace
    here = namespaces[0] if namespaces else place.config.namespace or "default"
    webhooks = None if place.webhooks is None else Webhooks(place.webhooks, client)

    def new_manager() -> Manager:
        manager = Manager(
            client,
            name=name,
            graceful_seconds=GRACEFUL_SECONDS,
            webhooks=None if webhooks is None else webhooks.host,
        )
        if namespaces:
            manager.cache.configure_all(CacheOptions(namespaces=namespaces))
        return manager

    with Logs(options.tell, code.told, options.log_level) as logs:
        means = Means(
            client,
            options.tell,
            SYSTEM_CLOCK,
            logs.lines_of,
            new_manager,
            webhooks,
            Manifests(client, chosen.apply, here, options.tell, SYSTEM_CLOCK) if chosen.apply else None,
            not chosen.no_install_crds,
        )
        server = place.config.cluster.server
        started = Started(time=_now(), target=chosen.target, cluster=server, kubeconfig=place.kubeconfig)
        # What the code prints would be among the objects.
        printed = (
            contextlib.redirect_stdout(Printed(options.tell)) if options.is_json else contextlib.nullcontext()
        )
        with printed, asyncio.Runner(loop_factory=StandingLoop) as runner:
            return runner.run(develop(options, code, means, started, logs))


def _now() -> float:
    return SYSTEM_CLOCK.now().timestamp()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
