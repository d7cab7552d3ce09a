"""The servers that are measured: ours, and on request the real kube-apiserver with etcd, started beside it."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from load import Load

__all__ = ["Kubernetes", "Server", "kajitori", "kubernetes"]

TOKEN = "bench-token"
WRITER = "bench-writer"
"""The token of somebody who may do only what roles let the group `writers`."""
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """Processes that serve one Kubernetes API, and what they use."""

    def __init__(self, port: int, started: float, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self.port = port
        self.started = started
        self.processes = processes
        self.load = Load("127.0.0.1", port, TOKEN)
        self.writer = Load("127.0.0.1", port, WRITER)

    async def ready(self) -> float:
        """Seconds from the start of the process to the first /readyz that says ok.

        Raises: RuntimeError when a process ends before.
        """
        while True:
            try:
                status, _ = await self.load.once("GET", "/readyz")
            except OSError:
                status = 0
            if status == 200:
                return time.perf_counter() - self.started
            if any(process.poll() is not None for process in self.processes):
                raise RuntimeError("the server did not start")
            await asyncio.sleep(0.003)

    def resident_mib(self) -> float:
        """Memory of all the processes that is in use now, MiB."""
        total = 0
        for process in self.processes:
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS"):
                    total += int(line.split()[1])
        return total / 1024

    def cpu_seconds(self) -> float:
        """CPU that all the processes have used so far, seconds."""
        total = 0
        for process in self.processes:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def stop(self) -> None:
        """End all processes, the one started last first."""
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _tokens(folder: Path) -> Path:
    tokens = folder / "tokens.csv"
    tokens.write_text(f'{TOKEN},bench,1,"system:masters"\n{WRITER},writer,2,"writers"\n')
    return tokens


@contextmanager
def _folder() -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="kajitori-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def kajitori(*flags: str, folder: Path | None = None) -> Generator[Server]:
    """A `kajitori up` that keeps its data on the disk; in `folder` that outlives it, or one that is gone afterwards."""
    if folder is None:
        with _folder() as own, kajitori(*flags, folder=own) as server:
            yield server
        return
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "kajitori",
        "up",
        "--data-dir",
        str(folder / "data"),
        "--port",
        str(port),
    ]
    command += ["--kubeconfig", str(folder / "kubeconfig"), "--token-auth-file", str(_tokens(folder)), *flags]
    started = time.perf_counter()
    server = Server(port, started, [subprocess.Popen(command, stdout=subprocess.DEVNULL)])
    try:
        yield server
    finally:
        server.stop()


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Where the programs of the real thing lie."""

    kube_apiserver: Path
    etcd: Path

    @classmethod
    def parse(cls, text: str) -> "Kubernetes":
        """`PATH/kube-apiserver,PATH/etcd`. Raises: ValueError for anything else."""
        paths = [Path(part) for part in text.split(",")]
        if len(paths) != 2 or not all(os.access(path, os.X_OK) for path in paths):
            raise ValueError(
                "give two programs, divided by a comma: .../kube-apiserver,.../etcd; "
                f"{text!r} is not two programs that can be run"
            )
        return cls(*paths)


@contextmanager
def kubernetes(programs: Kubernetes) -> Generator[Server]:
    """The real kube-apiserver on the real etcd, durable, over TLS."""
    with _folder() as folder:
        key = folder / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        port, clients, peers = _free_port(), _free_port(), _free_port()
        etcd_url, peer_url = f"http://127.0.0.1:{clients}", f"http://127.0.0.1:{peers}"
        null = subprocess.DEVNULL
        started = time.perf_counter()
        etcd = [str(programs.etcd), "--data-dir", str(folder / "etcd"), "--listen-client-urls", etcd_url]
        etcd += ["--advertise-client-urls", etcd_url, "--listen-peer-urls", peer_url]
        etcd += ["--initial-advertise-peer-urls", peer_url, "--initial-cluster", f"default={peer_url}"]
        apiserver = [str(programs.kube_apiserver), f"--etcd-servers={etcd_url}", f"--secure-port={port}"]
        apiserver += [
            "--bind-address=127.0.0.1",
            f"--cert-dir={folder / 'certs'}",
            "--authorization-mode=RBAC",
        ]
        apiserver += [f"--token-auth-file={_tokens(folder)}", "--service-cluster-ip-range=10.96.0.0/16"]
        apiserver += ["--service-account-issuer=https://kubernetes.default.svc"]
        apiserver += [f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}"]
        apiserver += ["--disable-admission-plugins=ServiceAccount"]
        processes = [
            subprocess.Popen(command, stdout=null, stderr=null, cwd=folder) for command in (etcd, apiserver)
        ]
        server = Server(port, started, processes)
        try:
            yield server
        finally:
            server.stop()
