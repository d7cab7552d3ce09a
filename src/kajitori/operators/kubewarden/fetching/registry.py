"""A small client of registries: manifests, their configurations, blobs. Blocking: called in a thread.

Promises
    R1  what is asked for by digest is what that digest says, or is refused
    R2  a registry that wants a token gets one, with the user's credentials where there are some

Source: https://github.com/opencontainers/distribution-spec and the token authentication of distribution.
"""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import urlencode

import msgspec

from kajitori.operators.kubewarden.fetching.http import Answer, Web
from kajitori.operators.kubewarden.fetching.sources import FetchError, Reference, Unreachable

__all__ = ["Manifest", "Registry"]

MANIFEST_BYTES_MAX = 4 << 20
"""As registries take them."""
_TOKEN_BYTES_MAX = 1 << 20

_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class Manifest(msgspec.Struct, frozen=True):
    """A manifest, and the digest of its bytes."""

    digest: str
    content: dict[str, Any]


class Registry:
    """Asks registries."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._tokens: dict[tuple[str, str], str] = {}
        self._bases: dict[str, str] = {}

    def manifest(self, reference: Reference) -> Manifest:
        """Raises: FetchError."""
        path = f"/v2/{reference.repository}/manifests/{reference.version}"
        answer = self._get(reference, path, bytes_max=MANIFEST_BYTES_MAX, accept=", ".join(_MANIFESTS))
        digest = _digest(answer.body)
        if reference.digest and digest != reference.digest:
            raise FetchError(f"{reference}: the registry gave something else, with the digest {digest}")
        try:
            content = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise FetchError(f"{reference}: the registry gave no manifest") from None
        return Manifest(digest, content)

    def blob(self, reference: Reference, digest: str, *, bytes_max: int) -> bytes:
        """Raises: FetchError."""
        path = f"/v2/{reference.repository}/blobs/{digest}"
        body = self._get(reference, path, bytes_max=bytes_max).body
        if _digest(body) != digest:
            raise FetchError(f"{reference}: what the registry gave does not have the digest {digest}")
        return body

    def _get(self, reference: Reference, path: str, *, bytes_max: int, accept: str = "*/*") -> Answer:
        problem: FetchError | None = None
        known = self._bases.get(reference.host)
        for base in [known] if known else self._web.bases(reference.host):
            try:
                answer = self._authorized(reference, base + path, bytes_max, accept)
            except Unreachable as error:
                problem = error
                continue
            self._bases[reference.host] = base
            if answer.status == 200:
                return answer
            raise FetchError(f"{reference}: {_refusal(answer)}")
        assert problem is not None, reference
        raise problem

    def _authorized(self, reference: Reference, url: str, bytes_max: int, accept: str) -> Answer:
        key = (reference.host, reference.repository)
        headers = {"Accept": accept}
        if token := self._tokens.get(key):
            headers["Authorization"] = token
        answer = self._web.get(url, bytes_max=bytes_max, headers=headers)
        if answer.status != 401:
            return answer
        headers["Authorization"] = self._tokens[key] = self._token(reference, answer)
        return self._web.get(url, bytes_max=bytes_max, headers=headers)

    def _token(self, reference: Reference, answer: Answer) -> str:
        """What to authorize with. Raises: FetchError."""
        wanted = str(answer.headers.get("WWW-Authenticate") or "")
        credentials = self._web.credentials(reference.host)
        basic = ""
        if credentials is not None:
            basic = f"Basic {base64.b64encode(':'.join(credentials).encode()).decode()}"
        if wanted.lower().startswith("basic"):
            if not basic:
                raise FetchError(
                    f"{reference}: the registry wants a user and a password; give an imagePullSecret"
                )
            return basic
        parameters = dict(_PARAMETER.findall(wanted))
        realm = parameters.pop("realm", "")
        if not wanted.lower().startswith("bearer") or not realm:
            raise FetchError(f"{reference}: the registry refuses, and does not say how to authenticate")
        query = {"scope": f"repository:{reference.repository}:pull", **parameters}
        given = self._web.get(
            f"{realm}?{urlencode(query)}",
            bytes_max=_TOKEN_BYTES_MAX,
            headers={"Authorization": basic} if basic else {},
        )
        try:
            content = msgspec.json.decode(given.body) if given.status == 200 else {}
        except (msgspec.DecodeError, UnicodeDecodeError):
            content = {}
        token = content.get("token") or content.get("access_token") if isinstance(content, dict) else None
        if not token:
            raise FetchError(f"{reference}: no token for the registry: {_refusal(given)}")
        return f"Bearer {token}"


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _refusal(answer: Answer) -> str:
    try:
        errors = msgspec.json.decode(answer.body)["errors"]
        told = "; ".join(str(each.get("message") or each.get("code")) for each in errors)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        told = ""
    return f"the registry answered {answer.status}{': ' if told else ''}{told}"
