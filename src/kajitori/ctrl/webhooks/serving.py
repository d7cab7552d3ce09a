"""Finds what answers for a path, and keeps what goes wrong there away from everybody else.

Promises
    S1  every AdmissionReview is answered by one, whatever its webhook does; other bodies are refused with code 400
    S2  a function that raises or gives nonsense is answered for with code 500 and one sentence, logged and counted
    S3  a function that takes longer than its webhook's time is cancelled, and its request refused with code 504
    S4  who hangs up ends the function that works for them
    S5  requests are counted by path, under controller-runtime's names

A plain function runs where everything else of the process runs, so it must not wait; `async def` may.

Source: controller-runtime's pkg/webhook (server, admission/http, conversion).
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.errors import ApiError, BadRequest
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.ctrl.webhooks.conversion import (
    ConversionFailed,
    Conversions,
    answer_conversion,
    convert_object,
    read_conversion,
)
from kajitori.ctrl.webhooks.declared import CONVERT_PATH, Declared
from kajitori.ctrl.webhooks.figures import WebhookFigures
from kajitori.ctrl.webhooks.reviews import (
    ADMISSION_BYTES_MAX,
    AdmissionRequest,
    AdmissionResponse,
    Review,
    ReviewError,
    answer_review,
    read_review,
)
from kajitori.ctrl.webhooks.typed import Nonsense, current_admission, refused, settled

__all__ = ["CONVERSION_BYTES_MAX", "WebhookRouter"]

CONVERSION_BYTES_MAX = 64 << 20
"""A page of 500 objects of 128 KiB: API servers convert what they list page by page."""

CONVERTED_AT_ONCE = 50
"""Objects of a review that are converted before others get their turn."""

SLOW_SECONDS = 1.0
"""Who waits for a webhook is a person at a keyboard; longer ones are told of in the log."""

_log = logging.getLogger(__name__)


class WebhookRouter:
    """Answers for all webhooks of one manager."""

    def __init__(self) -> None:
        self.figures = WebhookFigures()
        self._webhooks: dict[str, Declared] = {}
        self._conversions: dict[tuple[str, str], tuple[Kind, Conversions]] = {}

    def add(self, declared: Sequence[Declared]) -> None:
        """Raises: ValueError where the path or the name of one is taken; then none is added."""
        for each in declared:
            if each.path in self._webhooks or each.path == CONVERT_PATH:
                raise ValueError(f"there is a webhook at {each.path} already; give this one a path")
            if any((each.kind, each.name) == (other.kind, other.name) for other in self._webhooks.values()):
                raise ValueError(f"there is a webhook called {each.name} already; give this one a name")
        for each in declared:
            self._webhooks[each.path] = each
            self.figures.add(each.path)

    def add_conversion(self, kind: Kind, conversions: Conversions) -> None:
        """`kind` names the hub. Raises: ValueError where there is one for the kind."""
        if (kind.group, kind.kind) in self._conversions:
            raise ValueError(f"{kind.group_resource} is converted already")
        if not self._conversions:
            self.figures.add(CONVERT_PATH)
        self._conversions[kind.group, kind.kind] = kind, conversions

    @property
    def webhooks(self) -> Sequence[Declared]:
        return list(self._webhooks.values())

    @property
    def converted(self) -> Sequence[Kind]:
        """The kinds that are converted, in their hub's version."""
        return [kind for kind, _ in self._conversions.values()]

    async def answer(self, path: str, body: bytes) -> bytes | None:
        """The answer to a POST; None for a path that nothing is at.

        Raises: BadRequest for what is no ConversionReview.
        """
        declared = self._webhooks.get(path)
        if declared is None and (path != CONVERT_PATH or not self._conversions):
            return None
        loop = asyncio.get_running_loop()
        began, code = loop.time(), 500
        self.figures.begin(path)
        try:
            answer = await self._convert(body) if declared is None else await self._admit(declared, body)
            code = 200
        except ApiError as error:
            code = error.code
            raise
        finally:
            seconds = loop.time() - began
            self.figures.end(path, code, seconds)
            if seconds > SLOW_SECONDS:
                _log.warning("a webhook took its time", extra={"path": path, "seconds": round(seconds, 3)})
        return answer

    # Admission.

    async def _admit(self, declared: Declared, body: bytes) -> bytes:
        if len(body) >= ADMISSION_BYTES_MAX:
            told = f"request entity is too large; limit is {ADMISSION_BYTES_MAX} bytes"
            return answer_review("", "", AdmissionResponse.error(413, told))
        try:
            review = read_review(body)
        except ReviewError as error:
            return answer_review("", "", AdmissionResponse.error(400, str(error)))
        response = await self._respond(declared, review.request)
        return self._encoded(declared, review, response)

    async def _respond(self, declared: Declared, request: AdmissionRequest) -> AdmissionResponse:
        token = current_admission.set(request)
        limit = asyncio.timeout(declared.timeout_seconds)
        try:
            async with limit:
                response: Any = await settled(declared.handle(request))
            if not isinstance(response, AdmissionResponse):
                raise Nonsense(f"it gave {type(response).__name__}, not an AdmissionResponse")
            if response.patch and not declared.is_mutating:
                raise Nonsense("it gave a patch, but only a mutating webhook may change objects")
        except Exception as error:
            if isinstance(error, TimeoutError) and limit.expired():
                _log.warning("a webhook was cut short", extra=_about(declared, request))
                told = f"webhook {declared.name}: no answer within {declared.timeout_seconds} s"
                return AdmissionResponse.error(504, told)
            return refused(request, error) or self._failed(declared, request, error)
        finally:
            current_admission.reset(token)
        return response

    def _encoded(self, declared: Declared, review: Review, response: AdmissionResponse) -> bytes:
        uid = review.request.uid
        try:
            return answer_review(review.api_version, uid, response)
        except (TypeError, ValueError, RecursionError, msgspec.EncodeError) as error:
            return answer_review(review.api_version, uid, self._failed(declared, review.request, error))

    def _failed(self, declared: Declared, request: AdmissionRequest, error: Exception) -> AdmissionResponse:
        self.figures.panics += 1
        _log.error("a webhook failed", extra=_about(declared, request), exc_info=error)
        return AdmissionResponse.error(500, f"webhook {declared.name} failed: {_told(error)}")

    # Conversion.

    async def _convert(self, body: bytes) -> bytes:
        if len(body) > CONVERSION_BYTES_MAX:
            raise BadRequest(f"request entity is too large; limit is {CONVERSION_BYTES_MAX} bytes")
        api_version, uid, wanted, objects = read_conversion(body)
        converted: list[JsonObject] = []
        for number, value in enumerate(objects):
            if number % CONVERTED_AT_ONCE == CONVERTED_AT_ONCE - 1:
                await asyncio.sleep(0)
            try:
                converted.append(self._converted(value, wanted))
            except Exception as error:
                return answer_conversion(api_version, uid, None, self._refused(value, wanted, error))
        try:
            return answer_conversion(api_version, uid, converted)
        except (TypeError, ValueError, RecursionError, msgspec.EncodeError) as error:
            return answer_conversion(api_version, uid, None, self._refused({}, wanted, error))

    def _converted(self, value: Any, wanted: str) -> JsonObject:
        if not isinstance(value, dict):
            raise ConversionFailed(f"an object is wanted, not {type(value).__name__}")
        group = str(value.get("apiVersion") or "").rpartition("/")[0]
        found = self._conversions.get((group, str(value.get("kind") or "")))
        if found is None:
            raise ConversionFailed(f"{value.get('kind')} of {value.get('apiVersion')} is not converted here")
        return convert_object(*found, value, wanted)

    def _refused(self, value: Any, wanted: str, error: Exception) -> str:
        metadata = value.get("metadata") if isinstance(value, dict) else None
        named: JsonObject = metadata if isinstance(metadata, dict) else {}
        name = "/".join(str(named[each]) for each in ("namespace", "name") if named.get(each))
        # A failure that has another cause is none that a function meant.
        if type(error) is ValueError or (isinstance(error, ConversionFailed) and error.__cause__ is None):
            told = str(error)
        else:
            self.figures.conversion_panics += 1
            _log.error("a conversion failed", extra={"object": name, "wanted": wanted}, exc_info=error)
            told = _told(error)
        return told if name in told else f"{name}: {told}"


def _told(error: Exception) -> str:
    """One sentence, without where it happened."""
    text, name = str(error), type(error).__name__
    if isinstance(error, Nonsense):
        return text
    return f"{name}: {text}" if text else name


def _about(declared: Declared, request: AdmissionRequest) -> JsonObject:
    return {
        "webhook": declared.name,
        "request": request.uid,
        "operation": request.operation,
        "object": f"{request.namespace}/{request.name}",
        "user": request.user_info.username,
    }
