"""The policy servers: every policy that runs, asked by its name.

    POST /validate/NAME   an AdmissionReview is answered as the policy's mode and permissions allow
    POST /audit/NAME      what the policy itself says
    POST /validate_raw/NAME   as /validate, of any object: `{"request": ...}`

Promises
    S1  a review that is none, and a policy that there is not, are answered as such; nothing stops the server
    S2  evaluations run in threads of their own: a policy that takes its time keeps nobody but others' evaluations
        waiting, THREADS of which go on at once
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from kajitori.apis import JsonObject
from kajitori.operators.kubewarden.loading import Answering
from kajitori.operators.kubewarden.metrics import PolicyMetrics
from kajitori.operators.kubewarden.runtime.responses import rejection

__all__ = ["PolicyServers"]

THREADS = 8
"""A policy that loops holds one until its time is over. Most evaluations take less than a millisecond."""

_log = logging.getLogger(__name__)

_decode = msgspec.json.Decoder(dict[str, object]).decode


class PolicyServers:
    """Answers for all policy servers: a policy's name is its own among all of them."""

    def __init__(self, metrics: PolicyMetrics) -> None:
        self._metrics = metrics
        self._answering: dict[str, Answering] = {}
        self._threads: ThreadPoolExecutor | None = None

    def run(self, policy: Answering) -> None:
        """Asks this version from now on."""
        self._answering[policy.name] = policy

    def forget(self, name: str) -> None:
        self._answering.pop(name, None)

    def mode_of(self, name: str) -> str:
        """The mode that a policy runs in; empty where it does not."""
        found = self._answering.get(name)
        return "" if found is None else found.mode

    @property
    def digests(self) -> frozenset[str]:
        """Of all modules that are in use."""
        return frozenset(digest for each in self._answering.values() for digest in each.digests)

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def answer(self, path: str, body: bytes) -> bytes | None:
        """The answer to a POST; None for a path that nothing is at."""
        _, _, rest = path.partition("/")
        origin, _, name = rest.partition("/")
        policy = self._answering.get(name)
        if policy is None or origin not in ("validate", "audit", "validate_raw"):
            return None
        try:
            review = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            review = {}
        request = review.get("request")
        if not isinstance(request, dict):
            response = rejection("", "the AdmissionReview has no request", 400)
        else:
            response = await self._evaluate(policy, request, origin)
        return msgspec.json.encode(
            {
                "apiVersion": review.get("apiVersion") or "admission.k8s.io/v1",
                "kind": "AdmissionReview",
                "response": response,
            }
        )

    async def _evaluate(self, policy: Answering, request: JsonObject, origin: str) -> JsonObject:
        loop = asyncio.get_running_loop()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="policies")
        ask: Callable[[JsonObject], JsonObject] = policy.audit if origin == "audit" else policy.validate
        if origin == "validate_raw":
            request = {"uid": "", "object": request, **request}
        started = loop.time()
        try:
            response = await loop.run_in_executor(self._threads, ask, request)
        except Exception:
            # Promise S1: whatever is wrong with an evaluation, the request must get an answer that says so.
            _log.exception("a policy could not be evaluated", extra={"policy": policy.name})
            response = rejection(str(request.get("uid") or ""), "internal server error: see the log", 500)
        self._metrics.count(policy, request, response, origin, loop.time() - started)
        return response
