"""What stands where envtest starts kube-apiserver: `kajitori up --api-only --memory`, by kube-apiserver's flags.

Promises
    A1  it serves with `apiserver.crt` and `apiserver.key` of --cert-dir when they are there, as kube-apiserver does
    A2  flags that only a server with an etcd needs say nothing; others that are unknown are told, and left out
    A3  no kubeconfig is written
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from kajitori.cli import up
from kajitori.cli.main import CommandError
from kajitori.cluster.cluster import ClusterError
from kajitori.cluster.options import ClusterOptions

__all__ = ["main", "options_from"]

_OURS = {"--secure-port": "--port", "--bind-address": "--host"}
_MEANINGLESS = ("--etcd-", "--storage-", "--insecure-", "--vmodule", "--log", "--profiling", "--watch-cache")
"""Beginnings of flags about what is not there: another store, an insecure port, a log like kube-apiserver's."""


def options_from(arguments: Sequence[str]) -> tuple[ClusterOptions, list[str]]:
    """The server that the flags describe, and the flags that mean nothing here though somebody may think so."""
    parser = up.parser(allow_abbrev=False)
    parser.prog = "kube-apiserver"
    parser.add_argument("--cert-dir", type=Path)
    parser.add_argument("--pki-dir", type=Path)
    chosen, rest = parser.parse_known_args(["--memory", "--api-only", *_renamed(arguments)])
    unknown = [each.partition("=")[0] for each in rest if each.startswith("--")]
    options = replace(up.chosen_options(chosen), cert_dir=chosen.pki_dir)
    if chosen.cert_dir is not None and options.tls_cert_file is None:
        cert, key = chosen.cert_dir / "apiserver.crt", chosen.cert_dir / "apiserver.key"
        if cert.is_file() and key.is_file():
            options = replace(options, tls_cert_file=cert, tls_private_key_file=key)
    return options, [each for each in unknown if each != "--v" and not each.startswith(_MEANINGLESS)]


def _renamed(arguments: Sequence[str]) -> Iterator[str]:
    for each in arguments:
        name, given, value = each.partition("=")
        yield f"{_OURS.get(name, name)}{given}{value}"


def main(arguments: Sequence[str]) -> int:
    """Serves until a signal ends it."""
    try:
        options, unknown = options_from(arguments)
        for each in unknown:
            print(
                f"kube-apiserver: {each} is not known to kajitori, and left out", file=sys.stderr, flush=True
            )
        return up.run(options, None)
    except (ClusterError, CommandError) as error:
        print(f"kube-apiserver: {error}", file=sys.stderr)
        return error.code if isinstance(error, CommandError) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
