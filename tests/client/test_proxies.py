"""Which proxy leads where, as in Go."""

from urllib.parse import urlsplit

import pytest

from kajitori.client.proxies import proxy_of

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("server", "left_out", "through"),
    [
        ("https://api.example.com", "", True),
        ("https://localhost:6443", "", False),
        ("https://127.8.8.8", "", False),
        ("https://[::1]:6443", "", False),
        ("https://api.example.com", "*", False),
        ("https://api.example.com", "other.org, example.com", False),
        ("https://api.example.com", ".example.com", False),
        ("https://example.com", ".example.com", True),
        ("https://example.com", "*.example.com", True),
        ("https://API.Example.com.", "example.COM", False),
        ("https://badexample.com", "example.com", True),
        ("https://api.example.com:6443", "example.com:6443", False),
        ("https://api.example.com", "example.com:6443", True),
        ("https://api.example.com", "example.com:443", False),
        ("https://10.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", "192.168.0.0/16,10.1.2.3", False),
        ("https://10.1.2.3:6443", "10.1.2.3:80", True),
        ("https://[fd00::1]:6443", "fd00::/8", False),
        ("https://[fd00::1]:6443", "fd00::1", False),
        ("https://[fd00::1]:6443", "[fd00::1]:6443", False),
        ("https://10.1.2.3", "10.0.0.0/99,,nonsense/8", True),
    ],
)
def test_what_is_left_out(server: str, left_out: str, through: bool) -> None:
    environ = {"HTTPS_PROXY": PROXY, "NO_PROXY": left_out}
    assert proxy_of(urlsplit(server), environ) == (PROXY if through else "")


def test_the_scheme_of_the_server_chooses() -> None:
    environ = {"http_proxy": "plain.example:80", "HTTPS_PROXY": PROXY, "no_proxy": "example.org"}
    assert proxy_of(urlsplit("http://api.example.com"), environ) == "http://plain.example:80"
    assert proxy_of(urlsplit("https://api.example.com"), environ) == PROXY
    assert proxy_of(urlsplit("https://api.example.org"), environ) == ""
    assert proxy_of(urlsplit("https://api.example.com"), {}) == ""
