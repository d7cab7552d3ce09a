"""`kajitori user`: people who come with a certificate of the cluster's own authority."""

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from kajitori.apimachinery.errors import ApiError
from kajitori.cli.main import CommandError
from kajitori.cli.users import Known, UserError, Wanted, add, known, remove
from kajitori.client import Client, TransportError
from kajitori.client.config import ConfigError, ConnectionConfig, load_config
from kajitori.client.network import NetworkTransport

__all__ = ["main"]

DESCRIPTION = """\
Users with certificates, on any Kubernetes cluster.

`add` makes a key, asks the cluster for a certificate (a CertificateSigningRequest), approves it with your rights, and
writes a kubeconfig. The name and the groups are in the certificate: what they may do is for RBAC to say.

A certificate cannot be taken back: it counts until it ends. So let it end soon (--expires), give rights to names
rather than to groups where that matters, and use `remove`, which takes a name out of all bindings.
"""

EXAMPLES = """\
examples:
  kajitori user add alice --group developers             a certificate for a year, in alice.kubeconfig
  kajitori user add bob --expires 8h --output -          for a working day, printed
  kajitori user list                                     who is named in bindings, and who has asked for a certificate
  kajitori user remove alice                             out of all bindings
"""

_UNITS = {"m": 60, "h": 3600, "d": 24 * 3600, "y": 365 * 24 * 3600}
_EXPIRES_SECONDS_MIN = 10 * 60


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kajitori user",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="action", metavar="COMMAND", required=True)
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument(
        "--kubeconfig", help="kubeconfig to use (default: as kubectl finds it, then in-cluster)"
    )
    where.add_argument("--context", help="context of the kubeconfig")
    adding = commands.add_parser("add", parents=[where], help="give somebody a certificate and a kubeconfig")
    adding.add_argument("name", metavar="NAME", help="the user name, as RBAC is to know it")
    adding.add_argument(
        "--group", action="append", default=[], metavar="GROUP", help="a group; may be repeated"
    )
    adding.add_argument(
        "--expires",
        type=_seconds,
        metavar="TIME",
        help="how long it counts: 30m, 8h, 30d, 1y; at least 10m (default: what the cluster gives, mostly 1y)",
    )
    adding.add_argument(
        "--output",
        metavar="FILE",
        help="where to write the kubeconfig; - prints it (default: NAME.kubeconfig)",
    )
    commands.add_parser("list", parents=[where], help="who is known, with which rights")
    removing = commands.add_parser("remove", parents=[where], help="take a user out of all bindings")
    removing.add_argument("name", metavar="NAME")
    return parser


def _seconds(text: str) -> int:
    match = re.fullmatch(r"(\d{1,6})([mhdy])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text}: write a number and a unit, e.g. 30m, 8h, 30d or 1y")
    seconds = int(match[1]) * _UNITS[match[2]]
    if not _EXPIRES_SECONDS_MIN <= seconds < 1 << 31:
        raise argparse.ArgumentTypeError(f"{text}: use at least 10m and at most 68y")
    return seconds


def main(arguments: Sequence[str]) -> int:
    """Runs one of the commands.

    Raises: CommandError.
    """
    chosen = _parser().parse_args(arguments)
    try:
        config = load_config(chosen.kubeconfig, chosen.context)
        if chosen.action == "add":
            return _add(config, chosen)
        if chosen.action == "list":
            return _list(config)
        return _remove(config, chosen.name)
    except (ConfigError, TransportError, ApiError, UserError) as error:
        raise CommandError(str(error)) from None


def _client(config: ConnectionConfig) -> Client:
    return Client(NetworkTransport(config), field_manager="kajitori-user")


def _add(config: ConnectionConfig, chosen: argparse.Namespace) -> int:
    wanted = Wanted(chosen.name, tuple(chosen.group), chosen.expires)
    path = None if chosen.output == "-" else Path(chosen.output or f"{_file_name(chosen.name)}.kubeconfig")
    if path is not None and path.exists():
        raise CommandError(f"{path} is there already; remove it, or name another with --output")

    async def work() -> tuple[bytes, str]:
        async with _client(config) as client:
            return await add(client, config, wanted)

    kubeconfig, until = asyncio.run(work())
    if path is None:
        sys.stdout.write(kubeconfig.decode())
        return 0
    try:
        _write(path, kubeconfig)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None
    groups = f" in {', '.join(wanted.groups)}" if wanted.groups else ""
    print(f"{wanted.name}{groups} has a certificate until {until}, in {path}")
    print(f"Try: kubectl --kubeconfig {path} auth whoami")
    return 0


def _write(path: Path, content: bytes) -> None:
    from kajitori.apiserver.files import write_private

    write_private(path, content)


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._@-]", "-", name).lstrip(".") or "user"


def _list(config: ConnectionConfig) -> int:
    async def work() -> list[Known]:
        async with _client(config) as client:
            return await known(client)

    found = asyncio.run(work())
    rows = [("NAME", "RIGHTS", "CERTIFICATE")]
    rows += [(each.name, ", ".join(each.rights) or "-", each.certificate or "-") for each in found]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, rights, certificate in rows:
        print(f"{name:<{widths[0]}}   {rights:<{widths[1]}}   {certificate}")
    return 0


def _remove(config: ConnectionConfig, name: str) -> int:
    async def work() -> list[str]:
        async with _client(config) as client:
            return await remove(client, name)

    done = asyncio.run(work())
    for each in done:
        print(each)
    if not done:
        raise UserError(
            f"{name} is named in no binding and no signing request; `kajitori user list` has all names"
        )
    print(
        f"A certificate of {name} counts until it ends, with the groups that are in it; only what was given to the "
        "name is taken away."
    )
    return 0
