"""The commands of kubectl and their flags, as `tools/compile_kubectl.py` has had them from the real one."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

__all__ = ["Command", "commands"]


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or the group of commands that its words lead to."""

    words: tuple[str, ...]
    takes_value: dict[str, bool]
    """The flags, those of all commands among them, and whether the next word is a flag's value."""
    letters: dict[str, str]
    """The flags that one letter stands for."""
    below: "dict[str, Command]" = field(default_factory=dict[str, "Command"])
    """Its subcommands, under each of their names."""


@cache
def commands() -> Command:
    """`kubectl` itself, with all commands below it."""
    lines = Path(__file__).with_name("commands.txt").read_text(encoding="ascii").splitlines()
    common = lines[0].partition("\t")[2] + " help/h"
    root = _command((), common, "")
    for line in lines[1:]:
        names, _, flags = line.partition("\t")
        path, _, others = names.partition(" [")
        words = tuple(path.split())
        parent = root
        for word in words[:-1]:
            parent = parent.below[word]
        made = _command(words, common, flags)
        for name in (words[-1], *filter(None, others.rstrip("]").split(","))):
            parent.below[name] = made
    return root


def _command(words: tuple[str, ...], common: str, flags: str) -> Command:
    takes_value: dict[str, bool] = {}
    letters: dict[str, str] = {}
    for each in (*common.split(), *flags.split()):
        name, _, letter = each.rstrip("=").partition("/")
        takes_value[name] = each.endswith("=")
        if letter:
            letters[letter] = name
    return Command(words, takes_value, letters)
