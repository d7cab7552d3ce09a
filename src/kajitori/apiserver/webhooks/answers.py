"""Answers of webhooks: bytes to a status and a body, and what a bad one is told as. No sockets.

Promises
    A1  an answer comes out the same however its bytes are cut
    A2  what is refused is told in the words of Kubernetes' client

Source: client-go's rest/request.go (transformResponse) and apimachinery's NewGenericServerResponse.
"""

from typing import Any

import httptools
import msgspec

from kajitori.apimachinery.decode import go_quote

__all__ = ["AnswerReader", "ProtocolError", "refusal"]

_decode = msgspec.json.Decoder().decode

_TOLD = {
    401: "the server has asked for the client to provide credentials",
    403: "unknown",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    406: "the server was unable to respond with a content type that the client supports",
    409: "the server reported a conflict",
    415: "the server was unable to respond with a content type that the client supports",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}


class ProtocolError(Exception):
    """The peer speaks no HTTP, too much of it, or stops in the middle."""


class AnswerReader:
    """Fed bytes, reads one answer."""

    def __init__(self, body_bytes_max: int) -> None:
        self.status = 0
        self.content_type = ""
        self.complete = False
        self._max = body_bytes_max
        self._parts: list[bytes] = []
        self._size = 0
        self._framing: dict[str, str] = {}
        self._parser: Any = httptools.HttpResponseParser(self)

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name; of several the last."""
        return self._framing

    @property
    def body(self) -> bytes:
        return b"".join(self._parts)

    def receive(self, data: bytes) -> None:
        """Takes what came; nothing means that the peer has ended. Raises: ProtocolError."""
        if not data:
            if not self.status or "content-length" in self._framing or "transfer-encoding" in self._framing:
                raise ProtocolError("unexpected EOF" if self.status else "EOF")
            self.complete = True
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            shown = go_quote(data[:40].decode(errors="replace"))
            told = f"net/http: HTTP/1.x transport connection broken: malformed HTTP response {shown}"
            raise ProtocolError(told) from None
        if self._size > self._max:
            raise ProtocolError(f"the answer has more than {self._max} bytes")

    # What the parser tells.

    def on_message_begin(self) -> None:
        self._framing = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self._framing[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self.content_type = self._framing.get("content-type", "")

    def on_body(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)

    def on_message_complete(self) -> None:
        self.complete = True


def refusal(status: int, content_type: str, body: bytes) -> str:
    """Why an answer is none; empty where it may be one."""
    if 200 <= status <= 206:
        if body:
            return ""
        return f"0-length response with status code: {status} and content type: {content_type}"
    try:
        told = _decode(body)
    except msgspec.DecodeError:
        told = None
    if isinstance(told, dict) and told.get("kind") == "Status" and told.get("status") != "Success":
        return str(told.get("message") or "unknown")
    text = body.decode(errors="replace").strip() if content_type.startswith("text/") else ""
    if status == 403:
        return text or "unknown"
    if status in _TOLD:
        return _TOLD[status]
    if status >= 500:
        shown = go_quote(text or "unknown")
        return f"an error on the server ({shown}) has prevented the request from succeeding"
    if status == 400:
        return "the server rejected our request for an unknown reason"
    return f"the server responded with the status code {status} but did not return more information"
