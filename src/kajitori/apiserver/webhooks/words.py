"""What went wrong with a connection, in the words of Go's dialer, of its TLS and of its HTTP client.

Source: Go's net, crypto/tls, crypto/x509 and net/http; clients of Kubernetes show these texts to people.
"""

import os
import ssl

__all__ = ["told_of"]

_UNKNOWN_AUTHORITY = (18, 19, 20, 21)
_EXPIRED = (9, 10)
"""Of OpenSSL's codes of what is wrong with a certificate."""


def told_of(problem: Exception, *, address: str, server_name: str) -> str:
    """What Go says of an OSError or the like; `address` is `host:port` as it was dialled."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {_of_certificate(problem, server_name)}"
    if isinstance(problem, ssl.SSLError):
        if problem.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
            return "http: server gave HTTP response to HTTPS client"
        told = (problem.reason or "handshake failure").lower().replace("_", " ")
        return f"remote error: tls: {told}"
    if isinstance(problem, ConnectionResetError | EOFError):
        return "EOF"
    if isinstance(problem, OSError):
        # Go has the words of the C library without capitals.
        told = os.strerror(problem.errno).lower() if problem.errno else str(problem)
        return f"dial tcp {address}: connect: {told}"
    return str(problem)


def _of_certificate(problem: ssl.SSLCertVerificationError, name: str) -> str:
    if problem.verify_code in _UNKNOWN_AUTHORITY:
        return "certificate signed by unknown authority"
    if problem.verify_code in _EXPIRED:
        return f"certificate has expired or is not yet valid: {problem.verify_message}"
    if problem.verify_code in (62, 64):
        return f"certificate is not valid for {name}"
    return problem.verify_message
