"""Blocks of PEM texts, found as Go finds them: what is no block is read over.

Promises
    P1  a block begins at the start of a line and ends with a line of the same type
    P2  a block whose content is no base64 is read over, too

Source: Go's encoding/pem.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["PemBlock", "pem_blocks"]

_BLOCK = re.compile(
    rb"(?:^|(?<=\n))-----BEGIN ([^\n]*?)-----[ \t\r]*\n(.*?)(?:^|\n)-----END \1-----[ \t\r]*(?=\n|\Z)",
    re.DOTALL,
)
_HEADER = re.compile(rb"[^\n:]*:[^\n]*\n")


@dataclass(frozen=True, slots=True)
class PemBlock:
    kind: str
    """What stands between BEGIN and the dashes."""
    has_headers: bool
    content: bytes


def pem_blocks(text: bytes) -> Iterator[PemBlock]:
    """The blocks of a text, in its order."""
    for found in _BLOCK.finditer(text):
        body: bytes = found.group(2)
        headers = 0
        while header := _HEADER.match(body):
            body, headers = body[header.end() :], headers + 1
        try:
            content = binascii.a2b_base64(b"".join(body.split()), strict_mode=True)
        except binascii.Error:
            continue
        yield PemBlock(found.group(1).decode("utf-8", "replace"), headers > 0, content)
