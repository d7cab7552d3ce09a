"""Formats accept what Kubernetes accepts."""

import pytest

from kajitori.apimachinery.structural.formats import format_check, is_known_format

GOOD = {
    "ipv4": ["10.0.0.1", "010.0.0.1"],
    "ipv6": ["::1", "fe80::1", "::ffff:1.2.3.4"],
    "cidr": ["10.0.0.0/8", "2001:db8::/32", "10.1.2.3/24"],
    "uri": ["https://a.example/x?y=z", "/path", "urn:a:b", "http://[::1]:80/"],
    "email": ["a@example.com", "Some One <a@example.com>"],
    "hostname": ["example.com", "a", "node1.example.com"],
    "mac": ["00:11:22:33:44:55", "0011.2233.4455", "00-11-22-33-44-55-66-77"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000"],
    "uuid4": ["123e4567-e89b-42d3-a456-426614174000"],
    "byte": ["aGVsbG8=", "YWJj"],
    "date": ["2024-02-29"],
    "date-time": ["2006-01-02T15:04:05Z", "2006-01-02T15:04:05.123+09:00"],
    "duration": ["1h30m", "22 ns", "3 weeks"],
    "password": ["anything"],
    "hexcolor": ["#FFF", "a0b1c2"],
    "rgbcolor": ["rgb(0, 10,255)"],
    "isbn10": ["0321751043"],
    "isbn13": ["978-0321751041"],
    "creditcard": ["4111 1111 1111 1111"],
    "ssn": ["123-45-6789"],
    "quantity": ["10Gi", "500m"],
    "bsonobjectid": ["507f1f77bcf86cd799439011"],
    "k8s-short-name": ["my-name"],
    "k8s-long-name": ["my.long.name"],
}
BAD = {
    "ipv4": ["10.0.0", "::1", "10.0.0.256"],
    "ipv6": ["10.0.0.1", "fe80::1%eth0", ":::"],
    "cidr": ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08x"],
    "uri": ["", "relative", "http://a b/", "/%zz", "http://h:port/"],
    "email": ["a", "a@", "<a@example.com"],
    "hostname": ["-a.com", "a..b", "x" * 64 + ".com", "under_score.com"],
    "mac": ["00:11:22:33:44", "00:11-22:33:44:55"],
    "uuid": ["123e4567"],
    "uuid4": ["123e4567-e89b-12d3-a456-426614174000"],
    "byte": ["", "a", "a==="],
    "date": ["2023-02-29", "2024-13-01", "2024-1-1"],
    "date-time": ["2006-01-02", "2006-01-02T25:00:00Z", "2006-01-02 15:04:05Z"],
    "duration": ["", "later"],
    "hexcolor": ["#FFFF"],
    "rgbcolor": ["rgb(1,2,256)"],
    "isbn10": ["0321751044"],
    "isbn13": ["978-0321751042"],
    "creditcard": ["4111 1111 1111 1112"],
    "ssn": ["123456-789"],
    "quantity": ["10 Gi"],
    "bsonobjectid": ["x" * 24],
    "k8s-short-name": ["My-Name", "a.b"],
    "k8s-long-name": ["a..b"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in GOOD for text in GOOD[name]])
def test_a_good_text_passes(name: str, text: str) -> None:  # F1
    check = format_check(name)
    assert check is not None and check(text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in BAD for text in BAD[name]])
def test_a_bad_text_does_not(name: str, text: str) -> None:  # F1
    check = format_check(name)
    assert check is not None and not check(text)


def test_dashes_do_not_matter_and_unknown_formats_are_not_checked() -> None:  # F2
    assert format_check("date-time") is format_check("datetime")
    assert format_check("color") is None
    assert is_known_format("integer", "int32") and not is_known_format("integer", "double")
