"""YAML as Kubernetes reads it: YAML 1.1 with Go's idea of plain words, made into JSON.

Sits beside `decode`. PyYAML's C parser makes the nodes; what a plain word means, how keys become texts, and what is
complained of is Go's way.

Promises
    Y1  the first document of a text gives the JSON value that Kubernetes makes of it, keys sorted
    Y2  a repeated key is told with its line; the last one counts
    Y3  what cannot be read raises DecodeError in go-yaml's words
    Y4  a small text cannot become a huge value by its aliases
    Y5  however deep a text is nested, it is a value or refused

Source: sigs.k8s.io/yaml, go.yaml.in/yaml/v2 (resolve.go, decode.go).
"""

import binascii
import math
import re
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.events import CollectionEndEvent, CollectionStartEvent, DocumentEndEvent, StreamEndEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError
from yaml.scanner import ScannerError

from kajitori.apimachinery.decode import DecodeError, go_quote

__all__ = ["decode_yaml", "meaning", "warnings_of"]

ALIASES_FREE = 100
DECODED_FREE = 1000
"""Below these no text is suspected of growing by its aliases."""
_RATIO_LOW, _RATIO_HIGH = 400_000, 4_000_000

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = "?"
"""The tag of a plain word that says none: its meaning is looked for in the word."""
_TAGS = "tag:yaml.org,2002:"
_ERRORS_HEAD = "yaml: unmarshal errors:\n"

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ALIAS = re.compile(r"\*?([0-9A-Za-z_-]+)")
_TOO_DEEP = "yaml: exceeded max depth of 10000"
DEPTH_MAX = 2000
"""How deep nodes may be nested; Kubernetes stops at 10,000, and nobody comes near either."""

_UINT64_MAX = (1 << 64) - 1
_INT64_MIN = -(1 << 63)


class _NodeLoader(_Loader):  # type: ignore[misc]
    """Makes nodes only, and leaves plain words alone."""

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else f"{_TAGS}str"
        return f"{_TAGS}seq" if kind is SequenceNode else f"{_TAGS}map"


def decode_yaml(data: bytes | bytearray | memoryview) -> tuple[Any, list[str]]:
    """The JSON value of a text's first document, and complaints about repeated keys.

    The complaints are one text for all keys, as Kubernetes tells them in an error; `warnings_of` takes it apart.

    Raises: DecodeError.
    """
    maker = _Maker()
    value = maker.value(_composed(bytes(data)))
    return value, [_ERRORS_HEAD + "\n".join(f"  {each}" for each in maker.repeated)] if maker.repeated else []


def warnings_of(problem: str) -> list[str]:
    """A complaint of strict decoding as the warnings that a client gets for it."""
    if not problem.startswith(_ERRORS_HEAD):
        return [problem.removeprefix("yaml: ")]
    return [each.strip() for each in problem.removeprefix(_ERRORS_HEAD).split("\n")]


_SIGNS = (b"[", b"{", b"-", b"?", b":")
"""Nothing is nested without one of them."""


def _is_too_deep(data: bytes) -> bool:
    """Whether the nodes of the first document are nested so deep that putting them together is not safe.

    The C library does that by recursion, and where its stack ends, so does the process.
    """
    if sum(data.count(sign) for sign in _SIGNS) <= DEPTH_MAX:
        return False
    loader = _NodeLoader(data)
    depth = 0
    try:
        while depth <= DEPTH_MAX:
            event = loader.get_event()
            if isinstance(event, CollectionStartEvent):
                depth += 1
            elif isinstance(event, CollectionEndEvent):
                depth -= 1
            elif event is None or isinstance(event, DocumentEndEvent | StreamEndEvent):
                return False
    except yaml.YAMLError:
        return False  # putting it together ends here as well, and tells what is wrong
    finally:
        loader.dispose()
    return True


def _composed(data: bytes) -> Node | None:
    try:
        loader = _NodeLoader(data)
    except ReaderError as error:
        raise DecodeError(f"yaml: {error.reason}") from None
    try:
        if _is_too_deep(data):
            raise DecodeError(_TOO_DEEP)
        node: Node | None = None
        if loader.check_node():
            node = loader.get_node()
        return node
    except ReaderError as error:
        raise DecodeError(f"yaml: {error.reason}") from None
    except ComposerError as error:
        raise DecodeError(f"yaml: {_composer_problem(error, data)}") from None
    except yaml.MarkedYAMLError as error:
        raise DecodeError(
            f"yaml: {_line(error)}{error.problem or 'unknown problem parsing YAML content'}"
        ) from None
    except RecursionError:
        raise DecodeError(_TOO_DEEP) from None
    finally:
        loader.dispose()


def _composer_problem(error: ComposerError, data: bytes) -> str:
    problem = error.problem or ""
    if "undefined alias" not in problem or error.problem_mark is None:
        return problem
    # The C parser does not tell the name.
    found = _ALIAS.match(data.decode("utf-8-sig", errors="replace"), error.problem_mark.index)
    return f"unknown anchor '{found.group(1) if found else ''}' referenced"


def _line(error: yaml.MarkedYAMLError) -> str:
    """Where go-yaml says that an error is; it does not say "line 0"."""
    if error.problem_mark is not None and error.problem_mark.line:
        return f"line {error.problem_mark.line + isinstance(error, ScannerError)}: "
    if error.context_mark is not None and error.context_mark.line:
        return f"line {error.context_mark.line}: "
    return ""


class _Maker:
    """Makes values of nodes, and remembers which keys were repeated."""

    def __init__(self) -> None:
        self.repeated: list[str] = []
        self._decoded = 0
        self._aliased = 0
        self._inside_alias = 0
        self._seen: set[int] = set()
        self._open: set[int] = set()

    def value(self, node: Node | None) -> Any:
        if node is None:
            return None
        if isinstance(node, ScalarNode):
            self._count()
            return _json_value(_scalar(node))
        identity = id(node)
        if identity in self._open:
            raise DecodeError("yaml: anchor value contains itself")
        is_alias = identity in self._seen
        self._seen.add(identity)
        self._open.add(identity)
        self._inside_alias += is_alias
        self._count()
        try:
            if isinstance(node, MappingNode):
                members: dict[str, Any] = {}
                self._fill(node, members, {})
                return dict(sorted(members.items()))
            return [self.value(each) for each in node.value]
        except RecursionError:
            raise DecodeError(_TOO_DEEP) from None
        finally:
            self._inside_alias -= is_alias
            self._open.discard(identity)

    def _count(self) -> None:
        self._decoded += 1
        self._aliased += bool(self._inside_alias)
        if self._aliased > ALIASES_FREE and self._decoded > DECODED_FREE:
            span = min(max(self._decoded - _RATIO_LOW, 0), _RATIO_HIGH - _RATIO_LOW)
            allowed = 0.99 - 0.89 * span / (_RATIO_HIGH - _RATIO_LOW)
            if self._aliased / self._decoded > allowed:
                raise DecodeError("yaml: document contains excessive aliasing")

    def _fill(self, node: MappingNode, members: dict[str, Any], seen: dict[Any, None]) -> None:
        for key_node, value_node in node.value:
            if _is_merge(key_node):
                self._merge(value_node, members, seen)
                continue
            key = _scalar(key_node) if isinstance(key_node, ScalarNode) else self._no_key(key_node)
            typed_key = (type(key), key)
            if typed_key in seen:
                line = key_node.start_mark.line + 1
                self.repeated.append(f"line {line}: key {_go_value(key)} already set in map")
            seen[typed_key] = None
            members[_key_text(key)] = self.value(value_node)

    def _merge(self, node: Node, members: dict[str, Any], seen: dict[Any, None]) -> None:
        if isinstance(node, MappingNode):
            self._fill(node, members, seen)
        elif isinstance(node, SequenceNode) and all(isinstance(each, MappingNode) for each in node.value):
            # Of several the first counts most, so it comes last.
            for each in reversed(node.value):
                self._fill(each, members, seen)
        else:
            raise DecodeError("yaml: map merge requires map or sequence of maps as the value")

    def _no_key(self, node: Node) -> Any:
        raise DecodeError(f"yaml: invalid map key: {_go_value(self.value(node))}")


def _is_merge(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value == "<<" and node.tag in (_PLAIN, f"{_TAGS}merge")


def _scalar(node: ScalarNode) -> Any:
    """What a word means to go-yaml: a text, a number, a boolean or None."""
    text: str = node.value
    if node.tag == _PLAIN:
        return meaning(text)
    kind = node.tag.removeprefix(_TAGS)
    if kind == "binary":
        try:
            return binascii.a2b_base64(text).decode("utf-8", errors="replace")
        except binascii.Error:
            raise DecodeError("yaml: !!binary value contains invalid base64 data") from None
    if kind in ("int", "float", "bool", "null"):
        meant = meaning(text)
        if kind == "float" and isinstance(meant, int) and not isinstance(meant, bool):
            return float(meant)
        found = _kind_of(meant)
        if found != kind:
            raise DecodeError(f"yaml: cannot decode !!{found} `{text}` as a !!{kind}")
        return meant
    return text


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "str"
    return "int" if isinstance(value, int) else "float"


def meaning(text: str) -> Any:
    """What a plain word means in Go's YAML: a number, a boolean, null, or just this text."""
    if text in _WORDS:
        return _WORDS[text]
    if not text or text[0] not in "0123456789+-.":
        return text
    if text[0] == ".":
        return float(text) if _FLOAT.fullmatch(text) else text
    number = text.replace("_", "")
    if _INTEGER.fullmatch(number):
        value = _integer(number)
        if _INT64_MIN <= value <= _UINT64_MAX:
            return value
    return float(number) if _FLOAT.fullmatch(number) else text


def _integer(text: str) -> int:
    """A whole number in Go's spelling, where a zero in front means octal."""
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _json_value(value: Any) -> Any:
    """A number as JSON has it: floats without a fraction are written without a point."""
    if isinstance(value, float):
        if not math.isfinite(value):
            shown = "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
            raise DecodeError(f"json: unsupported value: {shown}")
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    return value


def _key_text(key: Any) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int):
        return str(key)
    if key is None:
        raise DecodeError("unsupported map key of type: %!s(<nil>), key: <nil>")
    if math.isinf(key) or math.isnan(key):
        return ".nan" if math.isnan(key) else ".inf" if key > 0 else "-.inf"
    return str(int(key)) if key.is_integer() and abs(key) < 1e21 else repr(key)


def _go_value(value: Any) -> str:
    """A key as Go's %#v shows it."""
    if isinstance(value, str):
        return go_quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
