"""What was seen of one policy, and what is known of its being run. Values only."""

from dataclasses import dataclass
from datetime import datetime

from kajitori.apis import JsonObject

__all__ = ["Loading", "PolicySeen"]


@dataclass(frozen=True, slots=True)
class Loading:
    """What came of loading a policy as it is now."""

    failure: str = ""
    """Why it cannot be run; empty when it can."""
    will_pass: bool = False
    """Whether trying again may help: a registry that is away, not a policy that refuses its settings."""
    runs_as: str = ""
    """The mode of the version of the policy that answers requests now; empty where none does."""


@dataclass(frozen=True, slots=True)
class PolicySeen:
    """Everything that a decision about a policy needs."""

    policy: JsonObject
    has_server: bool
    """Whether its PolicyServer is there, and stays."""
    loading: Loading
    configurations: frozenset[str]
    """Kinds of webhook configurations of its name that are there."""
    client_config: JsonObject
    """How the API server reaches it."""
    namespace: str
    """The operator's own."""
    now: datetime
    retry_seconds: float
