"""Tokens that a webhook knows: a TokenReview each, and what came of it remembered for a while.

Promises
    W1  who a token is for is asked once in `seconds`, whatever was answered; a call that failed is not remembered
    W2  a token counts for the audiences that the answer names; for the API server's own when it names none

Source: apiserver's plugin/pkg/authenticator/token/webhook.
"""

from collections.abc import Callable, Sequence

import msgspec

from kajitori.apiserver.authentication.serviceaccount import TokenError
from kajitori.apiserver.authentication.tokens import Found
from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.webhooks.kubeconfig import ConfiguredWebhook, WebhookUnreachable

__all__ = ["WebhookTokens"]

_REMEMBERED_MAX = 10_000


class _UserInfo(msgspec.Struct, frozen=True):
    username: str = ""
    uid: str = ""
    groups: list[str] | None = None
    extra: dict[str, list[str]] | None = None


class _Status(msgspec.Struct, frozen=True):
    authenticated: bool = False
    user: _UserInfo = _UserInfo()
    audiences: list[str] | None = None
    error: str = ""


class _Review(msgspec.Struct, frozen=True):
    status: _Status = _Status()


class WebhookTokens:
    """Asks one webhook."""

    def __init__(
        self,
        webhook: ConfiguredWebhook,
        *,
        version: str,
        audiences: Sequence[str],
        seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        """`audiences` are the API server's own; answers are remembered for `seconds`."""
        self._webhook = webhook
        self._version = version
        self._audiences = tuple(audiences)
        self._seconds = seconds
        self._now = monotonic
        self._known: dict[tuple[str, tuple[str, ...]], tuple[float, _Status]] = {}

    def concerns(self, token: str) -> bool:
        """Any token may be one of these."""
        return True

    async def identify(self, token: str, audiences: Sequence[str]) -> Found | None:
        """Who holds it. Raises: TokenError when the webhook says why not, or does not answer."""
        status = await self._status(token, tuple(audiences))
        common: tuple[str, ...] = ()
        if audiences:
            theirs = status.audiences or self._audiences
            common = tuple(each for each in audiences if each in theirs)
            if not common:
                return None
        if not status.authenticated:
            if status.error:
                raise TokenError(status.error)
            return None
        user = status.user
        extra = {key: tuple(values) for key, values in (user.extra or {}).items()}
        return User(user.username, user.uid, tuple(user.groups or ()), extra), common

    async def _status(self, token: str, audiences: tuple[str, ...]) -> _Status:
        key = (token, audiences)
        known = self._known.get(key)
        if known is not None and known[0] > self._now():
            return known[1]
        spec: dict[str, object] = {"token": token}
        if audiences:
            spec["audiences"] = audiences
        review = {
            "kind": "TokenReview",
            "apiVersion": f"authentication.k8s.io/{self._version}",
            "metadata": {},
            "spec": spec,
            "status": {"user": {}},
        }
        try:
            answer = await self._webhook.post(msgspec.json.encode(review))
            status = msgspec.json.decode(answer, type=_Review).status
        except WebhookUnreachable as error:
            raise TokenError(str(error)) from None
        except msgspec.MsgspecError as error:
            raise TokenError(f"the answer is no TokenReview: {error}") from None
        if self._seconds > 0:
            if len(self._known) >= _REMEMBERED_MAX:
                self._known.clear()
            self._known[key] = (self._now() + self._seconds, status)
        return status
