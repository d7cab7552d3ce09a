"""Group guardrails.kajitori.dev, version v1alpha1: Guardrail and Confirmation."""

from kajitori.apis.guardrails_v1alpha1.kinds import (
    Condition,
    Confirmation,
    ConfirmationSpec,
    Exempt,
    Guardrail,
    GuardrailSpec,
)
from kajitori.apis.guardrails_v1alpha1.manifests import manifests

__all__ = [
    "Condition",
    "Confirmation",
    "ConfirmationSpec",
    "Exempt",
    "Guardrail",
    "GuardrailSpec",
    "manifests",
]
