"""Compiles what the real kubectl says of its commands and flags into the resource that the package reads.

    python tools/compile_kubectl.py kubectl

One line per command: its words, its other names in brackets, and behind a tab its flags: `all` is one that needs no
value, `filename/f=` one that takes the next word, with its letter. The first line, `*`, has the flags of all commands.

What a flag takes no help text says: `kubectl COMMAND --help --FLAG` complains of a missing value where it wants one.
"""

import argparse
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src" / "kajitori" / "wire" / "kubectl" / "commands.txt"
HIDDEN = ("record", "cpu-percent")
"""Deprecated flags, which no help text shows, and which count as long as kubectl takes them."""
_FLAG = re.compile(r"^    (?:-(\w), )?--([\w-]+)=", re.MULTILINE)
_ALIASES = re.compile(r"^Aliases:\n(.*)$", re.MULTILINE)
_SUBCOMMANDS = re.compile(r"^Available Commands:\n((?:  \S.*\n)+)", re.MULTILINE)


class Kubectl:
    """The program, without any cluster."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._environment = {
            **os.environ,
            "KUBECONFIG": os.devnull,
            "HOME": tempfile.gettempdir(),
            "COLUMNS": "200",
        }

    def tells(self, *words: str) -> str:
        """All that a command prints."""
        ran = subprocess.run(
            [self._path, *words],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ran.stdout

    def flags(self, words: Sequence[str], help_text: str) -> str:
        """The flags of a help text, as one line has them."""
        known = [(name, letter) for letter, name in _FLAG.findall(help_text)]
        known += [
            (name, "") for name in HIDDEN if "unknown flag" not in self.tells(*words, "--help", f"--{name}")
        ]
        told = [
            f"{name}/{letter}".rstrip("/")
            + ("=" if "needs an argument" in self.tells(*words, "--help", f"--{name}") else "")
            for name, letter in sorted(set(known))
        ]
        return " ".join(told)

    def commands(self, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
        """Every command below one, with its help text."""
        if not words:
            told = self.tells("__complete", "").splitlines()
            names = [line.split("\t")[0] for line in told if "\t" in line]
        else:
            help_text = self.tells(*words, "--help")
            yield words, help_text
            found = _SUBCOMMANDS.search(help_text)
            names = [line.split()[0] for line in found[1].splitlines()] if found else []
        for name in names:
            yield from self.commands((*words, name))


def compiled(kubectl: Kubectl) -> str:
    """The whole resource."""
    everywhere = kubectl.tells("options")
    common = {name for _, name in _FLAG.findall(everywhere)}

    def line(command: tuple[tuple[str, ...], str]) -> str:
        words, help_text = command
        found = _ALIASES.search(help_text)
        aliases = [each.strip() for each in found[1].split(",")] if found else []
        others = ",".join(each for each in aliases if each != words[-1])
        flags = [
            each
            for each in kubectl.flags(words, help_text).split()
            if re.split("[/=]", each)[0] not in common
        ]
        return f"{' '.join(words)}{f' [{others}]' if others else ''}\t{' '.join(flags)}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        lines = sorted(pool.map(line, kubectl.commands()))
    return "\n".join([f"*\t{kubectl.flags(['version'], everywhere)}", *lines]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("kubectl", help="the program to ask")
    parser.add_argument("--target", type=Path, default=TARGET)
    arguments = parser.parse_args()
    arguments.target.write_text(compiled(Kubectl(arguments.kubectl)))


if __name__ == "__main__":
    main()
