"""Base64: an extension of cel-go that no environment of Kubernetes has.

Source: cel-go's ext/encoders.go; Go's encoding/base64 for what is refused and where.
"""

import binascii
import re

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Library, Overload, function
from kajitori.apimachinery.cel.types import BYTES, STRING

__all__ = ["encoders"]

_foreign_found = re.compile(rb"[^A-Za-z0-9+/\r\n]").search
_padded_matches = re.compile(rb"[A-Za-z0-9+/]*={1,2}").fullmatch


def _decode(text: str) -> bytes:
    """With padding or without it; line ends do not count."""
    data = text.encode("utf-8", "replace")
    plain = data.translate(None, b"\r\n")
    if len(plain) % 4 or not _padded_matches(plain):
        foreign = _foreign_found(data)
        if foreign:
            raise _illegal(foreign.start())
        if len(plain) % 4 == 1:
            raise _illegal(len(data) - 1)
        plain += b"=" * (-len(plain) % 4)
    return binascii.a2b_base64(plain)


def _illegal(position: int) -> EvaluationError:
    return EvaluationError(f"illegal base64 data at input byte {position}")


def _encode(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


encoders = Library(
    "cel.lib.ext.encoders",
    functions=(
        function("base64.decode", Overload("base64_decode_string", (STRING,), BYTES, call=_decode)),
        function("base64.encode", Overload("base64_encode_bytes", (BYTES,), STRING, call=_encode)),
    ),
)
