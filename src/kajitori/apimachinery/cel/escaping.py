"""Names of JSON properties as identifiers of CEL: `example.com/name` is `example__dot__com__slash__name`.

Promises
    E1  `unescape(escape(name)) == name` for every name that can be escaped

Source: apiserver's pkg/cel/escaping.go.
"""

import re

__all__ = ["RESERVED", "escape", "unescape"]

RESERVED = frozenset(
    (
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if"),
        *("import", "let", "loop", "package", "namespace", "return", "var", "void", "while"),
    )
)
"""Words of the language, which cannot be identifiers."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPABLE = re.compile(r"[A-Za-z_./-][A-Za-z0-9_./-]*")
_SPECIAL = re.compile(r"__|[-./]")
_SPECIALS = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_SEQUENCE = re.compile(r"__([^_]+)__")
_SEQUENCES = {"underscores": "__", "dot": ".", "dash": "-", "slash": "/"}


def escape(name: str) -> str | None:
    """The identifier for a property; `None` when it can have none, such as `2nd` or `a b`."""
    if name in RESERVED:
        return f"__{name}__"
    if "__" not in name and _PLAIN.fullmatch(name):
        return name
    if not _ESCAPABLE.fullmatch(name):
        return None
    return _SPECIAL.sub(lambda found: _SPECIALS[found[0]], name)


def unescape(identifier: str) -> str | None:
    """The property that an identifier stands for; `None` when it holds a sequence that stands for nothing."""
    if "__" not in identifier:
        return identifier
    valid = True

    def plain(found: re.Match[str]) -> str:
        nonlocal valid
        known = _SEQUENCES.get(found[1])
        if known is None:
            valid = valid and found[1] in RESERVED and found[0] == identifier
            return found[1]
        return known

    plained = _SEQUENCE.sub(plain, identifier)
    return plained if valid else None
