"""How a Pod resolves names.

Source: validatePodDNSConfig in pkg/apis/core/validation; the limits are those of Linux' libc.
"""

import re

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import regex_error
from kajitori.apis.validation.addresses import check_address
from kajitori.apis.validation.checks import Errors

__all__ = ["check_dns_config"]

_NAMESERVERS_MAX = 3
_SEARCHES_MAX = 32
_SEARCH_CHARACTERS_MAX = 2048
_SUBDOMAIN_BYTES_MAX = 253
_SEARCH_FORMAT = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*"
_search_matches = re.compile(_SEARCH_FORMAT).fullmatch
_NO_SEARCH = regex_error(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', "
    "and must start and end with an alphanumeric character",
    _SEARCH_FORMAT,
    "example.com",
)


def check_dns_config(config: JsonObject | None, policy: str, path: str, errors: Errors) -> None:
    if policy == "None":
        if config is None:
            told = "must provide `dnsConfig` when `dnsPolicy` is None"
            errors.append(FieldError.required(path, told))
            return
        if not config.get("nameservers"):
            told = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            errors.append(FieldError.required(f"{path}.nameservers", told))
            return
    if config is None:
        return
    servers: list[str] = config.get("nameservers") or []
    if len(servers) > _NAMESERVERS_MAX:
        told = f"must not have more than {_NAMESERVERS_MAX} nameservers"
        errors.append(FieldError.invalid(f"{path}.nameservers", servers, told))
    for index, server in enumerate(servers):
        check_address(server, f"{path}.nameservers[{index}]", errors)
    searches: list[str] = config.get("searches") or []
    if len(searches) > _SEARCHES_MAX:
        told = f"must not have more than {_SEARCHES_MAX} search paths"
        errors.append(FieldError.invalid(f"{path}.searches", searches, told))
    if len(" ".join(searches).encode()) > _SEARCH_CHARACTERS_MAX:
        told = f"must not have more than {_SEARCH_CHARACTERS_MAX} characters (including spaces) in the search list"
        errors.append(FieldError.invalid(f"{path}.searches", searches, told))
    for index, search in enumerate(searches):
        if search != ".":
            _check_search(search.removesuffix("."), f"{path}.searches[{index}]", errors)
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            errors.append(FieldError.required(f"{path}.options[{index}]", "must not be empty"))


def _check_search(search: str, path: str, errors: Errors) -> None:
    if len(search.encode()) > _SUBDOMAIN_BYTES_MAX:
        told = f"must be no more than {_SUBDOMAIN_BYTES_MAX} characters"
        errors.append(FieldError.invalid(path, search, told))
    if not _search_matches(search):
        errors.append(FieldError.invalid(path, search, _NO_SEARCH))
