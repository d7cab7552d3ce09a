"""What a controller costs: 1,000 Widgets kept by an operator, and 20,000 ConfigMaps in a cache.

CPU and memory are those of the operator's process alone; requests are what the server counted.
"""

import asyncio
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from servers import TICKS, TOKEN, Server
from widgets import CONFIG_MAPS, Widget, WidgetSpec, definition

from kajitori.apis import Kind, ObjectMeta
from kajitori.client import Client
from kajitori.client.config import load_config
from kajitori.client.network import NetworkTransport
from kajitori.ctrl import Change, Manager

__all__ = ["controlling"]

WIDGETS = 1_000
HELD = 20_000
CLIENTS = 32
RUNS = 3
STARTED_SECONDS = 3
"""Until a process has imported what it needs, and its cache is full."""
IDLE_SECONDS = 15
SETTLED_SECONDS_MAX = 120
HERE = Path(__file__).parent
OPERATOR = ["-m", "kajitori", "run", str(HERE / "widgets.py"), "--log-format", "json"]
OPERATOR += ["--metrics-bind-address", "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0"]
"""The operator with all that surrounds it in a Pod: figures, probes, a page of its status, logs."""
NAMESPACES = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
DEFINITIONS = Kind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)

_COUNTED = re.compile(
    r'apiserver_request_total\{(?=[^}]*resource="(?:widgets|configmaps)")(?![^}]*verb="WATCH")[^}]*\} (\S+)'
)

Figure = dict[str, float]


class Process:
    """A program on the runtime, and what it uses."""

    def __init__(self, arguments: Sequence[str], kubeconfig: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def cpu_seconds(self) -> float:
        """CPU it has used so far, seconds."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_mib(self) -> float:
        """The most memory that it ever had in use, MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    async def output(self) -> str:
        """What it printed, once it has ended. Raises: RuntimeError when it failed."""
        printed, _ = await asyncio.to_thread(self._process.communicate)
        if self._process.returncode:
            raise RuntimeError(f"a program ended with {self._process.returncode}")
        return printed

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)


@contextmanager
def started(arguments: Sequence[str], kubeconfig: Path) -> Generator[Process]:
    """A process that is there, and stopped in the end."""
    process = Process(arguments, kubeconfig)
    try:
        yield process
    finally:
        process.stop()


class Settling:
    """Watches the Widgets, and tells when the status of all of them speaks of their newest generation."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._settled: dict[str, bool] = {}
        self._changed = asyncio.Event()

    async def begin(self) -> None:
        use = await self._manager.cache.synced(Widget)
        use.informer.add_handler(self._on_change)

    def _on_change(self, change: Change) -> None:
        widget: Widget = change.object
        if change.type == "delete":
            self._settled.pop(widget.metadata.name, None)
        else:
            observed = widget.status.observed_generation
            self._settled[widget.metadata.name] = observed == widget.metadata.generation
        self._changed.set()

    async def until(self, count: int) -> None:
        """Raises: TimeoutError."""
        async with asyncio.timeout(SETTLED_SECONDS_MAX):
            while len(self._settled) != count or not all(self._settled.values()):
                self._changed.clear()
                await self._changed.wait()


async def controlling(server: Server) -> Figure:
    """All figures, medians of several runs."""
    with tempfile.TemporaryDirectory(prefix="kajitori-bench-") as folder:
        kubeconfig = _kubeconfig(Path(folder), server)
        async with Client(NetworkTransport(load_config(kubeconfig)), user_agent="bench") as client:
            manager = Manager(client, name="bench")
            running = asyncio.create_task(manager.run())
            try:
                return await _measured(client, manager, kubeconfig)
            finally:
                manager.stop()
                await running


async def _measured(client: Client, manager: Manager, kubeconfig: Path) -> Figure:
    await client.create(DEFINITIONS, json.loads(definition()))
    for name in ("widgets", "held"):
        await client.create(NAMESPACES, {"metadata": {"name": name}})
    settling = Settling(manager)
    await settling.begin()
    rounds = [await _contract(client, settling, kubeconfig) for _ in range(RUNS)]
    figures = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    held = {"payload": "x" * 1024}
    await _at_once(
        lambda number=number: client.create(
            CONFIG_MAPS, {"metadata": {"name": f"cm-{number:05d}", "namespace": "held"}, "data": held}
        )
        for number in range(HELD)
    )
    caches: list[Figure] = []
    for _ in range(RUNS):
        with started([str(HERE / "caching.py")], kubeconfig) as process:
            caches.append(json.loads(await process.output()))
    return figures | {name: statistics.median(each[name] for each in caches) for name in caches[0]}


async def _contract(client: Client, settling: Settling, kubeconfig: Path) -> Figure:
    """The Widgets once: made, looked at in peace, looked at by another process that finds them done, and gone again."""
    with started(OPERATOR, kubeconfig) as process:
        await asyncio.sleep(STARTED_SECONDS)
        before, asked = process.cpu_seconds(), await _requests(client)
        await _at_once(lambda name=name: client.create(Widget, _widget(name)) for name in range(WIDGETS))
        await settling.until(WIDGETS)
        await asyncio.sleep(1)  # until what the last writes caused has been looked at
        figures = {"widgets_cpu": process.cpu_seconds() - before}
        figures["widgets_requests"] = (await _requests(client) - asked) / WIDGETS - 1  # one was ours
        before = process.cpu_seconds()
        await asyncio.sleep(IDLE_SECONDS)
        figures["widgets_idle"] = (process.cpu_seconds() - before) / IDLE_SECONDS * 100
        figures["widgets_peak"] = process.peak_mib()
    asked = await _requests(client)
    with started(OPERATOR, kubeconfig) as process:
        await asyncio.sleep(STARTED_SECONDS)
        figures["widgets_again"] = (await _requests(client) - asked) / WIDGETS
    for model in (Widget, CONFIG_MAPS):
        await client.delete_collection(model, "widgets")
    await settling.until(0)
    return figures


def _widget(number: int) -> Widget:
    return Widget(
        metadata=ObjectMeta(name=f"w-{number:05d}", namespace="widgets"), spec=WidgetSpec(size=number)
    )


async def _at_once(requests: Iterable[Callable[[], Awaitable[object]]]) -> None:
    waiting = iter(requests)

    async def work() -> None:
        for send in waiting:
            await send()

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(work())


async def _requests(client: Client) -> float:
    """Requests that the server has answered about Widgets and ConfigMaps, watches not counted."""
    answer = await client.send("GET", "/metrics", accept="text/plain")
    return sum(float(count) for count in _COUNTED.findall(answer.body.decode()))


def _kubeconfig(folder: Path, server: Server) -> Path:
    cluster = {"server": f"https://127.0.0.1:{server.port}", "insecure-skip-tls-verify": True}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": cluster}],
        "users": [{"name": "bench", "user": {"token": TOKEN}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path
