"""Where the webhooks of a process are answered, and how an API server is told to reach them.

What a manager declares is mounted under the manager's name. An operator that stands for Services of its own registers
what answers for each, and writes what `client_config` gives into its webhook configurations. Under `kajitori up` the
API server asks in the same process; `kajitori run` listens with HTTPS.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from kajitori.apimachinery.kind import JsonObject

__all__ = ["Answer", "Mounted", "WebhookHost", "WebhooksNotServed"]

Answer = Callable[[str, bytes], Awaitable[bytes | None]]
"""`(path, body)`: the body of the answer; None where nothing is at this path. Raises: ApiError."""


class WebhooksNotServed(Exception):
    """An operator has webhooks, and the process that runs it does not serve any; the text says what to do."""


class Mounted(Protocol):
    """The webhooks of one manager, in their place."""

    identity: str
    """What this place is called, the same after a restart: who finds it on a configuration knows that it is ours."""

    def client_config(self, path: str) -> JsonObject | None:
        """`clientConfig` of a webhook at a path, as it is to be now; None while there is none yet."""
        ...

    @property
    def annotations(self) -> dict[str, str]:
        """What configurations that name this place carry."""
        ...

    def on_change(self, changed: Callable[[], object]) -> None:
        """Calls `changed` whenever `client_config` may give something else."""
        ...

    def registered(self) -> None:
        """All configurations have what `client_config` gave before this."""
        ...

    def unmount(self) -> None:
        """Nothing is answered any more. Safe to repeat."""
        ...


class WebhookHost(Protocol):
    """Who answers webhooks."""

    def mount(self, name: str, answer: Answer) -> Mounted:
        """Answers for a manager from now on; what answered for one of that name before does so no more."""
        ...

    def serve(self, namespace: str, service: str, answer: Answer) -> None:
        """Answers for a Service from now on; what answered for it before does so no more."""
        ...

    def stop_serving(self, namespace: str, service: str) -> None:
        """Safe to repeat."""
        ...

    def client_config(self, namespace: str, service: str, port: int, path: str) -> JsonObject:
        """`clientConfig` of a webhook that is answered for a Service at a path, as it is to be now."""
        ...

    def on_change(self, changed: Callable[[], object]) -> None:
        """Calls `changed` whenever `client_config` may give something else."""
        ...
