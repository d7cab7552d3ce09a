"""The small checks that the rules of all kinds are made of.

Every check appends to a list of complaints and costs next to nothing when there is nothing to complain about: the
common value is recognised by one look-up or one regular expression, and only what fails is looked at again for its
message. Paths are texts; they are built only by who has something to say, where a path is not free.

Promises
    C1  a value passes the quick look exactly when the slow one has no complaint about it
    C2  what is remembered between calls is bounded in number and in length

Source: apimachinery's pkg/api/validation and pkg/util/validation.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from kajitori.apimachinery.errors import FieldError, FieldErrorType
from kajitori.apimachinery.labels import selector_from_object
from kajitori.apimachinery.validation import (
    ANNOTATIONS_BYTES_MAX,
    is_dns1123_label,
    is_dns1123_subdomain,
    is_label_value,
    is_port_name,
    is_port_number,
    is_qualified_name,
    regex_error,
    validate_annotations,
    validate_label_selector,
)

__all__ = [
    "INT32_MAX",
    "Errors",
    "check_domain_path",
    "check_each",
    "check_enum",
    "check_given_enum",
    "check_label",
    "check_label_key",
    "check_label_selector",
    "check_labels",
    "check_namespace",
    "check_not_negative",
    "check_port",
    "check_port_or_name",
    "check_positive",
    "check_qualified_name",
    "check_required_enum",
    "check_subdomain",
    "check_template_annotations",
    "duplicate_with_detail",
    "is_label",
    "is_short_port_name",
    "is_subdomain",
    "selects",
]

Errors = list[FieldError]
"""Complaints, in the order in which they were found."""

INT32_MAX = (1 << 31) - 1
_REMEMBERED_MAX = 2048
_REMEMBERED_CHARACTERS_MAX = 320
"""No valid name, key or value is longer: 253 of the prefix, a slash, 63 of the name."""

is_label = re.compile("(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.DOTALL).fullmatch
"""Whether a text is a DNS label, as the names of containers and volumes are."""
_subdomain_matches = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*").fullmatch
_value_matches = re.compile("(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?").fullmatch
_key_matches = re.compile(
    r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    "([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]"
).fullmatch


is_short_port_name = re.compile("(?=.{1,15}$)(?!.*--)(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?").fullmatch
"""Whether a text is the name of a port."""


def is_subdomain(text: str) -> bool:
    """Whether a text is a DNS subdomain, as the names of most objects are."""
    return len(text) <= 253 and _subdomain_matches(text) is not None


@lru_cache(maxsize=_REMEMBERED_MAX)
def _is_short_key(key: str) -> bool:
    return _key_matches(key) is not None and key.find("/") <= 253


def _is_key(key: str) -> bool:
    return len(key) <= _REMEMBERED_CHARACTERS_MAX and _is_short_key(key)


# Names.


def check_label(text: str, path: str, errors: Errors) -> None:
    """A DNS label."""
    if not is_label(text):
        errors += [FieldError.invalid(path, text, told) for told in is_dns1123_label(text)]


def check_subdomain(text: str, path: str, errors: Errors) -> None:
    """A DNS subdomain."""
    if not is_subdomain(text):
        errors += [FieldError.invalid(path, text, told) for told in is_dns1123_subdomain(text)]


check_namespace = check_label
"""The name of a namespace."""


def check_qualified_name(text: str, path: str, errors: Errors) -> None:
    """A name, maybe with a domain and a slash before it."""
    if not _is_key(text):
        errors += [FieldError.invalid(path, text, told) for told in is_qualified_name(text)]


check_label_key = check_qualified_name


def check_each(text: str, path: str, judge: Callable[[str], Iterable[str]], errors: Errors) -> None:
    """What a checker of texts says, as complaints."""
    errors += [FieldError.invalid(path, text, told) for told in judge(text)]


_path_matches = re.compile("[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+").fullmatch
_NO_PATH = regex_error("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")


def check_domain_path(text: str, path: str, errors: Errors) -> None:
    """A domain, a slash and a path, such as `acme.io/foo`."""
    if not text:
        errors.append(FieldError.required(path))
        return
    domain, slash, rest = text.partition("/")
    if not slash or not domain or not rest:
        told = 'must be a domain-prefixed path (such as "acme.io/foo")'
        errors.append(FieldError.invalid(path, text, told))
        return
    check_subdomain(domain, path, errors)
    if not _path_matches(rest):
        errors.append(FieldError.invalid(path, rest, _NO_PATH))


def check_labels(labels: Mapping[str, str], path: str, errors: Errors) -> None:
    for key, value in labels.items():
        if not _is_key(key):
            errors += [FieldError.invalid(path, key, told) for told in is_qualified_name(key)]
        if not _value_matches(value):
            errors += [FieldError.invalid(path, value, told) for told in is_label_value(value)]


def check_label_selector(selector: Mapping[str, Any] | None, path: str, errors: Errors) -> None:
    """A LabelSelector; none at all is fine."""
    if not selector:
        return
    if "matchExpressions" in selector:
        errors += validate_label_selector(selector, path)
    else:
        check_labels(selector.get("matchLabels") or {}, f"{path}.matchLabels", errors)


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool | None:
    """Whether a LabelSelector selects what has these labels; None when it cannot be understood."""
    if selector and "matchExpressions" not in selector:
        wanted: Mapping[str, str] = selector.get("matchLabels") or {}
        if all(_is_key(key) and _value_matches(value) for key, value in wanted.items()):
            return wanted.items() <= labels.items()
    try:
        return selector_from_object(selector).matches(labels)
    except ValueError:
        return None


def check_template_annotations(annotations: Mapping[str, str], path: str, errors: Errors) -> None:
    """The annotations of what an object is made from."""
    size = 0
    for key, value in annotations.items():
        if not _is_key(key.lower()):
            break
        size += len(key) + len(value)
    else:
        if 4 * size <= ANNOTATIONS_BYTES_MAX:  # no character has more than four bytes
            return
    errors += validate_annotations(annotations, path)


# Numbers and choices.


def check_not_negative(number: int, path: str, errors: Errors) -> None:
    if number < 0:
        errors.append(FieldError.invalid(path, number, "must be greater than or equal to 0"))


def check_positive(number: int, path: str, errors: Errors) -> None:
    if number <= 0:
        errors.append(FieldError.invalid(path, number, "must be greater than zero"))


def check_port(port: int, path: str, errors: Errors) -> None:
    if not 1 <= port <= 65535:
        errors += [FieldError.invalid(path, port, told) for told in is_port_number(port)]


def check_port_or_name(port: int | str, path: str, errors: Errors) -> None:
    if isinstance(port, int):
        check_port(port, path, errors)
    elif not is_short_port_name(port):
        errors += [FieldError.invalid(path, port, told) for told in is_port_name(port)]


def check_enum(value: str, supported: Collection[str], path: str, errors: Errors) -> None:
    """`supported` is told in its order, which Kubernetes sorts in most places."""
    if value not in supported:
        errors.append(FieldError.not_supported(path, value, supported))


def check_given_enum(value: str | None, supported: Collection[str], path: str, errors: Errors) -> None:
    """One of a few values, which has to be there; an empty text is there."""
    if value is None:
        errors.append(FieldError.required(path))
    else:
        check_enum(value, supported, path, errors)


def check_required_enum(value: str | None, supported: Collection[str], path: str, errors: Errors) -> None:
    if not value:
        errors.append(FieldError.required(path))
    elif value not in supported:
        errors.append(FieldError.not_supported(path, value, supported))


def duplicate_with_detail(path: str, value: Any, detail: str) -> FieldError:
    """`Duplicate value: "a": why that is one`."""
    return FieldError(FieldErrorType.DUPLICATE, path, value, detail)
