"""Asks hosts for bytes, by HTTP and HTTPS. Blocking: called in a thread.

Promises
    H1  no more than the given number of bytes is read, and no longer than SECONDS_MAX
    H2  certificates are checked, against the host's own authorities where there are some; see `Sources`
    H3  credentials go to the host that they are for and to nobody it redirects to
"""

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from kajitori.operators.kubewarden.fetching.sources import FetchError, Sources, Unreachable

__all__ = ["Answer", "Web"]

SECONDS_MAX = 60.0
_AGENT = "kajitori"
_ERROR_BYTES_MAX = 4096


class Answer:
    """What a host answers."""

    def __init__(self, status: int, headers: Message, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            request.remove_header("Authorization")
        return request


class Web:
    """Asks, as the sources say."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def get(self, url: str, *, bytes_max: int, headers: Mapping[str, str] | None = None) -> Answer:
        """Any answer that is not a redirection. Raises: Unreachable where there is none, FetchError."""
        host = urlsplit(url).netloc
        request = urllib.request.Request(url, headers={"User-Agent": _AGENT, **(headers or {})})
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=self._tls(host)), _Redirects()
        )
        try:
            with opener.open(request, timeout=SECONDS_MAX) as answer:
                body = answer.read(bytes_max + 1)
                if len(body) > bytes_max:
                    raise FetchError(f"{url} has more than {bytes_max} bytes")
                return Answer(answer.status, answer.headers, body)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read(_ERROR_BYTES_MAX))
        except urllib.error.URLError as error:
            raise Unreachable(f"{url} cannot be reached: {error.reason}") from None
        except (OSError, ValueError) as error:
            raise FetchError(f"{url} cannot be read: {error}") from None

    def bases(self, host: str) -> list[str]:
        """How a host is tried: with TLS, and without only where it may be insecure."""
        return [f"https://{host}"] + ([f"http://{host}"] if host in self._sources.insecure else [])

    def credentials(self, host: str) -> tuple[str, str] | None:
        return self._sources.credentials.get(host)

    def _tls(self, host: str) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if host in self._sources.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        for pem in self._sources.authorities.get(host, ()):
            try:
                context.load_verify_locations(cadata=pem)
            except ssl.SSLError:
                raise FetchError(f"sourceAuthorities of {host}: that is no certificate in PEM") from None
        return context
