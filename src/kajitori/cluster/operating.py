"""How a cluster is operated: what of its requests is limited, written down and traced.

Names and defaults follow kube-apiserver's flags where it has the same. What is not asked for is not imported.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kajitori.apiserver.operating.exposition import Lines
from kajitori.apiserver.operating.inflight import RequestLimits
from kajitori.apiserver.operating.lines import MEGABYTES_MAX, LineFile, LinesError
from kajitori.apiserver.operating.observer import Observer, Witness
from kajitori.storage import COMPACT_EVERY_SECONDS
from kajitori.world.clock import Clock

if TYPE_CHECKING:
    from kajitori.apiserver.operating.audit.log import AuditLog
    from kajitori.apiserver.operating.audit.policy import Policy
    from kajitori.apiserver.operating.otlp import SpanExporter
    from kajitori.apiserver.operating.tracing import Traces

__all__ = ["Operating", "OperatingError", "Watchers", "watch_over"]

_log = logging.getLogger(__name__)


class OperatingError(Exception):
    """What cannot be done as it was asked for, in one sentence."""


@dataclass(frozen=True, slots=True)
class Operating:
    """The flags of `kajitori up` for those who watch over it."""

    limits: RequestLimits = field(default_factory=RequestLimits)
    shutdown_delay_seconds: float = 0.0
    """Between the signal to end and the end of serving: readyz fails meanwhile, everything else goes on."""
    shutdown_send_retry_after: bool = False
    """Whether new requests are answered 429 while those under way are finished, instead of not at all."""
    shutdown_watch_grace_seconds: float = 0.0
    """Over how long the ends of watches are spread, so that not every client comes back at once."""
    slow_request_seconds: float = 0.0
    """From when on a request is told of as slow; 0: never."""
    compaction_interval_seconds: float = COMPACT_EVERY_SECONDS
    """History goes when it is between one and two of these old; 0: only when there is too much of it."""
    log_level: str = "warning"
    """From what on the console is told: debug, info, warning or error."""
    access_log: str = ""
    """A file, `-` for standard output; empty: none."""
    audit_policy_file: Path | None = None
    audit_log: str = ""
    """A file, `-` for standard output; empty: none."""
    audit_log_megabytes_max: int = 0
    audit_log_days_max: int = 0
    audit_log_files_max: int = 0
    tracing_config_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who watches over the requests of a cluster."""

    observer: Observer
    lines: Sequence[Lines]
    """What they measure."""
    close: Callable[[], Awaitable[None]]


def watch_over(operating: Operating, clock: Clock) -> Watchers:
    """Those who were asked for. Raises: OperatingError."""
    witnesses: list[Witness] = []
    lines: list[Lines] = []
    files: list[LineFile] = []
    exporters: list[SpanExporter] = []
    slow = operating.slow_request_seconds
    try:
        if operating.tracing_config_file is not None:
            traces, exporter = _traces(operating.tracing_config_file)
            witnesses.append(traces)
            exporters.append(exporter)
            lines.append(exporter.lines)
        if operating.access_log:
            from kajitori.apiserver.operating.access import AccessLog

            files.append(LineFile(operating.access_log, clock=clock))
            witnesses.append(AccessLog(files[-1], slow_seconds=slow, clock=clock))
        if operating.audit_policy_file is not None:
            policy = _audit_policy(operating.audit_policy_file)
            if operating.audit_log:
                audit, file = _audit(operating, policy, clock)
                files.append(file)
                witnesses.append(audit)
                lines.append(audit.lines)
        elif operating.audit_log:
            _log.warning(
                "no --audit-policy-file: nothing is written to the audit log %s", operating.audit_log
            )
    except (LinesError, OperatingError) as error:
        for file in files:
            file.close()
        raise OperatingError(str(error)) from None
    observer = Observer(operating.limits, witnesses=witnesses, slow_seconds=slow)

    async def close() -> None:
        for exporter in exporters:
            await exporter.close()
        for file in files:
            file.close()

    return Watchers(observer, [observer.figures.lines, observer.in_flight.lines, *lines], close)


def _audit_policy(file: Path) -> "Policy":
    from kajitori.apiserver.operating.audit.policy import PolicyError, read_policy

    try:
        return read_policy(file)
    except PolicyError as error:
        raise OperatingError(f"--audit-policy-file {error}") from None


def _audit(operating: Operating, policy: "Policy", clock: Clock) -> "tuple[AuditLog, LineFile]":
    from kajitori.apiserver.operating.audit.log import AuditLog

    file = LineFile(
        operating.audit_log,
        bytes_max=(operating.audit_log_megabytes_max or MEGABYTES_MAX) * 1024 * 1024,
        files_max=operating.audit_log_files_max,
        days_max=operating.audit_log_days_max,
        clock=clock,
    )
    return AuditLog(policy, file, clock), file


def _traces(config_file: Path) -> "tuple[Traces, SpanExporter]":
    from kajitori.apiserver.operating.otlp import SpanExporter
    from kajitori.apiserver.operating.tracing import Traces, TracingError, read_tracing

    try:
        config = read_tracing(config_file)
    except TracingError as error:
        raise OperatingError(f"--tracing-config-file {error}") from None
    exporter = SpanExporter(config.url)
    return Traces(config.sampling_rate_per_million, exporter.export), exporter
