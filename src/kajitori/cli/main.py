"""`kajitori`: which command is meant. Every command is a module beside this one, imported when it is used."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from kajitori import __version__

__all__ = ["CommandError", "main", "module_of", "parser"]

_COMMANDS = {
    "up": "run Kubernetes in this process",
    "run": "run operators against any Kubernetes cluster",
    "dev": "run an operator while you write it: every save is loaded into what runs",
    "crds": "print CustomResourceDefinitions to install elsewhere",
    "user": "give people certificates and kubeconfigs, on any cluster",
    "audit": "show where a cluster is open: rights, Pods, Secrets, admission, vulnerabilities",
    "policy": "try admission policies before they are in force, and see why they say what they say",
    "migrate-ownership": "let server-side apply take over what was applied from the client, on any cluster",
    "cel": "evaluate an expression of CEL against a file, or check it",
    "explain": "show what an operator sees of an object, and what it would do",
    "envtest": "give tests in Go an API server: KUBEBUILDER_ASSETS for controller-runtime's envtest",
    "backup": "copy the state of a cluster to a file, while it runs or not",
    "restore": "make a backup the state of a cluster",
    "version": "print the version",
}


class CommandError(Exception):
    """What a user must know, in one sentence, and the exit code that goes with it."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="kajitori",
        description="A small data centre in one Python package: Kubernetes in one process, a controller runtime, "
        "and operators.",
        epilog="Begin with `kajitori up`; then, in another shell, `kubectl get namespaces`.",
    )
    top.add_argument("--version", action="version", version=f"kajitori {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in _COMMANDS.items():
        commands.add_parser(name, help=summary, add_help=False)
    return top


def module_of(command: str) -> str:
    """The module beside this one that a command is."""
    return command.replace("-", "_")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives its exit code: 0 well, 1 failed, 2 the command line was wrong."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    top = parser()
    chosen, rest = top.parse_known_args(given[:1])
    module = importlib.import_module(f"kajitori.cli.{module_of(chosen.command)}")
    try:
        code: int = module.main([*rest, *given[1:]])
    except CommandError as error:
        print(f"kajitori {chosen.command}: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141
    return code


if __name__ == "__main__":
    sys.exit(main())
