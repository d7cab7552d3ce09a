"""A proxy in front: its certificate says that it may tell who asks, its headers say who.

Promises
    F1  headers count only with a certificate of the proxy's own authority, and one of the allowed names where there
        are any
    F2  of several user headers the first with a value counts; of groups and extra all do

Source: apiserver's pkg/authentication/request/headerrequest.
"""

import ssl
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from kajitori.apiserver.authentication.options import RequestHeaderOptions
from kajitori.apiserver.authentication.tokenfile import AuthenticationError
from kajitori.apiserver.authentication.user import User

__all__ = ["FrontProxy", "certificates_in"]


class Asked(Protocol):
    """What is read of a request."""

    headers: dict[str, str]

    @property
    def peer_subject(self) -> Sequence[tuple[str, str]]: ...

    @property
    def peer_anchors(self) -> frozenset[bytes]: ...

    def header_values(self, name: str) -> list[str]: ...


class FrontProxy:
    """Reads the headers of one proxy."""

    def __init__(self, options: RequestHeaderOptions) -> None:
        """Raises: AuthenticationError when its authority cannot be read."""
        assert options.client_ca_file is not None, options
        self.authorities = certificates_in(options.client_ca_file)
        self._allowed: Collection[str] = options.allowed_names
        self._user = _lower(options.username_headers)
        self._uid = _lower(options.uid_headers)
        self._groups = _lower(options.group_headers)
        self._extra = _lower(options.extra_prefixes)

    def user_of(self, request: Asked) -> User | None:
        """Whom the proxy asks for; None when it speaks for itself, or is not the proxy."""
        if not request.peer_anchors & self.authorities:
            return None
        names = [value for key, value in request.peer_subject if key == "commonName"]
        if self._allowed and (not names or names[-1] not in self._allowed):
            return None
        name = next((value for header in self._user if (value := self._first(request, header))), "")
        if not name:
            return None
        uid = next((value for header in self._uid if (value := self._first(request, header))), "")
        groups = [value for header in self._groups for value in request.header_values(header) if value]
        extra: dict[str, tuple[str, ...]] = {}
        for prefix in self._extra:
            for header in request.headers:
                if header.startswith(prefix):
                    key = unquote(header[len(prefix) :])
                    extra[key] = (*extra.get(key, ()), *request.header_values(header))
        return User(name, uid, tuple(groups), extra)

    @staticmethod
    def _first(request: Asked, header: str) -> str:
        values = request.header_values(header)
        return values[0] if values else ""


def _lower(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(each.strip().lower() for each in names)


def certificates_in(path: Path) -> frozenset[bytes]:
    """The certificates of a PEM file, in DER.

    Raises: AuthenticationError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise AuthenticationError(f"cannot use {path}: no certificate is in it") from None
    except OSError as error:
        raise AuthenticationError(f"cannot read {path}: {error.strerror}") from None
    return frozenset(context.get_ca_certs(binary_form=True))
