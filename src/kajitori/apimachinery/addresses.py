"""IP addresses and prefixes as Go's net/netip reads and shows them.

Sits under the functions of CEL that know addresses, and under `urls`. Python's own `ipaddress` accepts and refuses
other texts, and says so in other words.

Promises
    A1  a text is accepted exactly when netip.ParseAddr or netip.ParsePrefix accepts it, and refused with its message
    A2  str() is the canonical text: for IPv6 that of RFC 5952

Source: Go's net/netip; RFC 4291 for what kinds of addresses there are.
"""

from dataclasses import dataclass

from kajitori.apimachinery.decode import go_quote

__all__ = ["Address", "AddressError", "Prefix", "parse_address", "parse_prefix"]

_IPV4_BITS = 32
_IPV6_BITS = 128
_GROUPS = 8
_HEX = frozenset("0123456789abcdefABCDEF")


class AddressError(ValueError):
    """A text that is no address or no prefix; the message is Go's."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address as a number of 32 or 128 bits."""

    number: int
    bits: int
    zone: str = ""

    def __str__(self) -> str:
        if self.bits == _IPV4_BITS:
            return _dotted(self.number)
        zone = f"%{self.zone}" if self.zone else ""
        if self.is_ipv4_mapped:
            return f"::ffff:{_dotted(self.number & 0xFFFFFFFF)}{zone}"
        return _colons([self.number >> shift & 0xFFFF for shift in range(112, -1, -16)]) + zone

    @property
    def family(self) -> int:
        """4 or 6."""
        return 4 if self.bits == _IPV4_BITS else 6

    @property
    def is_ipv4_mapped(self) -> bool:
        """`::ffff:1.2.3.4`."""
        return self.bits == _IPV6_BITS and self.number >> 32 == 0xFFFF

    @property
    def is_unspecified(self) -> bool:
        """`0.0.0.0` or `::`."""
        return not self.number and not self.zone

    @property
    def is_loopback(self) -> bool:
        """`127.0.0.0/8` or `::1`."""
        return self.number >> 24 == 127 if self.bits == _IPV4_BITS else self.number == 1

    @property
    def is_multicast(self) -> bool:
        """`224.0.0.0/4` or `ff00::/8`."""
        return self.number >> 28 == 0xE if self.bits == _IPV4_BITS else self.number >> 120 == 0xFF

    @property
    def is_link_local_multicast(self) -> bool:
        """`224.0.0.0/24` or `ff02::/16`, whatever the flags of the latter."""
        if self.bits == _IPV4_BITS:
            return self.number >> 8 == 0xE00000
        return self.number >> 112 & 0xFF0F == 0xFF02

    @property
    def is_link_local_unicast(self) -> bool:
        """`169.254.0.0/16` or `fe80::/10`."""
        return self.number >> 16 == 0xA9FE if self.bits == _IPV4_BITS else self.number >> 118 == 0x3FA

    @property
    def is_global_unicast(self) -> bool:
        """Any that is none of the above nor IPv4's broadcast; private ones are global too."""
        if self.is_unspecified or (self.bits == _IPV4_BITS and self.number == 0xFFFFFFFF):
            return False
        return not (self.is_loopback or self.is_multicast or self.is_link_local_unicast)


@dataclass(frozen=True, slots=True)
class Prefix:
    """An address and how many of its leading bits name the network; the other bits need not be zero."""

    address: Address
    length: int

    def __str__(self) -> str:
        return f"{self.address}/{self.length}"

    def masked(self) -> "Prefix":
        """The same network, with the bits of hosts cleared."""
        shift = self.address.bits - self.length
        return Prefix(Address(self.address.number >> shift << shift, self.address.bits), self.length)

    def contains(self, address: Address) -> bool:
        """Whether the address is in this network; one of the other family never is."""
        return self.address.bits == address.bits and self._agrees(address, self.length)

    def contains_prefix(self, other: "Prefix") -> bool:
        """Whether all of the other network is in this one."""
        return self.length <= other.length and self.contains(other.address)

    def _agrees(self, address: Address, length: int) -> bool:
        return not (self.address.number ^ address.number) >> (address.bits - length)


def _dotted(number: int) -> str:
    return ".".join(str(number >> shift & 0xFF) for shift in (24, 16, 8, 0))


def _colons(groups: list[int]) -> str:
    """Groups in hexadecimal; `::` for the first of the longest runs of two zeros or more."""
    start = length = at = 0
    while at < _GROUPS:
        end = at
        while end < _GROUPS and not groups[end]:
            end += 1
        if end - at > max(length, 1):
            start, length = at, end - at
        at = max(end, at + 1)
    if not length:
        return ":".join(f"{group:x}" for group in groups)
    head, tail = groups[:start], groups[start + length :]
    return ":".join(f"{group:x}" for group in head) + "::" + ":".join(f"{group:x}" for group in tail)


def parse_address(text: str) -> Address:
    """The address that a text says, perhaps with a zone.

    Raises: AddressError.
    """
    first = next((char for char in text if char in ".:%"), "")
    if first == ".":
        return Address(_octets(text, text), _IPV4_BITS)
    if first == ":":
        return _ipv6(text)
    raise _refused(text, "missing IPv6 address" if first else "unable to parse IP")


def parse_prefix(text: str) -> Prefix:
    """The prefix that a text such as `10.0.0.0/8` says.

    Raises: AddressError.
    """
    head, slash, length = text.rpartition("/")
    if not slash:
        raise _refused_prefix(text, "no '/'")
    try:
        address = parse_address(head)
    except AddressError as problem:
        raise _refused_prefix(text, str(problem)) from None
    if address.zone:
        raise _refused_prefix(text, "IPv6 zones cannot be present in a prefix")
    if not _is_number(length):
        raise _refused_prefix(text, f"bad bits after slash: {go_quote(length)}")
    if int(length) > address.bits:
        raise _refused_prefix(text, "prefix length out of range")
    return Prefix(address, int(length))


def _is_number(text: str) -> bool:
    """Digits without a needless zero that fit 64 bits."""
    if not (text.isascii() and text.isdigit()) or (len(text) > 1 and text[0] == "0"):
        return False
    return len(text) < 20 and int(text) < 1 << 63


def _refused(text: str, problem: str, at: str = "") -> AddressError:
    place = f" (at {go_quote(at)})" if at else ""
    return AddressError(f"ParseAddr({go_quote(text)}): {problem}{place}")


def _refused_prefix(text: str, problem: str) -> AddressError:
    return AddressError(f"netip.ParsePrefix({go_quote(text)}): {problem}")


def _octets(whole: str, text: str) -> int:
    """The number of a dotted address, which is all of `whole` or its end."""
    number = value = digits = fields = 0
    for at, char in enumerate(text):
        if "0" <= char <= "9":
            if digits == 1 and not value:
                raise _refused(whole, "IPv4 field has octet with leading zero")
            value = value * 10 + int(char)
            digits += 1
            if value > 255:
                raise _refused(whole, "IPv4 field has value >255")
        elif char == ".":
            if not digits or at == len(text) - 1:
                raise _refused(whole, "IPv4 field must have at least one digit", text[at:])
            if fields == 3:
                raise _refused(whole, "IPv4 address too long")
            number = number << 8 | value
            fields += 1
            value = digits = 0
        else:
            raise _refused(whole, "unexpected character", text[at:])
    if fields < 3:
        raise _refused(whole, "IPv4 address too short")
    return number << 8 | value


def _ipv6(whole: str) -> Address:
    rest, percent, zone = whole.partition("%")
    if percent and not zone:
        raise _refused(whole, "zone must be a non-empty string")
    groups: list[int] = []
    ellipsis = -1
    """Where in the groups `::` stands."""
    if rest.startswith("::"):
        ellipsis = 0
        rest = rest[2:]
        if not rest:
            return Address(0, _IPV6_BITS, zone)
    while len(groups) < _GROUPS:
        digits = _hex_digits(whole, rest)
        if rest[digits : digits + 1] == ".":
            if ellipsis < 0 and len(groups) != 6:
                raise _refused(
                    whole, "embedded IPv4 address must replace the final 2 fields of the address", rest
                )
            if len(groups) > 6:
                raise _refused(
                    whole, "too many hex fields to fit an embedded IPv4 at the end of the address", rest
                )
            number = _octets(whole, rest)
            groups += (number >> 16, number & 0xFFFF)
            rest = ""
            break
        groups.append(int(rest[:digits], 16))
        rest = rest[digits:]
        if not rest:
            break
        if rest[0] != ":":
            raise _refused(whole, "unexpected character, want colon", rest)
        if len(rest) == 1:
            raise _refused(whole, "colon must be followed by more characters", rest)
        rest = rest[1:]
        if rest[0] == ":":
            if ellipsis >= 0:
                raise _refused(whole, "multiple :: in address", rest)
            ellipsis = len(groups)
            rest = rest[1:]
            if not rest:
                break
    if rest:
        raise _refused(whole, "trailing garbage after address", rest)
    return Address(_number(whole, groups, ellipsis), _IPV6_BITS, zone)


def _hex_digits(whole: str, rest: str) -> int:
    """How many hexadecimal digits the rest begins with."""
    count = 0
    while count < len(rest) and rest[count] in _HEX:
        if count > 3:
            raise _refused(whole, "each group must have 4 or less digits", rest)
        count += 1
    if not count:
        raise _refused(whole, "each colon-separated field must have at least one digit", rest)
    return count


def _number(whole: str, groups: list[int], ellipsis: int) -> int:
    missing = _GROUPS - len(groups)
    if missing and ellipsis < 0:
        raise _refused(whole, "address string too short")
    if not missing and ellipsis >= 0:
        raise _refused(whole, "the :: must expand to at least one field of zeros")
    number = 0
    for group in groups[: max(ellipsis, 0)] + [0] * missing + groups[max(ellipsis, 0) :]:
        number = number << 16 | group
    return number
