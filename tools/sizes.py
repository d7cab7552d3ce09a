"""Fails when a module has grown past what one can read at a sitting: docs of the house are in docs/explanation."""

import sys
from pathlib import Path

LINES_MAX = 600
LOOK_TWICE = 400
GENERATED = "Written by tools/"
"""How the docstring of a module says that nobody edits it."""


def main() -> int:
    """The number of modules over the limit, as the exit code; those that deserve a second look are listed."""
    root = Path(__file__).parent.parent
    over = 0
    for path in sorted((root / "src").rglob("*.py")):
        text = path.read_text(encoding="utf-8").splitlines()
        lines = len(text)
        if any(each.startswith(GENERATED) for each in text[:5]):
            continue
        if lines > LINES_MAX:
            over += 1
            print(f"{path.relative_to(root)}: {lines} lines, more than {LINES_MAX}: probably two rooms")
        elif lines > LOOK_TWICE:
            print(f"{path.relative_to(root)}: {lines} lines, look twice")
    return min(over, 1)


if __name__ == "__main__":
    sys.exit(main())
