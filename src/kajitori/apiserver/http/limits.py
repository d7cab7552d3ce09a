"""What one client may cost the server; each limit has a name, a value and the reason for it.

Source: kube-apiserver's own limits (`MaxRequestBodyBytes`, `ReadHeaderTimeout`, `IdleTimeout`,
`MaxHeaderBytes`, `MaxConcurrentStreams`) and Go's net/http, whose behaviour at a limit clients know.
"""

from dataclasses import dataclass

__all__ = [
    "BODY_BYTES_MAX",
    "CONTINUATIONS_MAX",
    "CONTROLS_BURST",
    "CONTROLS_PER_SECOND",
    "RESETS_BURST",
    "RESETS_PER_SECOND",
    "STREAMS_MAX",
    "Limits",
]

BODY_BYTES_MAX = 3 * 1024 * 1024
"""A request body: twice what etcd takes, so that a patch may be larger than the object it makes."""

HEAD_BYTES_MAX = 1 << 20
"""Request line and headers together; certificates in headers and long label selectors fit."""

BODY_DISCARD_BYTES_MAX = 256 * 1024
"""How much of a body that is too large is still read, so that the connection can be used again."""

HEAD_SECONDS_MAX = 32.0
"""From the first byte of a request to the end of its headers."""

BODY_SECONDS_MAX = 60.0
"""From the end of the headers to the end of the body: a client that drips its body must not hold memory."""

IDLE_SECONDS_MAX = 90.0
"""How long a kept-alive connection may wait for its next request."""

WRITE_STALL_SECONDS_MAX = 60.0
"""How long a client may take nothing of an answer that waits for it."""

CONNECTIONS_MAX = 10_000
"""About a hundred times a busy cluster's; further ones are answered 503."""

PIPELINED_MAX = 64
"""Requests read ahead of the one being answered; beyond it the connection is not read."""

COMPRESS_BYTES_MIN = 128 * 1024
"""Bodies above it are compressed for clients that accept it; a smaller one costs more than it saves."""

HANDSHAKE_SECONDS_MAX = 10.0
"""From accepting a connection to the end of its TLS handshake."""

HALF_CLOSED_SECONDS_MAX = 5.0
"""How long a request goes on whose client closed its sending side: it may still read, or be gone altogether."""

LINGER_SECONDS = 0.5
"""How long a refused client's bytes are still read: closing earlier would reset the answer away."""

STREAMS_MAX = 100
"""Requests at once on one HTTP/2 connection. client-go opens another connection when it has so many."""

STREAM_WINDOW_BYTES = 256 * 1024
"""What an HTTP/2 client may send of a body ahead; nearly every object fits. Also the largest frame."""

UPLOADS_BYTES_MAX = 16 * 1024 * 1024
"""Of bodies under way on one HTTP/2 connection; beyond it only the oldest is let go on past its window."""

CONTINUATIONS_MAX = 128
"""Frames that the headers of one HTTP/2 request may be spread over."""

RESETS_BURST, RESETS_PER_SECOND = 1000, 33.0
"""Streams that end badly: reset by the client before they were answered, or in error. More is no accident."""

CONTROLS_BURST, CONTROLS_PER_SECOND = 1000, 100.0
"""HTTP/2 frames that ask for nothing but have to be dealt with: pings, settings, priorities, empty data."""

UNREAD_BYTES_MAX = 1024 * 1024
"""Acknowledgements and heads of answers that a client leaves unread before the connection ends."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one server; tests and small machines lower them."""

    body_bytes_max: int = BODY_BYTES_MAX
    head_bytes_max: int = HEAD_BYTES_MAX
    body_discard_bytes_max: int = BODY_DISCARD_BYTES_MAX
    head_seconds_max: float = HEAD_SECONDS_MAX
    body_seconds_max: float = BODY_SECONDS_MAX
    idle_seconds_max: float = IDLE_SECONDS_MAX
    write_stall_seconds_max: float = WRITE_STALL_SECONDS_MAX
    connections_max: int = CONNECTIONS_MAX
    pipelined_max: int = PIPELINED_MAX
    compress_bytes_min: int = COMPRESS_BYTES_MIN
    handshake_seconds_max: float = HANDSHAKE_SECONDS_MAX
    half_closed_seconds_max: float = HALF_CLOSED_SECONDS_MAX
    linger_seconds: float = LINGER_SECONDS
    streams_max: int = STREAMS_MAX
    stream_window_bytes: int = STREAM_WINDOW_BYTES
    uploads_bytes_max: int = UPLOADS_BYTES_MAX
    unread_bytes_max: int = UNREAD_BYTES_MAX
