"""The operators' webhooks in one process with the API server that asks them: no certificates, no sockets.

Their configurations are what they would be on another cluster, and name Services; those of this process are answered
in it.
"""

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.webhooks.caller import AnswerHere

__all__ = ["LocalWebhooks"]


class LocalWebhooks(dict[tuple[str, str], AnswerHere]):
    """What answers for Services, by namespace and name. A `WebhookHost`."""

    def serve(self, namespace: str, service: str, answer: AnswerHere) -> None:
        self[namespace, service] = answer

    def stop_serving(self, namespace: str, service: str) -> None:
        self.pop((namespace, service), None)

    def client_config(self, namespace: str, service: str, port: int, path: str) -> JsonObject:
        return {"service": {"namespace": namespace, "name": service, "port": port, "path": path}}
