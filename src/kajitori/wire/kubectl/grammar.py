"""Which command a line of words is for kubectl, and what its flags are.

kubectl finds the command first, passing over flags as far as the command found until then knows them, and reads the
flags afterwards, wherever they stand. A flag that nobody knows takes the next word while the command is looked for.

Promises
    K1  the command is the one that kubectl runs, flags before, between and after its words or not
    K2  flags have the values that kubectl gives them: `--name value`, `--name=value`, `-n value`, `-nvalue`,
        `-n=value`, letters in a row, and `_` for `-` in names; everything behind `--` is an argument
    K3  where a flag is none of kubectl 1.36's, the line is `unsure`: nobody may conclude what it does not do

Source: spf13/cobra's command.go (Find, stripFlags, argsMinusFirstX) and spf13/pflag's flag.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kajitori.wire.kubectl.facts import Command, commands

__all__ = ["CommandLine", "parse"]

_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What kubectl makes of its words."""

    words: tuple[str, ...]
    """All of them, without the program's name."""
    verb: tuple[str, ...]
    """The command: `("rollout", "restart")`; empty where there is none, a plugin's name where kubectl knows none."""
    known: bool
    """The command is kubectl's own."""
    arguments: tuple[str, ...] = ()
    """What is neither command nor flag."""
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """By long names, every value that was given, in order."""
    dashed: int | None = None
    """How many arguments stand before `--`; None where there is none."""
    unsure: bool = False
    """A flag is not known, or has no value: kubectl refuses the line, or is another version."""
    astray: bool = False
    """Such a flag stands before the command: which one is meant is not sure either."""

    def flag(self, name: str, default: str = "") -> str:
        """The value that counts: the last one."""
        given = self.flags.get(name)
        return given[-1] if given else default

    def is_on(self, name: str) -> bool:
        """Whether a flag that is true or false is true."""
        given = self.flags.get(name)
        return given is not None and given[-1] not in _FALSE

    def listed(self, name: str) -> tuple[str, ...]:
        """All values of a flag that can be repeated, and takes commas."""
        return tuple(part for value in self.flags.get(name, ()) for part in value.split(",") if part)

    def takes(self, name: str) -> bool:
        """Whether the command has such a flag."""
        return name in _command(self.verb).takes_value

    @property
    def options(self) -> Sequence[str]:
        """The words before `--`."""
        return self.words[: self.words.index("--")] if self.dashed is not None else self.words


def parse(words: Sequence[str]) -> CommandLine:
    """The line as kubectl sees it."""
    command = commands()
    rest = list(words)
    strange = False
    while True:
        stripped, passed = _without_flags(rest, command)
        strange = strange or (passed and not command.words)
        below = command.below.get(stripped[0]) if stripped else None
        if below is None:
            break
        rest = _without_first(rest, stripped[0], command)
        command = below
    if not command.words and stripped:
        return _plugin(tuple(words), strange)
    arguments, flags, dashed, refused = _read(rest, command)
    return CommandLine(
        tuple(words),
        command.words,
        bool(command.words),
        arguments,
        flags,
        dashed,
        refused,
        strange and refused,
    )


def _command(verb: Sequence[str]) -> Command:
    found = commands()
    for word in verb:
        found = found.below.get(word) or Command((), {}, {})
    return found


def _plugin(words: tuple[str, ...], strange: bool) -> CommandLine:
    """A command that kubectl does not know. Plugins come before all flags."""
    verb: list[str] = []
    for word in words:
        if word.startswith("-"):
            break
        verb.append(word)
    astray = strange or not verb
    return CommandLine(words, tuple(verb[:1]), False, tuple(verb[1:]), unsure=astray, astray=astray)


def _swallows(word: str, command: Command) -> tuple[bool, bool]:
    """Whether the next word belongs to this flag while the command is looked for, and whether nobody knows the flag."""
    if "=" in word:
        return False, False
    if word.startswith("--"):
        wants = command.takes_value.get(_long(word[2:]))
        return wants is not False, wants is None
    if len(word) == 2:
        name = command.letters.get(word[1])
        return name is None or command.takes_value[name], name is None
    return False, False


def _long(name: str) -> str:
    return name.replace("_", "-")


def _without_flags(words: Sequence[str], command: Command) -> tuple[list[str], bool]:
    """The words that are no flags, and whether before the first of them a flag is that the command does not know."""
    found: list[str] = []
    strange = False
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            break
        if word.startswith("-"):
            swallows, unknown = _swallows(word, command)
            strange = strange or (unknown and not found)
            if swallows:
                if len(words) - at <= 1:
                    break
                at += 1
        elif word:
            found.append(word)
    return found, strange


def _without_first(words: list[str], name: str, command: Command) -> list[str]:
    """The words less the first that is this name, and not a flag's value."""
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            break
        if word.startswith("-"):
            at += 1 + _swallows(word, command)[0]
            continue
        if word == name:
            return words[:at] + words[at + 1 :]
        at += 1
    return words


class _Flags:
    """The flags read until now."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.found: dict[str, list[str]] = {}
        self.refused = False

    def add(self, name: str, value: str) -> None:
        self.found.setdefault(name, []).append(value)

    def long(self, word: str, rest: list[str]) -> None:
        """`--name`, `--name=value` or `--name value`; the value is taken from `rest`."""
        name, equals, value = word[2:].partition("=")
        name = _long(name)
        wants = self.command.takes_value.get(name)
        if wants is None:
            self.refused = True
        elif equals:
            self.add(name, value)
        elif not wants:
            self.add(name, "true")
        elif rest:
            self.add(name, rest.pop(0))
        else:
            self.refused = True

    def short(self, word: str, rest: list[str]) -> None:
        """Letters in a row; the last one may have a value."""
        letters = word[1:]
        while letters:
            name = self.command.letters.get(letters[0])
            if name is None:
                self.refused = True
                return
            if len(letters) > 2 and letters[1] == "=":
                self.add(name, letters[2:])
                return
            if not self.command.takes_value[name]:
                self.add(name, "true")
                letters = letters[1:]
                continue
            if len(letters) > 1:
                self.add(name, letters[1:])
            elif rest:
                self.add(name, rest.pop(0))
            else:
                self.refused = True
            return


def _read(
    words: list[str], command: Command
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]], int | None, bool]:
    flags = _Flags(command)
    arguments: list[str] = []
    dashed: int | None = None
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            dashed = len(arguments)
            arguments += rest
            break
        if word.startswith("--"):
            flags.long(word, rest)
        elif word.startswith("-") and len(word) > 1:
            flags.short(word, rest)
        else:
            arguments.append(word)
    found = {name: tuple(values) for name, values in flags.found.items()}
    return tuple(arguments), found, dashed, flags.refused
