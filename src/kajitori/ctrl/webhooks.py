"""Where the webhooks of a process are answered, and how an API server is told to reach them.

An operator registers what answers for a Service of its own and writes what `client_config` gives into its webhook
configurations. Under `kajitori up` the API server asks in the same process; `kajitori run` listens with HTTPS.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from kajitori.apimachinery.kind import JsonObject

__all__ = ["Answer", "WebhookHost", "WebhooksNotServed"]

Answer = Callable[[str, bytes], Awaitable[bytes | None]]
"""`(path, body)`: the body of the answer; None where nothing is at this path."""


class WebhooksNotServed(Exception):
    """An operator has webhooks, and the process that runs it does not serve any; the text says what to do."""


class WebhookHost(Protocol):
    """Who answers webhooks."""

    def serve(self, namespace: str, service: str, answer: Answer) -> None:
        """Answers for a Service from now on; what answered for it before does so no more."""
        ...

    def stop_serving(self, namespace: str, service: str) -> None:
        """Safe to repeat."""
        ...

    def client_config(self, namespace: str, service: str, port: int, path: str) -> JsonObject:
        """`clientConfig` of a webhook that is answered for a Service at a path."""
        ...
