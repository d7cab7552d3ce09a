"""`url` and its parts: in every version of Kubernetes.

Source: apiserver's pkg/cel/library/urls.go and pkg/cel/url.go.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.libraries.opaque import OpaqueValue
from kajitori.apimachinery.cel.prices import by_size, priced
from kajitori.apimachinery.cel.types import BOOL, STRING, Kind, Type, list_of, map_of
from kajitori.apimachinery.urls import Url, UrlError, check_request_uri, parse_url

__all__ = ["URL", "UrlValue", "urls"]

URL = Type(Kind.OBJECT, "kubernetes.URL")


class UrlValue(OpaqueValue):
    """A URL."""

    __slots__ = ("url",)

    cel_type: ClassVar[Type] = URL

    def __init__(self, url: Url) -> None:
        self.url = url

    def _identity(self) -> str:
        return str(self.url)

    def __str__(self) -> str:
        return str(self.url)


def _url(text: str) -> UrlValue:
    try:
        # What is neither absolute URI nor absolute path is refused; only then is a fragment looked for.
        check_request_uri(text)
        return UrlValue(parse_url(text))
    except UrlError as problem:
        raise EvaluationError(f"URL parse error during conversion from string: {problem}") from None


def _is_url(text: str) -> bool:
    try:
        check_request_uri(text)
    except UrlError:
        return False
    return True


def _part(name: str, overload: str, part: Callable[[Url], Any], result: Type = STRING) -> Function:
    """A part of a URL, at the price of one unit."""
    return function(name, Overload(overload, (URL,), result, call=lambda value: part(value.url), member=True))


urls = Library(
    "kubernetes.urls",
    functions=(
        priced("url", by_size(keeps_size=True), Overload("string_to_url", (STRING,), URL, call=_url)),
        function("isURL", Overload("is_url_string", (STRING,), BOOL, call=_is_url)),
        _part("getScheme", "url_get_scheme", lambda url: url.scheme),
        _part("getHost", "url_get_host", lambda url: url.host),
        _part("getHostname", "url_get_hostname", lambda url: url.hostname),
        _part("getPort", "url_get_port", lambda url: url.port),
        _part("getEscapedPath", "url_get_escaped_path", lambda url: url.escaped_path),
        _part("getQuery", "url_get_query", lambda url: url.parameters(), map_of(STRING, list_of(STRING))),
    ),
)
