"""`ip` and what can be asked of an address: since Kubernetes 1.30.

An IPv4 address written as IPv6 (`::ffff:1.2.3.4`) and one with a zone are refused.

Source: apiserver's pkg/cel/library/ip.go and pkg/cel/ip.go.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from kajitori.apimachinery.addresses import Address, AddressError, parse_address
from kajitori.apimachinery.cel.cost import STRING_TRAVERSAL_FACTOR
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.libraries.opaque import OpaqueValue
from kajitori.apimachinery.cel.prices import by_size, priced
from kajitori.apimachinery.cel.types import BOOL, INT, STRING, Type, opaque, type_of
from kajitori.apimachinery.decode import go_quote

__all__ = ["IP", "IpValue", "ip", "parse_ip"]

IP = opaque("net.IP")


class IpValue(OpaqueValue):
    """An address."""

    __slots__ = ("address",)

    cel_type: ClassVar[Type] = IP

    def __init__(self, address: Address) -> None:
        self.address = address

    @property
    def cel_size(self) -> int:
        """Its bytes, for costs."""
        return self.address.bits // 8

    def _identity(self) -> Address:
        return self.address

    def __str__(self) -> str:
        return str(self.address)


def parse_ip(text: str) -> IpValue:
    """The address that a text says.

    Raises: EvaluationError.
    """
    try:
        address = parse_address(text)
    except AddressError as problem:
        raise EvaluationError(
            f"IP Address {go_quote(text)} parse error during conversion from string: {problem}"
        ) from None
    if address.zone:
        raise EvaluationError(f"IP address {go_quote(text)} with zone value is not allowed")
    if address.is_ipv4_mapped:
        raise EvaluationError(f"IPv4-mapped IPv6 address {go_quote(text)} is not allowed")
    return IpValue(address)


def _is_ip(text: str) -> bool:
    try:
        parse_ip(text)
    except EvaluationError:
        return False
    return True


def _asked(name: str, overload: str, result: Type, answer: Callable[[Address], Any]) -> Function:
    """A question about an address, at the price of one unit."""
    return function(
        name, Overload(overload, (IP,), result, call=lambda value: answer(value.address), member=True)
    )


ip = Library(
    "kubernetes.net.ip",
    functions=(
        priced("ip", by_size(), Overload("string_to_ip", (STRING,), IP, call=parse_ip)),
        priced("isIP", by_size(), Overload("is_ip", (STRING,), BOOL, call=_is_ip)),
        priced(
            "ip.isCanonical",
            by_size(factor=2 * STRING_TRAVERSAL_FACTOR),
            Overload("ip_is_canonical", (STRING,), BOOL, call=lambda text: str(parse_ip(text)) == text),
        ),
        _asked("family", "ip_family", INT, lambda address: address.family),
        _asked("isUnspecified", "ip_is_unspecified", BOOL, lambda address: address.is_unspecified),
        _asked("isLoopback", "ip_is_loopback", BOOL, lambda address: address.is_loopback),
        _asked(
            "isLinkLocalMulticast",
            "ip_is_link_local_multicast",
            BOOL,
            lambda address: address.is_link_local_multicast,
        ),
        _asked(
            "isLinkLocalUnicast",
            "ip_is_link_local_unicast",
            BOOL,
            lambda address: address.is_link_local_unicast,
        ),
        _asked("isGlobalUnicast", "ip_is_global_unicast", BOOL, lambda address: address.is_global_unicast),
        function("string", Overload("ip_to_string", (IP,), STRING, call=str)),
    ),
    constants={"net.IP": (type_of(IP), IP)},
)
