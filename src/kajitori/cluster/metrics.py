"""/metrics: what the process measures, in Prometheus' text format.

Names are Kubernetes' own where it has the same figure.
Source: https://kubernetes.io/docs/reference/instrumentation/metrics/
"""

import os
import resource
from collections.abc import Callable, Iterator

from kajitori.apis import facts
from kajitori.apiserver.http import Server
from kajitori.storage import Store

__all__ = ["Metrics"]


class Metrics:
    """Gathers the figures when somebody asks for them; nothing is counted for it meanwhile."""

    def __init__(
        self, store: Store, server: Callable[[], Server | None], programs: Callable[[], bytes]
    ) -> None:
        self._store = store
        self._server = server
        self._programs = programs

    def text(self) -> bytes:
        """All figures."""
        return "\n".join([*self._lines(), ""]).encode() + self._programs()

    def _lines(self) -> Iterator[str]:
        yield "# HELP kubernetes_build_info The version of the API that is served."
        yield "# TYPE kubernetes_build_info gauge"
        version = facts.VERSION["gitVersion"]
        yield f'kubernetes_build_info{{git_version="{version}"}} 1'
        yield "# HELP apiserver_resource_objects Stored objects, by resource."
        yield "# TYPE apiserver_resource_objects gauge"
        for bucket in sorted(self._store.buckets()):
            group, _, plural = bucket.partition("/")
            count = self._store.count(bucket)
            yield f'apiserver_resource_objects{{group="{group}",resource="{plural}"}} {count}'
        yield "# HELP kajitori_store_revision The last committed revision."
        yield "# TYPE kajitori_store_revision gauge"
        yield f"kajitori_store_revision {self._store.revision}"
        server = self._server()
        if server is not None:
            yield "# HELP kajitori_http_connections Open connections."
            yield "# TYPE kajitori_http_connections gauge"
            yield f"kajitori_http_connections {server.connections}"
        used = resource.getrusage(resource.RUSAGE_SELF)
        yield "# HELP process_cpu_seconds_total User and system time spent."
        yield "# TYPE process_cpu_seconds_total counter"
        yield f"process_cpu_seconds_total {used.ru_utime + used.ru_stime:.2f}"
        yield "# HELP process_resident_memory_bytes Resident memory."
        yield "# TYPE process_resident_memory_bytes gauge"
        yield f"process_resident_memory_bytes {_resident_bytes(used.ru_maxrss)}"


def _resident_bytes(highest_kib: int) -> int:
    """What is resident now; where the system does not tell, the highest it was."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return highest_kib * 1024
