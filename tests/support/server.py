"""`kajitori up` as a process of its own: started, waited for without sleeping, stopped."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from tests.support.https import Access, Api
from tests.support.waiting import until

__all__ = ["Ended", "UpProcess", "kajitori"]

READY_SECONDS_MAX = 20.0
"""How long a start may take here: fifty times what it takes on an idle machine."""

STOP_SECONDS_MAX = 20.0
"""How long a stop may take: the server gives requests in flight ten seconds."""

_LAST_LINE = "Stop with Ctrl-C."
"""So begins the last line of the screen; what follows are happenings."""


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
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._printed: SimpleQueue[str | None] = SimpleQueue()

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
                text=True,
            )
        # What it tells is read all the time: a full pipe would stop it.
        self._printed = SimpleQueue()
        self._reader = threading.Thread(target=self._read, args=(self._process, self._printed))
        self._reader.start()
        self.screen = []
        while not self.screen or not self.screen[-1].startswith(_LAST_LINE):
            line = self._line()
            if line is None:
                ended = self.end(signal.SIGKILL)
                raise AssertionError(f"kajitori up did not get ready: {self.screen}, {ended.err}")
            self.screen.append(line)
        with Api(Access.of(self.kubeconfig)) as api:
            until(lambda: api.request("GET", "/readyz").status, (200).__eq__)
        return self

    @staticmethod
    def _read(process: "subprocess.Popen[str]", printed: "SimpleQueue[str | None]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            printed.put(line)
        printed.put(None)

    def _line(self) -> str | None:
        """The next line of its output; None at its end, or when the time is up."""
        try:
            line = self._printed.get(timeout=READY_SECONDS_MAX)
        except Empty:
            return None
        return None if line is None else line.rstrip("\n")

    def start_on(self, port: int) -> Self:
        """Starts it again, on the port that an earlier kubeconfig names."""
        at = self._arguments.index("--port")
        self._arguments[at + 1] = str(port)
        return self.start()

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
            process.wait(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"kajitori up did not stop within {STOP_SECONDS_MAX} s") from None
        finally:
            process.wait()
            assert self._reader is not None and process.stdout is not None
            self._reader.join()
            process.stdout.close()
            self._process = None
        told: list[str] = []
        while (line := self._printed.get()) is not None:
            told.append(line)
        return Ended(process.returncode, "".join(told), self.errors())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.end(signal.SIGTERM)
