"""`kajitori dev` as a process of its own, in a folder with a module that is edited while it runs."""

import os
import signal
import subprocess
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

from tests.support.https import Access, Api
from tests.support.server import kajitori

__all__ = ["DevProcess"]

SECONDS_MAX = 30.0


class DevProcess:
    """Started when this is entered, stopped as by Ctrl-C when it is left."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.lines: list[str] = []
        """All that was printed and read so far."""
        self._arguments = arguments
        self._printed: SimpleQueue[str | None] = SimpleQueue()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        if self._process is not None:
            return self
        environment = {name: each for name, each in os.environ.items() if name != "KUBECONFIG"}
        self._process = subprocess.Popen(
            kajitori("dev", *self._arguments),
            cwd=self.folder,
            env=environment | {"HOME": str(self.folder), "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        Thread(target=self._read, args=(self._process,), daemon=True).start()
        return self

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._printed.put(line.rstrip("\n"))
        process.stdout.close()
        self._printed.put(None)

    def until(self, text: str) -> list[str]:
        """The lines from here to the first that has the text."""
        told: list[str] = []
        while True:
            try:
                line = self._printed.get(timeout=SECONDS_MAX)
            except Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line with {text!r} in:\n" + "\n".join(self.lines))
            self.lines.append(line)
            told.append(line)
            if text in line:
                return told

    def ready(self) -> Self:
        """Starts it, and returns when the code runs."""
        self.__enter__()
        self.until("Stop with Ctrl-C")
        return self

    def save(self, name: str, text: str) -> None:
        """As editors do: written elsewhere, then put in place."""
        path = self.folder / name
        aside = path.with_suffix(".swp")
        aside.write_text(text)
        aside.replace(path)

    def api(self) -> Api:
        """The cluster in that process, as its own kubeconfig says."""
        return Api(Access.of(self.folder / ".kajitori" / "kubeconfig"))

    def send(self, number: signal.Signals) -> None:
        """Sends a signal."""
        assert self._process is not None, "not started"
        self._process.send_signal(number)

    def end(self, number: signal.Signals | None = signal.SIGINT) -> int:
        """Sends a signal, if any, and waits; its exit code. What it printed is in `lines`."""
        process = self._process
        assert process is not None, "not started"
        if number is not None and process.poll() is None:
            process.send_signal(number)
        try:
            code = process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        while (line := self._printed.get(timeout=SECONDS_MAX)) is not None:
            self.lines.append(line)
        self._process = None
        return code

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.end()
