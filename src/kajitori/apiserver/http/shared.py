"""What all connections of one server share: handler, limits, heads, and how a failure is answered."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

from kajitori.apimachinery.errors import ApiError, internal_error
from kajitori.apiserver.http.heads import AuditIds, HeadWriter
from kajitori.apiserver.http.limits import Limits
from kajitori.apiserver.http.messages import Handler, Request, Response

__all__ = ["ErrorEncoder", "Shared"]

_log = logging.getLogger(__name__)

ErrorEncoder = Callable[[Request, ApiError], Response]
"""The answer that tells a client of an error, in the media type that its request accepts."""

_COMPRESSORS_MAX = 2
"""Threads that compress large answers; zlib runs outside the interpreter lock, so they do use other cores."""


class Shared:
    """One server's settings and helpers, as its connections see them."""

    def __init__(
        self,
        handler: Handler,
        limits: Limits,
        *,
        heads: HeadWriter,
        audit_ids: AuditIds,
        encode_error: ErrorEncoder,
    ) -> None:
        self.handler = handler
        self.limits = limits
        self.heads = heads
        self.audit_ids = audit_ids
        self.loop = asyncio.get_running_loop()
        self.draining = False
        self.tls = False
        self._encode_error = encode_error
        self._executor: Executor | None = None

    def failed(self, request: Request, error: Exception) -> Response:
        """The answer to a request whose handler raised; what is no ApiError is logged once, with trace."""
        if not isinstance(error, ApiError):
            _log.error(
                "request failed", exc_info=error, extra={"method": request.method, "path": request.path}
            )
            error = internal_error(error)
        return self._encode_error(request, error)

    def executor(self) -> Executor:
        """The threads that compress; started when the first large answer is."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(_COMPRESSORS_MAX, thread_name_prefix="compress")
        return self._executor

    def close(self) -> None:
        """Ends the threads."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
