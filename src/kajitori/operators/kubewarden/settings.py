"""What the operator is set up with: its namespace, limits, names that others know it by."""

from dataclasses import dataclass

__all__ = ["FIELD_MANAGER", "Settings"]

FIELD_MANAGER = "kubewarden-controller"
"""Owner of every field that is applied. The same as Kubewarden's, so that policies can be taken over."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the operator behaves, for all policies alike."""

    namespace: str = "kubewarden"
    """Where the Services of policy servers and the Secrets for registries are; requests in it are not given to policies
    of the cluster."""
    evaluation_seconds: float = 2.0
    """How long an evaluation may take, where the policy does not say."""
    memory_bytes: int = 256 << 20
    """How much memory an evaluation may take."""
    retry_seconds: float = 30.0
    """After how long a module that could not be had is tried again."""
