"""Modules, by where they are: fetched, checked, and compiled once per content.

Promises
    M1  the same content is compiled once, however many policies use it and wherever they have it from
    M2  what nobody uses any more is forgotten
    M3  fetching and compiling block nobody: they happen in a thread
"""

import asyncio
import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from kajitori.operators.kubewarden.fetching.sources import (
    FetchError,
    Reference,
    Sources,
    parse_reference,
    scheme_of,
)

if TYPE_CHECKING:
    from kajitori.operators.kubewarden.fetching.registry import Registry
    from kajitori.operators.kubewarden.runtime.engine import Engine
    from kajitori.operators.kubewarden.runtime.policy import Policy

__all__ = ["MODULE_BYTES_MAX", "Modules", "fetch_module"]

MODULE_BYTES_MAX = 64 << 20
"""Policies have some megabytes; those with an interpreter in them, some tens."""

_WASM_LAYERS = (
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/wasm",
    "application/vnd.module.wasm.content.layer.v1+wasm",
)


def fetch_module(module: str, sources: Sources) -> bytes:
    """The bytes of a module. Blocking. Raises: FetchError."""
    scheme, rest = scheme_of(module)
    if scheme == "file":
        return _of_file(module, Path(unquote(rest.removeprefix("localhost"))))
    # What speaks HTTP takes two megabytes, which nobody without policies should carry.
    from kajitori.operators.kubewarden.fetching.http import Web
    from kajitori.operators.kubewarden.fetching.registry import Registry

    web = Web(sources)
    if scheme == "registry":
        return _of_registry(parse_reference(rest), Registry(web))
    answer = web.get(module, bytes_max=MODULE_BYTES_MAX)
    if answer.status != 200:
        raise FetchError(f"{module}: the server answered {answer.status}")
    return answer.body


def _of_file(module: str, path: Path) -> bytes:
    try:
        if not path.is_file():  # A device or a pipe may never end.
            raise FetchError(f"{module} is no file")
        with path.open("rb") as file:
            content = file.read(MODULE_BYTES_MAX + 1)
    except OSError as error:
        raise FetchError(f"{module} cannot be read: {error.strerror}") from None
    if len(content) > MODULE_BYTES_MAX:
        raise FetchError(f"{module} has more than {MODULE_BYTES_MAX} bytes")
    return content


def _of_registry(reference: Reference, registry: "Registry") -> bytes:
    manifest = registry.manifest(reference)
    layers: list[dict[str, Any]] = manifest.content.get("layers") or []
    found = next((each for each in layers if each.get("mediaType") in _WASM_LAYERS), None)
    if found is None:
        raise FetchError(f"{reference} is no policy: it has no WebAssembly layer")
    if int(found.get("size") or 0) > MODULE_BYTES_MAX:
        raise FetchError(f"{reference} has more than {MODULE_BYTES_MAX} bytes")
    return registry.blob(reference, str(found["digest"]), bytes_max=MODULE_BYTES_MAX)


class Modules:
    """Compiled policies by the digest of their module."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._compiled: dict[str, Policy] = {}
        self._lock = asyncio.Lock()

    async def load(self, module: str, sources: Sources) -> "tuple[str, Policy]":
        """The digest of a module, and the policy that it is. Raises: FetchError, GuestError."""
        content = await asyncio.to_thread(fetch_module, module, sources)
        digest = hashlib.sha256(content).hexdigest()
        async with self._lock:  # Compiling takes all of a core: one after the other.
            known = self._compiled.get(digest)
            if known is None:
                known = self._compiled[digest] = await asyncio.to_thread(self._compile, content)
        return digest, known

    def keep(self, digests: Collection[str]) -> None:
        """Forgets all others."""
        for digest in self._compiled.keys() - set(digests):
            del self._compiled[digest]

    def _compile(self, content: bytes) -> "Policy":
        # The library behind it takes 24 MiB: nobody without policies should carry it.
        from kajitori.operators.kubewarden.runtime.engine import Engine
        from kajitori.operators.kubewarden.runtime.policy import load_policy

        if self._engine is None:
            self._engine = Engine()
        return load_policy(self._engine, content)
