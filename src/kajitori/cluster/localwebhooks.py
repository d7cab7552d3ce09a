"""The operators' webhooks in one process with the API server that asks them: no certificates, no sockets.

Their configurations are what they would be on another cluster, and name Services; those of this process are answered
in it.
"""

import re
from collections.abc import Callable

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.webhooks.caller import AnswerHere

__all__ = ["LocalWebhooks"]

NAMESPACE = "kajitori-here"
"""Of the Services that stand for managers; nobody makes them, and none are wanted."""
PORT = 443


class LocalWebhooks(dict[tuple[str, str], AnswerHere]):
    """What answers for Services, by namespace and name. A `WebhookHost`."""

    def mount(self, name: str, answer: AnswerHere) -> "LocalMount":
        service = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-") or "manager"
        self.serve(NAMESPACE, service, answer)
        return LocalMount(self, service, answer)

    def serve(self, namespace: str, service: str, answer: AnswerHere) -> None:
        self[namespace, service] = answer

    def stop_serving(self, namespace: str, service: str) -> None:
        self.pop((namespace, service), None)

    def client_config(self, namespace: str, service: str, port: int, path: str) -> JsonObject:
        return {"service": {"namespace": namespace, "name": service, "port": port, "path": path}}

    def on_change(self, changed: Callable[[], object]) -> None:
        """Never: there is nothing that could change."""


class LocalMount:
    """The webhooks of one manager, in the process of the API server."""

    def __init__(self, host: LocalWebhooks, service: str, answer: AnswerHere) -> None:
        self._host = host
        self._service = service
        self._answer = answer
        self.identity = f"here/{service}"
        self.annotations = dict[str, str]()

    def client_config(self, path: str) -> JsonObject:
        return self._host.client_config(NAMESPACE, self._service, PORT, path)

    def on_change(self, changed: Callable[[], object]) -> None:
        """Never: there is nothing that could change."""

    def registered(self) -> None:
        """Nothing waits for it."""

    def unmount(self) -> None:
        # One that was mounted later may have taken the place.
        if self._host.get((NAMESPACE, self._service)) == self._answer:
            self._host.stop_serving(NAMESPACE, self._service)
