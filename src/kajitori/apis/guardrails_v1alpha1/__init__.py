"""Group guardrails.kajitori.dev, version v1alpha1: Guardrail and Confirmation."""

__all__: list[str] = []
