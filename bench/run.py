"""`make bench`: how fast this server starts, writes, reads and watches, beside what kube-apiserver was measured at.

Starts servers of its own on fresh folders, over TLS, durable; prints tables. The figures of the peers are those of
kube-apiserver 1.36.2 with etcd on two shared cores like these, and are facts of that machine: compare ratios, or give
`--beside .../kube-apiserver,.../etcd` and they are measured here, in the same run.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from authorizing import authorizing
from controlling import controlling
from custom import custom
from expressions import expressions
from policing import policing
from servers import Kubernetes, Server, kajitori, kubernetes
from steps import Figure, cascade, defined, deletion, fan_out, growth, objects, rest
from wasm import wasm


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. `theirs` is the figure of kube-apiserver and etcd; None where there is none."""

    figure: str
    what: str
    unit: str
    theirs: float | None
    goal: str
    more_is_better: bool = False


LINES = (
    Line("ready", "cold start to /readyz", "s", 3.0, "≤ 0.25 s"),
    Line("rest", "RSS at rest", "MiB", 317, "≤ 60 MB"),
    Line("idle", "idle CPU", "% of a core", 7.5, "≤ 0.3 %"),
    Line("create32", "create 1 KiB, 32 clients", "/s", 1640, "≥ 5×", more_is_better=True),
    Line("get32", "GET, 32 clients", "/s", 3240, "≥ 5×", more_is_better=True),
    Line("patch32", "merge patch, 32 clients", "/s", 1190, "≥ 4×", more_is_better=True),
    Line("apply32", "server-side apply, 32 clients", "/s", 1090, "≥ 3×", more_is_better=True),
    Line("create1", "create, 1 client, p50", "ms", 1.7, "≥ 2×"),
    Line("get1", "GET, 1 client, p50", "ms", 1.0, "≥ 2×"),
    Line("patch1", "merge patch, 1 client, p50", "ms", 2.4, "≥ 2×"),
    Line("apply1", "server-side apply, 1 client, p50", "ms", 2.6, "≥ 2×"),
    Line("list", "LIST of 10,000 Pods", "s", 0.54, "≥ 6×"),
    Line("full", "RSS with 10,000 ConfigMaps and 10,000 Pods", "MiB", 1100, "≤ 300 MB"),
    Line("watch_p50", "watch, 100 watchers, p50", "ms", 6.9, ""),
    Line("watch_p99", "watch, 100 watchers, p99", "ms", 12, "≥ 2×"),
    Line("watch_lost", "events lost of 20,000", "", None, "0"),
    Line("deletion", "deletion of a namespace of 10,000 objects", "s", None, ""),
    Line("deletion_pause", "longest pause of a GET while 10,000 objects are deleted", "ms", None, ""),
    Line("cascade", "deletion of an owner of 10,000 objects, foreground", "s", None, ""),
    Line("cascade_pause", "longest pause of a GET meanwhile", "ms", None, ""),
    Line("defined", "a definition's kind is served after its create, p50", "ms", None, "≤ 20 ms"),
    Line("defined_p99", "the same, p99", "ms", None, ""),
    Line("defined_start", "start with 500 definitions of 10 to 50 KB", "s", None, "≤ 3 s"),
    Line("defined_rest", "RSS with them", "MiB", None, "≤ 150 MB"),
    Line("custom_plain", "create of a custom resource of 200 fields, 1 client, p50", "ms", None, ""),
    Line("custom_ruled", "the same with 20 CEL rules", "ms", None, ""),
    Line("custom_ratio", "what the rules cost", "×", None, "≤ 1.5×"),
    Line(
        "policed1",
        "RBAC, quota and 10 policies against RBAC alone: create, 1 client, p50",
        "×",
        None,
        "≤ 1.3×",
    ),
    Line("policed32", "the same, 32 clients", "×", None, ""),
    Line("policed_cpu", "CPU of the quota and the 10 policies, for each create", "µs", None, ""),
    Line("ruled1", "10,000 RBAC rules against none: GET, 1 client, p50", "×", None, "≤ 1.05×"),
    Line("ruled_cpu", "the same: CPU of 4,000 GETs of 32 clients", "×", None, "≤ 1.05×"),
    Line("cel_run", "CEL policy rule over a Deployment of three containers", "µs", None, "≤ 5 µs"),
    Line("cel_compile", "CEL policy rule, from text to code", "ms", None, "≤ 2 ms"),
    Line("wasm_run", "WebAssembly policy over a request of 8 KiB, an instance for each", "µs", None, ""),
    Line("wasm_compile", "a small module of WebAssembly, from text to code", "ms", None, ""),
)

RUNTIME = (
    Line("widgets_cpu", "CPU of an operator that makes 1,000 Widgets so", "s", 1.13, "≤ 0.55 s"),
    Line("widgets_peak", "its memory at most", "MiB", 47, "≤ 55 MiB"),
    Line("widgets_requests", "its requests for each Widget", "", 2, "2"),
    Line("widgets_again", "the same, when it starts again and all is done", "", 0, "0"),
    Line("widgets_idle", "its CPU when nothing happens", "% of a core", None, "≤ 0.1 %"),
    Line("cached", "20,000 ConfigMaps of 1 KiB into a cache", "s", 0.66, "≤ 0.4 s"),
    Line("cached_peak", "memory of that process at most", "MiB", 112, "≤ 80 MiB"),
    Line("cached_idle", "its CPU when nothing happens", "% of a core", None, "≤ 0.1 %"),
    Line("resynced", "looking at all of them again, every minute", "% of a core", None, "≤ 1 %"),
)
"""An operator on `kajitori.ctrl`, in a process of its own. `theirs` is Go's controller-runtime 0.24 with JSON, on two
such cores."""

GROWTH = (
    Line("ready", "start on an empty file", "s", None, ""),
    Line("again", "start on this file", "s", None, ""),
    Line("create", "create", "ms", None, ""),
    Line("get", "GET", "ms", None, ""),
    Line("patch", "merge patch", "ms", None, ""),
    Line("apply", "server-side apply", "ms", None, ""),
    Line("delete", "delete", "ms", None, ""),
    Line("list_small", "LIST of another namespace (100)", "ms", None, ""),
    Line("list_page", "LIST, first page of 100", "ms", None, ""),
    Line("list_name", "LIST by name, none found", "ms", None, ""),
    Line("list_label", "LIST by label, 1 found", "ms", None, ""),
    Line("resident", "RSS", "MiB", None, ""),
)
SIZES = (1_000, 10_000, 100_000)


def number(value: float, unit: str) -> str:
    """A figure as people read it: three digits that mean something."""
    shown = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
    return f"{shown} {unit}".strip()


def compared(lines_of: Sequence[Line], peer_name: str, ours: Figure, theirs: Figure | None = None) -> str:
    """The table of ratios, Markdown; `theirs` when they were measured and are not quoted."""
    lines = [f"| what | kajitori | {peer_name} | ratio | goal |", "|---|---|---|---|---|"]
    for line in lines_of:
        if line.figure not in ours:
            continue
        mine = ours[line.figure]
        peer = line.theirs if theirs is None else theirs.get(line.figure)
        ratio = ""
        if peer and mine:
            ratio = f"{mine / peer if line.more_is_better else peer / mine:.1f}×"
        shown = "" if peer is None else number(peer, line.unit)
        lines.append(f"| {line.what} | {number(mine, line.unit)} | {shown} | {ratio} | {line.goal} |")
    return "\n".join(lines)


def grown(columns: dict[int, Figure]) -> str:
    """The table of growth, Markdown: one column for each number of objects."""
    heads = " | ".join(f"{size:,} objects" for size in columns)
    lines = [f"| one client, p50 | {heads} |", "|---|" + "---|" * len(columns)]
    for line in GROWTH:
        cells = " | ".join(number(figures[line.figure], line.unit) for figures in columns.values())
        lines.append(f"| {line.what} | {cells} |")
    return "\n".join(lines)


async def measure(start: "type[Starts]", starts: int) -> Figure:
    """All figures of one kind of server; cold start and rest are medians over so many starts."""
    figures: Figure = {}
    rests: list[Figure] = []
    for run in range(starts):
        with start.whole() as server:
            rests.append(await rest(server, idle=run == 0))
    for figure in ("ready", "rest"):
        figures[figure] = statistics.median(each[figure] for each in rests)
    figures["idle"] = rests[0]["idle"]
    with start.bare() as server:
        await server.ready()
        figures |= await objects(server)
    with start.bare() as server:
        await server.ready()
        figures |= await fan_out(server)
        figures |= await policing(server)
        figures |= await authorizing(server)
    return figures


class Starts:
    """Ways to start our server: whole, or as an API server alone."""

    @staticmethod
    def whole() -> AbstractContextManager[Server]:
        return kajitori()

    @staticmethod
    def bare() -> AbstractContextManager[Server]:
        return kajitori("--api-only")


def beside(programs: Kubernetes) -> type[Starts]:
    """The same for the real thing, which is an API server alone in any case."""

    class TheirStarts(Starts):
        @staticmethod
        def whole() -> AbstractContextManager[Server]:
            return kubernetes(programs)

        bare = whole

    return TheirStarts


async def growths() -> dict[int, Figure]:
    """The table of growth, and the start on what was grown."""
    columns: dict[int, Figure] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="kajitori-bench-") as folder:
            with kajitori("--api-only", folder=Path(folder)) as server:
                columns[size] = await growth(server, size)
            with kajitori("--api-only", folder=Path(folder)) as server:
                columns[size]["again"] = await server.ready()
    return columns


async def definitions() -> Figure:
    """Many definitions: how long each takes, and a start with all of them."""
    with tempfile.TemporaryDirectory(prefix="kajitori-bench-") as folder:
        with kajitori("--api-only", folder=Path(folder)) as server:
            await server.ready()
            figures = await defined(server)
        with kajitori("--api-only", folder=Path(folder)) as server:
            figures["defined_start"] = await server.ready()
            await asyncio.sleep(2)
            figures["defined_rest"] = server.resident_mib()
    return figures


async def main() -> None:
    parser = argparse.ArgumentParser(description="Measure this server, and print tables.")
    parser.add_argument("--starts", type=int, default=5, help="how many cold starts (5)")
    parser.add_argument(
        "--beside",
        type=Kubernetes.parse,
        metavar="KUBE-APISERVER,ETCD",
        help="measure these programs too, instead of quoting figures",
    )
    parser.add_argument("--growth", action="store_true", help="only the table of growth")
    parser.add_argument("--no-growth", action="store_true", help="leave the table of growth out")
    chosen = parser.parse_args()
    print(f"measuring on {os.cpu_count()} cores; this takes about six minutes", file=sys.stderr)
    if not chosen.growth:
        ours = await measure(Starts, chosen.starts)
        with kajitori() as server:
            await server.ready()
            ours |= await deletion(server)
            ours |= await cascade(server)
            ours |= await custom(server)
        ours |= await definitions()
        ours |= expressions() | wasm()
        theirs = await measure(beside(chosen.beside), 1) if chosen.beside else None
        print(compared(LINES, "kube-apiserver + etcd", ours, theirs), flush=True)
        with kajitori("--api-only") as server:
            await server.ready()
            print("\n" + compared(RUNTIME, "Go controller-runtime", await controlling(server)), flush=True)
    if not chosen.no_growth:
        print("\n" + grown(await growths()))


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())
