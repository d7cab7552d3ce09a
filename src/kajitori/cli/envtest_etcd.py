"""What stands where envtest starts etcd: it answers health checks, and keeps nothing.

The API server beside it keeps its objects in its own memory. Started by path, without the rest of kajitori and without
what Python imports at a start: it is there in some twenty milliseconds.
"""

import signal
import socket
import sys

__all__ = ["main"]

_HEALTHY = b'{"health":"true","reason":""}'
_OTHER = b"kajitori keeps the objects of this API server in its memory: there is no etcd\n"
_HEAD_BYTES_MAX = 16 * 1024
_REQUEST_SECONDS_MAX = 1.0
_FLAG = "--listen-client-urls"


def main(arguments: list[str]) -> int:
    """Answers at the first client URL until a signal ends it."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    scheme, _, address = _url(arguments).partition("://")
    host, _, port = address.rstrip("/").rpartition(":")
    if scheme != "http" or not port.isdecimal():
        print(f"etcd: {_FLAG}: use one such as http://127.0.0.1:2379", file=sys.stderr)
        return 2
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host.strip("[]"), int(port)), family=family)
    except OSError as error:
        print(f"etcd: cannot listen on {address}: {error.strerror or error}", file=sys.stderr)
        return 1
    with listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                _answer(connection)


def _url(arguments: list[str]) -> str:
    """The first of the URLs for clients."""
    found = "http://127.0.0.1:2379"
    for at, each in enumerate(arguments):
        name, given, value = each.partition("=")
        if name == _FLAG:
            found = value if given else "".join(arguments[at + 1 : at + 2])
    return found.split(",")[0]


def _answer(connection: socket.socket) -> None:
    connection.settimeout(_REQUEST_SECONDS_MAX)
    head = b""
    try:
        while b"\r\n\r\n" not in head and len(head) < _HEAD_BYTES_MAX:
            more = connection.recv(4096)
            if not more:
                return
            head += more
        healthy = head.split(b" ", 2)[1:2] in ([b"/health"], [b"/readyz"], [b"/livez"])
        status, body = (b"200 OK", _HEALTHY) if healthy else (b"404 Not Found", _OTHER)
        connection.sendall(
            b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body)
        )
    except OSError:
        return  # whoever asked has gone


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
