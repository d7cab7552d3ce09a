"""Where a module comes from, and which hosts are trusted how. No I/O.

Promises
    S1  a place without a scheme is in a registry; a registry's reference has a tag or a digest, `latest` by default
    S2  only a host that is named as insecure is asked without a checked certificate, or without TLS

Source: `spec.module`, `spec.insecureSources` and `spec.sourceAuthorities` of Kubewarden; the OCI distribution
specification's grammar of references.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

__all__ = [
    "FetchError",
    "Reference",
    "Sources",
    "Unreachable",
    "credentials_of",
    "parse_reference",
    "scheme_of",
]

DEFAULT_REGISTRY = "registry-1.docker.io"
_DEFAULT_NAMES = ("docker.io", "index.docker.io")
_SCHEMES = ("registry", "https", "http", "file")
_is_digest = re.compile(r"sha256:[0-9a-f]{64}").fullmatch
_is_tag = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}").fullmatch
_is_repository = re.compile(r"[a-z0-9]+([._/-]+[a-z0-9]+)*").fullmatch


class FetchError(Exception):
    """Why a module cannot be had, in one sentence."""


class Unreachable(FetchError):
    """A host that gives no answer."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One thing in a registry."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def version(self) -> str:
        """What it is asked for by."""
        return self.digest or self.tag

    def __str__(self) -> str:
        mark = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.host}/{self.repository}{mark}"


@dataclass(frozen=True, slots=True)
class Sources:
    """What a policy server trusts."""

    insecure: frozenset[str] = frozenset()
    """Hosts, with their ports."""
    authorities: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Certificates, in PEM, by the hosts that they are for."""
    credentials: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """User and password by host."""

    @classmethod
    def of_server(cls, spec: Mapping[str, Any], credentials: Mapping[str, tuple[str, str]]) -> "Sources":
        return cls(
            frozenset(map(_host, spec.get("insecureSources") or ())),
            {_host(uri): tuple(pems) for uri, pems in (spec.get("sourceAuthorities") or {}).items()},
            credentials,
        )


def _host(uri: str) -> str:
    return urlsplit(uri).netloc if "://" in uri else uri.partition("/")[0]


def scheme_of(module: str) -> tuple[str, str]:
    """How a module is reached, and where. Raises: FetchError."""
    scheme, colon, rest = module.partition("://")
    if not colon:
        return "registry", module
    if scheme not in _SCHEMES:
        raise FetchError(f"{module}: begin it with registry://, https://, http:// or file://")
    return scheme, rest


def parse_reference(text: str) -> Reference:
    """Raises: FetchError."""
    rest, at, digest = text.partition("@")
    host, slash, repository = rest.partition("/")
    if not slash or not ("." in host or ":" in host or host == "localhost"):
        host, repository = DEFAULT_REGISTRY, rest if "/" in rest else f"library/{rest}"
    elif host in _DEFAULT_NAMES:
        host, repository = (
            DEFAULT_REGISTRY,
            repository if "/" in repository.partition(":")[0] else f"library/{repository}",
        )
    repository, colon, tag = repository.partition(":")
    if not _is_repository(repository) or (colon and not _is_tag(tag)) or (at and not _is_digest(digest)):
        raise FetchError(f"{text} is no reference; write it as HOST/NAME:TAG or HOST/NAME@sha256:DIGEST")
    return Reference(host, repository, tag or ("" if digest else "latest"), digest)


def credentials_of(docker_config: bytes) -> dict[str, tuple[str, str]]:
    """User and password by host, out of a Secret's `.dockerconfigjson`. Raises: FetchError."""
    try:
        auths: Any = msgspec.json.decode(docker_config).get("auths") or {}
        found: dict[str, tuple[str, str]] = {}
        for uri, entry in auths.items():
            user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
            if not user and entry.get("auth"):
                user, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
            found[_host(uri)] = (user, password)
        return found
    except (msgspec.DecodeError, AttributeError, binascii.Error, UnicodeDecodeError, TypeError):
        raise FetchError("the imagePullSecret holds no docker configuration that can be read") from None
