"""The webhooks of operators that run beside a cluster: answered over HTTPS, at an address that its API server reaches.

Promises
    W1  the certificate is of an authority of the process's own, which the webhook configurations name
    W2  an address that cannot be listened at is told before anything is changed in the cluster
"""

import base64
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.http import Request, Response, Server, serve
from kajitori.apiserver.pki import Pki, PkiError, serving_names
from kajitori.cli.main import CommandError
from kajitori.ctrl.webhooks import Answer

__all__ = ["HttpsMount", "HttpsWebhooks"]

_JSON = "application/json"
_PLAIN = "text/plain; charset=utf-8"


class HttpsWebhooks:
    """A `WebhookHost` that listens, from `async with` to its end."""

    def __init__(self, host: str, port: int, name: str = "") -> None:
        """`name` is what the API server calls this host by; empty: `host`."""
        self._host = host
        self._port = port
        self._name = name or host
        self._answers: dict[tuple[str, str], Answer] = {}
        self._mounted: dict[str, Answer] = {}
        self._pki: Pki | None = None
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where they are answered."""
        assert self._server is not None, "not listening"
        shown = f"[{self._name}]" if ":" in self._name else self._name
        return f"https://{shown}:{self._server.port}"

    async def __aenter__(self) -> Self:
        try:
            self._pki = Pki.begin(None, serving_names(self._host, (self._name,))).wait()
            self._server = await serve(
                self._handle, host=self._host, port=self._port, ssl_context=self._pki.ssl_context(http2=False)
            )
        except (PkiError, OSError) as error:
            self._close_pki()
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            where = f"{self._host}:{self._port}"
            raise CommandError(f"--webhook-address {where}: cannot listen there: {why}") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            await self._server.close(1.0)
        self._close_pki()

    def _close_pki(self) -> None:
        if self._pki is not None:
            self._pki.close()

    # What operators ask for.

    def mount(self, name: str, answer: Answer) -> "HttpsMount":
        self._mounted[name] = answer
        return HttpsMount(self, name, answer)

    def unmount(self, name: str, answer: Answer) -> None:
        if self._mounted.get(name) == answer:
            del self._mounted[name]

    def url_config(self, path: str) -> JsonObject:
        """`clientConfig` of what is answered at a path."""
        assert self._pki is not None, "not listening"
        return {"url": self.url + path, "caBundle": base64.b64encode(self._pki.ca_data()).decode()}

    def serve(self, namespace: str, service: str, answer: Answer) -> None:
        self._answers[namespace, service] = answer

    def stop_serving(self, namespace: str, service: str) -> None:
        self._answers.pop((namespace, service), None)

    def client_config(self, namespace: str, service: str, port: int, path: str) -> JsonObject:
        return self.url_config(f"/{namespace}/{service}{path}")

    async def _handle(self, request: Request) -> Response:
        if request.path == "/readiness":
            return Response(200, b"ok", _PLAIN)
        if request.method != "POST":
            return Response(405, b"send a POST\n", _PLAIN)
        _, namespace, service, *rest = [*request.path.split("/", 3), "", "", ""]
        answer = self._answers.get((namespace, service))
        asked = [(each, request.path) for each in self._mounted.values()]
        if answer is not None:
            asked.insert(0, (answer, f"/{rest[0]}"))
        for each, path in asked:
            if (body := await each(path, request.body)) is not None:
                return Response(200, body, _JSON)
        return Response(404, b"nothing is answered here\n", _PLAIN)


class HttpsMount:
    """The webhooks of one manager, over HTTPS."""

    def __init__(self, host: HttpsWebhooks, name: str, answer: Answer) -> None:
        self._host = host
        self._name = name
        self._answer = answer
        self.identity = f"{urlsplit(host.url).hostname}/{name}"
        self.annotations = dict[str, str]()

    def client_config(self, path: str) -> JsonObject:
        return self._host.url_config(path)

    def on_change(self, changed: Callable[[], object]) -> None:
        """Never: the certificate is one for the life of the process."""

    def registered(self) -> None:
        """Nothing waits for it."""

    def unmount(self) -> None:
        self._host.unmount(self._name, self._answer)
