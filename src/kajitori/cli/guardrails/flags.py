"""The flags that are ours and not kubectl's."""

from collections.abc import Sequence
from typing import NamedTuple

from kajitori.cli.guardrails.errors import GuardrailsError

__all__ = ["Flags", "own_flags"]

_YES, _MEANT, _TICKET = "--yes", "--yes-i-mean", "--ticket"


class Flags(NamedTuple):
    """What the command line says of the question."""

    yes: bool = False
    meant: str = ""
    ticket: str = ""


def own_flags(given: Sequence[str], *, before_command: bool = False) -> tuple[list[str], Flags]:
    """The words for kubectl, and those that are for us, which stand anywhere before `--`.

    `before_command`: only those before the first word that is no flag; what comes after it is a plugin's own.
    Raises: GuardrailsError.
    """
    words: list[str] = []
    yes, valued = False, {_MEANT: "", _TICKET: ""}
    rest = list(given)
    while rest:
        word = rest.pop(0)
        if word == "--" or (before_command and not word.startswith("-")):
            words += [word, *rest]
            break
        name, equals, value = word.partition("=")
        if word == _YES:
            yes = True
        elif name in valued:
            if not equals and not rest:
                raise GuardrailsError(f"{name} needs a value")
            valued[name] = value if equals else rest.pop(0)
        else:
            words.append(word)
    return words, Flags(yes, valued[_MEANT], valued[_TICKET])
