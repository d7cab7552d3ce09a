"""Certificates of webhooks that are made here, shared by replicas, and renewed while they are served with.

Promises
    E1  replicas that share a Secret agree: what one has written, the others serve with, and of two that write at once
        one takes what the other wrote
    E2  steps are taken as `rotation` says; what fails is tried again, and what is served with stays meanwhile
    E3  a Secret that somebody removes is an order to renew everything: the authorities before stay believed meanwhile
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from kajitori.apimachinery.errors import AlreadyExists, ApiError, Conflict, NotFound
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client.client import Client
from kajitori.client.transport import TransportError
from kajitori.ctrl.webhooks.certificates import Certificates, stepped
from kajitori.ctrl.webhooks.rotation import CHECK_SECONDS, SETTLE_SECONDS, Held, Step, decide
from kajitori.world.clock import Clock

__all__ = [
    "CertificateKeeper",
    "MemoryShelf",
    "SecretShelf",
    "Shelf",
]

SECRETS = Kind("", "v1", "Secret", "secrets")
RETRY_SECONDS = 10.0
TRIES_MAX = 10
"""To write first, or read what another wrote first; each means that somebody else got on."""

_log = logging.getLogger(__name__)


class Shelf(Protocol):
    """Where made certificates lie."""

    async def read(self) -> tuple[Certificates | None, str]:
        """Those that are there, None for none that can be used, and the version to replace; "": nothing is there.

        Raises: ApiError, TransportError.
        """
        ...

    async def write(self, certificates: Certificates, version: str) -> bool:
        """Replaces that version; False where somebody else was first. Raises: ApiError, TransportError."""
        ...


class MemoryShelf:
    """Of one process alone."""

    def __init__(self) -> None:
        self._certificates: Certificates | None = None
        self._version = 0

    async def read(self) -> tuple[Certificates | None, str]:
        return self._certificates, str(self._version or "")

    async def write(self, certificates: Certificates, version: str) -> bool:
        self._certificates = certificates
        self._version += 1
        return True


class SecretShelf:
    """A Secret, of type kubernetes.io/tls."""

    def __init__(self, client: Client, namespace: str, name: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name

    async def read(self) -> tuple[Certificates | None, str]:
        try:
            found = await self._client.get(SECRETS, self._namespace, self._name)
        except NotFound:
            return None, ""
        data: JsonObject = found.get("data") or {}
        try:
            decoded = {name: base64.b64decode(text, validate=True) for name, text in data.items()}
        except (binascii.Error, TypeError, ValueError):
            decoded = {}
        return Certificates.of(decoded), found.resource_version

    async def write(self, certificates: Certificates, version: str) -> bool:
        metadata: JsonObject = {"namespace": self._namespace, "name": self._name}
        data = {name: base64.b64encode(content).decode() for name, content in certificates.data().items()}
        try:
            if version:
                patch = {"metadata": {"resourceVersion": version}, "data": data}
                await self._client.patch(SECRETS, self._namespace, self._name, patch)
            else:
                await self._client.create(
                    SECRETS, {"metadata": metadata, "type": "kubernetes.io/tls", "data": data}
                )
        except (AlreadyExists, Conflict):
            return False
        except NotFound:
            if version:
                return False
            raise
        return True


class CertificateKeeper:
    """Certificates that are made here, by whoever is first, and renewed by who leads."""

    def __init__(
        self, shelf: Shelf, names: Sequence[str], *, clock: Clock, leads: Callable[[], bool]
    ) -> None:
        self._shelf = shelf
        self._names = names
        self._clock = clock
        self._leads = leads
        self._current: Certificates | None = None
        self._read: tuple[Certificates, Held] | None = None
        """What was read last, and what is to be known of it: reading takes a while."""
        self._registered_since: float | None = None
        """When what is held was first registered as it is, on the loop's clock."""

    @property
    def chain(self) -> bytes:
        return self._serving.chain

    @property
    def bundle(self) -> bytes:
        return self._serving.bundle

    @property
    def _serving(self) -> Certificates:
        assert self._current is not None, "not loaded"
        return self._current

    def registered(self) -> None:
        if self._registered_since is None:
            self._registered_since = asyncio.get_running_loop().time()

    async def load(self) -> None:
        await self._look()

    async def keep(self, changed: Callable[[], object]) -> None:
        while True:
            pause = CHECK_SECONDS
            before = self._serving
            try:
                await self._look()
            except (ApiError, TransportError) as error:
                _log.warning(
                    "the webhooks' certificates could not be looked after", extra={"error": str(error)}
                )
                pause = RETRY_SECONDS
            if self._serving != before:
                changed()
            await asyncio.sleep(pause)

    async def _look(self) -> None:
        """Takes what others have done, and the next step if it is ours."""
        for _ in range(TRIES_MAX):
            found, version = await self._shelf.read()
            step, known = self._next(found)
            if step is Step.NOTHING:
                self._take(known)
                return
            made = stepped(known, step, self._names, self._clock.now())
            if await self._shelf.write(made, version):
                _log.info("the webhooks' certificates go on", extra={"step": step.value})
                self._take(made)
                if step is not Step.BEGIN:
                    return
        raise Conflict(f"the webhooks' certificates are written by others, {TRIES_MAX} times in a row")

    def _next(self, found: Certificates | None) -> tuple[Step, Certificates | None]:
        if found is None and self._current is not None:
            return Step.ANNOUNCE, self._current  # promise E3
        now, elapsed = self._clock.now(), asyncio.get_running_loop().time()
        since = self._registered_since if found == self._current else None
        is_settled = since is not None and elapsed - since >= SETTLE_SECONDS
        return decide(
            self._held_by(found), set(self._names), now, leads=self._leads(), is_settled=is_settled
        ), found

    def _held_by(self, found: Certificates | None) -> Held | None:
        if found is None:
            return None
        if self._read is None or self._read[0] != found:
            self._read = found, found.held()
        return self._read[1]

    def _take(self, certificates: Certificates | None) -> None:
        assert certificates is not None, "there is something to serve with"
        if self._current is None or self._current.bundle != certificates.bundle:
            self._registered_since = None
        self._current = certificates
