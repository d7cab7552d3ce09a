"""Values of the libraries' own types: what they hold, how they are equal, what they cost."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apimachinery.cel.libraries.support import call, overload

from kajitori.apimachinery.cel.errors import EvaluationError
from kajitori.apimachinery.cel.libraries.cidr import CidrValue, cidr
from kajitori.apimachinery.cel.libraries.formats import formats
from kajitori.apimachinery.cel.libraries.ip import ip, parse_ip
from kajitori.apimachinery.cel.libraries.mutation import JSON_PATCH, misplaced_types, mutation_types
from kajitori.apimachinery.cel.libraries.quantity import QuantityValue, quantity
from kajitori.apimachinery.cel.libraries.semver import semver
from kajitori.apimachinery.cel.libraries.urls import urls
from kajitori.apimachinery.cel.types import DYN
from kajitori.apimachinery.cel.values import (
    INT_MAX,
    INT_MIN,
    NONE,
    Optional,
    Struct,
    contains,
    equal,
    type_of,
)

QUANTITY = "string_to_quantity"


def amount(text: str) -> QuantityValue:
    value = call(quantity, QUANTITY, text)
    assert isinstance(value, QuantityValue)
    return value


def network(text: str) -> CidrValue:
    value = call(cidr, "string_to_cidr", text)
    assert isinstance(value, CidrValue)
    return value


def version(text: str, *normalize: bool) -> Any:
    return call(semver(1), "string_bool_to_semver" if normalize else "string_to_semver", text, *normalize)


@pytest.mark.parametrize("text", ["::ffff:1.2.3.4", "fe80::1%eth0", "1.2.3", ""])
def test_mapped_and_zoned_addresses_are_none(text: str) -> None:
    assert call(ip, "is_ip", text) is False


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("127.0.0.1", True),
        ("2001:db8::abcd", True),
        ("2001:DB8::ABCD", False),
        ("2001:db8::0:0:0:abcd", False),
    ],
)
def test_an_address_may_be_canonical(text: str, canonical: bool) -> None:
    assert call(ip, "ip_is_canonical", text) is canonical


def test_a_network_whose_address_has_bits_of_hosts_is_one() -> None:
    assert str(call(cidr, "cidr_ip", network("192.168.0.1/24"))) == "192.168.0.1"
    assert str(call(cidr, "cidr_masked", network("192.168.0.1/24"))) == "192.168.0.0/24"


def test_kubernetes_forgets_why_a_text_is_no_address_of_a_network() -> None:
    with pytest.raises(EvaluationError, match=r"^no such overload$"):
        call(cidr, "cidr_contains_ip_string", network("10.0.0.0/8"), "10.0.0.256")


def test_kubernetes_says_twice_why_a_text_is_no_network() -> None:
    trouble = "network address parse error during conversion from string: "
    with pytest.raises(EvaluationError) as refused:
        network("10.0.0.0")
    assert str(refused.value) == f"{trouble}{trouble}netip.ParsePrefix(\"10.0.0.0\"): no '/'"


@pytest.mark.parametrize(
    ("text", "integer"),
    [
        ("5", 5),
        ("1.5k", 1500),
        ("2Ki", 2048),
        ("1000m", None),
        ("0.5Gi", None),
        ("1e19", None),
        ("9223372036854775807", None),
        ("100000000000000000", 10**17),
    ],
)
def test_whether_an_amount_is_an_integer_depends_on_how_kubernetes_keeps_it(
    text: str, integer: int | None
) -> None:
    value = amount(text)
    assert value.as_integer() == integer
    if integer is None:
        with pytest.raises(EvaluationError, match="cannot convert value to integer"):
            call(quantity, "quantity_get_int", value)


def test_an_approximate_float_has_the_error_of_a_product() -> None:
    assert amount("0.3").as_float() == 3 * 0.1
    assert amount("1.1Ki").as_float() == 1126400000000 * (1.0 / 1e9)


def test_a_result_takes_the_format_of_the_left_amount_unless_that_is_zero() -> None:
    assert str(amount("1Ki").plus(amount("1k"))) == "2024"
    assert str(amount("0").plus(amount("1Ki"))) == "1Ki"
    assert str(call(quantity, "quantity_sub_int", amount("50k"), 2)) == "49998"


def test_nothing_equals_the_result_of_an_addition_but_it_may_equal_others() -> None:
    result = amount("1").plus(amount("1"))
    assert equal(result, amount("2"))
    with pytest.raises(EvaluationError, match="no such overload"):
        equal(amount("2"), result)
    assert not contains([result], amount("2"))
    assert equal([amount("2")], [result])


@given(st.integers(INT_MIN, INT_MAX), st.integers(INT_MIN + 1, INT_MAX))
def test_sums_and_differences_are_exact(one: int, other: int) -> None:
    value = amount(str(one))
    assert call(quantity, "quantity_add_int", value, other).amount == amount(str(one + other)).amount
    assert call(quantity, "quantity_sub_int", value, other).amount == amount(str(one - other)).amount


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1.0.0-alpha", "1.0.0-alpha.1"),
        ("1.0.0-alpha.1", "1.0.0-alpha.beta"),
        ("1.0.0-2", "1.0.0-11"),
        ("1.0.0-11", "1.0.0-rc"),
        ("1.0.0-rc.1", "1.0.0"),
        ("1.9.0", "1.10.0"),
    ],
)
def test_versions_are_ordered_by_precedence(left: str, right: str) -> None:
    assert call(semver(1), "semver_is_less_than", version(left), version(right))
    assert call(semver(1), "semver_compare_to", version(right), version(left)) == 1


def test_build_metadata_does_not_count() -> None:
    assert equal(version("1.0.0+a"), version("1.0.0+b"))
    assert str(version("1.0.0-x+a.b")) == "1.0.0-x+a.b"


@pytest.mark.parametrize(
    ("text", "normal"), [("v1.0", "1.0.0"), ("01.002.03", "1.2.3"), ("v1", "1.0.0"), ("0.0.0-1", "0.0.0-1")]
)
def test_versions_can_be_normalized(text: str, normal: str) -> None:
    assert str(version(text, True)) == normal
    assert call(semver(1), "is_semver_string", text) is (text == normal)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Version string empty"),
        ("1.0", "No Major.Minor.Patch elements found"),
        ("01.0.0", 'Major number must not contain leading zeroes "01"'),
        ("a.0.0", 'Invalid character(s) found in major number "a"'),
        ("1..0", 'strconv.ParseUint: parsing "": invalid syntax'),
        ("18446744073709551616.0.0", 'strconv.ParseUint: parsing "18446744073709551616": value out of range'),
        ("1.0.0-", "Prerelease is empty"),
        ("1.0.0-01", 'Numeric PreRelease version must not contain leading zeroes "01"'),
        ("1.0.0+", "Build meta data is empty"),
    ],
)
def test_what_is_no_version_is_refused_in_kubernetes_words(text: str, problem: str) -> None:
    with pytest.raises(EvaluationError) as refused:
        version(text)
    assert str(refused.value) == problem


def test_a_url_is_equal_to_one_shown_alike() -> None:
    url = overload(urls, "string_to_url").call
    assert equal(url("HTTPS://a/b"), url("https://a/b"))
    assert not equal(url("https://a/b"), url("https://a/b?"))


@pytest.mark.parametrize(
    ("name", "text", "problems"),
    [
        ("dns1123Label", "web", None),
        ("dns1123LabelPrefix", "web-", None),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", None),
        ("uuid", "123", ["does not match the UUID format"]),
        ("byte", "aGVsbG8", ["invalid base64"]),
        ("date", "2021-02-29", ["invalid date"]),
        ("datetime", "2021-01-01", ["invalid datetime"]),
        ("uri", "x y", ['parse "x y": invalid URI for request']),
        ("labelValue", "x" * 64, ["must be no more than 63 bytes"]),
    ],
)
def test_a_format_says_what_is_wrong_with_a_text(name: str, text: str, problems: list[str] | None) -> None:
    named = call(formats, "format-named", name)
    found = call(formats, "format-validate", named.value, text)
    assert found == (NONE if problems is None else Optional(problems))


def test_an_unknown_format_is_none() -> None:
    assert call(formats, "format-named", "DNS1123Label") is NONE


def test_values_have_the_types_of_kubernetes() -> None:
    assert type_of(parse_ip("::1")).name == "net.IP"
    assert type_of(amount("1")).name == "kubernetes.Quantity"


def test_a_value_of_another_type_cannot_be_compared() -> None:
    with pytest.raises(EvaluationError, match="no such overload"):
        equal(parse_ip("::1"), "::1")
    assert not equal("::1", parse_ip("::1"))


def test_below_object_every_name_is_a_type_with_any_field() -> None:
    spec = mutation_types("Object.spec")
    assert spec is not None and spec.fields is not None and spec.fields.get("anything") == DYN
    assert mutation_types("JSONPatch") is JSON_PATCH
    assert mutation_types("Objects") is None


def test_types_below_object_belong_where_their_names_say() -> None:
    def made(name: str, /, **fields: Any) -> Struct:
        one = mutation_types(name)
        assert one is not None
        return Struct(one, fields.items())

    good = made("Object", spec=made("Object.spec", containers=[made("Object.spec.containers", name="a")]))
    assert misplaced_types(good) == []
    bad = made("Object", spec=made("Object.metadata"))
    assert misplaced_types(bad) == [
        'unexpected type name "Object.metadata", expected "Object.spec", '
        "which matches field name path from root Object type"
    ]
