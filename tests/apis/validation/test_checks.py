"""The small checks that all rules are made of."""

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apis.validation.cases import KEY, invalid

from kajitori.apimachinery import validation as slow
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.labels import selector_from_object
from kajitori.apis.validation import checks
from kajitori.apis.validation.addresses import (
    check_address,
    check_canonical_address,
    check_canonical_network,
    check_network,
    family_of,
    parse_address,
)
from kajitori.apis.validation.go_values import go_struct
from kajitori.apis.validation.paths import check_descending_path, check_local_path
from kajitori.apis.validation.shares import share_amount

NAMES = st.one_of(
    st.text(alphabet="aZ0-._/\n ä", max_size=12),
    st.builds(
        lambda count, more: "a" * count + more, st.integers(60, 66), st.sampled_from(["", "-", ".a", "/a"])
    ),
    st.builds(lambda count: ".".join(["a" * 60] * 4) + "a" * count, st.integers(0, 14)),
    st.builds(lambda count: ".".join(["a" * 60] * 4) + "a" * count + "/a", st.integers(0, 14)),
    st.text(max_size=20),
)


def told(check: Callable[..., None], *arguments: object) -> list[str]:
    errors: list[FieldError] = []
    check(*arguments, "p", errors)
    return [str(each) for each in errors]


def shown(text: str, problems: list[str]) -> list[str]:
    return [str(FieldError.invalid("p", text, each)) for each in problems]


@given(NAMES)
def test_quick_looks_see_what_slow_ones_see(text: str) -> None:
    assert told(checks.check_label, text) == shown(text, slow.is_dns1123_label(text))
    assert told(checks.check_subdomain, text) == shown(text, slow.is_dns1123_subdomain(text))
    assert told(checks.check_qualified_name, text) == shown(text, slow.is_qualified_name(text))
    assert told(checks.check_port_or_name, text) == shown(text, slow.is_port_name(text))
    assert bool(checks.is_short_port_name(text)) == (not slow.is_port_name(text))


@given(st.dictionaries(NAMES, NAMES, max_size=3))
def test_labels_and_annotations(pairs: dict[str, str]) -> None:
    def texts(errors: list[FieldError]) -> list[str]:
        return [str(each) for each in errors]

    assert told(checks.check_labels, pairs) == texts(slow.validate_labels(pairs, "p"))
    assert told(checks.check_template_annotations, pairs) == texts(slow.validate_annotations(pairs, "p"))
    selector = {"matchLabels": pairs}
    assert told(checks.check_label_selector, selector) == texts(slow.validate_label_selector(selector, "p"))


@pytest.mark.parametrize("size", [262_144, 262_145])
def test_annotations_are_counted_in_bytes(size: int) -> None:
    annotations = {"a": "ä" * ((size - 1) // 2) + "x" * ((size - 1) % 2)}
    found = told(checks.check_template_annotations, annotations)
    assert found == ([] if size == 262_144 else ["p: Too long: may not be more than 262144 bytes"])


LABELS = st.dictionaries(st.sampled_from(["a", "b", "-"]), st.sampled_from(["x", "y", "-"]), max_size=2)


@given(LABELS, LABELS)
def test_selection(wanted: dict[str, str], labels: dict[str, str]) -> None:
    selector = {"matchLabels": wanted}
    try:
        expected = selector_from_object(selector).matches(labels)
    except ValueError:
        expected = None
    assert checks.selects(selector, labels) == expected
    assert checks.selects(None, labels) is False
    assert checks.selects({}, labels) is True


def test_expressions_select() -> None:
    selector = {"matchExpressions": [{"key": "a", "operator": "Exists"}]}
    assert checks.selects(selector, {"a": "b"}) is True
    assert checks.selects(selector, {}) is False
    assert checks.selects({"matchExpressions": [{"key": "a", "operator": "X"}]}, {}) is None


def test_what_is_remembered_is_bounded() -> None:
    checks._is_short_key.cache_clear()
    told(checks.check_qualified_name, "x" * 100_000)
    assert checks._is_short_key.cache_info().currsize == 0
    for number in range(3000):
        told(checks.check_qualified_name, f"k{number}")
    found = checks._is_short_key.cache_info()
    assert found.maxsize is not None
    assert found.currsize <= found.maxsize


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("acme.io/foo", []),
        ("", ["p: Required value"]),
        ("acme.io", invalid("p", "acme.io", 'must be a domain-prefixed path (such as "acme.io/foo")')),
        ("acme.io/", invalid("p", "acme.io/", 'must be a domain-prefixed path (such as "acme.io/foo")')),
        (
            "acme.io/a b",
            invalid(
                "p",
                "a b",
                r"Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')",
            ),
        ),
    ],
)
def test_domain_paths(text: str, problems: list[str]) -> None:
    assert told(checks.check_domain_path, text) == problems


def test_duplicates_with_a_reason() -> None:
    assert str(checks.duplicate_with_detail("p", "a", "why")) == 'p: Duplicate value: "a": why'
    assert told(checks.check_label_key, "-") == invalid("p", "-", KEY)


# Addresses.

NO_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
NO_NETWORK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
ZEROS = "must not have leading 0s"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10.0.0.1", ""),
        ("fd00::1", ""),
        ("FD00:0::1", ""),
        ("x", NO_ADDRESS),
        ("", NO_ADDRESS),
        ("10.0.0", NO_ADDRESS),
        ("fe80::1%eth0", NO_ADDRESS),
        ("010.0.0.1", ZEROS),
        ("::ffff:010.0.0.1", ZEROS),
        ("::ffff:10.0.0.1", "must not be an IPv4-mapped IPv6 address"),
    ],
)
def test_addresses(text: str, problem: str) -> None:
    assert told(check_address, text) == ([f'p: Invalid value: "{text}": {problem}'] if problem else [])
    errors: list[FieldError] = []
    check_address(text, "p", errors, [text])
    assert errors == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10.0.0.0/8", ""),
        ("fd00::/64", ""),
        ("x", NO_NETWORK),
        ("10.0.0.0", NO_NETWORK),
        ("10.0.0.0/33", NO_NETWORK),
        ("10.0.0.0/", NO_NETWORK),
        ("10.0.0.0/-1", NO_NETWORK),
        ("010.0.0.0/8", "must not have leading 0s in IP or prefix length"),
        ("10.0.0.0/08", "must not have leading 0s in IP or prefix length"),
        ("::ffff:10.0.0.0/104", "must not have an IPv4-mapped IPv6 address"),
        ("10.0.0.1/8", "must not have bits set beyond the prefix length"),
    ],
)
def test_networks(text: str, problem: str) -> None:
    assert told(check_network, text) == ([f'p: Invalid value: "{text}": {problem}'] if problem else [])


def test_one_form_counts() -> None:
    assert told(check_canonical_address, "fd00::1") == []
    assert told(check_canonical_address, "FD00::1") == [
        'p: Invalid value: "FD00::1": must be in canonical form ("fd00::1")'
    ]
    assert told(check_canonical_network, "FD00::/64") == [
        'p: Invalid value: "FD00::/64": must be in canonical form ("fd00::/64")'
    ]


@given(st.ip_addresses())
def test_what_is_an_address_is_fine(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert bool(told(check_address, str(address))) == (mapped is not None)
    assert family_of(str(address)) == (4 if mapped else address.version)


@given(st.text(alphabet="0123456789abcdef:./%x", max_size=20))
def test_no_text_is_too_odd_for_an_address(text: str) -> None:
    assert (parse_address(text) is None) == (family_of(text) == 0)
    told(check_address, text)
    told(check_network, text)


# Values in messages, and other small things.


def test_structs_stand_in_messages_as_go_knows_them() -> None:
    term = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}
    assert go_struct("core.v1.NodeSelectorTerm", term) == {
        "MatchExpressions": [{"Key": "a", "Operator": "In", "Values": ["b"]}],
        "MatchFields": None,
    }
    assert go_struct("core.v1.Toleration", None) == {
        "Key": "",
        "Operator": "",
        "Value": "",
        "Effect": "",
        "TolerationSeconds": None,
    }


@given(st.text(alphabet="./a", max_size=12))
def test_paths_stay_below_where_they_start(path: str) -> None:
    escapes = path.startswith("/") or ".." in path.split("/")
    assert bool(told(check_descending_path, path)) == escapes
    if escapes:
        assert told(check_local_path, path)


@given(st.integers(0, 10**30))
def test_shares(number: int) -> None:
    assert (share_amount(f"{number}%") > 100) == (number > 100)
    assert share_amount(f"{min(number, 999)}%") == min(number, 999)
    assert share_amount(number) == number
    assert share_amount("x") == 0
