"""YAML with the lines that values stand on, so that a mistake can be pointed at."""

from collections.abc import Collection, Iterator
from typing import Any

import yaml

from kajitori.cli.guardrails.errors import GuardrailsError

__all__ = ["Field", "read_yaml"]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Field:
    """One value in a file, with its path and its line."""

    def __init__(self, file: str, path: str, node: Any) -> None:
        self._file, self._path, self._node = file, path, node

    def wrong(self, what: str) -> GuardrailsError:
        """The mistake, with where it is."""
        line = self._node.start_mark.line + 1
        where = f"{self._path}: " if self._path else ""
        return GuardrailsError(f"{self._file}, line {line}: {where}{what}")

    @property
    def is_null(self) -> bool:
        return bool(self._node.tag == "tag:yaml.org,2002:null")

    def members(self, known: Collection[str]) -> "dict[str, Field]":
        """A mapping's members. Raises: GuardrailsError for one that is not known."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.wrong(f"write a mapping with {', '.join(known)}")
        found: dict[str, Field] = {}
        for key, value in self._node.value:
            path = f"{self._path}.{key.value}" if self._path else str(key.value)
            if key.value not in known:
                raise Field(self._file, path, key).wrong(f"is not known; known are {', '.join(known)}")
            if key.value in found:
                raise Field(self._file, path, key).wrong("is there twice; write it once")
            found[key.value] = Field(self._file, path, value)
        return {name: field for name, field in found.items() if not field.is_null}

    def items(self) -> "Iterator[Field]":
        """A list's items. Raises: GuardrailsError."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.wrong("write a list, each item behind a `-`")
        for position, each in enumerate(self._node.value):
            yield Field(self._file, f"{self._path}[{position}]", each)

    def text(self) -> str:
        """Raises: GuardrailsError."""
        if not isinstance(self._node, yaml.ScalarNode) or not self._node.value:
            raise self.wrong("write a text")
        return str(self._node.value)

    def texts(self) -> tuple[str, ...]:
        """A list of texts; one alone is a list too. Raises: GuardrailsError."""
        if isinstance(self._node, yaml.ScalarNode):
            return (self.text(),)
        found = tuple(each.text() for each in self.items())
        if not found:
            raise self.wrong("is empty, which matches nothing; leave it out to match everything")
        return found

    def choice(self) -> bool:
        """Raises: GuardrailsError."""
        if self._node.tag != "tag:yaml.org,2002:bool":
            raise self.wrong("write true or false")
        return str(self._node.value).lower() in ("true", "yes", "on")

    def number(self) -> int:
        """Raises: GuardrailsError."""
        if self._node.tag != "tag:yaml.org,2002:int" or not str(self._node.value).isdecimal():
            raise self.wrong("write a whole number, 0 or more")
        return int(self._node.value)


def read_yaml(text: str, file: str) -> Field | None:
    """The one document of a file; None where it is empty.

    Raises: GuardrailsError.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        what = getattr(error, "problem", None) or str(error)
        raise GuardrailsError(f"{file}{line}: this is no YAML: {what}") from None
    return None if node is None else Field(file, "", node)
