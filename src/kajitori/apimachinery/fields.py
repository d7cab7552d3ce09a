"""Field selectors: `metadata.name=x,spec.nodeName!=y`.

Sits under list, watch and delete-collection. Which fields a kind offers, and what they are called, the caller
says: `transformed` maps or refuses each of them, `matches` takes the object's values by field name.

Promises
    F1  a text means what it means to Kubernetes: `=` and `==` alike, backslash escapes of `\\`, `,` and `=`
    F2  str(selector) is the canonical text, sorted by term, and parses back to an equal selector

Source: apimachinery's pkg/fields, and
https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

__all__ = ["EVERY_FIELD", "FieldRequirement", "FieldSelector", "parse_field_selector"]


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """One term: the field equals the value, or does not."""

    field: str
    equals: bool
    value: str

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
        return f"{self.field}{'=' if self.equals else '!='}{value}"


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """All terms must hold; none is everything."""

    requirements: tuple[FieldRequirement, ...] = ()

    def matches(self, values: Mapping[str, str]) -> bool:
        """Whether an object with these field values is selected; an absent field is the empty string."""
        return all((values.get(each.field, "") == each.value) == each.equals for each in self.requirements)

    def required_value(self, field: str) -> str | None:
        """The value that the field must have, when some term demands one."""
        for each in self.requirements:
            if each.equals and each.field == field:
                return each.value
        return None

    def transformed(self, transform: Callable[[str, str], tuple[str, str]]) -> "FieldSelector":
        """Each field and value replaced by what `transform` gives for them; two empty texts drop the term.

        What `transform` raises passes through: that is how an unknown field is refused.
        """
        replaced: list[FieldRequirement] = []
        for each in self.requirements:
            field, value = transform(each.field, each.value)
            if field or value:
                replaced.append(FieldRequirement(field, each.equals, value))
        return FieldSelector(tuple(replaced))

    def __bool__(self) -> bool:
        return bool(self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


EVERY_FIELD = FieldSelector()
"""Selects everything."""


def parse_field_selector(text: str) -> FieldSelector:
    """The selector that a query parameter says; an empty text selects everything.

    Raises: ValueError with Kubernetes' message.
    """
    if not text:
        return EVERY_FIELD
    requirements: list[FieldRequirement] = []
    for term in sorted(_terms(text)):
        if not term:
            continue
        field, operator, value = _split(term)
        if not operator:
            raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")
        value = _unescaped(value)
        if field or value:  # `=` alone says nothing.
            requirements.append(FieldRequirement(field, operator != "!=", value))
    return FieldSelector(tuple(requirements))


def _terms(text: str) -> Iterator[str]:
    start, escaped = 0, False
    for position, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == ",":
            yield text[start:position]
            start = position + 1
    yield text[start:]


def _split(term: str) -> tuple[str, str, str]:
    """Field, operator and value; no operator when there is none."""
    for position in range(len(term)):
        for operator in ("!=", "==", "="):
            if term.startswith(operator, position):
                return term[:position], operator, term[position + len(operator) :]
    return "", "", ""


def _unescaped(text: str) -> str:
    pieces: list[str] = []
    escaped = False
    for character in text:
        if escaped:
            if character not in "\\,=":
                raise ValueError(f"invalid field selector: invalid escape sequence: \\{character}")
            pieces.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character in ",=":
            # Kubernetes shows the number of the character here.
            raise ValueError(f"invalid field selector: unescaped character in value: {ord(character)}")
        else:
            pieces.append(character)
    if escaped:
        raise ValueError("invalid field selector: invalid escape sequence: \\")
    return "".join(pieces)
