"""Named formats of texts, and what is wrong with a text by one: since Kubernetes 1.31.

Source: apiserver's pkg/cel/library/format.go and pkg/cel/format.go.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from kajitori.apimachinery.cel.cost import (
    REGEX_STRING_LENGTH_FACTOR,
    STRING_TRAVERSAL_FACTOR,
    Estimate,
    Node,
)
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.libraries.opaque import OpaqueValue
from kajitori.apimachinery.cel.prices import Price, priced, size_of, traversal
from kajitori.apimachinery.cel.types import STRING, Kind, Type, list_of, optional_of
from kajitori.apimachinery.cel.values import NONE, Optional
from kajitori.apimachinery.names import (
    is_label_value,
    is_qualified_name,
    name_is_dns1035_label,
    name_is_dns_label,
    name_is_dns_subdomain,
)
from kajitori.apimachinery.structural.formats import format_check
from kajitori.apimachinery.urls import UrlError, check_request_uri

__all__ = ["FORMAT", "FormatValue", "formats"]

FORMAT = Type(Kind.OBJECT, "kubernetes.NamedFormat")

PATTERN_SIZE_MAX = 128
"""How long the pattern of a format is taken to be beforehand."""

_Validate = Callable[[str], Sequence[str]]


class FormatValue(OpaqueValue):
    """A format: what it says of a text, nothing when the text is fine."""

    __slots__ = ("name", "pattern_size", "validate")

    cel_type: ClassVar[Type] = FORMAT

    def __init__(self, name: str, validate: _Validate, pattern_size: int) -> None:
        self.name = name
        self.validate = validate
        self.pattern_size = pattern_size
        """How long its pattern is, or one that would do the same: validating costs by it."""

    def _identity(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


def _uri_problems(text: str) -> list[str]:
    try:
        check_request_uri(text)
    except UrlError as problem:
        return [str(problem)]
    return []


def _unless(format_name: str, problem: str) -> _Validate:
    """That problem unless a schema's `format` of this name accepts the text."""

    def validate(text: str) -> list[str]:
        check = format_check(format_name)
        return [] if check is None or check(text) else [problem]

    return validate


_FORMATS: Mapping[str, FormatValue] = {
    "dns1123Label": FormatValue("DNS1123Label", lambda text: name_is_dns_label(text, False), 30),
    "dns1123Subdomain": FormatValue("DNS1123Subdomain", lambda text: name_is_dns_subdomain(text, False), 60),
    "dns1035Label": FormatValue("DNS1035Label", lambda text: name_is_dns1035_label(text, False), 30),
    "qualifiedName": FormatValue("QualifiedName", is_qualified_name, 60),
    "dns1123LabelPrefix": FormatValue("DNS1123LabelPrefix", lambda text: name_is_dns_label(text, True), 30),
    "dns1123SubdomainPrefix": FormatValue(
        "DNS1123SubdomainPrefix", lambda text: name_is_dns_subdomain(text, True), 60
    ),
    "dns1035LabelPrefix": FormatValue(
        "DNS1035LabelPrefix", lambda text: name_is_dns1035_label(text, True), 30
    ),
    "labelValue": FormatValue("LabelValue", is_label_value, 40),
    "uri": FormatValue("URI", _uri_problems, 1103),
    "uuid": FormatValue("uuid", _unless("uuid", "does not match the UUID format"), 70),
    "byte": FormatValue("byte", _unless("byte", "invalid base64"), 84),
    "date": FormatValue("date", _unless("date", "invalid date"), 71),
    "datetime": FormatValue("datetime", _unless("datetime", "invalid datetime"), 71),
}


def _named(name: str) -> Optional:
    found = _FORMATS.get(name)
    return NONE if found is None else Optional(found)


def _validate(value: FormatValue, text: str) -> Optional:
    problems = list(value.validate(text))
    return Optional(problems) if problems else NONE


def _cost_of_validating(arguments: Sequence[Any], _result: Any) -> int:
    if not isinstance(arguments[0], FormatValue):
        return 1
    pattern = traversal(arguments[0].pattern_size, REGEX_STRING_LENGTH_FACTOR)
    return traversal(1 + size_of(arguments[1])) * pattern


def _estimate_of_validating(arguments: Sequence[Node]) -> Estimate:
    text = arguments[1].size().cost(STRING_TRAVERSAL_FACTOR)
    return Estimate(text.scaled(PATTERN_SIZE_MAX * REGEX_STRING_LENGTH_FACTOR))


def _constant(name: str, value: FormatValue) -> Function:
    return function(f"format.{name}", Overload(f"format.{name}", (), FORMAT, call=lambda: value))


formats = Library(
    "kubernetes.format",
    functions=(
        function("format.named", Overload("format-named", (STRING,), optional_of(FORMAT), call=_named)),
        priced(
            "validate",
            Price(_cost_of_validating, _estimate_of_validating),
            Overload(
                "format-validate",
                (FORMAT, STRING),
                optional_of(list_of(STRING)),
                call=_validate,
                member=True,
            ),
        ),
        *(_constant(name, value) for name, value in _FORMATS.items()),
    ),
)
