"""ImagePolicyWebhook: somebody else says which images Pods may have.

The server to ask, and for how long its answers are believed, are in the admission configuration.

Promises
    I1  new and changed Pods are asked about, and containers for debugging when they are added; nothing else is
    I2  an answer is believed for as long as the configuration says, by images, annotations and namespace; that there
        was none is not remembered
    I3  where there is no answer the Pod is refused, or let in, which the audit log gets to know: as configured
    I4  what may pass is tried again, RETRIES_MAX times in all, each time a little later

Source: plugin/pkg/admission/imagepolicy (admission.go, config.go); imagepolicy.k8s.io/v1alpha1 ImageReview.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from kajitori.apimachinery.errors import ApiError, forbidden
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.resources import find_kind
from kajitori.apiserver.admission.chain import ConfigurationError
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.webhooks import WebhookError
from kajitori.apiserver.webhooks.statuses import mistyped, status_of
from kajitori.wire.go_time import format_duration
from kajitori.world.clock import Clock

__all__ = ["ImagePolicyWebhook", "ImageSettings", "image_settings"]

_log = logging.getLogger(__name__)

ANSWERS_MAX = 1024
"""Answers that are remembered, as many as in Kubernetes; the oldest are forgotten."""

RETRIES_MAX = 5
RETRY_FACTOR = 1.5

_VERSION = "imagepolicy.k8s.io/v1alpha1"
_AUDIT = "imagepolicywebhook.image-policy.k8s.io/"
_TELLING = ".image-policy.k8s.io/"
"""What the key of an annotation has in it that the webhook gets to see."""
_SECOND, _MINUTE = 1_000_000_000, 60_000_000_000
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """What is configured."""

    kubeconfig: str
    allow_seconds: float
    deny_seconds: float
    """How long an answer is believed; 0: it is asked for each time."""
    retry_seconds: float
    fails_open: bool


class _Policy(msgspec.Struct, frozen=True, rename="camel"):
    kube_config_file: str = ""
    allow_ttl: int = msgspec.field(default=0, name="allowTTL")
    deny_ttl: int = msgspec.field(default=0, name="denyTTL")
    retry_backoff: int = 0
    default_allow: bool = False


class _File(msgspec.Struct, frozen=True, rename="camel"):
    image_policy: _Policy = _Policy()


def image_settings(configuration: Any) -> ImageSettings:
    """The settings in a configuration. Raises: ConfigurationError."""
    if configuration is None:
        raise ConfigurationError(
            "ImagePolicyWebhook: no config specified; name one in --admission-control-config-file"
        )
    try:
        policy = msgspec.convert(configuration, _File).image_policy
    except msgspec.ValidationError as error:
        what, _, member = str(error).partition(" - at `$.")
        where = member.rstrip("`") or "the configuration"
        raise ConfigurationError(f"ImagePolicyWebhook: {where}: {what}") from None
    half_an_hour = 30 * _MINUTE
    return ImageSettings(
        policy.kube_config_file,
        _seconds("allowTTL", policy.allow_ttl, _SECOND, (_SECOND, half_an_hour), 5 * _MINUTE),
        _seconds("denyTTL", policy.deny_ttl, _SECOND, (_SECOND, half_an_hour), 30 * _SECOND),
        _seconds("retryBackoff", policy.retry_backoff, 1_000_000, (1, 5 * _MINUTE), _SECOND // 2),
        policy.default_allow,
    )


def _seconds(name: str, given: int, scale: int, limits: tuple[int, int], default: int) -> float:
    """A duration; 0 is the default, -1 turns it off. All but what is given are nanoseconds."""
    if given == -1:
        return 0.0
    nanos = given * scale if given else default
    least, most = limits
    if not least <= nanos <= most:
        within = f"valid value is between {format_duration(least)} and {format_duration(most)}"
        raise ConfigurationError(
            f"ImagePolicyWebhook: imagePolicy.{name}: {within}, got {format_duration(nanos)}"
        )
    return nanos / _SECOND


class ImagePolicyWebhook:
    """Asks by `post`, which sends a review and gives the answer, or raises WebhookError."""

    name = "ImagePolicyWebhook"
    mutate = None

    def __init__(
        self, settings: ImageSettings, post: Callable[[bytes], Awaitable[bytes]], clock: Clock
    ) -> None:
        self._settings = settings
        self._post = post
        self._clock = clock
        self._known: dict[bytes, tuple[float, JsonObject]] = {}
        """Until when an answer may be believed, and its status."""

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return (
            bucket == "/pods"
            and operation in ("CREATE", "UPDATE")
            and subresource in ("", "ephemeralcontainers")
        )

    def validate(self, attributes: Attributes) -> Awaitable[None] | None:
        spec = _asked(attributes)
        key = _encode(spec)
        known = self._known.get(key)
        if known is not None and self._clock.monotonic() < known[0]:
            _act(known[1], attributes)
            return None
        return self._ask(spec, key, attributes)

    async def _ask(self, spec: JsonObject, key: bytes, attributes: Attributes) -> None:
        """Raises: Forbidden."""
        review = {
            "kind": "ImageReview",
            "apiVersion": _VERSION,
            "metadata": {},
            "spec": spec,
            "status": {"allowed": False},
        }
        try:
            status = _status(await self._answer(_encode(review) + b"\n"))
        except WebhookError as error:
            self._unanswered(error, attributes)
            return
        settings = self._settings
        seconds = settings.allow_seconds if status.get("allowed") else settings.deny_seconds
        if seconds > 0:
            self._known.pop(key, None)
            if len(self._known) >= ANSWERS_MAX:
                del self._known[next(iter(self._known))]
            self._known[key] = (self._clock.monotonic() + seconds, status)
        _act(status, attributes)

    async def _answer(self, review: bytes) -> bytes:
        """Raises: WebhookError."""
        wait = self._settings.retry_seconds
        for attempt in range(1, RETRIES_MAX + 1):
            try:
                return await self._post(review)
            except WebhookError as error:
                passes = error.reset or error.status in (429, 500, 504)
                if not passes or attempt == RETRIES_MAX:
                    raise
            await asyncio.sleep(wait)
            wait *= RETRY_FACTOR
        raise AssertionError("the last attempt returns or raises")

    def _unanswered(self, error: WebhookError, attributes: Attributes) -> None:
        """Raises: Forbidden where nobody may come in unasked."""
        fails_open = self._settings.fails_open
        _log.warning(
            "the image policy webhook did not answer",
            extra={"error": str(error), "let_in": fails_open},
        )
        if not fails_open:
            raise _refused(attributes, str(error))
        if attributes.call is not None:
            attributes.call.annotate(f"{_AUDIT}failed-open", "true")


def _asked(attributes: Attributes) -> JsonObject:
    """What is asked about a Pod."""
    pod = attributes.obj
    assert pod is not None, attributes
    fields = ("ephemeralContainers",) if attributes.subresource else ("containers", "initContainers")
    images = [_image(each) for field in fields for each in pod["spec"].get(field) or ()]
    annotations: dict[str, str] = pod["metadata"].get("annotations") or {}
    told = {key: annotations[key] for key in sorted(annotations) if _TELLING in key}
    spec = {"containers": images, "annotations": told, "namespace": attributes.namespace}
    return {name: value for name, value in spec.items() if value}


def _image(container: JsonObject) -> JsonObject:
    image = container.get("image")
    return {"image": image} if image else {}


def _status(answer: bytes) -> JsonObject:
    """Raises: WebhookError for an answer that is no review."""
    status = status_of(answer, (_VERSION, "ImageReview"), _MEMBERS, _is_registered)
    for value in (status.get("auditAnnotations") or {}).values():
        if not isinstance(value, str):
            raise mistyped(value, "ImageReviewStatus.status.auditAnnotations", "string")
    return status


_MEMBERS = (
    ("allowed", bool, "bool"),
    ("reason", str, "string"),
    ("auditAnnotations", dict, "map[string]string"),
)


def _is_registered(api_version: str, kind: str) -> bool:
    group, _, version = api_version.rpartition("/")
    return find_kind(group, version, kind) is not None


def _act(status: JsonObject, attributes: Attributes) -> None:
    """Does what was answered. Raises: Forbidden."""
    if attributes.call is not None:
        for key, value in (status.get("auditAnnotations") or {}).items():
            attributes.call.annotate(f"{_AUDIT}{key}", value)
    if status.get("allowed"):
        return
    why = "one or more images rejected by webhook backend"
    if reason := status.get("reason"):
        why = f"image policy webhook backend denied one or more images: {reason}"
    raise _refused(attributes, why)


def _refused(attributes: Attributes, why: str) -> ApiError:
    metadata = (attributes.obj or {}).get("metadata") or {}
    name = attributes.name or metadata.get("generateName") or "Unknown"
    return forbidden("pods", "", name, why)
