"""/metrics: what the process measures, in Prometheus' text format.

Names are Kubernetes' own where it has the same figure.
Source: https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

import os
import platform
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

from kajitori.apis import facts
from kajitori.apiserver.http import Server
from kajitori.apiserver.operating.exposition import Histogram, Lines, family, labelled
from kajitori.storage import Store

__all__ = ["Metrics"]

_COMMIT_BOUNDS = tuple(0.0005 * 2**power for power in range(14))
"""From half a millisecond, a fast disk's, to four seconds, a dying one's."""


class Metrics:
    """Gathers the figures when somebody asks for them."""

    def __init__(
        self,
        store: Store,
        server: Callable[[], Server | None],
        programs: Callable[[], bytes],
        *,
        file: Path | None = None,
    ) -> None:
        """`file` is where the store is kept."""
        self._store = store
        self._server = server
        self._programs = programs
        self._file = file
        self._commits = Histogram(_COMMIT_BOUNDS)
        self._writes = 0
        store.observe_commits(self._committed)
        self.further: list[Lines] = []
        """What other parts of the process measure."""

    def _committed(self, writes: int, seconds: float) -> None:
        self._writes += writes
        self._commits.add(seconds)

    def text(self) -> bytes:
        """All figures."""
        return "\n".join([*self._lines(), ""]).encode() + self._programs()

    def _lines(self) -> Iterator[str]:
        yield from family(
            "kubernetes_build_info", "gauge", "The version of the API that is served.", ((_build(), 1),)
        )
        for lines in self.further:
            yield from lines()
        yield from self._stored()
        server = self._server()
        if server is not None:
            yield from family(
                "kajitori_http_connections", "gauge", "Open connections.", (("", server.connections),)
            )
        yield from _process()

    def _stored(self) -> Iterator[str]:
        counts: list[tuple[str, str, int]] = []
        for bucket in sorted(self._store.buckets()):
            group, _, plural = bucket.partition("/")
            counts.append((group, plural, self._store.count(bucket)))
        yield from family(
            "apiserver_resource_objects",
            "gauge",
            "Stored objects, by resource.",
            ((labelled({"group": group, "resource": plural}), count) for group, plural, count in counts),
        )
        yield from family(
            "apiserver_storage_objects",
            "gauge",
            "Stored objects, by resource; apiserver_resource_objects has taken its place.",
            (
                (labelled({"resource": f"{plural}.{group}" if group else plural}), count)
                for group, plural, count in counts
            ),
        )
        yield from family(
            "kajitori_store_revision", "gauge", "The last committed revision.", (("", self._store.revision),)
        )
        if self._file is not None:
            yield from family(
                "kajitori_store_commit_duration_seconds",
                "histogram",
                "How long commits took until they were on the disk; concurrent writes share one.",
                (("", self._commits),),
            )
            yield from family(
                "kajitori_store_writes_total", "counter", "Writes that were committed.", (("", self._writes),)
            )
            size = sum(each.stat().st_size for each in self._file.parent.glob(f"{self._file.name}*"))
            yield from family(
                "apiserver_storage_size_bytes",
                "gauge",
                "Bytes of the files that the state is kept in.",
                (('storage_cluster_id="kajitori"', size),),
            )


def _build() -> str:
    version = facts.VERSION
    return labelled(
        {
            "build_date": version["buildDate"],
            "compiler": version["compiler"],
            "git_commit": version["gitCommit"],
            "git_tree_state": version["gitTreeState"],
            "git_version": version["gitVersion"],
            "go_version": version["goVersion"],
            "major": version["major"],
            "minor": version["minor"],
            "platform": version["platform"],
        }
    )


def _process() -> Iterator[str]:
    """What every program tells that Prometheus looks at, and the interpreter."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    files_max = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield from family(
        "process_cpu_seconds_total",
        "counter",
        "User and system time spent.",
        (("", used.ru_utime + used.ru_stime),),
    )
    yield from family("process_max_fds", "gauge", "Files that may be open.", (("", files_max),))
    try:
        with open("/proc/self/statm", "rb") as file:
            virtual, resident = (int(each) * _PAGE for each in file.read().split()[:2])
        opened = len(os.listdir("/proc/self/fd")) - 1
        started = _started()
    except OSError:
        # Not every system tells; of memory it tells at least what was highest.
        memory = ("process_resident_memory_bytes", "gauge", "Resident memory.")
        yield from family(*memory, (("", used.ru_maxrss * 1024),))
    else:
        yield from family("process_open_fds", "gauge", "Files that are open.", (("", opened),))
        yield from family("process_resident_memory_bytes", "gauge", "Resident memory.", (("", resident),))
        yield from family("process_virtual_memory_bytes", "gauge", "Virtual memory.", (("", virtual),))
        yield from family(
            "process_start_time_seconds", "gauge", "When the process began, of Unix time.", (("", started),)
        )
    python = labelled(
        {"implementation": platform.python_implementation(), "version": platform.python_version()}
    )
    yield from family("python_info", "gauge", "The interpreter.", ((python, 1),))


_PAGE = os.sysconf("SC_PAGE_SIZE")


def _started() -> float:
    """When the process began. Raises: OSError."""
    with open("/proc/self/stat", "rb") as file:
        ticks = int(file.read().rpartition(b")")[2].split()[19])
    with open("/proc/stat", "rb") as file:
        booted = next(int(line.split()[1]) for line in file if line.startswith(b"btime"))
    return booted + ticks / os.sysconf("SC_CLK_TCK")
