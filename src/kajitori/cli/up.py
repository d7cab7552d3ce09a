"""`kajitori up`: Kubernetes in this process, until Ctrl-C."""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from kajitori.cli import authentication, authorizing, operating
from kajitori.cli.complaints import listen
from kajitori.cli.happenings import follow
from kajitori.cli.main import CommandError
from kajitori.cli.printing import Printer
from kajitori.cluster.cluster import Cluster, ClusterError
from kajitori.cluster.options import ClusterOptions

__all__ = ["chosen_options", "main", "options_from", "parser", "run"]

COLLECT_AFTER_OBJECTS = 20_000
"""How many containers more than are gone again the collector of cycles waits for: a few megabytes at most."""

SWITCH_SECONDS = 0.00005
"""How long a thread that wants the interpreter waits before it asks for it."""

EXAMPLES = """\
examples:
  kajitori up                          keep everything in ./kajitori-data, write ~/.kube/config
  kajitori up --memory --port 0        a cluster for one test run, gone at the end
  kajitori up --api-only --memory      only the API server: what an operator's own tests need
"""


def parser(*, allow_abbrev: bool = True) -> argparse.ArgumentParser:
    """The parser of `kajitori up`, for all who start a server by its flags."""
    parser = argparse.ArgumentParser(
        prog="kajitori up",
        description="Run Kubernetes in this process: API server, controllers and operators.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=allow_abbrev,
    )
    where = parser.add_argument_group("where things are kept")
    where.add_argument(
        "--data-dir",
        type=Path,
        default=Path("kajitori-data"),
        help="folder of the state (default: %(default)s)",
    )
    where.add_argument("--memory", action="store_true", help="keep the state in memory only")
    where.add_argument(
        "--kubeconfig", type=Path, help="kubeconfig to write (default: $KUBECONFIG, or ~/.kube/config)"
    )
    _add_serving(parser)
    parts = parser.add_argument_group("what runs")
    parts.add_argument("--api-only", action="store_true", help="no controllers and no operators")
    parts.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="OPERATOR",
        help="leave an operator out; may be repeated",
    )
    authentication.add_flags(parser)
    access = parser.add_argument_group("admission, as kube-apiserver has it")
    access.add_argument("--enable-admission-plugins", default="", metavar="NAMES", help="comma-separated")
    access.add_argument("--disable-admission-plugins", default="", metavar="NAMES", help="comma-separated")
    access.add_argument(
        "--admission-control-config-file",
        type=Path,
        metavar="YAML",
        help="AdmissionConfiguration: what admission plugins are told",
    )
    access.add_argument(
        "--admission-manifest-dir",
        type=Path,
        metavar="DIR",
        help="webhooks and policies from the files in here, which nobody can change by the API; changes of the files "
        "are seen",
    )
    access.add_argument(
        "--allow-privileged",
        nargs="?",
        const="true",
        choices=("true", "false"),
        help="let Pods have privileged containers (default: true, with --api-only false)",
    )
    authorizing.add_flags(parser)
    operating.add_flags(parser)
    return parser


def _add_serving(parser: argparse.ArgumentParser) -> None:
    serving = parser.add_argument_group("serving")
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serving.add_argument(
        "--port", type=int, default=6443, help="port to listen on; 0 takes a free one (default: %(default)s)"
    )
    serving.add_argument(
        "--advertise-address",
        default="",
        metavar="IP",
        help="address at which others find the API, in the endpoints of the Service kubernetes (default: that of "
        "--host, or else the machine's own)",
    )
    serving.add_argument(
        "--service-cluster-ip-range",
        default="10.96.0.0/16",
        metavar="CIDR",
        help="addresses of Services; two networks with a comma between them make Services of both IP "
        "families possible (default: %(default)s)",
    )
    serving.add_argument(
        "--service-node-port-range",
        type=_port_range,
        default=(30000, 32767),
        metavar="FROM-TO",
        help="ports of Services of type NodePort (default: 30000-32767)",
    )
    serving.add_argument(
        "--tls-san",
        action="append",
        default=[],
        metavar="NAME",
        help="one more name or address that clients use, for the certificate; may be repeated",
    )
    serving.add_argument(
        "--tls-cert-file",
        type=Path,
        metavar="PEM",
        help="certificate to serve with (default: one of its own)",
    )
    serving.add_argument(
        "--tls-private-key-file", type=Path, metavar="PEM", help="the key of that certificate"
    )
    serving.add_argument(
        "--http2-max-streams-per-connection",
        type=_not_negative,
        default=0,
        metavar="N",
        help="requests at once on one HTTP/2 connection; 0 is kube-apiserver's 100 (default: %(default)s)",
    )
    serving.add_argument(
        "--disable-http2-serving",
        nargs="?",
        const="true",
        default="false",
        choices=("true", "false"),
        help="offer HTTP/1.1 only",
    )


def options_from(arguments: Sequence[str]) -> tuple[ClusterOptions, Path]:
    """The cluster that the arguments describe, and the kubeconfig to write."""
    chosen = parser().parse_args(arguments)
    return chosen_options(chosen), chosen.kubeconfig or _default_kubeconfig()


def chosen_options(chosen: argparse.Namespace) -> ClusterOptions:
    """What the flags say."""
    if not 0 <= chosen.port <= 65535:
        raise CommandError(f"--port {chosen.port}: use a port from 0 to 65535", 2)
    if (chosen.tls_cert_file is None) != (chosen.tls_private_key_file is None):
        raise CommandError("--tls-cert-file and --tls-private-key-file: use both, or neither", 2)
    return ClusterOptions(
        data_dir=None if chosen.memory else chosen.data_dir,
        host=chosen.host,
        port=chosen.port,
        advertise_address=chosen.advertise_address,
        api_only=chosen.api_only,
        without=frozenset(name for each in chosen.without for name in each.split(",") if name),
        authentication=authentication.chosen(chosen),
        client_ca_file=chosen.client_ca_file,
        enable_admission_plugins=_names(chosen.enable_admission_plugins),
        disable_admission_plugins=_names(chosen.disable_admission_plugins),
        admission_control_config_file=chosen.admission_control_config_file,
        admission_manifest_dir=chosen.admission_manifest_dir,
        allow_privileged=None if chosen.allow_privileged is None else chosen.allow_privileged == "true",
        further_names=tuple(chosen.tls_san),
        tls_cert_file=chosen.tls_cert_file,
        tls_private_key_file=chosen.tls_private_key_file,
        service_cluster_ip_range=chosen.service_cluster_ip_range,
        service_node_port_range=chosen.service_node_port_range,
        http2_max_streams_per_connection=chosen.http2_max_streams_per_connection,
        disable_http2_serving=chosen.disable_http2_serving == "true",
        authorization=authorizing.chosen(chosen),
        operating=operating.chosen(chosen),
    )


def _port_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last) < 65536):
        raise argparse.ArgumentTypeError(f"{text}: write it as FROM-TO, e.g. 30000-32767")
    return int(first), int(last)


def _not_negative(text: str) -> int:
    if not text.isdecimal() or int(text) > 2**31 - 1:
        raise argparse.ArgumentTypeError(f"{text}: use 0 or more")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _default_kubeconfig() -> Path:
    listed = [each for each in os.environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    return Path(listed[0]) if listed else Path.home() / ".kube" / "config"


def main(arguments: Sequence[str]) -> int:
    """Runs a cluster until a signal ends it.

    Raises: CommandError when it cannot start.
    """
    options, kubeconfig = options_from(arguments)
    try:
        return run(options, kubeconfig)
    except ClusterError as error:
        raise CommandError(str(error)) from None


def run(options: ClusterOptions, kubeconfig: Path | None) -> int:
    """Runs a cluster until a signal ends it; gives 0. Without a kubeconfig it is quiet, and writes none.

    Raises: ClusterError.
    """
    import uvloop

    # A start makes much and throws away next to nothing.
    gc.disable()
    # Threads that write to the disk want the interpreter for moments only, and requests wait for what they do.
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(options, kubeconfig))
    finally:
        gc.enable()


def _collect_seldom() -> None:
    """Lets the collector of cycles look at what requests leave behind, and not at what the start has made.

    Requests make almost no cycles: looking for them after each few hundred objects takes a twentieth of the time.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 20, 20)
    gc.enable()


async def _serve(options: ClusterOptions, kubeconfig: Path | None) -> int:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    cluster = Cluster(options)
    with closing(Printer(sys.stdout)) as screen, closing(Printer(sys.stderr)) as errors:
        listen(errors, options.operating.log_level)
        async with cluster:
            if kubeconfig is None:
                _collect_seldom()
                return await _serve_quietly(cluster, ended)
            cluster.write_kubeconfig(kubeconfig)
            _collect_seldom()
            screen.print(_welcome(cluster, kubeconfig))
            telling = loop.create_task(follow(cluster.client("kajitori-up"), screen.print))
            try:
                failure = await cluster.run_until(ended)
            finally:
                telling.cancel()
            screen.print("\nStopping ...")
        if failure is not None:
            raise ClusterError(failure)
        where = options.data_dir
        screen.print("Stopped." if where is None else f"Stopped. Everything is kept in {where}.")
    return 0


async def _serve_quietly(cluster: Cluster, ended: asyncio.Event) -> int:
    failure = await cluster.run_until(ended)
    if failure is not None:
        raise ClusterError(failure)
    return 0


def _welcome(cluster: Cluster, kubeconfig: Path) -> str:
    """The one screen: what runs, where it is kept, how to reach it."""
    options = cluster.options
    kept = "memory only: gone when this stops" if options.data_dir is None else str(options.data_dir)
    runs = ", ".join(cluster.running) or "API server only"
    default = kubeconfig == Path.home() / ".kube" / "config"
    use = "kubectl get namespaces" if default else f"kubectl --kubeconfig {kubeconfig} get namespaces"
    lines = [
        f"kajitori is up: Kubernetes {cluster.kubernetes_version} at {cluster.url}",
        "",
        f"  runs        {runs}",
        f"  state       {kept}",
        f"  kubeconfig  {kubeconfig}",
        "",
        f"Try: {use}",
        "Stop with Ctrl-C. What happens is told here as it happens:",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
