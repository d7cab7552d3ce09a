"""Takes away signing requests that have had their time.

Promises
    C1  a request goes DECIDED_SECONDS after it was denied, failed, or approved and signed
    C2  and PENDING_SECONDS after its creation or approval when nothing more has come of it
    C3  one whose certificate has ended goes at once

Source: Kubernetes' certificates/cleaner, which looks once an hour; this one comes when it is time.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from kajitori.apimachinery.errors import NotFound
from kajitori.apimachinery.time import parse_time
from kajitori.client import Client
from kajitori.controllers.kinds import CERTIFICATE_SIGNING_REQUESTS
from kajitori.ctrl import DONE, Cache, Manager, Request, Result
from kajitori.world.clock import Clock

__all__ = ["DECIDED_SECONDS", "PENDING_SECONDS", "CleaningReconciler", "setup_cleaning"]

DECIDED_SECONDS = 3600.0
PENDING_SECONDS = 24 * 3600.0


class CleaningReconciler:
    """Deletes one request when it is time."""

    def __init__(self, client: Client, cache: Cache, clock: Clock) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        found = self._cache.get(CERTIFICATE_SIGNING_REQUESTS, "", request.name)
        if found is None or found.being_deleted:
            return DONE
        ends = min(_ends(found), default=None)
        if ends is None:
            return DONE
        left = ends - self._clock.now().timestamp()
        if left > 0:
            return Result(requeue_after_seconds=left + 1)
        try:
            await self._client.delete(CERTIFICATE_SIGNING_REQUESTS, "", request.name)
        except NotFound:
            return DONE
        return DONE


def _ends(request: Mapping[str, Any]) -> Iterator[float]:
    """The times at which the request is to go; the first counts."""
    status = request.get("status") or {}
    conditions = status.get("conditions") or ()
    certificate = status.get("certificate")
    if not conditions:
        yield parse_time(request["metadata"]["creationTimestamp"]) + PENDING_SECONDS
    for each in conditions:
        approved = each["type"] == "Approved"
        # Only what lives shorter than the request itself needs a look at the certificate.
        is_short = (request["spec"].get("expirationSeconds") or DECIDED_SECONDS) < DECIDED_SECONDS
        if approved and certificate and is_short:
            yield from _certificate_ends(certificate)
        if each.get("lastUpdateTime"):
            kept = PENDING_SECONDS if approved and not certificate else DECIDED_SECONDS
            if approved or each["type"] in ("Denied", "Failed"):
                yield parse_time(each["lastUpdateTime"]) + kept


def _certificate_ends(certificate: str) -> Iterator[float]:
    from kajitori.controllers.certificates.signing import not_after

    try:
        ends = not_after(base64.b64decode(certificate))
    except binascii.Error:
        return
    if ends is not None:
        yield ends


def setup_cleaning(manager: Manager) -> None:
    """Adds the controller that cleans."""
    manager.controller(
        "certificatesigningrequest-cleaner-controller",
        CleaningReconciler(manager.client, manager.cache, manager.clock),
        for_=CERTIFICATE_SIGNING_REQUESTS,
    )
