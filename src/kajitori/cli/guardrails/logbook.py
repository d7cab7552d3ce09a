"""The book of questions: one line of JSON for each, with its answer."""

import json
import os
from datetime import UTC, datetime

from kajitori.cli.guardrails.asking import Answer
from kajitori.cli.guardrails.errors import GuardrailsError
from kajitori.cli.guardrails.place import Place
from kajitori.cli.guardrails.rules import Rule
from kajitori.wire.kubectl import CommandLine

__all__ = ["note"]


def note(path: str, line: CommandLine, place: Place, rule: Rule, answer: Answer) -> None:
    """Writes it down. Raises: GuardrailsError where that fails: what is to be known must not go unseen."""
    told = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "rule": rule.name,
        "action": rule.action.value,
        "command": ["kubectl", *line.words],
        "context": place.context,
        "cluster": place.cluster,
        "server": place.server,
        "user": place.user,
        "as": place.impersonated,
        "namespace": place.namespace,
        "granted": answer.granted,
        "ticket": answer.ticket,
    }
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
    except OSError as error:
        raise GuardrailsError(f"the log {path} cannot be written: {error.strerror}") from None
