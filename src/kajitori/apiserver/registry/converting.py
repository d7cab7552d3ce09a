"""Conversion by webhook, at the border of the store: what is read comes in the version that is asked for.

Sits between the registry and the definition's webhook. Reading and writing convert whole pages at once; field
ownership, which converts in the midst of its own work, is begun again with what it turned out to need.

Promises
    C1  what a webhook refuses, or answers badly, fails the request with 500 and Kubernetes' message
    C2  nobody is answered with an object that the webhook has converted for another request

Source: apiextensions' pkg/apiserver/conversion.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from kajitori.apimachinery.decode import DecodeError, decode_json
from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.structural.defaulting import copy_json
from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apis.apiextensions_v1.conversion import (
    ConversionError,
    conversion_review,
    converted_objects,
    failure,
)
from kajitori.apiserver.webhooks import WebhookCaller, WebhookError

__all__ = ["TIMEOUT_SECONDS", "Conversion", "Unconverted"]

TIMEOUT_SECONDS = 30
"""How long a webhook may take: Kubernetes' default for its clients, which nobody can change."""

_encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode

Made = TypeVar("Made")


class Unconverted(Exception):
    """Work that may not wait needs an object in another version."""

    def __init__(self, obj: JsonObject, api_version: str) -> None:
        super().__init__(f"{obj.get('apiVersion')} is not converted to {api_version} yet")
        self.obj = obj
        self.api_version = api_version


class Conversion:
    """The webhook of one definition."""

    def __init__(self, webhook: Mapping[str, Any], caller: WebhookCaller, uid: Callable[[], str]) -> None:
        """`webhook` is `spec.conversion.webhook`; `uid` makes the names of reviews."""
        self._config: Mapping[str, Any] = webhook.get("clientConfig") or {}
        self._review_versions: Sequence[str] = webhook.get("conversionReviewVersions") or ()
        self._caller = caller
        self._uid = uid
        self._known: dict[tuple[bytes, str], JsonObject] | None = None

    async def convert(self, objects: Sequence[JsonObject], api_version: str) -> list[JsonObject]:
        """The objects in a version, by one call of the webhook. Raises: ApiError."""
        try:
            review = conversion_review(objects, api_version, self._uid(), self._review_versions)
            sent = review["request"]["objects"]
            if not sent:
                return list(objects)
            try:
                body = await self._caller.post(self._config, _encode(review), TIMEOUT_SECONDS)
            except WebhookError as problem:
                raise failure(sent, str(problem)) from None
            return converted_objects(objects, api_version, review, _read(body))
        except ConversionError as problem:
            raise ApiError(str(problem)) from None

    # Work that converts in the midst of it.

    async def during(self, work: Callable[[], Made]) -> Made:
        """What `work` gives, which may be begun more than once. Raises: ApiError."""
        known: dict[tuple[bytes, str], JsonObject] = {}
        while True:
            self._known = known
            try:
                return work()
            except Unconverted as problem:
                needed = problem
            finally:
                self._known = None
            key = _encode(needed.obj), needed.api_version
            [known[key]] = await self.convert([needed.obj], needed.api_version)

    def known(self, obj: JsonObject, api_version: str) -> JsonObject:
        """An object in another version, within `during`. Raises: Unconverted."""
        found = None if self._known is None else self._known.get((_encode(obj), api_version))
        if found is None:
            raise Unconverted(obj, api_version)
        copied: JsonObject = copy_json(found)
        return copied


def _read(body: bytes) -> Any:
    """What a webhook answered: JSON, or YAML, which Kubernetes' client reads as well."""
    try:
        return decode_json(body)
    except DecodeError:
        try:
            return decode_yaml(body)[0]
        except DecodeError as problem:
            return str(problem)
