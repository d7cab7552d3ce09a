"""The flags of `kajitori run` for leader election, under client-go's names."""

import argparse
import re
from pathlib import Path

from kajitori.cli.main import CommandError
from kajitori.ctrl import LeaderElection
from kajitori.wire.go_time import parse_duration

__all__ = ["LEADERSHIP_LOST", "add_leader_election", "leader_election", "seconds_of"]

LEADERSHIP_LOST = 3
"""The exit code when another process may lead; whatever started us should start us again."""


def add_leader_election(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "leader election",
        "Of all processes with the same Lease one works. When it has lost the Lease it leaves, with exit code "
        f"{LEADERSHIP_LOST}.",
    )
    group.add_argument("--leader-elect", action="store_true", help="work only while holding a Lease")
    for name, default, help_text in (
        (
            "lease-duration",
            "15s",
            "so long must the Lease be unchanged before another takes it over; whole seconds",
        ),
        ("renew-deadline", "10s", "so long a leader goes on that cannot renew"),
        ("retry-period", "2s", "between two tries"),
    ):
        group.add_argument(
            f"--leader-elect-{name}",
            metavar="DURATION",
            default=default,
            help=f"{help_text} (default: {default})",
        )
    group.add_argument(
        "--leader-elect-resource-name",
        metavar="NAME",
        help="of the Lease (default: kajitori- and what is run)",
    )
    group.add_argument(
        "--leader-elect-resource-namespace",
        metavar="NAMESPACE",
        default="",
        help="of the Lease (default: that of the Pod we run in)",
    )


def leader_election(chosen: argparse.Namespace) -> LeaderElection | None:
    """What the flags ask for; None: no leader election. Raises: CommandError."""
    if not chosen.leader_elect:
        return None
    lease, renew, retry = (
        seconds_of(f"--leader-elect-{name}", getattr(chosen, f"leader_elect_{name}".replace("-", "_")))
        for name in ("lease-duration", "renew-deadline", "retry-period")
    )
    try:
        return LeaderElection(
            chosen.leader_elect_resource_name or _name(chosen.target),
            chosen.leader_elect_resource_namespace,
            lease_seconds=_whole(lease),
            renew_deadline_seconds=renew,
            retry_seconds=retry,
        )
    except ValueError as error:
        raise CommandError(f"--leader-elect: {error}", 2) from None


def seconds_of(flag: str, text: str) -> float:
    """Of a duration as Go writes it. Raises: CommandError."""
    try:
        return parse_duration(text) / 1e9
    except ValueError:
        raise CommandError(f"{flag} {text}: write it with its unit, e.g. 15s, 1m30s or 500ms", 2) from None


def _whole(seconds: float) -> int:
    if not seconds.is_integer():
        raise ValueError(f"lease duration is {seconds:g} s; use whole seconds, 1 or more")
    return int(seconds)


def _name(targets: list[str]) -> str:
    """`kajitori-mysql`: the same for all processes that run the same."""
    names = [Path(each).name.replace(".py", "") for each in sorted(targets)]
    return "-".join(["kajitori", *(re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-") for name in names)])
