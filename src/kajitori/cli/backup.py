"""`kajitori backup FILE`: a consistent copy of a cluster's state, while the server runs or not."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kajitori.cli.main import CommandError
from kajitori.cli.snapshots import EXIT_CODES, add_output, carried_out, print_contents
from kajitori.cluster.options import STATE_FILE
from kajitori.storage.backup import back_up, inspect

__all__ = ["main"]

EXAMPLES = f"""\
examples:
  kajitori backup monday.db                      what etcdctl snapshot save does
  kajitori backup --status monday.db -o json     what etcdutl snapshot status does
  kajitori backup --data-dir /srv/lab --force lab.db

{EXIT_CODES}"""


def main(arguments: Sequence[str]) -> int:
    """Makes a backup, or tells what is in one.

    Raises: CommandError.
    """
    parser = argparse.ArgumentParser(
        prog="kajitori backup",
        description="Copy the state of a cluster to FILE, as it is at one moment, and verify the copy. "
        "The server may run and write meanwhile.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="file to write, readable by its owner only")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path("kajitori-data"),
        help="folder of the state (default: %(default)s)",
    )
    parser.add_argument("--force", action="store_true", help="replace FILE if it is there already")
    parser.add_argument(
        "--status", action="store_true", help="write nothing: verify the backup FILE, and tell what is in it"
    )
    add_output(parser)
    chosen = parser.parse_args(arguments)
    if chosen.status:
        print_contents(carried_out(lambda told: inspect(chosen.file, told)), chosen.output)
        return 0
    source = chosen.data_dir / STATE_FILE
    if not source.exists() and not source.with_name(f"{STATE_FILE}.restored").exists():
        raise CommandError(
            f"{chosen.data_dir}: no state is kept here; name the --data-dir of `kajitori up`", 3
        )
    contents = carried_out(lambda told: back_up(source, chosen.file, replace=chosen.force, progress=told))
    print_contents(contents, chosen.output)
    return 0
