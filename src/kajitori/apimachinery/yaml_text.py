"""JSON values as YAML, in the form in which Kubernetes writes it.

Sits beside `yaml`, which reads. PyYAML's C emitter writes; which texts need quotes and how keys are sorted is Go's way.

Promises
    E1  what is written reads back as the same value, here and in Go
    E2  the bytes are those of kube-apiserver: quotes, blocks, folding and the order of keys; but for texts with the
        line breaks U+0085, U+2028 and U+2029, and for keys `<<`, which mean the same in other bytes

Source: sigs.k8s.io/yaml, go.yaml.in/yaml/v2 (encode.go, sorter.go).
"""

import re
from collections.abc import Mapping
from functools import cmp_to_key
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kajitori.apimachinery.yaml import meaning

__all__ = ["encode_yaml"]

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_TAGS = "tag:yaml.org,2002:"
_DATED = re.compile(
    r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?"
)
"""What other readers take for hours and minutes, or for a moment."""
_MARKS = frozenset({"<<"})
"""As a key, it would be a merge."""
_BREAKS = re.compile("[\x85\u2028\u2029]")
"""Old ends of lines, at which libyaml would fold."""
_RUN = re.compile(r"[0-9]*")
_KINDS: dict[type, str] = {str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}


class _Writer(_Dumper):  # type: ignore[misc]
    """Writes texts plainly where Go would read them as texts."""

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:
        if kind is ScalarNode:
            return _TAGS + (_KINDS[type(meaning(value))] if implicit[0] else "str")
        return f"{_TAGS}seq" if kind is SequenceNode else f"{_TAGS}map"

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> ScalarNode:
    style = None
    if _BREAKS.search(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    elif not isinstance(meaning(text), str) or text in _MARKS or _DATED.fullmatch(text):
        style = '"'
    return dumper.represent_scalar(f"{_TAGS}str", text, style=style)  # type: ignore[no-any-return]


def _mapping(dumper: Any, value: Mapping[str, Any]) -> MappingNode:
    rows = sorted(value.items(), key=lambda item: _KEY(item[0]))
    return dumper.represent_mapping(f"{_TAGS}map", rows)  # type: ignore[no-any-return]


def _compare(one: str, other: str) -> int:
    """Numbers within keys count by their value; what is no letter comes before letters."""
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left == right:
            continue
        if left.isalpha() or right.isalpha():
            if left.isalpha() and right.isalpha():
                return -1 if left < right else 1
            return -1 if right.isalpha() else 1
        first, second = _number(one, at, other), _number(other, at, one)
        if first != second:
            return -1 if first < second else 1
        return -1 if left < right else 1
    return len(one) - len(other)


def _number(text: str, at: int, other: str) -> tuple[int, int]:
    """The digits that begin here, as a number, and how many they are."""
    run = _RUN.match(text, at)
    assert run is not None
    digits = run[0]
    lead = ""
    if "0" in (text[at], other[at]):
        before = at
        while before and text[before - 1].isdigit():
            before -= 1
        lead = "1" if text[before:at].strip("0") else ""
    return int(f"{lead}{digits}" or "0"), len(digits)


_KEY = cmp_to_key(_compare)

_Writer.add_representer(str, _text)
_Writer.add_representer(dict, _mapping)


def encode_yaml(value: Any) -> bytes:
    """The value as a YAML document that ends with a new line."""
    text: bytes = yaml.dump(
        value, Dumper=_Writer, default_flow_style=False, allow_unicode=True, encoding="utf-8"
    )
    # libyaml marks the end of a document whose last text is open; Go's copy of it does not.
    return text.removesuffix(b"...\n") if text.endswith(b"\n...\n") else text
