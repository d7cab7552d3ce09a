"""Addresses are read and shown as Go's net/netip does it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.addresses import Address, AddressError, parse_address, parse_prefix


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::", "::"),
        ("2001:DB8::0:0:0:abcd", "2001:db8::abcd"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("::1.2.3.4", "::102:304"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_an_address_is_shown_in_its_canonical_form(text: str, shown: str) -> None:  # A2
    assert str(parse_address(text)) == shown


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'ParseAddr(""): unable to parse IP'),
        ("%eth0", 'ParseAddr("%eth0"): missing IPv6 address'),
        ("127.0.0.256", 'ParseAddr("127.0.0.256"): IPv4 field has value >255'),
        ("127.0.00.1", 'ParseAddr("127.0.00.1"): IPv4 field has octet with leading zero'),
        ("1..2.3", 'ParseAddr("1..2.3"): IPv4 field must have at least one digit (at ".2.3")'),
        ("1.2.3.", 'ParseAddr("1.2.3."): IPv4 field must have at least one digit (at ".")'),
        ("1.2.3.4.5", 'ParseAddr("1.2.3.4.5"): IPv4 address too long'),
        ("1.2.3", 'ParseAddr("1.2.3"): IPv4 address too short'),
        ("1.2.é.4", 'ParseAddr("1.2.é.4"): unexpected character (at "é.4")'),
        (":::1", 'ParseAddr(":::1"): each colon-separated field must have at least one digit (at ":1")'),
        ("1::2::3", 'ParseAddr("1::2::3"): multiple :: in address (at ":3")'),
        ("12345::", 'ParseAddr("12345::"): each group must have 4 or less digits (at "12345::")'),
        ("1:2", 'ParseAddr("1:2"): address string too short'),
        ("1:2:", 'ParseAddr("1:2:"): colon must be followed by more characters (at ":")'),
        ("1:2:3:4:5:6:7:8:9", 'ParseAddr("1:2:3:4:5:6:7:8:9"): trailing garbage after address (at "9")'),
        (
            "1::2:3:4:5:6:7:8",
            'ParseAddr("1::2:3:4:5:6:7:8"): the :: must expand to at least one field of zeros',
        ),
        ("::1%", 'ParseAddr("::1%"): zone must be a non-empty string'),
        (
            "1:2:1.2.3.4",
            'ParseAddr("1:2:1.2.3.4"): embedded IPv4 address must replace the final 2 fields of the address'
            ' (at "1.2.3.4")',
        ),
    ],
)
def test_what_is_no_address_is_refused_in_gos_words(text: str, problem: str) -> None:  # A1
    with pytest.raises(AddressError) as refused:
        parse_address(text)
    assert str(refused.value) == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10.0.0.0", "no '/'"),
        ("10.0.0.0/", 'bad bits after slash: ""'),
        ("10.0.0.0/08", 'bad bits after slash: "08"'),
        ("10.0.0.0/+8", 'bad bits after slash: "+8"'),
        ("10.0.0.0/33", "prefix length out of range"),
        ("10.0.0.0/99999999999999999999", 'bad bits after slash: "99999999999999999999"'),
        ("fe80::%a/64", "IPv6 zones cannot be present in a prefix"),
        ("x/8", 'ParseAddr("x"): unable to parse IP'),
    ],
)
def test_what_is_no_prefix_is_refused_in_gos_words(text: str, problem: str) -> None:  # A1
    with pytest.raises(AddressError) as refused:
        parse_prefix(text)
    assert str(refused.value) == f'netip.ParsePrefix("{text}"): {problem}'


def test_a_prefix_keeps_the_bits_of_hosts_until_masked() -> None:
    prefix = parse_prefix("192.168.1.5/24")
    assert str(prefix) == "192.168.1.5/24"
    assert str(prefix.masked()) == "192.168.1.0/24"


def test_a_network_contains_its_own_family_only() -> None:
    everything = parse_prefix("0.0.0.0/0")
    assert everything.contains(parse_address("1.2.3.4"))
    assert not everything.contains(parse_address("::1"))
    assert everything.contains_prefix(parse_prefix("10.0.0.0/8"))
    assert not parse_prefix("10.0.0.0/8").contains_prefix(everything)


@given(st.integers(0, (1 << 128) - 1))
def test_what_is_shown_is_read_again(number: int) -> None:  # A1, A2
    address = Address(number, 128)
    assert parse_address(str(address)) == address
