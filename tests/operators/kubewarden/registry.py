"""A registry and a web server for tests, on a loopback port, with or without TLS and authentication."""

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Hub", "digest_of"]

WASM = "application/vnd.wasm.content.layer.v1+wasm"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Hub:
    """What a server has, and who may have it."""

    def __init__(self) -> None:
        self.paths: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.login: tuple[str, str] | None = None
        """User and password that a token is given for; None: nobody is asked."""
        self.asked: list[tuple[str, str]] = []
        """Paths, with what was sent to authorize."""
        self.host = ""

    def push(self, repository: str, tag: str, module: bytes, **changed: Any) -> str:
        """Puts a policy there; the digest of its manifest."""
        config = b'{"architecture": "wasm"}'
        layer = {"mediaType": WASM, "digest": digest_of(module), "size": len(module), **changed}
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {
                    "mediaType": "application/vnd.wasm.config.v1+json",
                    "digest": digest_of(config),
                    "size": len(config),
                },
                "layers": [layer],
            }
        ).encode()
        for version in (tag, digest_of(manifest)):
            self.paths[f"/v2/{repository}/manifests/{version}"] = (200, {}, manifest)
        for blob in (module, config):
            self.paths[f"/v2/{repository}/blobs/{digest_of(blob)}"] = (200, {}, blob)
        return digest_of(manifest)

    @contextmanager
    def served(self, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        """Gives the host with its port."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.host = f"127.0.0.1:{server.server_port}"
        try:
            yield self.host
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((path, authorization))
        if path.startswith("/token"):
            given = base64.b64decode(authorization.removeprefix("Basic ") or b"").decode()
            good = self.login is None or given == ":".join(self.login)
            return (200, {}, b'{"token": "t-1"}') if good else (401, {}, b"{}")
        if self.login is not None and path.startswith("/v2/") and authorization != "Bearer t-1":
            realm = f'Bearer realm="http://{self.host}/token",service="hub"'
            return 401, {"WWW-Authenticate": realm}, b'{"errors": [{"message": "who are you?"}]}'
        errors = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
        return self.paths.get(path, (404, {}, errors))

    def _handler(hub) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = hub.answer(self.path, self.headers.get("Authorization") or "")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody reads it."""

        return Handler
