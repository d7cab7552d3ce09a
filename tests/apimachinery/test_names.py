"""What names, labels and keys may look like."""

import pytest

from kajitori.apimachinery.names import (
    is_config_map_key,
    is_dns1035_label,
    is_dns1123_label,
    is_dns1123_subdomain,
    is_env_var_name,
    is_http_header_name,
    is_label_value,
    is_port_name,
    is_port_number,
    is_qualified_name,
    is_wildcard_dns1123_subdomain,
    name_is_dns1035_label,
    name_is_dns_label,
    name_is_dns_subdomain,
    name_is_path_segment,
    regex_error,
)

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
    "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
KEY = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def test_subdomains() -> None:  # N1
    for good in ("a", "a.b", "1-2.x", "a" * 253):
        assert is_dns1123_subdomain(good) == []
    for bad in ("", "A", "a_b", "-a", "a-", "a..b", ".a", "a\n", "é"):
        assert is_dns1123_subdomain(bad) == [SUBDOMAIN]
    assert is_dns1123_subdomain("a" * 254) == ["must be no more than 253 characters"]


def test_labels_of_the_dns() -> None:  # N1
    assert is_dns1123_label("a-1") == []
    assert is_dns1123_label("a.b") == ["must not contain dots"]
    assert is_dns1123_label("A") == [LABEL]
    assert is_dns1123_label("a" * 64) == ["must be no more than 63 characters"]
    assert is_dns1035_label("a-1") == []
    assert is_dns1035_label("1a")[0].startswith("a DNS-1035 label must consist of")
    assert is_wildcard_dns1123_subdomain("*.a.b") == []
    assert is_wildcard_dns1123_subdomain("a.b")[0].startswith(
        "a wildcard DNS-1123 subdomain must start with '*.'"
    )


def test_keys_of_labels_and_annotations() -> None:  # N1
    for good in ("a", "a/b", "A.b_c-d", "example.com/x"):
        assert is_qualified_name(good) == []
    assert is_qualified_name("") == ["name part must be non-empty", f"name part {KEY}"]
    assert is_qualified_name("/a") == ["prefix part must be non-empty"]
    assert is_qualified_name("A/a") == [f"prefix part {SUBDOMAIN}"]
    assert is_qualified_name("a" * 64) == ["name part must be no more than 63 bytes"]
    assert is_qualified_name(f"{'a' * 254}/b") == ["prefix part must be no more than 253 bytes"]
    (told,) = is_qualified_name("a/b/c")
    assert (
        told
        == f"a valid label key {KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
    )


def test_values_of_labels() -> None:
    assert is_label_value("") == is_label_value("a.B_c-1") == []
    assert is_label_value("a" * 64) == ["must be no more than 63 bytes"]
    assert is_label_value("-a")[0].startswith("a valid label must be an empty string or consist of")


def test_lengths_are_bytes() -> None:  # N2
    assert "must be no more than 63 bytes" in is_label_value("é" * 32)
    assert "must be no more than 63 bytes" not in is_label_value("é" * 31)


def test_other_names() -> None:
    assert is_config_map_key("a_B.c-1") == is_env_var_name("A_b.c") == is_http_header_name("X-A") == []
    assert is_config_map_key("..") == ["must not be '..'"]
    assert is_config_map_key("..a") == ["must not start with '..'"]
    assert is_config_map_key("a b")[0].startswith("a valid config key must consist of")
    assert is_env_var_name("1a")[0].startswith("a valid environment variable name must consist of")
    assert is_http_header_name("X A")[0].startswith("a valid HTTP header must consist of")
    assert is_port_name("http-1") == is_port_number(1) == is_port_number(65535) == []
    assert is_port_number(0) == ["must be between 1 and 65535, inclusive"]
    assert is_port_name("a--b-") == [
        "must not contain consecutive hyphens",
        "must not begin or end with a hyphen",
    ]
    assert is_port_name("1") == ["must contain at least one letter (a-z)"]
    assert is_port_name("A" * 16)[0] == "must be no more than 15 characters"


def test_a_prefix_may_end_in_a_dash() -> None:
    for check in (name_is_dns_subdomain, name_is_dns_label, name_is_dns1035_label):
        assert check("a-", True) == []
        assert check("a-", False) != []
        assert check("-", True) != []


def test_names_that_fit_a_path() -> None:
    assert name_is_path_segment("system:admin") == []
    assert name_is_path_segment("..") == ["may not be '..'"]
    assert name_is_path_segment("..", True) == []
    assert name_is_path_segment("a/%") == ["may not contain '/'", "may not contain '%'"]


@pytest.mark.parametrize(
    ("examples", "shown"),
    [
        ((), "m (regex used for validation is 'r')"),
        (("a",), "m (e.g. 'a', regex used for validation is 'r')"),
        (("a", "b"), "m (e.g. 'a',  or 'b', regex used for validation is 'r')"),
    ],
)
def test_how_an_expression_is_explained(examples: tuple[str, ...], shown: str) -> None:
    assert regex_error("m", "r", *examples) == shown
