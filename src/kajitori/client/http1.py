"""HTTP/1.1 as bytes: requests written, responses read. No sockets; `connection.py` has them.

Promises
    H1  a request's head can hold no line that the caller did not mean: control characters are refused
    H2  a response comes out the same however its bytes are cut
    H3  heads and bodies have limits; passing one is an error

Source: RFC 9110, RFC 9112. The parser is llhttp, through httptools.
"""

import zlib
from collections.abc import Callable, Iterable
from typing import Any

import httptools

__all__ = [
    "BODY_BYTES_MAX",
    "HEAD_BYTES_MAX",
    "ProtocolError",
    "ResponseReader",
    "header_lines",
    "request_head",
]

HEAD_BYTES_MAX = 1 << 20
"""As Go's net/http allows a response."""

BODY_BYTES_MAX = 1 << 30
"""Of an answer read whole. A list of 10,000 Pods is 30 MB."""


class ProtocolError(OSError):
    """The peer speaks no HTTP, or too much of it."""


def header_lines(headers: Iterable[tuple[str, str]]) -> bytes:
    """Raises: ValueError for a name or value that would be more than one line."""
    lines = list[str]()
    for name, value in headers:
        if not (name.isascii() and name.isprintable() and value.isprintable()) or " " in name or ":" in name:
            raise ValueError(f"header {name!r} cannot be sent with the value {value!r}")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode()


def request_head(method: str, target: str, lines: bytes, body_bytes: int | None) -> bytes:
    """Everything before the body; `lines` are from `header_lines`.

    Raises: ValueError for a target that is not a printable URL.
    """
    if not (target.isascii() and target.isprintable()) or " " in target:
        raise ValueError(f"{target!r} is not a URL; quote it")
    first = f"{method} {target} HTTP/1.1\r\n".encode("ascii")
    if body_bytes is None:
        return first + lines + b"\r\n"
    return b"%b%bcontent-length: %d\r\n\r\n" % (first, lines, body_bytes)


class ResponseReader:
    """Fed bytes, tells about the responses in them, one after another on one connection.

    `on_head()` is called when `status` and `headers` are known, `on_body(bytes)` for its parts, `on_end()`
    at its end.
    """

    def __init__(
        self, on_head: Callable[[], None], on_part: Callable[[bytes], None], on_end: Callable[[], None]
    ) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        """Names in lower case; values of one name joined with `, `."""
        self.keep_alive = False
        """Whether the connection may be used again after this response."""
        self._on_head = on_head
        self._on_part = on_part
        self._on_end = on_end
        self._head_bytes = 0
        self._inflate: Any = None
        self._parser: Any = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Raises: ProtocolError."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            if isinstance(cause, ProtocolError):
                raise cause from None
            raise ProtocolError(f"the answer is not HTTP: {error}") from error
        except zlib.error as error:
            raise ProtocolError(f"the answer is not what its content-encoding says: {error}") from error

    def ends_with_connection(self) -> bool:
        """Whether the end of the connection is the end of this response, which then is complete."""
        headers = self.headers
        return self.status >= 200 and "content-length" not in headers and "transfer-encoding" not in headers

    # What httptools calls.

    def on_message_begin(self) -> None:
        self.status = 0
        self.headers = {}
        self._head_bytes = 0
        self._inflate = None

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX:
            raise ProtocolError(f"the head of the answer is longer than {HEAD_BYTES_MAX} bytes")
        key, text, headers = name.decode("latin-1").lower(), value.decode("utf-8", "replace"), self.headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return
        self.keep_alive = self._parser.should_keep_alive()
        if self.headers.get("content-encoding") == "gzip":
            self._inflate = zlib.decompressobj(31)
        self._on_head()

    def on_body(self, part: bytes) -> None:
        if self._inflate is not None:
            part = self._inflate.decompress(part)
        if part:
            self._on_part(part)

    def on_message_complete(self) -> None:
        if self.status >= 200:  # Below: "go on", before the answer.
            self._on_end()
