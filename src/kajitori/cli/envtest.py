"""`kajitori envtest`: a folder for KUBEBUILDER_ASSETS, so that tests in Go start this API server.

controller-runtime's envtest starts `etcd` and `kube-apiserver` from that folder. What is written there are launchers of
a few lines: the tests need no change, and find a server that is ready in a fraction of a second.

Promises
    V1  a second run gives the same files; what else lies in the folder is left alone
    V2  the certificates that a server needs of its own are made once, here, and not at each start
"""

import argparse
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from kajitori.apis import facts
from kajitori.apiserver.pki import Pki, PkiError
from kajitori.cli import envtest_etcd
from kajitori.cli.main import CommandError

__all__ = ["main"]

_PKI = "pki"

# envtest looks at --help for a flag or two before each start: no Python is needed to say that there are none.
_ETCD = """\
#!/bin/sh
# Written by `kajitori envtest`.
case "$1" in
--help) echo "etcd for envtest: answers health checks; objects are in the memory of kube-apiserver" ;;
--version) echo "etcd Version: none, kajitori keeps the objects" ;;
*) exec {python} -I -S {script} "$@" ;;
esac
"""
_API_SERVER = """\
#!/bin/sh
# Written by `kajitori envtest`.
case "$1" in
--help) echo "kube-apiserver for envtest: kajitori up --api-only --memory, by kube-apiserver's flags" ;;
--version) echo "Kubernetes {version}" ;;
*) exec {python} -m kajitori.cli.envtest_apiserver --pki-dir {pki} "$@" ;;
esac
"""

EXAMPLES = """\
examples:
  kajitori envtest bin/kajitori                                  write the folder, say how to use it
  export KUBEBUILDER_ASSETS=$(kajitori envtest -p path bin/kajitori)
  go test ./...
"""


def main(arguments: Sequence[str]) -> int:
    """Writes the folder.

    Raises: CommandError when that is not possible.
    """
    parser = argparse.ArgumentParser(
        prog="kajitori envtest",
        description="Write a folder for KUBEBUILDER_ASSETS: tests in Go that use controller-runtime's envtest then "
        "start this API server instead of kube-apiserver and etcd, unchanged.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder to write; made when it is not there")
    parser.add_argument(
        "-p",
        "--print",
        choices=("overview", "path", "env"),
        default="overview",
        help="what to print, as setup-envtest has it (default: %(default)s)",
    )
    chosen = parser.parse_args(arguments)
    folder: Path = chosen.folder.absolute()
    try:
        written = _write(folder)
    except OSError as error:
        raise CommandError(f"cannot write {error.filename or folder}: {error.strerror}") from None
    except PkiError as error:
        raise CommandError(str(error)) from None
    match chosen.print:
        case "path":
            print(folder)
        case "env":
            print(f"export KUBEBUILDER_ASSETS={shlex.quote(str(folder))}")
        case _:
            print(f"Wrote {', '.join(written)}: Kubernetes {facts.VERSION['gitVersion']} for envtest. Now:\n")
            print(f"  export KUBEBUILDER_ASSETS={shlex.quote(str(folder))}\n  go test ./...")
    return 0


def _write(folder: Path) -> list[str]:
    """Gives the names of what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    Pki.begin(folder / _PKI).wait()
    python = shlex.quote(sys.executable)
    launchers = {
        "etcd": _ETCD.format(python=python, script=shlex.quote(envtest_etcd.__file__)),
        "kube-apiserver": _API_SERVER.format(
            python=python, pki=shlex.quote(str(folder / _PKI)), version=facts.VERSION["gitVersion"]
        ),
    }
    for name, text in launchers.items():
        _replace(folder / name, text)
    kubectl, found = folder / "kubectl", shutil.which("kubectl")
    if found is not None and not kubectl.exists():
        kubectl.unlink(missing_ok=True)  # a link that leads nowhere
        kubectl.symlink_to(Path(found).absolute())
    return [*launchers, *(["kubectl"] if kubectl.exists() else [])]


def _replace(path: Path, text: str) -> None:
    """A server that is being started finds the old launcher or the new."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text)
    beside.chmod(0o755)
    beside.replace(path)
