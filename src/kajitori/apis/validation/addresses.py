"""IP addresses and networks in objects, as strictly as Kubernetes takes them today.

Promises
    A1  zeros in front of a number, IPv4 in IPv6's clothes and bits beyond a network's length are refused
    A2  what an object already said before a change may stay

Source: apimachinery's pkg/util/validation/ip.go, with StrictIPCIDRValidation on.
"""

import ipaddress
import re
from collections.abc import Collection

from kajitori.apimachinery.errors import FieldError
from kajitori.apis.validation.checks import Errors

__all__ = [
    "check_address",
    "check_canonical_address",
    "check_canonical_network",
    "check_endpoint_address",
    "check_network",
    "family_of",
    "parse_address",
    "parse_network",
]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LEADING_ZEROS = re.compile(r"(?<![0-9A-Fa-f:])0+(?=[0-9])")
_NO_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_NO_NETWORK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_LEFT_OUT: tuple[str, ...] = ()


def _without_zeros(text: str) -> str:
    """The text with the zeros gone that Go once read over: those in front of IPv4 numbers."""
    if ":" not in text:
        return _LEADING_ZEROS.sub("", text)
    head, _, tail = text.rpartition(":")
    return f"{head}:{_LEADING_ZEROS.sub('', tail)}" if "." in tail else text


def parse_address(text: str) -> Address | None:
    """The address that a text means to a lenient reader; IPv4 in IPv6's clothes is IPv4."""
    if "%" in text:
        return None
    try:
        address = ipaddress.ip_address(_without_zeros(text))
    except ValueError:
        return None
    return address.ipv4_mapped or address if address.version == 6 else address


def parse_network(text: str) -> tuple[Address, Network] | None:
    """The address and the network that a text means to a lenient reader."""
    address_text, slash, bits = text.partition("/")
    address = parse_address(address_text)
    if address is None or not slash or not (bits.isascii() and bits.isdigit()) or len(bits) > 9:
        return None
    mapped = ":" in address_text and address.version == 4
    length = int(bits) - (96 if mapped else 0)
    if not 0 <= length <= address.max_prefixlen:
        return None
    return address, ipaddress.ip_network((address, length), strict=False)


def family_of(text: str) -> int:
    """4 or 6; 0 for a text that is no address."""
    address = parse_address(text)
    return address.version if address else 0


def check_address(text: str, path: str, errors: Errors, kept: Collection[str] = _LEFT_OUT) -> None:
    """An address in any form that nobody can misread; `kept` are those that the old object had."""
    try:
        address = ipaddress.ip_address(text)
        if address.version == 4 or (address.ipv4_mapped is None and "%" not in text):
            return
    except ValueError:
        pass
    if text in kept:
        return
    if parse_address(text) is None:
        errors.append(FieldError.invalid(path, text, _NO_ADDRESS))
        return
    if text != _without_zeros(text):
        errors.append(FieldError.invalid(path, text, "must not have leading 0s"))
    else:
        errors.append(FieldError.invalid(path, text, "must not be an IPv4-mapped IPv6 address"))


def check_canonical_address(text: str, path: str, errors: Errors) -> None:
    """An address in the one form that counts."""
    before = len(errors)
    check_address(text, path, errors)
    if len(errors) == before and text != (shown := str(parse_address(text))):
        errors.append(FieldError.invalid(path, text, f'must be in canonical form ("{shown}")'))


def check_network(text: str, path: str, errors: Errors, kept: Collection[str] = _LEFT_OUT) -> None:
    """A network in any form that nobody can misread."""
    if text in kept:
        return
    found = parse_network(text)
    if found is None:
        errors.append(FieldError.invalid(path, text, _NO_NETWORK))
        return
    address, network = found
    address_text, _, bits = text.partition("/")
    if address_text != _without_zeros(address_text) or bits != str(int(bits)):
        errors.append(FieldError.invalid(path, text, "must not have leading 0s in IP or prefix length"))
    elif ":" in address_text and address.version == 4:
        errors.append(FieldError.invalid(path, text, "must not have an IPv4-mapped IPv6 address"))
    elif address != network.network_address:
        errors.append(FieldError.invalid(path, text, "must not have bits set beyond the prefix length"))


def check_canonical_network(text: str, path: str, errors: Errors) -> None:
    """A network in the one form that counts."""
    before = len(errors)
    check_network(text, path, errors)
    found = parse_network(text)
    if len(errors) == before and found is not None and text != (shown := str(found[1])):
        errors.append(FieldError.invalid(path, text, f'must be in canonical form ("{shown}")'))


def check_endpoint_address(text: str, path: str, errors: Errors) -> None:
    """An address that traffic can be sent to."""
    address = parse_address(text)
    if address is None:
        errors.append(FieldError.invalid(path, text, "must be a valid IP address"))
        return
    if address.is_unspecified:
        errors.append(FieldError.invalid(path, text, f"may not be unspecified ({text})"))
    if address.is_loopback:
        told = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
        errors.append(FieldError.invalid(path, text, told))
    if address.is_link_local:
        told = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        errors.append(FieldError.invalid(path, text, told))
    if _is_link_local_multicast(address):
        told = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        errors.append(FieldError.invalid(path, text, told))


def _is_link_local_multicast(address: Address) -> bool:
    packed = address.packed
    if address.version == 4:
        return packed[:3] == b"\xe0\x00\x00"
    return packed[0] == 0xFF and packed[1] & 0x0F == 0x02
