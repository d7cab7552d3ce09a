"""The flags of `kajitori up` for those who watch over it: limits, logs, traces, and how it ends."""

import argparse
from pathlib import Path

from kajitori.apiserver.operating.inflight import RequestLimits
from kajitori.cluster.operating import Operating
from kajitori.wire.go_time import parse_duration

__all__ = ["add_flags", "chosen"]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags, in groups of their own."""
    _add_limits(parser)
    _add_ending(parser)
    _add_logs(parser)
    _add_audit(parser)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    limits = parser.add_argument_group("limits, as kube-apiserver has them")
    limits.add_argument(
        "--max-requests-inflight",
        type=_number,
        default=400,
        metavar="N",
        help="reading requests that may be under way at once; further ones are answered 429; 0: any number "
        "(default: %(default)s)",
    )
    limits.add_argument(
        "--max-mutating-requests-inflight",
        type=_number,
        default=200,
        metavar="N",
        help="the same for writing requests (default: %(default)s)",
    )
    limits.add_argument(
        "--etcd-compaction-interval",
        type=_duration,
        default="5m0s",
        metavar="DURATION",
        help="how long lists and watches can go back in history at least; 0s: until there is too much of it "
        "(default: %(default)s)",
    )
    limits.add_argument(
        "--request-timeout",
        type=_duration,
        default="1m0s",
        metavar="DURATION",
        help="how long a request may take before it is answered 504; watches are excepted (default: %(default)s)",
    )


def _add_ending(parser: argparse.ArgumentParser) -> None:
    ending = parser.add_argument_group("how it ends, as kube-apiserver does")
    ending.add_argument(
        "--shutdown-delay-duration",
        type=_duration,
        default="0s",
        metavar="DURATION",
        help="how long to go on serving after the signal to stop, while /readyz already fails "
        "(default: %(default)s)",
    )
    ending.add_argument(
        "--shutdown-send-retry-after",
        nargs="?",
        const="true",
        default="false",
        choices=("true", "false"),
        help="answer new requests 429 with Retry-After while those under way are finished, instead of not at all",
    )
    ending.add_argument(
        "--shutdown-watch-termination-grace-period",
        type=_duration,
        default="0s",
        metavar="DURATION",
        help="spread the ends of watches over this time, so that not every client comes back at once "
        "(default: %(default)s)",
    )


def _add_logs(parser: argparse.ArgumentParser) -> None:
    logs = parser.add_argument_group("logs and traces")
    logs.add_argument(
        "--log-level",
        default="warning",
        choices=("debug", "info", "warning", "error"),
        help="from what on the console is told (default: %(default)s)",
    )
    logs.add_argument(
        "--slow-request-threshold",
        type=_duration,
        default="0s",
        metavar="DURATION",
        help="warn of requests that take longer; 0s: never (default: %(default)s)",
    )
    logs.add_argument(
        "--access-log",
        default="",
        metavar="FILE",
        help="write one JSON line for every request there; - is standard output (default: none)",
    )
    logs.add_argument(
        "--tracing-config-file",
        type=Path,
        metavar="YAML",
        help="apiserver.config.k8s.io/v1 TracingConfiguration: of how many requests traces are sent, and to which "
        "OTLP receiver (over HTTP; default: localhost:4318)",
    )


def _add_audit(parser: argparse.ArgumentParser) -> None:
    audit = parser.add_argument_group("audit log, as kube-apiserver has it")
    audit.add_argument(
        "--audit-policy-file",
        type=Path,
        metavar="YAML",
        help="audit.k8s.io/v1 Policy: of which requests how much is written down",
    )
    audit.add_argument(
        "--audit-log-path",
        default="",
        metavar="FILE",
        help="where the events are written, one JSON line each; - is standard output (default: nowhere)",
    )
    audit.add_argument(
        "--audit-log-format", default="json", choices=("json",), help="how (default: %(default)s)"
    )
    audit.add_argument(
        "--audit-log-maxsize",
        type=_number,
        default=0,
        metavar="MEGABYTES",
        help="the file is laid aside before it grows beyond this; 0 is 100 (default: %(default)s)",
    )
    audit.add_argument(
        "--audit-log-maxbackup",
        type=_number,
        default=0,
        metavar="N",
        help="how many files laid aside are kept; 0: all (default: %(default)s)",
    )
    audit.add_argument(
        "--audit-log-maxage",
        type=_number,
        default=0,
        metavar="DAYS",
        help="for how many days they are kept; 0: for ever (default: %(default)s)",
    )


def chosen(arguments: argparse.Namespace) -> Operating:
    """What the flags say."""
    return Operating(
        limits=RequestLimits(
            arguments.max_requests_inflight,
            arguments.max_mutating_requests_inflight,
            arguments.request_timeout,
        ),
        shutdown_delay_seconds=arguments.shutdown_delay_duration,
        shutdown_send_retry_after=arguments.shutdown_send_retry_after == "true",
        shutdown_watch_grace_seconds=arguments.shutdown_watch_termination_grace_period,
        compaction_interval_seconds=arguments.etcd_compaction_interval,
        slow_request_seconds=arguments.slow_request_threshold,
        log_level=arguments.log_level,
        access_log=arguments.access_log,
        tracing_config_file=arguments.tracing_config_file,
        audit_policy_file=arguments.audit_policy_file,
        audit_log=arguments.audit_log_path,
        audit_log_megabytes_max=arguments.audit_log_maxsize,
        audit_log_days_max=arguments.audit_log_maxage,
        audit_log_files_max=arguments.audit_log_maxbackup,
    )


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: use 0 or more")
    return int(text)


def _duration(text: str) -> float:
    """Seconds of a duration as Go writes it."""
    try:
        nanos = parse_duration(text)
    except ValueError:
        nanos = -1
    if nanos < 0:
        raise argparse.ArgumentTypeError(f"{text}: write it with its unit, e.g. 30s, 1m30s or 500ms")
    return nanos / 1e9
