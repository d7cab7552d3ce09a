"""Requests to a server, by hand: whole ones over HTTP, and bytes of any kind over TLS."""

import base64
import http.client
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec
import yaml

__all__ = ["Access", "Answer", "Api", "RawConnection", "read_answer"]

SECONDS_MAX = 20.0
"""How long an answer may take."""


@dataclass(frozen=True)
class Access:
    """What a kubeconfig says: where, which authority, which token."""

    host: str
    port: int
    ca: str
    token: str

    @classmethod
    def of(cls, kubeconfig: Path) -> "Access":
        """Read from the current context's entries, of which there is one."""
        config: Any = yaml.safe_load(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        url = urlsplit(cluster["server"])
        assert url.hostname and url.port, cluster
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        return cls(url.hostname, url.port, ca, config["users"][0]["user"]["token"])

    def tls(self) -> ssl.SSLContext:
        """A context that trusts this server and no other."""
        return _context(self.ca)


@lru_cache(maxsize=8)
def _context(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)

    @property
    def reason(self) -> str:
        """The reason of the Status that this is."""
        told = self.json()
        assert told["kind"] == "Status", told
        return str(told.get("reason", ""))

    @property
    def message(self) -> str:
        """The message of the Status that this is."""
        told = self.json()
        assert told["kind"] == "Status", told
        return str(told.get("message", ""))


class Api:
    """A keep-alive connection that asks as the admin, unless a header says otherwise."""

    def __init__(self, access: Access, tls: ssl.SSLContext | None = None) -> None:
        self.access = access
        self._connection = http.client.HTTPSConnection(
            access.host, access.port, context=tls or access.tls(), timeout=SECONDS_MAX
        )

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request and its answer. A mapping is sent as JSON."""
        named = {"Authorization": f"Bearer {self.access.token}"}
        if body is not None:
            named["Content-Type"] = "application/json"
            body = body if isinstance(body, bytes) else msgspec.json.encode(body)
        self._connection.request(method, path, body, named | dict(headers or {}))
        answer = self._connection.getresponse()
        names = {name.lower() for name, _ in answer.getheaders()}
        joined = {name: answer.getheader(name, "") for name in names}
        return Answer(answer.status, joined, answer.read())

    def get(self, path: str) -> Any:
        """The JSON at a path, which has to be there."""
        answer = self.request("GET", path)
        assert answer.status == 200, (path, answer)
        return answer.json()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class RawConnection:
    """A TLS connection for bytes that no HTTP library would send."""

    def __init__(self, access: Access) -> None:
        self.access = access
        plain = socket.create_connection((access.host, access.port), SECONDS_MAX)
        try:
            self.tls = access.tls().wrap_socket(plain, server_hostname=access.host, suppress_ragged_eofs=True)
        except BaseException:
            plain.close()
            raise
        self._unread = b""

    def send(self, data: bytes) -> None:
        self.tls.sendall(data)

    def head(self, request_line: str, *headers: str, end: bool = True) -> bytes:
        """A request's head with Host and the admin's token."""
        lines = [
            request_line,
            f"Host: {self.access.host}",
            f"Authorization: Bearer {self.access.token}",
            *headers,
        ]
        return "\r\n".join([*lines, *([""] if end else []), ""]).encode()

    def answer(self) -> Answer:
        """The next answer, whole. Raises ConnectionError where the server ends the connection before it."""
        answer, self._unread = read_answer(self._receive, self._unread)
        return answer

    def _receive(self) -> bytes:
        return self.tls.recv(65536)

    def receive_until(self, mark: bytes) -> bytes:
        """Everything up to and including `mark`."""
        while mark not in self._unread:
            more = self._receive()
            if not more:
                raise ConnectionError(f"the server closed the connection after {self._unread!r}")
            self._unread += more
        end = self._unread.index(mark) + len(mark)
        found, self._unread = self._unread[:end], self._unread[end:]
        return found

    def rest(self) -> bytes:
        """Everything until the server ends the connection."""
        while True:
            try:
                more = self._receive()
            except ConnectionResetError:
                more = b""
            if not more:
                found, self._unread = self._unread, b""
                return found
            self._unread += more

    def half_close(self) -> None:
        """Says that nothing more will be sent, on TCP's level; reading goes on."""
        socket.socket.shutdown(self.tls, socket.SHUT_WR)

    def reset(self) -> None:
        """Cuts the connection as a crash does."""
        linger_none = b"\x01\0\0\0\0\0\0\0"
        self.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_none)
        self.close()

    def close(self) -> None:
        self.tls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_answer(receive: Any, known: bytes = b"") -> tuple[Answer, bytes]:
    """One answer out of what `receive()` gives bit by bit, after the bytes already `known`; and what follows it."""

    def more() -> bytes:
        data: bytes = receive()
        if not data:
            raise ConnectionError(f"the server closed the connection after {known!r}")
        return data

    while b"\r\n\r\n" not in known:
        known += more()
    head, _, known = known.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    found = re.fullmatch(r"HTTP/1\.[01] (\d{3}) ?.*", first)
    assert found, first
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(found[1])
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while True:
            while b"\r\n" not in known:
                known += more()
            size_text, _, known = known.partition(b"\r\n")
            size = int(size_text, 16)
            while len(known) < size + 2:
                known += more()
            body, known = body + known[:size], known[size + 2 :]
            if size == 0:
                break
    elif "content-length" in headers and status not in (204, 304):
        length = int(headers["content-length"])
        while len(known) < length:
            known += more()
        body, known = known[:length], known[length:]
    return Answer(status, headers, body), known
