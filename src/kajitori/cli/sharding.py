"""The flags of `kajitori run` for a ring of shards."""

import argparse
from typing import TYPE_CHECKING

from kajitori.cli.main import CommandError

if TYPE_CHECKING:
    from kajitori.ctrl.sharding import Sharding

__all__ = ["add_sharding", "sharding_of"]


def add_sharding(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "sharding",
        "All processes of a ring work, each on a part of the objects. Who loses its Lease leaves, with exit code 3.",
    )
    group.add_argument("--shard-ring", metavar="NAME", help="be a shard of this ring")
    group.add_argument(
        "--shard-mode",
        choices=("labels", "ranges"),
        default="labels",
        help="labels: a sharder assigns each object, for a ControllerRing NAME; ranges: the shards divide hashes among "
        "themselves (default: %(default)s)",
    )
    group.add_argument(
        "--shard-field",
        choices=("uid", "namespace"),
        default="uid",
        help="of objects, what is hashed in mode ranges (default: %(default)s)",
    )
    group.add_argument(
        "--shard-namespace",
        metavar="NAMESPACE",
        default="",
        help="of the Leases (default: that of the Pod we run in)",
    )
    group.add_argument(
        "--shard-name",
        metavar="NAME",
        default="",
        help="what the name of this shard begins with (default: the host's name)",
    )


def sharding_of(chosen: argparse.Namespace) -> "Sharding | None":
    """What the flags ask for; None: no sharding. Raises: CommandError."""
    if not chosen.shard_ring:
        return None
    if chosen.leader_elect:
        raise CommandError("--shard-ring and --leader-elect exclude one another: every shard works", 2)
    from kajitori.ctrl.sharding import Sharding  # few processes are shards

    try:
        return Sharding(
            chosen.shard_ring,
            chosen.shard_namespace,
            mode=chosen.shard_mode,
            field=chosen.shard_field,
            shard=chosen.shard_name,
        )
    except ValueError as error:
        raise CommandError(f"--shard-ring: {error}", 2) from None
