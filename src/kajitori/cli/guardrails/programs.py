"""The real kubectl: found on the PATH, asked beforehand, and put in our place.

Promises
    E1  kubectl takes over this process: terminal, streams, signals and its exit code are its own
    E2  what was read of standard input to show what it would do is there for kubectl too
    E3  a wrapper that leads back to us is told apart from kubectl, and never called in a circle
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from kajitori.cli.guardrails.errors import GuardrailsError

__all__ = ["Kubectl", "Ran"]

PROGRAM = "KUBECTL_GUARDRAILS_KUBECTL"
"""Names kubectl where it is not to be looked for on the PATH."""
_RUNNING = "KUBECTL_GUARDRAILS_RUNNING"
"""Says which process has been here before, or that it is asked aside: who comes again goes in a circle."""
_ASIDE = "aside"

INPUT_BYTES_MAX = 64 << 20
"""What is kept of standard input to show what it would do: far more than an API server takes."""


class Ran(NamedTuple):
    """What a command has said."""

    code: int
    out: bytes
    err: str


class Kubectl:
    """The program, for one command of the user's."""

    def __init__(self, environ: Mapping[str, str], ourselves: str) -> None:
        """`ourselves`: the program that was started. Raises: GuardrailsError where there is no kubectl."""
        self._environ = dict(environ)
        if self._environ.get(_RUNNING) in (str(os.getpid()), _ASIDE):
            raise GuardrailsError(
                "the kubectl found on the PATH is a wrapper that calls kubectl-guardrails again; "
                f"name the real one in {PROGRAM}"
            )
        self.path = _found(environ, ourselves)
        self.input: bytes | None = None

    def read_input(self) -> None:
        """Takes what is on standard input, for a command that reads its manifests from there.

        Raises: GuardrailsError where it has no end.
        """
        if self.input is None:
            given = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
            if len(given) > INPUT_BYTES_MAX:
                raise GuardrailsError(f"standard input holds more than {INPUT_BYTES_MAX} bytes")
            self.input = given

    def ask(self, words: Sequence[str], given: bytes | None = None) -> Ran:
        """Runs kubectl aside, without preferences: its words are those that preferences have made."""
        import subprocess  # most commands are asked of nobody

        ran = subprocess.run(
            [self.path, *words],
            env={**self._environ, "KUBERC": "off", _RUNNING: _ASIDE},
            input=self.input if given is None else given,
            stdin=subprocess.DEVNULL if self.input is None and given is None else None,
            capture_output=True,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr.decode(errors="replace"))

    def become(self, words: Sequence[str]) -> NoReturn:
        """From here on this process is kubectl."""
        if self.input is not None:
            import tempfile

            with tempfile.TemporaryFile() as file:
                file.write(self.input)
                file.flush()
                file.seek(0)
                os.dup2(file.fileno(), 0)
        sys.stdout.flush()
        sys.stderr.flush()
        environ = {**self._environ, _RUNNING: str(os.getpid())}
        os.execve(self.path, ["kubectl", *words], environ)


def _found(environ: Mapping[str, str], ourselves: str) -> str:
    named = environ.get(PROGRAM)
    if named:
        if not os.access(named, os.X_OK):
            raise GuardrailsError(f"{PROGRAM} names {named}, which is no program")
        return named
    mine = Path(ourselves).resolve()
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(folder or ".") / "kubectl"
        if candidate.is_file() and os.access(candidate, os.X_OK) and candidate.resolve() != mine:
            return str(candidate)
    raise GuardrailsError(f"there is no kubectl on the PATH; install it, or name it in {PROGRAM}")
