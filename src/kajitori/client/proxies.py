"""Which proxy leads to a server, as the environment says. Pure: the caller hands the environment in.

Source: Go's golang.org/x/net/http/httpproxy, which client-go asks: HTTPS_PROXY and HTTP_PROXY by the scheme of the
server, NO_PROXY a list of hosts, domains, addresses and networks, each with a port or without, `*` for everything.
"""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult

__all__ = ["proxy_of"]


def proxy_of(server: SplitResult, environ: Mapping[str, str]) -> str:
    """The URL of the proxy; empty: none. This machine is never reached through one."""
    scheme = server.scheme
    proxy = environ.get(f"{scheme.upper()}_PROXY") or environ.get(f"{scheme}_proxy") or ""
    if not proxy or _is_left_out(server, environ.get("NO_PROXY") or environ.get("no_proxy") or ""):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_left_out(server: SplitResult, listed: str) -> bool:
    host = (server.hostname or "").rstrip(".").lower()
    port = str(server.port or (443 if server.scheme == "https" else 80))
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    for entry in listed.lower().split(","):
        entry = entry.strip()
        if entry == "*":
            return True
        if not entry:
            continue
        if address is not None and "/" in entry:
            try:
                if address in ip_network(entry, strict=False):
                    return True
            except ValueError:
                pass  # It names something else.
            continue
        name, wanted_port = _split(entry)
        if wanted_port in ("", port) and _names(name, host):
            return True
    return False


def _split(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") > 1:
        return entry, ""  # An IPv6 address.
    name, _, port = entry.partition(":")
    return name, port


def _names(name: str, host: str) -> bool:
    """`example.com` is itself and what is under it; `.example.com` and `*.example.com` only what is under it."""
    suffix = name.removeprefix("*")
    if suffix.startswith("."):
        return host.endswith(suffix)
    return host == suffix or host.endswith("." + suffix)
