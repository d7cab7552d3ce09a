"""The question, and its answer: from the terminal, or for scripts from flags.

Promises
    Q1  only the terminal answers: what is piped in is a command's input, and no yes
    Q2  without a terminal nothing is done unless a flag says so: `--yes` where a yes is asked for, and
        `--yes-i-mean HASH`, of exactly this command on exactly these objects, where more than that is
    Q3  only what was asked for goes on; an empty answer, a mistake and the end of input do not
"""

import hashlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kajitori.cli.guardrails.flags import Flags
from kajitori.cli.guardrails.place import Place
from kajitori.cli.guardrails.rules import Action, Rule

__all__ = ["Answer", "hash_of", "is_answered"]

ANSWER_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the command goes on."""

    granted: bool
    why: str = ""
    """What to tell the user where it does not."""
    ticket: str = ""


def hash_of(words: Sequence[str], place: Place, objects: Sequence[dict[str, Any]] | None) -> str:
    """Stands for a command in its place on objects with their uids."""
    metadata = [each.get("metadata") or {} for each in objects or ()]
    uids = sorted(
        f"{each.get('namespace', '')}/{each.get('name', '')}/{each.get('uid', '')}" for each in metadata
    )
    parts = [*words, "", place.context, place.server, place.user, place.impersonated, place.namespace, *uids]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def is_answered(rule: Rule, flags: Flags, name: str, meant: str) -> Answer:
    """Asks what the rule asks for. `name` is what is to be typed; `meant` the hash for scripts."""
    if rule.action is Action.REQUIRE_TICKET and flags.ticket and not _is_ticket(rule, flags.ticket):
        return Answer(False, f"the ticket {flags.ticket} does not match {rule.ticket}")
    if flags.meant:
        if flags.meant != meant:
            return Answer(False, f"--yes-i-mean {flags.meant}: this is {meant}; look again at what would go")
        if rule.action is not Action.REQUIRE_TICKET or flags.ticket:
            return Answer(True, ticket=flags.ticket)
    if flags.yes and rule.action is Action.CONFIRM:
        return Answer(True)
    if flags.yes and rule.action is Action.REQUIRE_TICKET and flags.ticket:
        return Answer(True, ticket=flags.ticket)
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return Answer(False, _for_scripts(rule, meant))
    try:
        return _asked(terminal, rule, flags, name)
    finally:
        os.close(terminal)


def _is_ticket(rule: Rule, ticket: str) -> bool:
    return bool(ticket) and (not rule.ticket or re.fullmatch(rule.ticket, ticket) is not None)


def _for_scripts(rule: Rule, meant: str) -> str:
    told = "there is no terminal to ask; a script says "
    if rule.action is Action.CONFIRM:
        return f"{told}--yes, or --yes-i-mean {meant} for exactly this"
    if rule.action is Action.REQUIRE_TICKET:
        return f"{told}--yes --ticket TICKET"
    return f"{told}--yes-i-mean {meant}"


def _asked(terminal: int, rule: Rule, flags: Flags, name: str) -> Answer:
    if rule.action is Action.CONFIRM:
        answer = _line(terminal, "Go on? (y/N) ")
        return Answer(answer.lower() in ("y", "yes"), "not confirmed")
    if rule.action is Action.TYPE_THE_NAME:
        answer = _line(terminal, f"Type {name} to go on: ")
        return Answer(answer == name, f"that is not {name}")
    ticket = flags.ticket or _line(terminal, "Ticket: ")
    if not _is_ticket(rule, ticket):
        return Answer(False, f"that does not match {rule.ticket}" if ticket and rule.ticket else "no ticket")
    answer = _line(terminal, f"Go on for {ticket}? (y/N) ")
    return Answer(answer.lower() in ("y", "yes"), "not confirmed", ticket)


def _line(terminal: int, question: str) -> str:
    """One line from the terminal; empty at its end."""
    sys.stderr.flush()
    os.write(terminal, question.encode())
    typed = b""
    while not typed.endswith(b"\n") and len(typed) < ANSWER_BYTES_MAX:
        chunk = os.read(terminal, 1024)
        if not chunk:
            os.write(terminal, b"\n")
            return ""
        typed += chunk
    return typed.decode(errors="replace").strip()
