"""URLs are read, refused and shown as Go's net/url does it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kajitori.apimachinery.urls import UrlError, check_request_uri, parse_url


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'parse "": empty url'),
        ("path", 'parse "path": invalid URI for request'),
        (":80", 'parse ":80": missing protocol scheme'),
        ("http://a b/", 'parse "http://a b/": invalid character " " in host name'),
        ("http://a/\n", 'parse "http://a/\\n": net/url: invalid control character in URL'),
        ("http://a:x/", 'parse "http://a:x/": invalid port ":x" after host'),
        ("http://a:1:2/", 'parse "http://a:1:2/": invalid port ":1:2" after host'),
        ("http://[::1/", "parse \"http://[::1/\": missing ']' in host"),
        ("http://a[::1]/", 'parse "http://a[::1]/": invalid IP-literal'),
        ("http://[1.2.3.4]/", 'parse "http://[1.2.3.4]/": invalid IP-literal'),
        ("http://[x]/", 'parse "http://[x]/": invalid host: ParseAddr("x"): unable to parse IP'),
        ("http://a/%zz", 'parse "http://a/%zz": invalid URL escape "%zz"'),
        ("http://a/%é", 'parse "http://a/%é": invalid URL escape "%é"'),
        ("http://%41/", 'parse "http://%41/": invalid URL escape "%41"'),
        ("http://ü@a/", 'parse "http://ü@a/": net/url: invalid userinfo'),
        ("http://[::1%25%23]/", 'parse "http://[::1%25%23]/": invalid URL escape "%23"'),
    ],
)
def test_what_is_no_uri_is_refused_in_gos_words(text: str, problem: str) -> None:  # U1
    with pytest.raises(UrlError) as refused:
        check_request_uri(text)
    assert str(refused.value) == problem


def test_data_bases_may_list_their_hosts() -> None:  # U1
    assert parse_url("postgres://a:1,b:2/x").host == "a:1,b:2"


@pytest.mark.parametrize(
    ("text", "host", "hostname", "port"),
    [
        ("https://example.com:80/", "example.com:80", "example.com", "80"),
        ("https://[::1]:80/", "[::1]:80", "::1", "80"),
        ("https://[fe80::1%25en0]/", "[fe80::1%en0]", "fe80::1%en0", ""),
        ("https://example.com:/", "example.com:", "example.com", ""),
        ("https://user@example.com", "example.com", "example.com", ""),
        ("/path", "", "", ""),
    ],
)
def test_the_host_is_taken_apart(text: str, host: str, hostname: str, port: str) -> None:  # U2
    url = parse_url(text)
    assert (url.host, url.hostname, url.port) == (host, hostname, port)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("https://a/path with spaces/", "/path%20with%20spaces/"),
        ("https://a/%47o%2f", "/%47o%2f"),
        ("https://a/日", "/%E6%97%A5"),
        ("https://a/(x)!", "/(x)!"),
        ("*", "*"),
        ("https://a", ""),
    ],
)
def test_a_path_is_shown_as_it_was_written_if_that_is_sound(text: str, escaped: str) -> None:  # U2
    assert parse_url(text).escaped_path == escaped


def test_the_parameters_of_a_query_are_unescaped() -> None:  # U2
    url = parse_url("/p?k1=a&k2=b&k2=c+d&k%203=%2B&broken=%zz&a;b=1&&empty")
    assert url.parameters() == {"k1": ["a"], "k2": ["b", "c d"], "k 3": ["+"], "empty": [""]}


def test_bytes_that_are_no_characters_are_replaced() -> None:  # U2
    assert parse_url("/p?k=%ff%e6").parameters() == {"k": ["\ufffd\ufffd"]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("HTTP://User:p%40ss@Host/a?b#c%20d", "http://User:p%40ss@Host/a?b#c%20d"),
        ("mailto:x@y?", "mailto:x@y?"),
        ("file:/x", "file:/x"),
        ("file:///x", "file:///x"),
        ("x://", "x:"),
        ("//host/p", "//host/p"),
        ("./a:b", "./a:b"),
        ("https://a/%2f", "https://a/%2f"),
    ],
)
def test_a_url_is_shown_as_go_shows_it(text: str, shown: str) -> None:  # U3
    assert str(parse_url(text)) == shown


@given(st.text(alphabet="aé:/?#[]@%2541 ", max_size=12))
def test_what_is_shown_is_read_as_the_same(text: str) -> None:  # U3
    try:
        url = parse_url(text)
    except UrlError:
        return
    assert str(parse_url(str(url))) == str(url)
