"""URLs as Go's net/url reads them: what it refuses, in its words, and what it takes them apart into.

Sits under the `url` functions of CEL and the `uri` formats. Python's `urllib.parse` refuses next to nothing.

Promises
    U1  a text is accepted exactly when url.ParseRequestURI accepts it, and refused with its message
    U2  the parts are Go's, unescaped where Go unescapes them; bytes that are no UTF-8 become U+FFFD
    U3  str() is what URL.String gives

Source: Go's net/url; RFC 3986.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from kajitori.apimachinery.addresses import AddressError, parse_address
from kajitori.apimachinery.decode import go_quote

__all__ = ["Url", "UrlError", "check_request_uri", "parse_url"]

QUERY_PARAMETERS_MAX = 10_000
"""A query with more has none, as in Go."""

_WORD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
_PATH = frozenset(_WORD + "$&+,/:;=@")
_PATH_AS_WRITTEN = _PATH | frozenset("!'()*[]%")
_HOST = frozenset(_WORD + "!$&'()*+,;=:[]<>\"")
_USER = frozenset(_WORD + "$&+,;=")
_FRAGMENT = frozenset(_WORD + "$&+,/:;=?@!()*")
_FRAGMENT_AS_WRITTEN = _FRAGMENT | frozenset("'[]%")
"""What needs no escape in each part."""

_scheme_matches = re.compile("([A-Za-z][A-Za-z0-9+.-]*):").match
_control_found = re.compile("[\x00-\x1f\x7f]").search
_user_matches = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*").fullmatch
_port_matches = re.compile("(?::[0-9]*)?").fullmatch
_escapes = re.compile("%([0-9A-Fa-f]{2})?")

# All of this works on bytes written as characters below U+0100, for Go looks at bytes.


class UrlError(ValueError):
    """A text that is no URL; the message is Go's."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts; every part is "" when it is absent."""

    scheme: str = ""
    opaque: str = ""
    """What follows the scheme when that is no slash: `mailto:x` has `x`."""
    user: tuple[str, str | None] | None = None
    """Name and password, unescaped."""
    host_bytes: str = ""
    """With the port, unescaped."""
    path: str = ""
    """Unescaped."""
    written_path: str = ""
    """As it was written, when that is not how Go would escape it."""
    query: str = ""
    fragment: str = ""
    written_fragment: str = ""
    forced_query: bool = False
    """The URL ends in a question mark."""
    no_authority: bool = False
    """`file:/path`: a scheme, no `//`."""

    @property
    def host(self) -> str:
        """With the port."""
        return _text(self.host_bytes)

    @property
    def hostname(self) -> str:
        """The host without port and brackets."""
        return self._host_and_port()[0]

    @property
    def port(self) -> str:
        """The digits after the host's last colon."""
        return self._host_and_port()[1]

    def _host_and_port(self) -> tuple[str, str]:
        host, colon, port = self.host_bytes.rpartition(":")
        if not colon or not _port_matches(f":{port}"):
            host, port = self.host_bytes, ""
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        return _text(host), _text(port)

    @property
    def escaped_path(self) -> str:
        """The path as it was written if that is sound, else as Go would escape it."""
        return _text(_as_written(self.written_path, self.path, _PATH_AS_WRITTEN, _PATH))

    def parameters(self) -> dict[str, list[str]]:
        """The query's values by name; what cannot be unescaped is left out."""
        found: dict[str, list[str]] = {}
        pairs = self.query.split("&")
        if len(pairs) > QUERY_PARAMETERS_MAX:
            return found
        for pair in pairs:
            if not pair or ";" in pair:
                continue
            name, _, value = pair.partition("=")
            try:
                name, value = _unescaped(name.replace("+", " ")), _unescaped(value.replace("+", " "))
            except UrlError:
                continue
            found.setdefault(_text(name), []).append(_text(value))
        return found

    def __str__(self) -> str:
        start = f"{self.scheme}:" if self.scheme else ""
        middle = self.opaque or self._hierarchy(start)
        query = f"?{self.query}" if self.forced_query or self.query else ""
        end = ""
        if self.fragment:
            end = "#" + _as_written(self.written_fragment, self.fragment, _FRAGMENT_AS_WRITTEN, _FRAGMENT)
        return _text(start + middle + query + end)

    def _hierarchy(self, start: str) -> str:
        authority = ""
        if (self.host_bytes or self.user) or (self.scheme and self.path and not self.no_authority):
            authority = "//"
        if self.user:
            name, password = self.user
            authority += _escaped(name, _USER)
            authority += "@" if password is None else f":{_escaped(password, _USER)}@"
        authority += _escaped(self.host_bytes, _HOST)
        path = _as_written(self.written_path, self.path, _PATH_AS_WRITTEN, _PATH)
        if path and path[0] != "/" and self.host_bytes:
            authority += "/"
        elif not start and not authority and ":" in path.partition("/")[0]:
            authority = "./"
        return authority + path


def check_request_uri(text: str) -> None:
    """Refuses what is no absolute URI and no absolute path.

    Raises: UrlError.
    """
    _whole(_bytes(text), _bytes(text), request=True)


def parse_url(text: str) -> Url:
    """The URL that a text says, which may be relative.

    Raises: UrlError.
    """
    data = _bytes(text)
    rest, _, fragment = data.partition("#")
    url = _whole(rest, rest, request=False)
    if not fragment:
        return url
    try:
        plain = _unescaped(fragment)
    except UrlError as problem:
        raise _refused(data, problem) from None
    written = "" if _escaped(plain, _FRAGMENT) == fragment else fragment
    return replace(url, fragment=plain, written_fragment=written)


def _bytes(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")


def _text(data: str) -> str:
    """Characters again; each byte that is no UTF-8 becomes U+FFFD."""
    return data if data.isascii() else re.sub("[\udc80-\udcff]", "\ufffd", _escaped_text(data))


def _escaped_text(data: str) -> str:
    """Characters again; bytes that are no UTF-8 as `surrogateescape` has them."""
    return data.encode("latin-1").decode("utf-8", "surrogateescape")


def _quoted(data: str) -> str:
    return go_quote(_escaped_text(data))


def _refused(data: str, problem: object) -> UrlError:
    return UrlError(f"parse {_quoted(data)}: {problem}")


def _whole(shown: str, data: str, *, request: bool) -> Url:
    try:
        return _parsed(data, request=request)
    except UrlError as problem:
        raise _refused(shown, problem) from None


def _parsed(data: str, *, request: bool) -> Url:
    if _control_found(data):
        raise UrlError("net/url: invalid control character in URL")
    if not data and request:
        raise UrlError("empty url")
    if data == "*":
        return Url(path="*")
    if data.startswith(":"):
        raise UrlError("missing protocol scheme")
    found = _scheme_matches(data)
    scheme = found[1].lower() if found else ""
    rest = data[found.end() :] if found else data
    rest, mark, query = rest.partition("?")
    url = Url(scheme=scheme, query=query, forced_query=bool(mark) and not query)
    if not rest.startswith("/"):
        if scheme:
            return replace(url, opaque=rest)
        if request:
            raise UrlError("invalid URI for request")
        if ":" in rest.partition("/")[0]:
            raise UrlError("first path segment in URL cannot contain colon")
    if rest.startswith("//") and (scheme or (not request and not rest.startswith("///"))):
        authority, slash, rest = rest[2:].partition("/")
        user, host = _authority(scheme, authority)
        url, rest = replace(url, user=user, host_bytes=host), slash + rest
    elif scheme:
        url = replace(url, no_authority=True)
    path = _unescaped(rest)
    return replace(url, path=path, written_path="" if _escaped(path, _PATH) == rest else rest)


def _authority(scheme: str, authority: str) -> tuple[tuple[str, str | None] | None, str]:
    user, at, rest = authority.rpartition("@")
    host = _host(scheme, rest)
    if not at:
        return None, host
    if not _user_matches(user):
        raise UrlError("net/url: invalid userinfo")
    name, colon, password = user.partition(":")
    return (_unescaped(name), _unescaped(password) if colon else None), host


def _host(scheme: str, host: str) -> str:
    bracket = host.rfind("[")
    if bracket > 0:
        raise UrlError("invalid IP-literal")
    if bracket == 0:
        return _literal(host)
    colon = host.find(":")
    if colon >= 0:
        # Only these two schemes are held to one colon: data bases take lists of hosts with ports.
        if scheme not in ("http", "https"):
            colon = host.rfind(":")
        _check_port(host[colon:])
    return _unescaped_host(host)


def _literal(host: str) -> str:
    """An address in brackets, perhaps with a port."""
    inside, bracket, port = host[1:].rpartition("]")
    if not bracket:
        raise UrlError("missing ']' in host")
    _check_port(port)
    head, percent, zone = inside.partition("%25")
    name = _unescaped_host(head)
    if percent:
        name += _unescaped_zone(percent + zone)
    try:
        address = parse_address(_escaped_text(name))
    except AddressError as problem:
        raise UrlError(f"invalid host: {problem}") from None
    if address.family == 4:
        raise UrlError("invalid IP-literal")
    return f"[{name}]{port}"


def _check_port(port: str) -> None:
    if not _port_matches(port):
        raise UrlError(f"invalid port {_quoted(port)} after host")


def _unescaped(data: str) -> str:
    if "%" not in data:
        return data
    return _escapes.sub(lambda found: _unescaped_byte(data, found), data)


def _unescaped_byte(data: str, found: re.Match[str]) -> str:
    if found[1] is None:
        raise UrlError(f"invalid URL escape {_quoted(data[found.start() : found.start() + 3])}")
    return chr(int(found[1], 16))


def _unescaped_host(data: str) -> str:
    """Only bytes beyond ASCII and the percent sign itself may be escaped in a host."""
    _check_part(data, lambda escape: escape[1] >= "8" or escape == "%25")
    return _unescaped(data)


def _unescaped_zone(data: str) -> str:
    """Nothing may be escaped in a zone that could not stand there by itself, but for a space."""
    _check_part(
        data, lambda escape: escape == "%25" or (chr(int(escape[1:], 16)) in _HOST or escape == "%20")
    )
    return _unescaped(data)


def _check_part(data: str, may_escape: Callable[[str], bool]) -> None:
    at = 0
    while at < len(data):
        char = data[at]
        if char == "%":
            found = _escapes.match(data, at)
            escape = data[at : at + 3]
            if found is None or found[1] is None or not may_escape(escape):
                raise UrlError(f"invalid URL escape {_quoted(escape)}")
            at += 3
            continue
        if char < "\x80" and char not in _HOST:
            raise UrlError(f"invalid character {_quoted(char)} in host name")
        at += 1


def _escaped(data: str, safe: frozenset[str]) -> str:
    return "".join(char if char in safe else f"%{ord(char):02X}" for char in data)


def _as_written(written: str, plain: str, sound: frozenset[str], safe: frozenset[str]) -> str:
    if written and sound.issuperset(written):
        return written
    return plain if plain == "*" else _escaped(plain, safe)
