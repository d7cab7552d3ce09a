"""The `format` keyword: which formats Kubernetes checks, and how.

Sits below validation. A format that is not listed here is ignored, as Kubernetes ignores it.

Promises
    F1  a listed format accepts what Kubernetes' format of that name accepts
    F2  dashes in a format's name do not matter: `date-time` is `datetime`

Source: apiextensions' list of supported formats, and kube-openapi's strfmt package with its validators.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from kajitori.apimachinery.quantity import QuantityError, parse_quantity
from kajitori.apimachinery.time import parse_duration
from kajitori.apimachinery.validation import is_dns1123_label, is_dns1123_subdomain

__all__ = ["Check", "format_check", "is_known_format"]

Check = Callable[[str], bool]

EMAIL_LENGTH_MAX = 4096
"""Longer addresses are refused rather than scanned."""


_NUMBERS = ("int32", "int64", "float", "double")


def is_known_format(type_name: str, format_name: str) -> bool:
    """Whether Kubernetes knows the format for a schema of this type; it ignores any other, with a warning."""
    if type_name == "" and format_name in _NUMBERS:
        return True
    if type_name in ("", "string"):
        return format_name.replace("-", "") in _CHECKS
    if type_name == "integer":
        return format_name in ("int32", "int64")
    if type_name == "number":
        return format_name in ("float", "double")
    return False


def format_check(format_name: str) -> Check | None:
    """The check of strings for a format; None when strings are not checked."""
    return _CHECKS.get(format_name.replace("-", ""))


@lru_cache(maxsize=64)
def _compiled(pattern: str, flags: int) -> re.Pattern[str]:
    return re.compile(pattern, flags)


def _expression(pattern: str, flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """A regular expression that is compiled when first used: most servers need few of them."""
    return lambda: _compiled(pattern, flags)


def _matcher(pattern: str, flags: int = re.ASCII) -> Check:
    expression = _expression(pattern, flags)
    return lambda text: expression().fullmatch(text) is not None


def _is_uri(text: str) -> bool:
    """An absolute URI or an absolute path."""
    from kajitori.apimachinery.urls import UrlError, check_request_uri  # few schemas have this format

    try:
        check_request_uri(text)
    except UrlError:
        return False
    return True


_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]+"
_QUOTED = r'"(?:[^"\\\r\n]|\\[^\r\n])*"'
_ADDRESS = rf"(?:{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:{_ATOM}(?:\.{_ATOM})*|\[[0-9A-Fa-f.:IPv]+\])"
_EMAIL = _expression(_ADDRESS)


def _is_email(text: str) -> bool:
    """What Go's mail.ParseAddress accepts: an address, or a display name and an address in angle brackets."""
    if len(text) > EMAIL_LENGTH_MAX:
        return False
    text = text.strip(" \t")
    if _EMAIL().fullmatch(text):
        return True
    # The display name is checked word by word: one expression for all of it could backtrack for long.
    name, bracket, address = text.rpartition("<")
    if not bracket or not address.endswith(">") or not _EMAIL().fullmatch(address[:-1]):
        return False
    return _is_phrase(name)


_PHRASE_WORD = _expression(rf"(?:{_ATOM}|{_QUOTED}|\.|[ \t]+)")


def _is_phrase(text: str) -> bool:
    at = 0
    while at < len(text):
        word = _PHRASE_WORD().match(text, at)
        if word is None:
            return False
        at = word.end()
    return True


_HOST_SHAPE = _expression(r"X(?:-?X{0,62})?|(?:(?:X(?:[-X]{0,61}X)?)?\.)+X(?:-?X){1,62}")


def _is_hostname(text: str) -> bool:
    """RFC 1034 host names, with the letters and symbols of any script, as kube-openapi has them."""
    if len(text) > 255 or len(text.encode("utf-8", "replace")) > 255:
        return False
    if any(len(label.encode("utf-8", "replace")) > 63 for label in text.split(".")):
        return False
    shape = "".join(each if each in "-." else ("X" if _is_host_character(each) else "\0") for each in text)
    return _HOST_SHAPE().fullmatch(shape) is not None


def _is_host_character(character: str) -> bool:
    if character.isascii() and character.isalnum():
        return True
    import unicodedata  # a large table, for the rare name with letters beyond ASCII

    return unicodedata.category(character)[0] in "SL"


def _is_ipv4(text: str) -> bool:
    return "." in text and _is_ip(text)


def _is_ipv6(text: str) -> bool:
    return ":" in text and _is_ip(text)


def _is_ip(text: str) -> bool:
    """Leading zeros of IPv4 octets are accepted, as Kubernetes does for the sake of old manifests."""
    import ipaddress

    if "%" in text:
        return False
    try:
        ipaddress.ip_address(_without_leading_zeros(text))
    except ValueError:
        return False
    return True


def _without_leading_zeros(text: str) -> str:
    head, colon, tail = text.rpartition(":")
    if tail.count(".") != 3:
        return text
    return head + colon + ".".join(each.lstrip("0") or each[:1] for each in tail.split("."))


def _is_cidr(text: str) -> bool:
    import ipaddress

    address, slash, length = text.partition("/")
    if not slash or "%" in address or not _plain_number(length):
        return False
    try:
        ipaddress.ip_interface(f"{_without_leading_zeros(address)}/{length}")
    except ValueError:
        return False
    return True


def _plain_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and (len(text) <= 3)


_hex_pairs = {6, 8, 20}


def _is_mac(text: str) -> bool:
    """EUI-48, EUI-64 and 20-octet InfiniBand addresses, with colons, dashes or dots."""
    for separator, digits in ((":", 2), ("-", 2), (".", 4)):
        parts = text.split(separator)
        if len(parts) * digits // 2 in _hex_pairs and all(
            len(each) == digits and all(one in "0123456789abcdefABCDEF" for one in each) for each in parts
        ):
            return True
    return False


def _isbn_digits(text: str, count: int) -> str:
    digits = text.replace("-", "").replace(" ", "")
    return digits if len(digits) == count and digits[:-1].isascii() and digits[:-1].isdigit() else ""


def _is_isbn10(text: str) -> bool:
    digits = _isbn_digits(text, 10)
    if not digits or digits[-1] not in "0123456789X":
        return False
    values = [10 if each == "X" else int(each) for each in digits]
    return sum((place + 1) * value for place, value in enumerate(values)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = _isbn_digits(text, 13)
    if not digits or digits[-1] not in "0123456789":
        return False
    return sum(int(each) * (3 if place % 2 else 1) for place, each in enumerate(digits)) % 10 == 0


_CARD = _expression(
    r"(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11}"
    r"|6[27][0-9]{14})",
    re.ASCII,
)


def _is_credit_card(text: str) -> bool:
    digits = "".join(each for each in text if each in "0123456789")
    if not _CARD().fullmatch(digits):
        return False
    total = 0
    for place, each in enumerate(reversed(digits)):
        value = int(each) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_CHANNEL = "(?:0|[1-9][0-9]?|1[0-9][0-9]?|2[0-4][0-9]|25[0-5])"
_BLANKS = r"[\t\n\f\r ]*"
_CLOCK = _expression(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))")
_DATE = _expression(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _is_date(text: str) -> bool:
    found = _DATE().fullmatch(text)
    if not found:
        return False
    year, month, day = (int(each) for each in found.groups())
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1]:
        return False
    return (month, day) != (2, 29) or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))


def _is_date_time(text: str) -> bool:
    parts = text.lower().split("t")
    if len(parts) < 2 or not _is_date(parts[0]):
        return False
    clock = _CLOCK().fullmatch(parts[1])
    return clock is not None and clock[1] <= "23" and clock[2] <= "59" and clock[3] <= "59"


_SCALA_DURATION = _expression("([0-9]+)[\t\n\f\r ]*([A-Za-zµ]+)")
_UNITS = {"ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"}
_UNIT_PREFIXES = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week", "wk")


def _is_duration(text: str) -> bool:
    """A Go duration, or one as Scala writes it: `22 ns`, `3 weeks`."""
    try:
        parse_duration(text)
    except ValueError:
        units = [found[2].lower() for found in _SCALA_DURATION().finditer(text)]
        return any(unit in _UNITS or unit.startswith(_UNIT_PREFIXES) for unit in units)
    return True


def _is_quantity(text: str) -> bool:
    try:
        parse_quantity(text)
    except QuantityError:
        return False
    return True


def _uuid(version: str) -> Check:
    third = f"{version}[0-9a-f]{{3}}" if version else "[0-9a-f]{4}"
    fourth = "[89ab][0-9a-f]{3}" if version in ("4", "5") else "[0-9a-f]{4}"
    return _matcher(
        f"[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{third}-?{fourth}-?[0-9a-f]{{12}}", re.IGNORECASE | re.ASCII
    )


_CHECKS: dict[str, Check] = {
    "bsonobjectid": _matcher("[0-9a-fA-F]{24}"),
    "uri": _is_uri,
    "email": _is_email,
    "hostname": _is_hostname,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "cidr": _is_cidr,
    "mac": _is_mac,
    "uuid": _uuid(""),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4"),
    "uuid5": _uuid("5"),
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "creditcard": _is_credit_card,
    "ssn": _matcher(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "hexcolor": _matcher("#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "rgbcolor": _matcher(
        rf"rgb\({_BLANKS}{_CHANNEL}{_BLANKS},{_BLANKS}{_CHANNEL}{_BLANKS},{_BLANKS}{_CHANNEL}{_BLANKS}\)"
    ),
    "byte": _matcher("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"),
    "password": lambda _: True,
    "date": _is_date,
    "duration": _is_duration,
    "datetime": _is_date_time,
    "quantity": _is_quantity,
    "k8sshortname": lambda text: not is_dns1123_label(text),
    "k8slongname": lambda text: not is_dns1123_subdomain(text),
}
