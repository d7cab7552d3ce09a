"""How a cluster is operated: what of its requests is limited, written down and traced.

Names and defaults follow kube-apiserver's flags where it has the same.
"""

from dataclasses import dataclass, field
from pathlib import Path

from kajitori.apiserver.operating.inflight import RequestLimits

__all__ = ["Operating"]


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
    access_log: str = ""
    """A file, `-` for standard output; empty: none."""
    audit_policy_file: Path | None = None
    audit_log: str = ""
    """A file, `-` for standard output; empty: none."""
    audit_log_megabytes_max: int = 0
    audit_log_days_max: int = 0
    audit_log_files_max: int = 0
    tracing_config_file: Path | None = None
