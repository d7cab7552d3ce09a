"""Aliases and defaults of kuberc: the words that kubectl makes of the ones it is given.

Source: kubectl's pkg/kuberc/kuberc.go (applyAliases, applyOverrides).
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kajitori.wire.kubectl import CommandLine, parse

__all__ = ["parse_with_preferences"]


def parse_with_preferences(words: Sequence[str], environ: Mapping[str, str]) -> CommandLine:
    """The line that kubectl runs. A file that kubectl would not take is passed over, as it will complain itself."""
    preferences = _preferences(words, environ)
    line = parse(words)
    if preferences is None:
        return line
    if not line.known and line.verb:
        for alias in _listed(preferences.get("aliases")):
            if alias.get("name") == line.verb[0] and isinstance(alias.get("command"), str):
                line = _aliased(list(words), alias)
                break
    if not line.known:
        return line
    further: list[str] = []
    for default in _listed(preferences.get("defaults")):
        command = parse(str(default.get("command") or "").split())
        if command.verb and line.verb and command.verb[-1] == line.verb[-1]:
            further += _options(default, line)
    return parse([*line.verb, *further, *_after_verb(line)]) if further else line


def _preferences(words: Sequence[str], environ: Mapping[str, str]) -> Mapping[str, Any] | None:
    if environ.get("KUBECTL_KUBERC", "").lower() in ("false", "0") or environ.get("KUBERC") == "off":
        return None
    path = _named(words) or environ.get("KUBERC")
    found = Path(path) if path else Path(environ.get("HOME") or os.path.expanduser("~")) / ".kube" / "kuberc"
    if not found.is_file():
        return None
    import yaml

    try:
        content = yaml.safe_load(found.read_bytes())
    except (OSError, yaml.YAMLError):
        return None
    return content if isinstance(content, dict) else None


def _named(words: Sequence[str]) -> str:
    for position, word in enumerate(words):
        if word == "--":
            break
        if word == "--kuberc":
            return words[position + 1] if position + 1 < len(words) else ""
        if word.startswith("--kuberc="):
            return word.partition("=")[2]
    return ""


def _listed(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _aliased(words: list[str], alias: Mapping[str, Any]) -> CommandLine:
    """The words with the command in the alias' place, its arguments around those given, and its flags."""
    at = next(position for position, word in enumerate(words) if not word.startswith("-"))
    command = str(alias["command"]).split()
    prepended, appended = (
        [str(each) for each in alias.get(member) or ()] for member in ("prependArgs", "appendArgs")
    )
    made = [*words[:at], *command, *prepended, *words[at + 1 :], *appended]
    line = parse(made)
    further = _options(alias, line)
    return parse([*words[:at], *command, *further, *made[at + len(command) :]]) if further else line


def _options(of: Mapping[str, Any], line: CommandLine) -> list[str]:
    options = [each for each in _listed(of.get("options")) if str(each.get("name")) not in line.flags]
    return [f"--{each.get('name')}={each.get('default', '')}" for each in options]


def _after_verb(line: CommandLine) -> list[str]:
    """The words of a line without those of its command, which come first now."""
    rest = list(line.words)
    for word in line.verb:
        for position, each in enumerate(rest):
            if each == word or parse([*line.verb[: line.verb.index(word)], each]).verb[-1:] == (word,):
                del rest[position]
                break
    return rest
