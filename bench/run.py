"""`make bench`: how fast this server starts, writes and reads, beside what kube-apiserver was measured at.

Starts servers of its own on a fresh folder, over TLS, durable; prints one table. The figures of the peers are those
of kube-apiserver 1.36.2 with etcd on two shared cores like these, and are facts of that machine: compare ratios.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from load import Load, pod

HERE = Path(__file__).parent
PODS = 10_000
CONFIG_MAPS = 4_000
GETS = 16_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `more_is_better` says which way the ratio goes."""

    what: str
    ours: float
    unit: str
    theirs: float
    goal: str
    more_is_better: bool = True

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs if self.more_is_better else self.theirs / self.ours


class Server:
    """A `kajitori up` of our own."""

    def __init__(self, folder: Path, port: int, *flags: str) -> None:
        self.port = port
        self.token = "bench-token"
        tokens = folder / "tokens.csv"
        tokens.write_text(f'{self.token},bench,1,"system:masters"\n')
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
        command += ["--kubeconfig", str(folder / "kubeconfig"), "--token-auth-file", str(tokens), *flags]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    @property
    def load(self) -> Load:
        return Load("127.0.0.1", self.port, self.token)

    async def ready(self) -> float:
        """Seconds from the start of the process to the first /readyz that says ok."""
        while True:
            try:
                status, _ = await self.load.once("GET", "/readyz")
            except OSError:
                status = 0
            if status == 200:
                return time.perf_counter() - self.started
            if self.process.poll() is not None:
                raise RuntimeError("the server did not start")
            await asyncio.sleep(0.005)

    def resident_mib(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@contextmanager
def server(port: int, *flags: str) -> Iterator[Server]:
    """A server on a fresh folder, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="kajitori-bench-"))
    running = Server(folder, port, *flags)
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def starts(port: int, runs: int) -> Iterator[Row]:
    """Cold starts, and what the process takes at rest."""
    taken: list[float] = []
    rest: list[float] = []
    idle = 0.0
    for run in range(runs):
        with server(port) as running:
            taken.append(await running.ready())
            await asyncio.sleep(4)  # until controllers and operators have settled
            rest.append(running.resident_mib())
            if run == 0:
                before = running.cpu_seconds()
                await asyncio.sleep(20)
                idle = (running.cpu_seconds() - before) / 20 * 100
    return iter(
        [
            Row(
                "cold start to /readyz", statistics.median(taken), "s", 3.0, "≤ 0.35 s", more_is_better=False
            ),
            Row("RSS at rest", statistics.median(rest), "MiB", 310, "≤ 70 MiB", more_is_better=False),
            Row("idle CPU", max(idle, 0.01), "% of a core", 2.0, "≤ 0.5 %", more_is_better=False),
        ]
    )


async def requests(port: int) -> Iterator[Row]:
    """Writes and reads under load."""
    rows: list[Row] = []
    with server(port, "--api-only") as running:
        await running.ready()
        load = running.load
        await load.once("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": "bench"}}).encode())
        path = "/api/v1/namespaces/bench/configmaps"
        filler = "x" * 900

        def create(number: int, prefix: str) -> bytes:
            body = {"metadata": {"name": f"{prefix}{number}"}, "data": {"key": filler, "number": str(number)}}
            return load.request("POST", path, json.dumps(body).encode())

        one = await load.run(1, 1000, lambda number: create(number, "one-"), 201)
        rows.append(Row("create 1 KiB, 1 client", one.per_second, "/s", 525, ""))
        many = await load.run(32, CONFIG_MAPS, lambda number: create(number, "many-"), 201)
        rows.append(Row("create 1 KiB, 32 clients", many.per_second, "/s", 1640, "≥ 2×"))
        gets = [load.request("GET", f"{path}/many-{number}") for number in range(CONFIG_MAPS)]
        got = await load.run(32, GETS, lambda number: gets[number % CONFIG_MAPS], 200)
        rows.append(Row("GET, 32 clients", got.per_second, "/s", 3240, "≥ 3×"))
        got = await load.run(1, 4000, lambda number: gets[number % CONFIG_MAPS], 200)
        rows.append(Row("GET, 1 client", got.per_second, "/s", 946, ""))

        def patch(number: int) -> bytes:
            body = json.dumps({"metadata": {"labels": {"n": str(number)}}}).encode()
            target = f"{path}/many-{number % CONFIG_MAPS}"
            return load.request("PATCH", target, body, "application/merge-patch+json")

        patched = await load.run(32, CONFIG_MAPS, patch, 200)
        rows.append(Row("merge patch, 32 clients", patched.per_second, "/s", 1190, ""))
        await load.run(
            32, PODS, lambda n: load.request("POST", "/api/v1/namespaces/bench/pods", pod(f"pod-{n}")), 201
        )
        listed: list[float] = []
        size = 0
        connection = await load.connect()
        for _ in range(5):
            begin = time.perf_counter()
            before = connection.received_bytes
            status, _ = await connection.exchange(load.request("GET", "/api/v1/namespaces/bench/pods"))
            listed.append(time.perf_counter() - begin)
            size = connection.received_bytes - before
            if status != 200:
                raise RuntimeError(f"LIST answered {status}")
        what = f"LIST of {PODS:,} Pods ({size / 1e6:.0f} MB)"
        rows.append(Row(what, statistics.median(listed), "s", 0.54, "≥ 4×", more_is_better=False))
        rows.append(Row("RSS with all these", running.resident_mib(), "MiB", 1100, "", more_is_better=False))
    return iter(rows)


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | kajitori | kube-apiserver + etcd | ratio | goal |", "|---|---|---|---|---|"]
    for row in rows:
        ours, theirs = f"{row.ours:,.2f}", f"{row.theirs:,.2f}"
        if row.ours >= 100:
            ours = f"{row.ours:,.0f}"
        if row.theirs >= 100:
            theirs = f"{row.theirs:,.0f}"
        lines.append(
            f"| {row.what} | {ours} {row.unit} | {theirs} {row.unit} | {row.ratio:.1f}× | {row.goal} |"
        )
    return "\n".join(lines)


async def main() -> None:
    parser = argparse.ArgumentParser(description="Measure this server, and print a table.")
    parser.add_argument("--port", type=int, default=7461)
    parser.add_argument("--starts", type=int, default=5, help="how many cold starts")
    chosen = parser.parse_args()
    print(f"measuring on {os.cpu_count()} cores; this takes about two minutes", file=sys.stderr)
    rows = [*await starts(chosen.port, chosen.starts), *await requests(chosen.port)]
    print(table(rows))


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
