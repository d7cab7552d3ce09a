"""Signs approved requests for the four signers of Kubernetes' own that issue certificates.

Promises
    G1  only what is approved, and not failed or denied, gets a certificate; a certificate that is there is left alone
    G2  a request that breaks its signer's rules fails for good, with Kubernetes' reason in its conditions
    G3  it lives as long as was asked for, at least MIN_SECONDS, at most DEFAULT_SECONDS
    G4  requests for other signers are left to whoever signs for them

Source: Kubernetes' certificates/signer.
"""

import base64
import logging
from collections.abc import Callable, Sequence

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apimachinery.time import format_time
from kajitori.client import Client
from kajitori.controllers.certificates.requests import (
    CLIENT,
    KUBELET_CLIENT,
    KUBELET_SERVING,
    LEGACY_UNKNOWN,
    Asked,
    has_condition,
    kubelet_client_problem,
    kubelet_serving_problem,
    parse,
    update_of,
)
from kajitori.controllers.kinds import CERTIFICATE_SIGNING_REQUESTS
from kajitori.ctrl import DONE, Cache, Manager, Request, Result, TerminalError
from kajitori.world.clock import Clock

__all__ = ["DEFAULT_SECONDS", "MIN_SECONDS", "Authority", "SigningReconciler", "setup_signing"]

DEFAULT_SECONDS = 365 * 24 * 3600
MIN_SECONDS = 10 * 60

Authority = Callable[[], tuple[bytes, bytes]]
"""The certificate and the key of who signs, in PEM; read whenever something is signed, as files may be replaced."""

_log = logging.getLogger(__name__)


def _client_problem(asked: Asked, usages: Sequence[str]) -> str:
    for each in usages:
        if each not in ("client auth", "digital signature", "key encipherment"):
            return f"invalid usage for client certificate: {each}"
    return "" if "client auth" in usages else "missing required usage for client certificate: client auth"


_PROBLEMS: dict[str, Callable[[Asked, Sequence[str]], str]] = {
    CLIENT: _client_problem,
    KUBELET_CLIENT: kubelet_client_problem,
    KUBELET_SERVING: kubelet_serving_problem,
    LEGACY_UNKNOWN: lambda asked, usages: "",
}


class SigningReconciler:
    """Gives one request its certificate."""

    def __init__(self, client: Client, cache: Cache, authority: Authority, clock: Clock) -> None:
        self._client = client
        self._cache = cache
        self._authority = authority
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        found = self._cache.get(CERTIFICATE_SIGNING_REQUESTS, "", request.name)
        if found is None or (found.get("status") or {}).get("certificate"):
            return DONE
        if not has_condition(found, "Approved") or has_condition(found, "Denied", "Failed"):
            return DONE
        spec = found["spec"]
        problem_of = _PROBLEMS.get(spec["signerName"])
        if problem_of is None:
            return DONE
        asked = parse(found)
        if asked is None:
            raise TerminalError(f"unable to parse csr {request.name!r}")
        usages = spec.get("usages") or ()
        problem = problem_of(asked, usages)
        now = self._clock.now()
        if problem:
            failed = {
                "type": "Failed",
                "status": "True",
                "reason": "SignerValidationFailure",
                "message": problem,
                "lastUpdateTime": format_time(now.timestamp()),
            }
            conditions = (*found["status"]["conditions"], failed)
            update = update_of(found, conditions=conditions)
        else:
            from kajitori.controllers.certificates.signing import SigningError, sign

            try:
                seconds = _seconds(spec.get("expirationSeconds"))
                made = sign(asked.csr, authority=self._authority(), usages=usages, seconds=seconds, now=now)
            except SigningError as error:
                raise TerminalError(f"error auto signing csr: {error}") from None
            update = update_of(found, certificate=base64.b64encode(made).decode("ascii"))
        status = self._client.subresource(CERTIFICATE_SIGNING_REQUESTS, "", request.name, "status")
        try:
            await status.update(update)
        except (Conflict, NotFound):
            return DONE  # it changed: the watch tells of it
        _log.info("signed" if not problem else "refused to sign", extra={"request": request.name})
        return DONE


def _seconds(asked: int | None) -> int:
    return DEFAULT_SECONDS if asked is None else min(max(asked, MIN_SECONDS), DEFAULT_SECONDS)


def setup_signing(manager: Manager, authority: Authority) -> None:
    """Adds the controller that signs."""
    manager.controller(
        "certificatesigningrequest-signing-controller",
        SigningReconciler(manager.client, manager.cache, authority, manager.clock),
        for_=CERTIFICATE_SIGNING_REQUESTS,
    )
