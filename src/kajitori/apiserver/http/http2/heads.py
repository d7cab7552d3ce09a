"""Header fields to requests, and answers to header blocks.

Promises
    M1  a request that RFC 9113 calls malformed raises Malformed; one that Go's server lets through comes through
    M2  the names and values of a request are as HTTP/1.1's reader would give them
    M3  an answer says what it says over HTTP/1.1, but for the names of the connection, which HTTP/2 has not
    M4  what is remembered between requests is bounded

Source: RFC 9113 section 8; Go's net/http (checkValidHTTP2RequestHeaders, and httpguts for names and values).
"""

import re
from collections.abc import Iterable, Sequence

from kajitori.apiserver.http.heads import HeadWriter
from kajitori.wire.http2.hpack import Field, field, status

__all__ = ["Blocks", "Head", "Malformed", "check_trailers"]

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"[^?]*%(?![0-9A-Fa-f]{2})")
_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LENGTH_DIGITS_MAX = 18

_CONNECTION = frozenset(("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"))
"""Names that speak of an HTTP/1.1 connection."""
_PSEUDO = frozenset((":method", ":path", ":scheme", ":authority"))
_REPLACEABLE = frozenset(("cache-control", "audit-id", "content-type", "date"))
_CACHE_CONTROL = field("cache-control", b"no-cache, private")
_AUDIT_ID = field("audit-id", b"x" * 36)[:-36]
"""The field up to the value, for the length that nearly every value has."""
_CONTENT_LENGTH = field("content-length", b"")[:-1]

_NAMES_MAX = 1000
_PREFIXES_MAX = 1024

_names: set[str] = set()
"""Names that were found to be good."""


class Malformed(ValueError):
    """A request that breaks the rules; its stream ends with PROTOCOL_ERROR."""


class Head:
    """The head of a request."""

    __slots__ = ("headers", "length", "method", "path", "repeated", "wrong")

    def __init__(self, fields: Sequence[Field]) -> None:
        """Raises: Malformed."""
        self.repeated: dict[str, list[str]] | None = None
        self.length: int | None = None
        """Of the body, where the client says."""
        self.wrong = ""
        """What is answered with 400 although the request is well formed as HTTP/2."""
        headers = self.headers = dict[str, str]()
        pseudo: dict[str, str] = {}
        for name, value, _ in fields:
            if not (value.isascii() and value.isprintable()):
                value = _checked(value)
            if name in headers:
                self._repeat(name, value)
            elif name in _names:
                headers[name] = value
            elif name[:1] == ":":
                if headers or name in pseudo or name not in _PSEUDO:
                    raise Malformed(f"{name} behind a header, twice, or unknown")
                pseudo[name] = value
            else:
                _check_name(name)
                headers[name] = value
        self.method = pseudo.get(":method", "")
        self.path = pseudo.get(":path", "")
        self._complete(pseudo.get(":scheme", ""), pseudo.get(":authority", ""))

    def _repeat(self, name: str, value: str) -> None:
        if self.repeated is None:
            self.repeated = {}
        values = self.repeated.get(name)
        if values is None:
            values = self.repeated[name] = [self.headers[name]]
        values.append(value)

    def _complete(self, scheme: str, authority: str) -> None:
        headers, path = self.headers, self.path
        if self.method == "CONNECT":
            if path or scheme or not authority:
                raise Malformed("CONNECT to no authority, or with a path")
        elif not self.method or scheme not in ("https", "http"):
            raise Malformed("no method, or no scheme that we know")
        elif path[:1] != "/" and (path != "*" or self.method != "OPTIONS"):
            raise Malformed("no path")
        elif "%" in path and _BAD_ESCAPE.match(path):
            raise Malformed("the path cannot be decoded")
        if not self.method.isalpha() and not _METHOD.fullmatch(self.method):
            raise Malformed("the method is no token")
        if self.repeated is not None:
            if "content-length" in self.repeated and len(set(self.repeated["content-length"])) > 1:
                raise Malformed("two lengths of one body")
            for name, values in self.repeated.items():
                if name != "content-length":
                    headers[name] = ("; " if name == "cookie" else ", ").join(values)
        length = headers.get("content-length")
        if length is not None:
            if not (length.isascii() and length.isdigit() and len(length) <= _LENGTH_DIGITS_MAX):
                raise Malformed("a content-length that is no number")
            self.length = int(length)
        if authority:
            headers["host"] = authority
        if not _CONNECTION.isdisjoint(headers):
            name = min(_CONNECTION.intersection(headers))
            self.wrong = f'request header "{name.title()}" is not valid in HTTP/2'
        elif headers.get("te", "trailers") not in ("trailers", ""):
            self.wrong = 'request header "TE" may only be "trailers" in HTTP/2'


def check_trailers(fields: Iterable[Field]) -> None:
    """Trailers say nothing that the API server wants to know, but have to be well formed.

    Raises: Malformed.
    """
    for name, value, _ in fields:
        if name not in _names:
            _check_name(name)
        _checked(value)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Malformed("a name that is no token in lower case")
    if len(_names) < _NAMES_MAX:
        _names.add(name)


def _checked(value: str) -> str:
    if _BAD_VALUE.search(value):
        raise Malformed("a value with control characters")
    return value if value.isascii() else value.encode("latin-1").decode("utf-8", "replace")


class Blocks:
    """Header blocks of answers; shared by the connections of a server."""

    __slots__ = ("_date", "_heads", "_prefixes")

    def __init__(self, heads: HeadWriter) -> None:
        self._heads = heads
        """Has the date."""
        self._date = ""
        self._prefixes: dict[tuple[int, str], bytes] = {}

    def plain(self, code: int, content_type: str, audit_id: str, size: int) -> bytes:
        """Of an answer without further headers: what nearly every request gets."""
        if self._heads.date() is not self._date:
            self._date = self._heads.date()
            self._prefixes.clear()
        prefix = self._prefixes.get((code, content_type)) or self._prefix(code, content_type)
        length = b"%d" % size
        if len(audit_id) == 36 and audit_id.isascii():
            return b"%b%b%b%b%c%b" % (
                prefix,
                _AUDIT_ID,
                audit_id.encode(),
                _CONTENT_LENGTH,
                len(length),
                length,
            )
        return prefix + field("audit-id", audit_id.encode()) + field("content-length", length)

    def full(
        self,
        code: int,
        content_type: str,
        audit_id: str,
        *,
        headers: Sequence[tuple[str, str]],
        size: int | None,
    ) -> bytes:
        """Of any answer; `size` None: its body has no length yet, or it has none."""
        parts = [status(code)]
        named = {name.lower() for name, _ in headers} & _REPLACEABLE
        if "cache-control" not in named:
            parts.append(_CACHE_CONTROL)
        if content_type and "content-type" not in named:
            parts.append(field("content-type", _octets(content_type)))
        if "date" not in named:
            parts.append(_date_field(self._heads))
        if "audit-id" not in named:
            parts.append(field("audit-id", _octets(audit_id)))
        for name, value in headers:
            lower = name.lower()
            if lower != "content-length" and lower not in _CONNECTION:
                parts.append(field(lower, _octets(value)))
        if size is not None:
            parts.append(field("content-length", b"%d" % size))
        return b"".join(parts)

    def _prefix(self, code: int, content_type: str) -> bytes:
        """The part of a block that stays the same for a second."""
        if len(self._prefixes) >= _PREFIXES_MAX:
            self._prefixes.clear()
        prefix = (
            status(code)
            + _CACHE_CONTROL
            + field("content-type", _octets(content_type))
            + _date_field(self._heads)
        )
        self._prefixes[code, content_type] = prefix
        return prefix


def _date_field(heads: HeadWriter) -> bytes:
    return field("date", heads.date()[len("Date: ") : -2].encode())


def _octets(text: str) -> bytes:
    if "\r" in text or "\n" in text or "\0" in text:
        text = text.replace("\r", " ").replace("\n", " ").replace("\0", " ").strip()
    return text.encode("utf-8", "replace")
