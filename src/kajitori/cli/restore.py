"""`kajitori restore FILE`: a backup becomes the state that the next `kajitori up` starts from."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kajitori.cli.snapshots import EXIT_CODES, add_output, carried_out, print_contents
from kajitori.cluster.options import STATE_FILE
from kajitori.storage.restore import BUMP_REVISION, restore

__all__ = ["main"]

EXAMPLES = f"""\
examples:
  kajitori restore monday.db                       into ./kajitori-data, where no state is yet
  kajitori restore monday.db --data-dir /srv/lab   what etcdutl snapshot restore does
  kajitori restore monday.db --force               in place of the state that is there

{EXIT_CODES}"""


def main(arguments: Sequence[str]) -> int:
    """Restores a backup.

    Raises: CommandError.
    """
    parser = argparse.ArgumentParser(
        prog="kajitori restore",
        description="Make the backup FILE the state of a cluster. It is verified first; no server may use the folder.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a file that `kajitori backup` wrote")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path("kajitori-data"),
        help="folder of the state, made if it is missing (default: %(default)s)",
    )
    parser.add_argument("--force", action="store_true", help="replace the state that is there already")
    parser.add_argument(
        "--bump-revision",
        type=_revisions,
        default=BUMP_REVISION,
        metavar="N",
        help="go on this far beyond the backup's last revision, and answer all before as compacted, so that clients "
        "list anew; 0: go on from the backup's, with its history (default: %(default)s)",
    )
    add_output(parser)
    chosen = parser.parse_args(arguments)
    contents = carried_out(
        lambda told: restore(
            chosen.file,
            chosen.data_dir / STATE_FILE,
            replace=chosen.force,
            bump_revision=chosen.bump_revision,
            progress=told,
        )
    )
    print_contents(contents, chosen.output)
    return 0


def _revisions(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 48:
        raise argparse.ArgumentTypeError(f"{text}: use 0 or more")
    return int(text)
