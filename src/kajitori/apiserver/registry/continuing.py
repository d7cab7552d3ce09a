"""Continue tokens: where the next page of a list begins, and of which revision it is.

The form is kube-apiserver's, so that its clients may look inside as they do there: base64 of JSON with the revision
(-1: whatever there is now) and the first key that may come, below the prefix of the list. Tokens say nothing about
selectors or kinds; one that was made for another list is taken for what it says.

Source: apiserver/pkg/storage/continue.go.
"""

import base64
import binascii
import re
from typing import Any

import msgspec

from kajitori.apimachinery.decode import json_type
from kajitori.apimachinery.errors import BadRequest, Expired
from kajitori.apimachinery.json_syntax import syntax_error

__all__ = ["expired_token", "read_token", "write_token"]

_VERSION = "meta.k8s.io/v1"
_NO_BASE64 = re.compile(r"[^A-Za-z0-9_-]")


class _Token(msgspec.Struct):
    v: str = ""
    rv: int = 0
    start: str = ""


_decode = msgspec.json.Decoder(_Token).decode


def write_token(revision: int, prefix: str, last: str) -> str:
    """What goes on behind the key `last` in a list of the keys below `prefix`."""
    token = _Token(_VERSION, revision, f"/{last.removeprefix(prefix)}\0")
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).rstrip(b"=").decode()


def read_token(text: str, prefix: str) -> tuple[str, int]:
    """The key behind which a list of the keys below `prefix` goes on, and its revision, below zero for now.

    Raises: BadRequest, in Kubernetes' words.
    """
    token = _parsed(text)
    if token.v != _VERSION:
        raise _bad(f"server does not recognize this encoded version {token.v}")
    if token.rv == 0:
        raise _bad(f"incorrect encoded start resourceVersion (version {_VERSION})")
    if not token.start:
        raise _bad(f"encoded start key empty (version {_VERSION})")
    start = token.start.removeprefix("/")
    if start and not {"", ".", ".."}.isdisjoint(start.split("/")):
        raise _bad(token.start)  # it would leave the prefix
    if not start or start.endswith("\0"):
        return prefix + start[:-1], token.rv
    # A key that nobody was given: it is itself the first that may come.
    return f"{prefix}{start[:-1]}{_before(start[-1])}", token.rv


def _before(character: str) -> str:
    """What sorts before a character, and behind everything that does so and is ever in a key."""
    return chr(ord(character) - 1) + "\x7f" if character.isascii() else "\x7f"


def _parsed(text: str) -> _Token:
    bad = _NO_BASE64.search(text)
    if bad is not None:
        raise _bad(f"illegal base64 data at input byte {len(text[: bad.start()].encode())}")
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise _bad(f"illegal base64 data at input byte {len(text) - 1}") from None
    try:
        return _decode(raw)
    except (ValueError, RecursionError):
        raise _bad(_what_is_wrong(raw)) from None


_TYPES: dict[str, tuple[type, str]] = {"v": (str, "string"), "rv": (int, "int64"), "start": (str, "string")}


def _what_is_wrong(raw: bytes) -> str:
    """Go's words for JSON that is no token."""
    told = syntax_error(raw)
    if told is not None:
        return told
    try:
        value: Any = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return "json: cannot unmarshal into Go value of type storage.continueToken"
    if not isinstance(value, dict):
        if value is None:
            return "server does not recognize this encoded version "
        return f"json: cannot unmarshal {json_type(value)} into Go value of type storage.continueToken"
    for name, (type_, called) in _TYPES.items():
        given: Any = value.get(name)
        if given is not None and (not isinstance(given, type_) or isinstance(given, bool)):
            shown = f"number {given}" if isinstance(given, float) else json_type(given)
            return (
                f"json: cannot unmarshal {shown} into Go struct field continueToken.{name} of type {called}"
            )
        if isinstance(given, int) and not -(2**63) <= given < 2**63:
            return (
                f"json: cannot unmarshal number {given} into Go struct field continueToken.rv of type int64"
            )
    return f"server does not recognize this encoded version {value.get('v') or ''}"


def _bad(why: str) -> BadRequest:
    return BadRequest(f"invalid continue token: continue key is not valid: {why}")


def expired_token(prefix: str, after: str) -> Expired:
    """For a token whose revision is no longer known: with one that goes on from there, inconsistently."""
    error = Expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
        "the results. Continuing with the provided token results in an inconsistent list - objects that were "
        "created, modified, or deleted between the time the first chunk was returned and now may show up in the list."
    )
    error.metadata["continue"] = write_token(-1, prefix, after)
    return error
