"""`kajitori dev MODULE`: the command line, and what it puts together."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kajitori.apimachinery.errors import ApiError
from kajitori.cli.dev import embedded
from kajitori.cli.dev.code import Code
from kajitori.cli.dev.debugging import StandingLoop, debugging
from kajitori.cli.dev.happenings import Ended, Happening, Note, Started
from kajitori.cli.dev.lines import json_line, lines_of
from kajitori.cli.dev.live import Live
from kajitori.cli.dev.logs import LEVELS, Logs, Printed
from kajitori.cli.dev.screen import frame
from kajitori.cli.dev.session import Means, Session, innermost
from kajitori.cli.dev.settling import Settling, standing
from kajitori.cli.dev.terminal import Terminal, is_usable
from kajitori.cli.main import CommandError
from kajitori.client import Client, TransportError
from kajitori.client.config import ConfigError, load_config
from kajitori.client.network import NetworkTransport
from kajitori.cluster.cluster import ClusterError
from kajitori.ctrl import Manager
from kajitori.ctrl.definitions import NotEstablished
from kajitori.wire.go_time import parse_duration
from kajitori.world.clock import SYSTEM_CLOCK

__all__ = ["main"]

EXAMPLES = """\
examples:
  kajitori dev widgets.py                      a file with a function setup(manager), on a cluster in this process
  kajitori dev my_company.widgets              a module; what it imports from its package is watched too
  kajitori dev widgets.py --context staging    the same on a cluster of your kubeconfig
  kajitori dev widgets.py --once               until nothing is left to do; the exit code says how it went
  kajitori dev                                 what to write into widgets.py to begin with

Save a file: the new code runs within a second, with the caches and the queue of the old one. What is broken is shown,
and the old code goes on. breakpoint() in a reconcile stops there; leave out what is shown meanwhile with --plain.
"""

KUBECONFIG = Path(".kajitori") / "kubeconfig"

GRACEFUL_SECONDS = 5.0
"""How long reconciles may go on at the end."""

INTERRUPTED = 130
NOT_SETTLED = 1


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
    try:
        with _cluster(chosen) as (transport, where, kubeconfig):
            started = Started(time=_now(), target=chosen.target, cluster=where, kubeconfig=kubeconfig)
            return _run(options, code, transport, started)
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


@dataclass(frozen=True, slots=True)
class _Options:
    once_seconds: float | None
    """How long `--once` may take; None: it goes on until ended."""
    tell: Callable[[Happening], None]
    live: Live | None
    """None: lines instead of a screen."""
    is_json: bool
    log_level: str
    installs_crds: bool


def _options(chosen: argparse.Namespace) -> _Options:
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

    return _Options(
        seconds if chosen.once else None,
        tell if live is None else live.tell,
        live,
        chosen.output == "json",
        chosen.log_level,
        not chosen.no_install_crds,
    )


def _lines(happening: Happening) -> str:
    return "\n".join(lines_of(happening))


@contextlib.contextmanager
def _cluster(chosen: argparse.Namespace) -> Generator[tuple[NetworkTransport, str, str]]:
    """How to reach the cluster, where it is, and the kubeconfig that was written for it."""
    if chosen.kubeconfig is not None or chosen.context is not None:
        config = load_config(chosen.kubeconfig, chosen.context)
        yield NetworkTransport(config), config.cluster.server, ""
        return
    kubeconfig: Path = chosen.write_kubeconfig
    if kubeconfig == KUBECONFIG:
        # A credential, in a folder that is mostly a repository.
        kubeconfig.parent.mkdir(exist_ok=True)
        kubeconfig.parent.joinpath(".gitignore").write_text("*\n")
    with embedded.running(
        kubeconfig, data_dir=chosen.data_dir, port=chosen.port, api_only=chosen.api_only
    ) as url:
        yield NetworkTransport(load_config(str(kubeconfig), None)), url, str(kubeconfig.absolute())


def _run(options: _Options, code: Code, transport: NetworkTransport, started: Started) -> int:
    with Logs(options.tell, code.told, options.log_level) as logs:
        means = Means(
            Client(transport, field_manager="kajitori"),
            options.tell,
            SYSTEM_CLOCK,
            logs.lines_of,
            lambda client: Manager(client, graceful_seconds=GRACEFUL_SECONDS),
            options.installs_crds,
        )
        # What the code prints would be among the objects.
        printed = (
            contextlib.redirect_stdout(Printed(options.tell)) if options.is_json else contextlib.nullcontext()
        )
        with printed, asyncio.Runner(loop_factory=StandingLoop) as runner:
            return runner.run(_develop(options, code, means, started, logs))


async def _develop(options: _Options, code: Code, means: Means, started: Started, logs: Logs) -> int:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    assert isinstance(loop, StandingLoop), loop
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with means.client, asyncio.TaskGroup() as tasks:
        session = Session(code, means, tasks)
        logs.before = session.observe
        means.tell(started)
        try:
            if options.live is not None:
                with contextlib.ExitStack() as stack:
                    await _on_a_screen(options.live, session, means, ended, stack)
                print(f"Stopped after {session.decisions} reconciles.")
                return 0
            with debugging(loop, ended.set, session.observe):
                return await _in_lines(options, session, means, started, ended)
        finally:
            await session.end()


async def _in_lines(
    options: _Options, session: Session, means: Means, started: Started, ended: asyncio.Event
) -> int:
    if started.kubeconfig:
        means.tell(Note(time=_now(), text=f"in another shell: export KUBECONFIG={started.kubeconfig}"))
    await session.start()
    if options.once_seconds is not None:
        return await _until_settled(options.once_seconds, session, means, ended)
    means.tell(Note(time=_now(), text="Save a file to reload. Stop with Ctrl-C."))
    while not ended.is_set():
        await session.tick()
    return 0


async def _on_a_screen(
    live: Live, session: Session, means: Means, ended: asyncio.Event, stack: contextlib.ExitStack
) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StandingLoop), loop

    def draw() -> None:
        terminal.draw(frame(live.view(session), *terminal.size()))

    def pressed(key: str) -> None:
        live.press(key)
        if live.wants_end:
            ended.set()
        if live.wants_reload:
            live.wants_reload = False
            session.reload()
        draw()

    terminal = stack.enter_context(Terminal(pressed, means.tell))
    stack.enter_context(debugging(loop, ended.set, session.observe, terminal.suspended))
    draw()
    await session.start()
    while not ended.is_set():
        draw()
        await session.tick()


async def _until_settled(seconds: float, session: Session, means: Means, ended: asyncio.Event) -> int:
    loop, settling = asyncio.get_running_loop(), Settling()
    began = loop.time()
    if not session.runs:
        return NOT_SETTLED
    while not ended.is_set():
        await session.tick()
        manager = session.manager
        if manager is None or not session.runs:
            return NOT_SETTLED
        passed = loop.time() - began
        settled = settling.has_settled(manager, session.decisions)
        if not settled and passed < seconds:
            continue
        stands = standing(manager)
        means.tell(
            Ended(
                time=_now(),
                settled=settled,
                seconds=passed,
                reconciles=session.decisions,
                failing=[*stands.failing, *stands.busy],
            )
        )
        return NOT_SETTLED if stands.failing or not settled else 0
    return INTERRUPTED


def _now() -> float:
    return SYSTEM_CLOCK.now().timestamp()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
