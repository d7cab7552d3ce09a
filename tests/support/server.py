"""`kajitori up` as a process of its own: started, waited for without sleeping, stopped."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["Ended", "UpProcess", "kajitori"]

READY_SECONDS_MAX = 20.0
"""How long a start may take here: fifty times what it takes on an idle machine."""

STOP_SECONDS_MAX = 20.0
"""How long a stop may take: the server gives requests in flight ten seconds."""

_LAST_LINE = "Stop with Ctrl-C."
"""With this line `kajitori up` says that it is ready."""


def kajitori(*arguments: str) -> list[str]:
    """The words that run the command of this very interpreter."""
    return [sys.executable, "-W", "error", "-X", "faulthandler", "-m", "kajitori", *arguments]


@dataclass(frozen=True)
class Ended:
    """What a process left behind."""

    code: int
    out: str
    err: str


class UpProcess:
    """`kajitori up`, ready when this is entered, stopped when it is left.

    `folder` is for its output and, where the arguments do not say otherwise, its state and kubeconfig.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.kubeconfig = folder / "kubeconfig"
        self.data_dir = folder / "data"
        self.screen: list[str] = []
        """The lines printed until it was ready."""
        self._arguments = self._complete(arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""

    def _complete(self, arguments: Sequence[str]) -> list[str]:
        words = list(arguments)
        if "--port" not in words:
            words += ["--port", "0"]
        if "--memory" not in words and "--data-dir" not in words:
            words += ["--data-dir", str(self.data_dir)]
        return [*words, "--kubeconfig", str(self.kubeconfig)]

    @property
    def url(self) -> str:
        """Where it serves."""
        return self.screen[0].rsplit(" ", 1)[1]

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> Self:
        """Starts it, and returns when it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.errors_path.open("wb") as errors:
            self._process = subprocess.Popen(
                kajitori("up", *self._arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self.screen, self._unread = [], b""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.screen or self.screen[-1] != _LAST_LINE:
            line = self._line(deadline)
            if line is None:
                ended = self.end(signal.SIGKILL)
                raise AssertionError(f"kajitori up did not get ready: {self.screen}, {ended}")
            self.screen.append(line)
        return self

    def start_on(self, port: int) -> Self:
        """Starts it again, on the port that an earlier kubeconfig names."""
        at = self._arguments.index("--port")
        self._arguments[at + 1] = str(port)
        return self.start()

    def _line(self, deadline: float) -> str | None:
        """The next line of its output; None at its end, or when the time is up."""
        assert self._process is not None and self._process.stdout is not None
        while b"\n" not in self._unread:
            with selectors.DefaultSelector() as selector:
                selector.register(self._process.stdout, selectors.EVENT_READ)
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    return None
            more = os.read(self._process.stdout.fileno(), 65536)
            if not more:
                return None
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    @property
    def errors_path(self) -> Path:
        return self.folder / "stderr"

    def errors(self) -> str:
        """What it has written to its standard error."""
        return self.errors_path.read_text()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to it."""
        os.kill(self.pid, number)

    def end(self, number: signal.Signals = signal.SIGINT) -> Ended:
        """Sends a signal and waits for the end; what is printed after the screen is in `out`."""
        process = self._process
        assert process is not None, "not started"
        if process.poll() is None:
            process.send_signal(number)
        try:
            rest, _ = process.communicate(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise AssertionError(f"kajitori up did not stop within {STOP_SECONDS_MAX} s") from None
        self._process = None
        return Ended(process.returncode, (self._unread + rest).decode(), self.errors())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.end(signal.SIGTERM)
