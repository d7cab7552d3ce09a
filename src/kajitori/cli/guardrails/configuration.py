"""The file of rules: `$KUBECTL_GUARDRAILS_CONF` or ~/.kube/guardrails.

    contexts:                # as the first kubectl-guardrails has it
    - name: prod
      prompts:
      - name: delete
        dry-run: true
    rules:                   # what comes before it
    - name: production
      match: {contexts: ["prod*"], verbs: [delete, drain], resources: [namespaces]}
      action: type-the-name

Promises
    F1  files of the first kubectl-guardrails mean what they meant: the first word of a command in a context, asked for
    F2  a mistake is told with its line, its field and what would be right; nothing runs until it is mended

Source: kubectl-guardrails' README.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kajitori.cli.guardrails.errors import GuardrailsError
from kajitori.cli.guardrails.rules import Action, Rule
from kajitori.cli.guardrails.yamlnodes import Field, read_yaml

__all__ = ["Configuration", "read_configuration"]

VARIABLE = "KUBECTL_GUARDRAILS_CONF"

_MATCH = ("contexts", "clusters", "users", "namespaces", "verbs", "resources", "selector", "moreThan", "all")
_RULE = ("name", "match", "action", "message", "ticket", "preview")


@dataclass(frozen=True, slots=True)
class Configuration:
    """All rules, in the order in which they are tried."""

    rules: tuple[Rule, ...] = ()
    log: str = ""
    """The file in which every question and its answer is written down; empty for none."""


def read_configuration(environ: Mapping[str, str]) -> Configuration:
    """What the file says; no rules where there is no file, and nobody has named one.

    Raises: GuardrailsError.
    """
    named = environ.get(VARIABLE, "")
    path = Path(named) if named else Path(environ.get("HOME") or os.path.expanduser("~")) / ".kube/guardrails"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if named:
            raise GuardrailsError(f"{VARIABLE} names {path}, which does not exist") from None
        return Configuration()
    except (OSError, UnicodeDecodeError) as error:
        raise GuardrailsError(f"{path} cannot be read: {error}") from None
    return _configuration(text, str(path))


def _configuration(text: str, file: str) -> Configuration:
    top = read_yaml(text, file)
    if top is None:
        return Configuration()
    members = top.members(("contexts", "rules", "log"))
    rules = [_rule(each) for each in members["rules"].items()] if "rules" in members else []
    if "contexts" in members:
        for each in members["contexts"].items():
            rules += _prompts(each)
    log = os.path.expanduser(members["log"].text()) if "log" in members else ""
    return Configuration(tuple(rules), log)


def _prompts(context: Field) -> list[Rule]:
    """The original's form: one question per command of a context."""
    members = context.members(("name", "prompts"))
    if "name" not in members:
        raise context.wrong("has no name; write the context's")
    name = members["name"].text()
    found: list[Rule] = []
    for each in members["prompts"].items() if "prompts" in members else ():
        prompt = each.members(("name", "dry-run"))
        if "name" not in prompt:
            raise each.wrong("has no name; write the command's, such as delete")
        verb = prompt["name"].text()
        preview = "dry-run" in prompt and prompt["dry-run"].choice()
        rule = Rule(f"{verb} in {name}", Action.CONFIRM, (name,), verbs=(verb,), preview=preview, exact=True)
        found.append(rule)
    return found


def _rule(field: Field) -> Rule:
    members = field.members(_RULE)
    for needed, example in (("name", "what people are to call it"), ("action", "confirm")):
        if needed not in members:
            raise field.wrong(f"has no {needed}; write {needed}: {example}")
    word = members["action"].text()
    actions = [each.value for each in Action]
    if word not in actions:
        raise members["action"].wrong(f"{word} is none; write one of {', '.join(actions)}")
    action = Action(word)
    match = members["match"].members(_MATCH) if "match" in members else {}
    if "selector" in match:
        _check_selector(match["selector"])
    if "ticket" in members:
        if action is not Action.REQUIRE_TICKET:
            raise members["ticket"].wrong("is for the action require-ticket")
        _check_expression(members["ticket"])

    def texts(name: str) -> tuple[str, ...]:
        return match[name].texts() if name in match else ()

    return Rule(
        members["name"].text(),
        action,
        texts("contexts"),
        texts("clusters"),
        texts("users"),
        texts("namespaces"),
        texts("verbs"),
        texts("resources"),
        selector=match["selector"].text() if "selector" in match else "",
        more_than=match["moreThan"].number() if "moreThan" in match else None,
        is_all=match["all"].choice() if "all" in match else None,
        preview=members["preview"].choice() if "preview" in members else True,
        message=members["message"].text() if "message" in members else "",
        ticket=members["ticket"].text() if "ticket" in members else "",
    )


def _check_selector(field: Field) -> None:
    from kajitori.apimachinery.labels import parse_label_selector

    try:
        parse_label_selector(field.text())
    except ValueError as error:
        raise field.wrong(f"is no label selector: {error}; write app=web,tier in (a,b)") from None


def _check_expression(field: Field) -> None:
    try:
        re.compile(field.text())
    except re.error as error:
        raise field.wrong(f"is no regular expression: {error}; write OPS-[0-9]+") from None
