"""Giving the server back the tokens that its dry run has issued: what plain kubectl does with `kubectl create`."""

import json

from kajitori.apis.guardrails_v1alpha1.tokens import TOKENS_MAX, confirmation, tokens_in
from kajitori.cli.guardrails.errors import GuardrailsError
from kajitori.cli.guardrails.looking import Look
from kajitori.cli.guardrails.programs import Kubectl

__all__ = ["confirm"]


def confirm(look: Look, kubectl: Kubectl, warnings: str, reason: str) -> None:
    """Makes a Confirmation of the tokens in a dry run's warnings, if there are any.

    Raises: GuardrailsError where the server does not take it.
    """
    tokens = tokens_in(warnings)
    for start in range(0, len(tokens), TOKENS_MAX):
        document = json.dumps(confirmation(tokens[start : start + TOKENS_MAX], reason)).encode()
        ran = kubectl.ask(["create", "--filename=-", "--output=name", *look.user_flags], document)
        if ran.code:
            raise GuardrailsError(f"the server did not take the confirmation: {ran.err.strip()}")
