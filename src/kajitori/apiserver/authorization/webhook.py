"""Others decide: the mode `Webhook`, which asks a server with a SubjectAccessReview.

Promises
    W1  a question whose match conditions do not hold is passed over; where they have no value, the failure policy says
        what that means, as where the webhook does not answer
    W2  an answer is remembered for as long as it may be, and then asked for again; what failed is not remembered
    W3  what may pass is tried again, RETRIES_MAX times in all, each time a little later
    W4  a question that a user has made very large is never remembered

Source: apiserver's plugin/pkg/authorizer/webhook (webhook.go, metrics.go) and pkg/util/webhook.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.authorization.attributes import NO_OPINION, UNNAMED, Attributes, Decision
from kajitori.apiserver.authorization.configured import WebhookSettings
from kajitori.apiserver.authorization.rules import Held
from kajitori.apiserver.authorization.undecided import Undecided, known_answer
from kajitori.apiserver.authorization.webhook_figures import WebhookFigures
from kajitori.apiserver.webhooks import WebhookError
from kajitori.apiserver.webhooks.statuses import status_of
from kajitori.world.clock import Clock

if TYPE_CHECKING:
    from kajitori.apimachinery.cel.expression import Expression

__all__ = ["RETRIES_MAX", "Webhook"]

_log = logging.getLogger(__name__)

RETRIES_MAX = 5
RETRY_SECONDS = 0.5
RETRY_FACTOR = 1.5
"""How long the first wait is, and how much longer each other: about four seconds in all."""

ANSWERS_MAX = 8192
"""Answers that are remembered, as many as in Kubernetes; the oldest are forgotten."""

QUESTION_BYTES_MAX = 10_000
"""What somebody can make a question of; who sends more wants to fill the memory."""

_LABEL_OPERATORS = {
    "in": "In", "=": "In", "==": "In", "notin": "NotIn", "!=": "NotIn", "exists": "Exists", "!": "DoesNotExist"
}  # fmt: skip

_encode = msgspec.json.Encoder().encode


class Webhook:
    """Asks one webhook, by `post`, which sends a review and gives the answer or raises WebhookError."""

    def __init__(
        self,
        settings: WebhookSettings,
        post: Callable[[bytes], Awaitable[bytes]],
        conditions: "Sequence[Expression]" = (),
        *,
        figures: WebhookFigures,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._post = post
        self._conditions = conditions
        self._figures = figures
        self._clock = clock
        self._known: dict[bytes, tuple[float, Decision]] = {}
        """Until when an answer may be believed, and the answer."""

    def authorize(self, attributes: Attributes) -> Decision:
        """Raises: Undecided where the webhook has to be asked."""
        spec = _spec(attributes)
        question = _encode(spec)
        key = (self, question)
        answered = known_answer(key)
        if answered is not None:
            return answered
        if self._conditions:
            passed_over = self._passed_over(spec)
            if passed_over is not None:
                return passed_over
        known = self._known.get(question)
        if known is not None and self._clock.monotonic() < known[0]:
            return known[1]
        raise Undecided(
            key, partial(self._ask, spec, question, remember=_size(attributes) < QUESTION_BYTES_MAX)
        )

    def held(self, user: User, namespace: str) -> Held:
        """What a webhook would allow cannot be listed."""
        return Held(errors=["webhook authorizer does not support user rule resolution"], incomplete=True)

    def _passed_over(self, spec: dict[str, Any]) -> Decision | None:
        """What is decided without asking; None where the webhook is to be asked."""
        from kajitori.apiserver.authorization.conditions import ConditionError, hold, seen

        name = self._settings.name
        began = self._clock.monotonic()
        try:
            if hold(self._conditions, seen(spec)):
                return None
            self._figures.excluded(name)
            return NO_OPINION
        except ConditionError as error:
            self._figures.condition_failed(name)
            return self._failed(str(error))
        finally:
            self._figures.conditions_evaluated(name, self._clock.monotonic() - began)

    def _failed(self, why: str) -> Decision:
        return Decision(False, denied=self._settings.fails_closed, error=why)

    async def _ask(self, spec: dict[str, Any], question: bytes, *, remember: bool) -> Decision:
        settings = self._settings
        review = _encode(
            {
                "kind": "SubjectAccessReview",
                "apiVersion": f"authorization.k8s.io/{settings.version}",
                "metadata": {},
                "spec": spec if settings.version == "v1" else _older(spec),
                "status": {"allowed": False},
            }
        )
        review += b"\n"
        wait = RETRY_SECONDS
        for attempt in range(1, RETRIES_MAX + 1):
            began = self._clock.monotonic()
            try:
                decision = _decision(await self._post(review), settings.version)
            except WebhookError as error:
                result = "timeout" if error.timed_out or error.status == 504 else "error"
                self._figures.asked(settings.name, result, self._clock.monotonic() - began)
                passes = error.reset or error.status in (429, 500, 504)
                if passes and attempt < RETRIES_MAX:
                    await asyncio.sleep(wait)
                    wait *= RETRY_FACTOR
                    continue
                _log.error(
                    "an authorization webhook did not answer",
                    extra={"webhook": settings.name, "error": str(error), "denied": settings.fails_closed},
                )
                if not settings.fails_closed:
                    self._figures.failed_open(settings.name, result)
                return self._failed(str(error))
            except asyncio.CancelledError:
                self._figures.asked(settings.name, "canceled", self._clock.monotonic() - began)
                raise
            self._figures.asked(settings.name, "success", self._clock.monotonic() - began)
            if remember:
                self._remember(question, decision)
            return decision
        raise AssertionError("the last attempt returns")

    def _remember(self, question: bytes, decision: Decision) -> None:
        settings = self._settings
        seconds = settings.authorized_seconds if decision.allowed else settings.unauthorized_seconds
        if seconds <= 0:
            return
        self._known.pop(question, None)
        if len(self._known) >= ANSWERS_MAX:
            del self._known[next(iter(self._known))]
        self._known[question] = (self._clock.monotonic() + seconds, decision)


def _decision(answer: bytes, version: str) -> Decision:
    """Raises: WebhookError for an answer that is no review."""
    wanted = f"authorization.k8s.io/{version}", "SubjectAccessReview"
    status = status_of(answer, wanted, _MEMBERS, _is_registered)
    allowed, denied = status.get("allowed") is True, status.get("denied") is True
    reason = status.get("reason") or ""
    if allowed and denied:
        both = "webhook subject access review returned both allow and deny response"
        return Decision(False, reason, denied=True, error=both)
    return Decision(allowed, reason, denied=denied)


_MEMBERS = (("allowed", bool, "bool"), ("denied", bool, "bool"), ("reason", str, "string"))


def _is_registered(api_version: str, kind: str) -> bool:
    return api_version == "v1" or api_version.startswith("authorization.k8s.io/v1")


def _spec(attributes: Attributes) -> dict[str, Any]:
    """A question as a SubjectAccessReviewSpec; what is empty is left out."""
    user = attributes.user
    spec: dict[str, Any] = {}
    if attributes.resource:
        spec["resourceAttributes"] = _resource(attributes)
    else:
        path = {"path": attributes.path, "verb": attributes.verb}
        spec["nonResourceAttributes"] = {name: value for name, value in path.items() if value}
    if user.name:
        spec["user"] = user.name
    if user.groups:
        spec["groups"] = list(user.groups)
    if user.extra:
        spec["extra"] = {key: list(user.extra[key]) for key in sorted(user.extra)}
    if user.uid:
        spec["uid"] = user.uid
    return spec


def _resource(attributes: Attributes) -> dict[str, Any]:
    members: dict[str, Any] = {
        "namespace": attributes.namespace,
        "verb": attributes.verb,
        "group": attributes.group,
        "version": attributes.version,
        "resource": "" if attributes.resource == UNNAMED else attributes.resource,
        "subresource": attributes.subresource,
        "name": attributes.name,
    }
    found = {name: value for name, value in members.items() if value}
    fields = [
        {"key": each.field, "operator": "In" if each.equals else "NotIn", "values": [each.value]}
        for each in attributes.field_requirements
    ]
    if fields:
        found["fieldSelector"] = {"requirements": fields}
    labels = [
        {"key": each.key, "operator": _LABEL_OPERATORS[each.operator]}
        | ({"values": list(each.values)} if each.values else {})
        for each in attributes.label_requirements
        if each.operator in _LABEL_OPERATORS  # the others only narrow what is asked for
    ]
    if labels:
        found["labelSelector"] = {"requirements": labels}
    return found


def _older(spec: dict[str, Any]) -> dict[str, Any]:
    """The same as v1beta1 has it."""
    return {("group" if name == "groups" else name): value for name, value in spec.items()}


def _size(attributes: Attributes) -> int:
    """Of what whoever asks has a say in."""
    texts = (
        attributes.namespace, attributes.verb, attributes.group, attributes.version,
        attributes.resource, attributes.subresource, attributes.name, attributes.path,
    )  # fmt: skip
    return sum(len(each.encode()) for each in texts)
