"""Who is at the other end of a connection, as its transport tells."""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any

__all__ = ["ConnectionPeer", "address"]


def address(transport: asyncio.BaseTransport) -> str:
    """`address:port` of the peer; empty where it has none."""
    peer = transport.get_extra_info("peername")
    if not peer:
        return ""
    return f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"


class ConnectionPeer:
    """The half of a connection that requests know as their peer."""

    _transport: asyncio.Transport
    _certificate: bytes | None
    """Empty: there is none. None: nobody has asked yet."""
    remote: str

    def certificate(self) -> bytes | None:
        """The verified client certificate in DER, or None."""
        if self._certificate is None:
            tls = self._transport.get_extra_info("ssl_object")
            self._certificate = (tls.getpeercert(True) or b"") if tls is not None else b""
        return self._certificate or None

    def anchors(self) -> frozenset[bytes]:
        """The certificates, in DER, that the verification of the client's went through: one of them is trusted."""
        tls = self._transport.get_extra_info("ssl_object")
        inner = getattr(tls, "_sslobj", None)
        # Public only since Python 3.13; the method below it has been there since 3.10.
        chain: Any = inner.get_verified_chain() if inner is not None else None
        # 2 is DER, by default it would be PEM.
        return frozenset(each.public_bytes(2) for each in chain or ())

    def subject(self) -> Sequence[tuple[str, str]]:
        """The subject of that certificate."""
        tls = self._transport.get_extra_info("ssl_object")
        peer: Any = tls.getpeercert() if tls is not None else None
        return [pair for names in (peer or {}).get("subject", ()) for pair in names]

    def expires(self) -> float:
        """When that certificate ends, in seconds since the epoch."""
        tls = self._transport.get_extra_info("ssl_object")
        return float(ssl.cert_time_to_seconds(tls.getpeercert()["notAfter"]))
