"""HTTP/1.1 and HTTP/2 for the API server: bytes to `Request`, `Response` to bytes, nothing about Kubernetes' objects.

Under the API server's handler chain, above asyncio's transports. `serve` listens; what the handler
gives back decides how the answer is written: a `Response` at once, a `Stream` over time, an `Upgrade` by
another protocol.
"""

from kajitori.apiserver.http.bodies import Joined
from kajitori.apiserver.http.limits import BODY_BYTES_MAX, STREAMS_MAX, Limits
from kajitori.apiserver.http.messages import (
    BodyWriter,
    Handler,
    Request,
    Response,
    Stream,
    Upgrade,
    status_response,
)
from kajitori.apiserver.http.server import Server, serve
from kajitori.apiserver.http.stream import StreamWriter

__all__ = [
    "BODY_BYTES_MAX",
    "STREAMS_MAX",
    "BodyWriter",
    "Handler",
    "Joined",
    "Limits",
    "Request",
    "Response",
    "Server",
    "Stream",
    "StreamWriter",
    "Upgrade",
    "serve",
    "status_response",
]
