"""What a user must know, in one sentence."""

__all__ = ["GuardrailsError"]


class GuardrailsError(Exception):
    """Nothing was run: the file of rules, the command line or the cluster's configuration is wrong."""
