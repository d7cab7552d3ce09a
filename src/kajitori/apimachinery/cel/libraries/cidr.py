"""`cidr` and what can be asked of a network: since Kubernetes 1.30.

Bits of hosts may be set: `cidr('10.0.0.1/8')` is a network of which `ip()` is `10.0.0.1`.

Source: apiserver's pkg/cel/library/cidr.go and pkg/cel/cidr.go.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from kajitori.apimachinery.addresses import AddressError, Prefix, parse_prefix
from kajitori.apimachinery.cel.cost import STRING_TRAVERSAL_FACTOR, Cost, Estimate, Node, Size
from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.functions import Function, Library, Overload, function
from kajitori.apimachinery.cel.libraries.ip import IP, IpValue, parse_ip
from kajitori.apimachinery.cel.libraries.opaque import OpaqueValue, no_overload
from kajitori.apimachinery.cel.prices import by_size, priced, size_of, traversal
from kajitori.apimachinery.cel.types import BOOL, INT, STRING, Type, opaque, type_of
from kajitori.apimachinery.decode import go_quote

__all__ = ["CIDR", "CidrValue", "cidr"]

CIDR = opaque("net.CIDR")

_ADDRESS_BYTES = Size(4, 16)


class CidrValue(OpaqueValue):
    """A network."""

    __slots__ = ("prefix",)

    cel_type: ClassVar[Type] = CIDR

    def __init__(self, prefix: Prefix) -> None:
        self.prefix = prefix

    @property
    def cel_size(self) -> int:
        """The bytes that the prefix takes, for costs."""
        return -(-self.prefix.length // 8)

    def _identity(self) -> Prefix:
        return self.prefix

    def __str__(self) -> str:
        return str(self.prefix)


def _parse_cidr(text: str) -> CidrValue:
    # Kubernetes says this twice.
    trouble = "network address parse error during conversion from string: "
    try:
        prefix = parse_prefix(text)
    except AddressError as problem:
        raise EvaluationError(f"{trouble}{trouble}{problem}") from None
    if prefix.address.is_ipv4_mapped:
        raise EvaluationError(f"{trouble}IPv4-mapped IPv6 address {go_quote(text)} is not allowed")
    return CidrValue(prefix)


def _is_cidr(text: str) -> bool:
    try:
        _parse_cidr(text)
    except EvaluationError:
        return False
    return True


def _contains_ip(value: CidrValue, address: IpValue) -> bool:
    return value.prefix.contains(address.address)


def _contains_ip_text(value: CidrValue, text: str) -> bool:
    try:
        address = parse_ip(text)
    except EvaluationError:
        raise no_overload() from None  # Kubernetes forgets what was wrong.
    return _contains_ip(value, address)


def _contains_cidr(value: CidrValue, other: CidrValue) -> bool:
    return value.prefix.contains_prefix(other.prefix)


def _containment(name: str, overload: Overload, from_text: Overload, *, masking: bool) -> Function:
    """Whether a network contains something: compared byte by byte, after reading it when it is a text."""

    def cost(arguments: Sequence[Any], _result: Any) -> int:
        size = size_of(arguments[0])
        return traversal(size + size) + (traversal(size) + 1 if masking else 0)

    def cost_from_text(arguments: Sequence[Any], result: Any) -> int:
        return cost(arguments, result) + traversal(size_of(arguments[1]))

    def estimate(_arguments: Sequence[Node]) -> Estimate:
        compared = (_ADDRESS_BYTES + _ADDRESS_BYTES).cost(STRING_TRAVERSAL_FACTOR)
        masked = _ADDRESS_BYTES.cost(STRING_TRAVERSAL_FACTOR) + Cost(1, 1) if masking else Cost(0, 0)
        return Estimate(compared + masked)

    def estimate_from_text(arguments: Sequence[Node]) -> Estimate:
        read = arguments[1].size().cost(STRING_TRAVERSAL_FACTOR)
        return Estimate(estimate(arguments).cost + read)

    return function(
        name,
        replace(from_text, cost=cost_from_text, estimate=estimate_from_text),
        replace(overload, cost=cost, estimate=estimate),
        cost=cost,
    )


def _asked(name: str, overload: str, result: Type, answer: Callable[[Prefix], Any]) -> Function:
    """A question about a network, at the price of one unit."""
    return function(
        name, Overload(overload, (CIDR,), result, call=lambda value: answer(value.prefix), member=True)
    )


cidr = Library(
    "kubernetes.net.cidr",
    functions=(
        priced("cidr", by_size(), Overload("string_to_cidr", (STRING,), CIDR, call=_parse_cidr)),
        priced("isCIDR", by_size(), Overload("is_cidr", (STRING,), BOOL, call=_is_cidr)),
        _containment(
            "containsIP",
            Overload("cidr_contains_ip_ip", (CIDR, IP), BOOL, call=_contains_ip, member=True),
            Overload(
                "cidr_contains_ip_string",
                (CIDR, STRING),
                BOOL,
                call=_contains_ip_text,
                member=True,
            ),
            masking=False,
        ),
        _containment(
            "containsCIDR",
            Overload("cidr_contains_cidr", (CIDR, CIDR), BOOL, call=_contains_cidr, member=True),
            Overload(
                "cidr_contains_cidr_string",
                (CIDR, STRING),
                BOOL,
                call=lambda value, text: _contains_cidr(value, _parse_cidr(text)),
                member=True,
            ),
            masking=True,
        ),
        _asked("ip", "cidr_ip", IP, lambda prefix: IpValue(prefix.address)),
        _asked("prefixLength", "cidr_prefix_length", INT, lambda prefix: prefix.length),
        _asked("masked", "cidr_masked", CIDR, lambda prefix: CidrValue(prefix.masked())),
        function("string", Overload("cidr_to_string", (CIDR,), STRING, call=str)),
    ),
    constants={"net.CIDR": (type_of(CIDR), CIDR)},
)
