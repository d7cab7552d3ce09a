"""Warnings about addresses that are accepted though they are not written as they should be.

Source: apimachinery's util/validation/ip.go. Kubernetes accepts zeros in front of IPv4 numbers, as Go once did.
"""

import ipaddress
import re

from kajitori.apimachinery.decode import go_quote

__all__ = ["cidr_warnings", "ip_warnings", "sloppy_ip"]

_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def sloppy_ip(text: str) -> _Address | None:
    """The address a text means, zeros in front of IPv4 numbers ignored; None when it means none."""
    try:
        if ":" not in text:
            return ipaddress.IPv4Address(_LEADING_ZEROS.sub("", text))
        if "%" in text:
            return None
        head, _, tail = text.rpartition(":")
        address = ipaddress.IPv6Address(f"{head}:{_LEADING_ZEROS.sub('', tail) if '.' in tail else tail}")
    except ValueError:
        return None
    return address.ipv4_mapped or address


def ip_warnings(path: str, text: str) -> list[str]:
    """What is unusual about an address that is accepted."""
    meant = sloppy_ip(text)
    if meant is None:
        return []
    if isinstance(meant, ipaddress.IPv4Address):
        if text == str(meant):
            return []
        return [f"{path}: non-standard IP address {go_quote(text)} is invalid: use {go_quote(str(meant))}"]
    if text == str(meant):
        return []
    shown = go_quote(str(meant))
    return [f"{path}: IPv6 address {go_quote(text)} should be in RFC 5952 canonical format ({shown})"]


def cidr_warnings(path: str, text: str) -> list[str]:
    """What is unusual about a network that is accepted."""
    address_text, _, bits = text.partition("/")
    address = sloppy_ip(address_text)
    if address is None or not (bits.isascii() and bits.isdigit()):
        return []
    mapped = isinstance(address, ipaddress.IPv4Address) and ":" in address_text
    length = int(bits) - (96 if mapped else 0)
    if not 0 <= length <= address.max_prefixlen:
        return []
    network = ipaddress.ip_network((address, length), strict=False)
    told: list[str] = []
    quoted = go_quote(text)
    if network.network_address != address:
        single = go_quote(f"{address}/{address.max_prefixlen}")
        told.append(
            f"{path}: CIDR value {quoted} is ambiguous in this context "
            f"(should be {go_quote(str(network))} or {single}?)"
        )
    is_plain_ipv4 = isinstance(address, ipaddress.IPv4Address)
    standard = not mapped and bits == str(int(bits)) and (not is_plain_ipv4 or address_text == str(address))
    if not standard:
        told.append(f"{path}: non-standard CIDR value {quoted} is invalid: use {go_quote(str(network))}")
    elif not told and not is_plain_ipv4 and text != f"{address}/{length}":
        shown = go_quote(f"{address}/{length}")
        told.append(f"{path}: IPv6 CIDR value {quoted} should be in RFC 5952 canonical format ({shown})")
    return told
