"""What names, labels and keys may look like, in Kubernetes' words.

Sits under `validation`, which makes errors of fields out of these messages.

Promises
    N1  a text is refused exactly when Kubernetes refuses it, with the same message
    N2  lengths are counted in bytes of UTF-8, as Go counts them

Every checker gives a list of messages, empty when all is well.

Source: apimachinery's pkg/api/validate/content, pkg/util/validation and pkg/api/validation/generic.
"""

import re
from collections.abc import Callable

__all__ = [
    "NameValidator",
    "is_config_map_key",
    "is_dns1035_label",
    "is_dns1123_label",
    "is_dns1123_subdomain",
    "is_env_var_name",
    "is_http_header_name",
    "is_label_value",
    "is_port_name",
    "is_port_number",
    "is_qualified_name",
    "is_wildcard_dns1123_subdomain",
    "name_is_dns1035_label",
    "name_is_dns_label",
    "name_is_dns_subdomain",
    "name_is_path_segment",
    "regex_error",
    "too_long",
]

NameValidator = Callable[[str, bool], list[str]]
"""Messages about a name; the flag says that it is a `generateName`, to which a suffix will be added."""

LABEL_BYTES_MAX = 63
SUBDOMAIN_BYTES_MAX = 253
PORT_NAME_BYTES_MAX = 15

_LABEL_FORMAT = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_FORMAT = _LABEL_FORMAT + r"(\." + _LABEL_FORMAT + ")*"
_DNS1035_FORMAT = "[a-z]([-a-z0-9]*[a-z0-9])?"
_KEY_FORMAT = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE_FORMAT = f"({_KEY_FORMAT})?"
_WILDCARD_FORMAT = r"\*\." + _SUBDOMAIN_FORMAT
_CONFIG_KEY_FORMAT = "[-._a-zA-Z0-9]+"
_ENV_FORMAT = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_HEADER_FORMAT = "[-A-Za-z0-9]+"

_label_matches = re.compile(_LABEL_FORMAT).fullmatch
_subdomain_matches = re.compile(_SUBDOMAIN_FORMAT).fullmatch
_dns1035_matches = re.compile(_DNS1035_FORMAT).fullmatch
_key_matches = re.compile(_KEY_FORMAT).fullmatch
_value_matches = re.compile(_VALUE_FORMAT).fullmatch
_wildcard_matches = re.compile(_WILDCARD_FORMAT).fullmatch
_config_key_matches = re.compile(_CONFIG_KEY_FORMAT).fullmatch
_plain_key_matches = re.compile("[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?").fullmatch
"""What nearly every label key and value is: no prefix, and short enough for both."""
_plain_name_matches = re.compile("[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?").fullmatch
"""What nearly every name is: a DNS label, short enough for everything that takes one."""
_env_matches = re.compile(_ENV_FORMAT).fullmatch
_header_matches = re.compile(_HEADER_FORMAT).fullmatch
_port_matches = re.compile("[-a-z0-9]+").fullmatch

_ALPHANUMERIC_ENDS = "must start and end with an alphanumeric character"
_LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    + _ALPHANUMERIC_ENDS
)
_SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
    + _ALPHANUMERIC_ENDS
)
_DNS1035_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character"
)
_KEY_MESSAGE = "must consist of alphanumeric characters, '-', '_' or '.', and " + _ALPHANUMERIC_ENDS
_VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
    + _ALPHANUMERIC_ENDS
)
_WILDCARD_MESSAGE = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
    "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)
_CONFIG_KEY_MESSAGE = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
_ENV_MESSAGE = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', "
    "and must not start with a digit"
)
_HEADER_MESSAGE = "a valid HTTP header must consist of alphanumeric characters or '-'"


def regex_error(message: str, pattern: str, *examples: str) -> str:
    """`message (e.g. 'a',  or 'b', regex used for validation is 'pattern')`, with Kubernetes' two spaces."""
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    shown = " or ".join(f"'{each}', " for each in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{pattern}')"


def too_long(text: str, bytes_max: int, unit: str) -> list[str]:
    """A message when the text has more than `bytes_max` bytes; it says `unit`, whatever was counted."""
    if len(text) > bytes_max or (not text.isascii() and len(text.encode("utf-8", "replace")) > bytes_max):
        return [f"must be no more than {bytes_max} {unit}"]
    return []


def is_dns1123_label(text: str) -> list[str]:
    if _plain_name_matches(text):
        return []
    errors = too_long(text, LABEL_BYTES_MAX, "characters")
    if not _label_matches(text):
        if _subdomain_matches(text):
            errors.append("must not contain dots")
        else:
            errors.append(regex_error(_LABEL_MESSAGE, _LABEL_FORMAT, "my-name", "123-abc"))
    return errors


def is_dns1123_subdomain(text: str, *, unit: str = "characters") -> list[str]:
    """`unit` is what the length message counts in: label keys say bytes where names say characters."""
    if _plain_name_matches(text):
        return []
    errors = too_long(text, SUBDOMAIN_BYTES_MAX, unit)
    if not _subdomain_matches(text):
        errors.append(regex_error(_SUBDOMAIN_MESSAGE, _SUBDOMAIN_FORMAT, "example.com"))
    return errors


def is_wildcard_dns1123_subdomain(text: str) -> list[str]:
    """`*.example.com`."""
    errors = too_long(text, SUBDOMAIN_BYTES_MAX, "characters")
    if not _wildcard_matches(text):
        errors.append(regex_error(_WILDCARD_MESSAGE, _WILDCARD_FORMAT, "*.example.com"))
    return errors


def is_dns1035_label(text: str) -> list[str]:
    errors = too_long(text, LABEL_BYTES_MAX, "characters")
    if not _dns1035_matches(text):
        errors.append(regex_error(_DNS1035_MESSAGE, _DNS1035_FORMAT, "my-name", "abc-123"))
    return errors


def is_qualified_name(text: str) -> list[str]:
    """A label key, annotation key or finalizer: a name, maybe with a DNS subdomain and a slash before it."""
    if _plain_key_matches(text):
        return []
    parts = text.split("/")
    errors: list[str] = []
    if len(parts) > 2:
        told = regex_error(_KEY_MESSAGE, _KEY_FORMAT, "MyName", "my.name", "123-abc")
        return [
            f"a valid label key {told} with an optional DNS subdomain prefix and '/' "
            "(e.g. 'example.com/MyName')"
        ]
    if len(parts) == 2:
        if not parts[0]:
            errors.append("prefix part must be non-empty")
        else:
            errors += [f"prefix part {each}" for each in is_dns1123_subdomain(parts[0], unit="bytes")]
    name = parts[-1]
    if not name:
        errors.append("name part must be non-empty")
    else:
        errors += [f"name part {each}" for each in too_long(name, LABEL_BYTES_MAX, "bytes")]
    if not _key_matches(name):
        told = regex_error(_KEY_MESSAGE, _KEY_FORMAT, "MyName", "my.name", "123-abc")
        errors.append(f"name part {told}")
    return errors


def is_label_value(text: str) -> list[str]:
    if _plain_key_matches(text):
        return []
    errors = too_long(text, LABEL_BYTES_MAX, "bytes")
    if not _value_matches(text):
        errors.append(regex_error(_VALUE_MESSAGE, _VALUE_FORMAT, "MyValue", "my_value", "12345"))
    return errors


def is_config_map_key(text: str) -> list[str]:
    errors = too_long(text, SUBDOMAIN_BYTES_MAX, "characters")
    if not _config_key_matches(text):
        errors.append(
            regex_error(_CONFIG_KEY_MESSAGE, _CONFIG_KEY_FORMAT, "key.name", "KEY_NAME", "key-name")
        )
    return errors + _parent_directory(text)


def is_env_var_name(text: str) -> list[str]:
    errors: list[str] = []
    if not _env_matches(text):
        errors.append(regex_error(_ENV_MESSAGE, _ENV_FORMAT, "my.env-name", "MY_ENV.NAME", "MyEnvName1"))
    return errors + _parent_directory(text)


def _parent_directory(text: str) -> list[str]:
    if text in (".", ".."):
        return [f"must not be '{text}'"]
    return ["must not start with '..'"] if text.startswith("..") else []


def is_http_header_name(text: str) -> list[str]:
    if _header_matches(text):
        return []
    return [regex_error(_HEADER_MESSAGE, _HEADER_FORMAT, "X-Header-Name")]


def is_port_number(port: int) -> list[str]:
    return [] if 1 <= port <= 65535 else ["must be between 1 and 65535, inclusive"]


def is_port_name(text: str) -> list[str]:
    errors = too_long(text, PORT_NAME_BYTES_MAX, "characters")
    if not _port_matches(text):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not any("a" <= character <= "z" for character in text):
        errors.append("must contain at least one letter (a-z)")
    if "--" in text:
        errors.append("must not contain consecutive hyphens")
    if text[:1] == "-" or text[-1:] == "-":
        errors.append("must not begin or end with a hyphen")
    return errors


def _masked(name: str, prefix: bool) -> str:
    """A generateName may end in a dash, because more follows."""
    return name[:-2] + "a" if prefix and len(name) > 1 and name.endswith("-") else name


def name_is_dns_subdomain(name: str, prefix: bool = False) -> list[str]:
    return is_dns1123_subdomain(_masked(name, prefix))


def name_is_dns_label(name: str, prefix: bool = False) -> list[str]:
    return is_dns1123_label(_masked(name, prefix))


def name_is_dns1035_label(name: str, prefix: bool = False) -> list[str]:
    return is_dns1035_label(_masked(name, prefix))


def name_is_path_segment(name: str, prefix: bool = False) -> list[str]:
    """The least that is asked of any name: it fits into a URL path."""
    if not prefix and name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{each}'" for each in "/%" if each in name]
