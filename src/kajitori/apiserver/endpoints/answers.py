"""Answers in HTTP: objects, lists, errors, warnings."""

from collections.abc import Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.http import Request, Response
from kajitori.apiserver.negotiation import JSON, Form
from kajitori.apiserver.options import parse_query
from kajitori.apiserver.registry.render import write_any

__all__ = [
    "NOT_FOUND_PAGE",
    "answer",
    "error_answer",
    "plain",
    "prettified",
    "value_answer",
    "wants_pretty",
    "warning_headers",
]

PLAIN = "text/plain; charset=utf-8"

WARNINGS_BYTES_MAX = 4096
"""What all Warning headers of an answer may hold together, as in kube-apiserver."""


def warning_headers(warnings: Sequence[str]) -> list[tuple[str, str]]:
    """One Warning header per text (RFC 7234 §5.5, code 299)."""
    headers: list[tuple[str, str]] = []
    left = WARNINGS_BYTES_MAX
    for text in warnings:
        header = f"299 - {go_quote(text)}"
        left -= len(header)
        if left < 0:
            break
        headers.append(("Warning", header))
    return headers


def answer(status: int, body: bytes | Sequence[bytes], form: Form, warnings: Sequence[str] = ()) -> Response:
    """An answer whose body is written already."""
    return Response(status, body, form.media, warning_headers(warnings) if warnings else ())


def error_answer(error: ApiError, form: Form | None = None, warnings: Sequence[str] = ()) -> Response:
    """The Status of an error in the form the client understands."""
    headers = warning_headers(warnings)
    if error.retry_after_seconds:
        headers.append(("Retry-After", str(error.retry_after_seconds)))
    media = form.media if form is not None else JSON
    return Response(error.code, write_any(error.to_status(), media), media, headers)


def value_answer(status: int, value: Any, form: Form, warnings: Sequence[str] = ()) -> Response:
    """Any JSON value as an answer."""
    return answer(status, write_any(value, form.media), form, warnings)


def plain(status: int, text: str) -> Response:
    """Plain text."""
    return Response(status, text.encode(), PLAIN, (("X-Content-Type-Options", "nosniff"),))


def wants_pretty(request: Request) -> bool:
    """Whether a person is going to read the answer: asked for, or guessed from the program that asks."""
    if "pretty" in request.query:
        asked = parse_query(request.query).get("pretty", [""])[0]
        if asked:
            return asked in _GO_TRUE
    headers = request.headers
    return headers.get("user-agent", "").startswith(_FOR_PEOPLE) or "pretty=1" in headers.get("accept", "")


def prettified(response: Response) -> Response:
    """The same answer, indented, if it is JSON."""
    if response.content_type.startswith(JSON) and response.body:
        body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
        response.body = msgspec.json.format(body, indent=2)
    return response


_GO_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FOR_PEOPLE = ("curl", "Wget", "Mozilla/5.0")

NOT_FOUND_PAGE = "404 page not found\n"
