"""The real kubectl: found by the rule of tools/kubectl.sh, and called as a user calls it."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import msgspec

__all__ = ["MINOR_MIN", "Kubectl", "Ran", "find_kubectl", "minor_of"]

MINOR_MIN = 32
"""kubectl 1.32 is the oldest that the tests were written for."""

SECONDS_MAX = 30.0
"""How long one command may take; a busy machine needs a tenth of it."""

_ROOT = Path(__file__).parent.parent.parent


def find_kubectl() -> Path | None:
    """The kubectl to use: KAJITORI_KUBECTL, .cache/tools/kubectl or the one on the PATH, if it is new enough."""
    on_path = shutil.which("kubectl")
    for candidate in (os.environ.get("KAJITORI_KUBECTL"), _ROOT / ".cache/tools/kubectl", on_path):
        if candidate and os.access(candidate, os.X_OK) and minor_of(Path(candidate)) >= MINOR_MIN:
            return Path(candidate).absolute()
    return None


@cache
def minor_of(path: Path) -> int:
    """The minor version of a kubectl; 0 for what is none."""
    told = subprocess.run([path, "version", "--client"], capture_output=True, text=True, timeout=SECONDS_MAX)
    found = re.search(r"^Client Version: v1\.(\d+)", told.stdout, re.MULTILINE)
    return int(found[1]) if found else 0


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def table(self) -> list[dict[str, str]]:
        """The rows of a printed table, by column; columns begin where their headings do."""
        head, *rows = self.out.splitlines()
        headings = [(found[0], found.start()) for found in re.finditer(r"\S+(?: \S+)*", head)]
        ends = [start for _, start in headings[1:]] + [None]
        return [
            {name: row[start:end].strip() for (name, start), end in zip(headings, ends, strict=True)}
            for row in rows
        ]


@dataclass(frozen=True)
class Kubectl:
    """kubectl with a kubeconfig, a home for its caches and, once `within`, a namespace."""

    path: Path
    kubeconfig: Path
    home: Path
    namespace: str = ""

    def within(self, namespace: str) -> "Kubectl":
        """The same, for one namespace."""
        return replace(self, namespace=namespace)

    def command(self, *arguments: str) -> list[str]:
        """The words of a command line."""
        scope = ["--namespace", self.namespace] if self.namespace else []
        return [str(self.path), *arguments[:1], *scope, *arguments[1:]]

    def environment(self, further: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the command finds in its environment."""
        known = {"PATH": os.environ["PATH"], "HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig)}
        return known | dict(further or {})

    def run(self, *arguments: str, given: str | None = None, env: Mapping[str, str] | None = None) -> Ran:
        """Runs a command, whatever comes of it. `given` is its standard input."""
        ran = subprocess.run(
            self.command(*arguments),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            env=self.environment(env),
            timeout=SECONDS_MAX,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def __call__(
        self, *arguments: str, given: str | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        """Runs a command that has to succeed; gives what it printed."""
        ran = self.run(*arguments, given=given, env=env)
        assert ran.code == 0, f"kubectl {' '.join(arguments)}: exit code {ran.code}\n{ran.out}{ran.err}"
        return ran.out

    def fails(self, *arguments: str, given: str | None = None) -> str:
        """Runs a command that has to fail; gives its complaint."""
        ran = self.run(*arguments, given=given)
        assert ran.code != 0, f"kubectl {' '.join(arguments)} succeeded:\n{ran.out}{ran.err}"
        return ran.err

    def json(self, *arguments: str, given: str | None = None) -> "dict[str, object]":
        """What a command prints with `-o json`."""
        told: dict[str, object] = msgspec.json.decode(self(*arguments, "-o", "json", given=given))
        return told

    def field(self, path: str, *what: str) -> str:
        """One field of an object, as JSONPath without braces."""
        return self("get", *what, "-o", f"jsonpath={{{path}}}")

    def names(self, *what: str) -> Sequence[str]:
        """`kind.group/name` of everything that `get` lists."""
        return sorted(self("get", *what, "-o", "name").split())
