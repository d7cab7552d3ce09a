"""Bytes to requests: the parser's events put together, with what Go's net/http insists on beyond it.

No sockets here: the connection feeds the parser that calls these methods, and is told of whole requests, of
input to refuse, and of clients that wait for a 100 before they send their body.

Promises
    R1  a request is given once it is whole, in order
    R2  a body over the limit is not kept; the request is still given, and reading its body raises
    R3  what HTTP forbids and llhttp lets through (no Host, two, unknown encodings) is refused as Go does

Source: RFC 9112; Go's net/http readRequest.
"""

import re
from typing import Any

import httptools

from kajitori.apiserver.http.limits import Limits
from kajitori.apiserver.http.messages import OversizedRequest, Request
from kajitori.apiserver.http.peer import ConnectionPeer

__all__ = ["Refused", "RequestReader"]

_NAMES_MAX = 1000
"""Header names remembered in lower case; clients choose names, so there is an end to it."""

_BAD_ESCAPE = re.compile(rb"[^?]*%(?![0-9A-Fa-f]{2})")
"""A target whose path cannot be decoded; of a query, what cannot be decoded is left out."""

_names: dict[bytes, str] = {}
_methods: dict[bytes, str] = {}


class Refused(Exception):
    """Stops the parser after the request being read has been refused."""


class RequestReader(ConnectionPeer):
    """The reading half of a connection; its parser calls the methods whose names begin with `on_`."""

    _limits: Limits
    _parser: Any
    _target: bytes | None
    """Not None: a request has begun and is not complete."""
    _in_body: bool
    _deaf: bool
    """Nothing further is read as HTTP."""
    _headers: dict[str, str]
    _repeated: dict[str, list[str]] | None
    _chunks: list[bytes]
    _body_size: int
    _oversized: bool
    _unread: bool
    """The client may be sending what nobody will read."""

    def _reset_reader(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._target = None
        self._in_body = self._deaf = self._oversized = self._unread = False
        self._headers = {}
        self._repeated = None
        self._chunks = []
        self._body_size = 0

    # For the connection to do.

    def _received(self, request: Request, keep_alive: bool, upgrade: bool) -> None:
        """A request is whole."""
        raise NotImplementedError

    def _refuse(self, status: int, detail: str = "") -> None:
        """The request being read is answered with `status`, and is the last one; sets `_deaf`."""
        raise NotImplementedError

    def _continue(self) -> None:
        """The client waits to be told that its body is wanted."""
        raise NotImplementedError

    # What the parser tells.

    def on_url(self, url: bytes) -> None:
        if self._target is None:
            self._target = url
            self._headers = {}
        else:
            self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key = _names.get(name) or _lower(name)
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode("utf-8", "replace")
        headers = self._headers
        if key in headers:
            self._repeat(key, text)
        else:
            headers[key] = text

    def on_headers_complete(self) -> None:
        self._in_body = True
        headers = self._headers
        if self._repeated is not None:
            # Joined once: a head may repeat a name tens of thousands of times.
            for name, values in self._repeated.items():
                headers[name] = ", ".join(values)
        if "host" not in headers and (version := self._parser.get_http_version()) != "1.0":
            self._refuse(400, "missing required Host header" if version == "1.1" else "")
        elif self._repeated is not None and "host" in self._repeated:
            self._refuse(400, "too many Host headers")
        elif self._target and b"%" in self._target and _BAD_ESCAPE.match(self._target):
            self._refuse(400)
        elif headers.get("transfer-encoding", "chunked").lower() != "chunked":
            self._refuse(501, "Unsupported transfer encoding")
        elif "expect" in headers and headers["expect"].lower() != "100-continue":
            self._refuse(417)
        if self._deaf:
            raise Refused
        length = headers.get("content-length")
        if length is not None and int(length) > self._limits.body_bytes_max:
            self._body_size = int(length)
            self._outgrown()
        elif "expect" in headers:
            self._continue()

    def on_body(self, data: bytes) -> None:
        if self._oversized:
            if "content-length" not in self._headers:
                self._body_size += len(data)
                self._outgrown()
            return
        self._body_size += len(data)
        self._chunks.append(data)
        if self._body_size > self._limits.body_bytes_max:
            self._outgrown()

    def on_message_complete(self) -> None:
        if self._deaf or self._target is None:
            return
        parser = self._parser
        method = parser.get_method()
        name = _methods.get(method) or _methods.setdefault(method, method.decode("ascii"))
        target = self._target.decode("utf-8", "replace")
        self._target = None
        self._in_body = False
        headers = self._headers
        if self._body_size:
            request = self._with_body(name, target)
        else:
            request = Request(self, name, target, headers=headers, body=b"")
        if self._repeated is not None:
            request.repeated, self._repeated = self._repeated, None
        self._received(request, parser.should_keep_alive(), parser.should_upgrade())

    # Slower roads.

    def _with_body(self, method: str, target: str) -> Request:
        chunks, self._chunks, self._body_size = self._chunks, [], 0
        if self._oversized:
            self._oversized = False
            limit = self._limits.body_bytes_max
            return OversizedRequest(self, method, target, headers=self._headers, limit=limit)
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return Request(self, method, target, headers=self._headers, body=body)

    def _repeat(self, key: str, value: str) -> None:
        if self._repeated is None:
            self._repeated = {}
        values = self._repeated.get(key)
        if values is None:
            values = self._repeated[key] = [self._headers[key]]
        values.append(value)

    def _outgrown(self) -> None:
        """The body is over the limit: it is no longer kept, and past the limit of patience no longer read."""
        limits = self._limits
        self._oversized = True
        self._chunks = []
        patient = self._body_size <= limits.body_bytes_max + limits.body_discard_bytes_max
        if self._target is None or (patient and "expect" not in self._headers):
            return
        target = self._target.decode("utf-8", "replace")
        request = self._with_body(self._parser.get_method().decode("ascii"), target)
        self._target = None
        self._deaf = self._unread = True
        self._received(request, False, False)
        raise Refused


def _lower(name: bytes) -> str:
    text = name.decode("latin-1").lower()
    if len(_names) < _NAMES_MAX:
        _names[name] = text
    return text
