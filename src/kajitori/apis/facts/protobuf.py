"""The field numbers of Kubernetes' messages, as the protobuf codec wants them.

Beside this module lies `protobuf.txt`, compiled by tools/compile_protobuf.py, which says how it is written.

Promises
    P1  the file is read when the first message is asked for, and only the lines asked for are parsed
    P2  a kind that is served as JSON only has no message
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from kajitori.wire.protobuf.codec import ProtobufCodec
from kajitori.wire.protobuf.table import Field, Shape

__all__ = ["BuiltinTable", "protobuf_codec"]

_PREFIX = "k8s.io."
_META = "apimachinery.pkg.apis.meta.v1"
_SCALARS = frozenset(("string", "bytes", "bool", "int32", "int64", "double"))
_SHAPES = {"=": Shape.SINGLE, "*": Shape.REPEATED, "%": Shape.MAP, "&": Shape.INLINE}
_field_matches = re.compile(r"(\d+)([^=*%&]+)([=*%&])(.+)").fullmatch


class BuiltinTable:
    """The messages of the built-in kinds."""

    def __init__(self) -> None:
        self._text = (Path(__file__).parent / "protobuf.txt").read_text()
        self._kinds: dict[tuple[str, str], str | None] = {}

    def _line(self, start: str) -> str | None:
        """What follows `start` and a tab in its line, None when no line starts so."""
        # Every line but the first follows a line's end, and the first belongs to the core group.
        place = self._text.find(f"\n{start}\t") + 1
        if not place and not self._text.startswith(f"{start}\t"):
            return None
        begin = place + len(start) + 1
        return self._text[begin : self._text.index("\n", begin)]

    def fields(self, message: str) -> Sequence[Field]:
        """The fields of a message.

        Raises: KeyError when there is no such message.
        """
        short = message.removeprefix(_PREFIX)
        line = self._line(short)
        if line is None:
            raise KeyError(message)
        package = short.rpartition(".")[0]
        return [_field(text, package) for text in line.split()]

    def message(self, api_version: str, kind: str) -> str | None:
        """The message of a kind; `DeleteOptions`, `Status` and their like are found in every group."""
        asked = (api_version, kind)
        if asked not in self._kinds:
            if len(self._kinds) >= KINDS_MAX:
                self._kinds.clear()
            self._kinds[asked] = self._find(api_version, kind)
        return self._kinds[asked]

    def _find(self, api_version: str, kind: str) -> str | None:
        group, _, version = api_version.rpartition("/")
        if not f"{group}{version}{kind}".isprintable() or not kind.isalnum():
            return None
        package = self._line(f"@{group}")
        if package is None:
            return None
        for name in (f"{package}.{version}.{kind}", f"{_META}.{kind}"):
            if self._line(name) is not None:
                return _PREFIX + name
        return None


KINDS_MAX = 4096
"""How many answers about kinds are remembered; the questions come from clients."""


def _field(text: str, package: str) -> Field:
    found = _field_matches(text)
    assert found is not None, text
    number, name, mark, type_name = found.groups()
    if type_name not in _SCALARS:
        type_name = _PREFIX + (package + type_name if type_name.startswith(".") else type_name)
    return Field(int(number), name, type_name, _SHAPES[mark])


@cache
def protobuf_codec() -> ProtobufCodec:
    """The codec of the built-in kinds, made when the first client speaks it."""
    return ProtobufCodec(BuiltinTable())
