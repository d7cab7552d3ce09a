"""Names that come by HTTP: an event source that a git server, a registry or a person with curl posts to.

    def pushed(call: HttpCall) -> list[Request]:
        return [Request("mirrors", json.loads(call.body)["repository"]["name"])]

    manager.controller("mirrors", reconciler, for_=Mirror, sources=[HttpSource("/push", pushed, secret="…")])

What is posted is only a hint to look: reconcilers never see it, so that a lost call costs nothing but time where a
Timer looks, too. `kajitori run --hook-bind-address` listens for all sources of the process; in a server of your own,
give each call to `answer_hooks`.

Promises
    X1  only a POST to the path of a source tells names; with a secret, only one that was signed with it: by GitHub,
        Gitea or Forgejo (HMAC-SHA256), or sent with it by GitLab
    X2  who calls is told whether it was taken: 202 and how many names; 503 while no controller runs here or it is full,
        to be sent again; else why not
    X3  a function that raises answers 400 where it raised ValueError or KeyError, else 500, and harms nobody; both are
        logged, without what was sent

Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import hmac
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple

from kajitori.ctrl.queue_state import QueueFull
from kajitori.ctrl.reconcile import R
from kajitori.ctrl.source import Channel, ChannelFull, Enqueue

if TYPE_CHECKING:
    from kajitori.ctrl.manager import Manager

__all__ = ["HOOK_BYTES_MAX", "HttpAnswer", "HttpCall", "HttpSource", "answer_hooks", "http_sources"]

HOOK_BYTES_MAX = 25 * 1024 * 1024
"""The largest that GitHub sends."""

_log = logging.getLogger(__name__)


class HttpCall(NamedTuple):
    """One call, whole."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    query: str = ""


class HttpAnswer(NamedTuple):
    """What the caller is told."""

    status: int
    text: str


class HttpSource(Generic[R]):
    """One path."""

    def __init__(
        self, path: str, requests: Callable[[HttpCall], Iterable[R]], *, secret: str | Callable[[], str] = ""
    ) -> None:
        """`requests` says whom a call concerns. `secret`, or what a function gives at the time, is shared with who
        calls; empty: anybody may.

        Raises: ValueError.
        """
        if not path.startswith("/"):
            raise ValueError(f"a hook at {path!r}; a path begins with /")
        self.path = path
        self._requests = requests
        self._secret = secret
        self._channel: Channel[R] = Channel(names_max=0)

    def __str__(self) -> str:
        return f"HttpSource {self.path}"

    async def run(self, enqueue: Enqueue[R], /) -> None:
        await self._channel.run(enqueue)

    def answer(self, method: str, call: HttpCall) -> HttpAnswer:
        """Tells the names of a call."""
        if method != "POST":
            return HttpAnswer(405, "send a POST")
        secret = self._secret() if callable(self._secret) else self._secret
        if secret and not _is_signed(call, secret.encode()):
            return HttpAnswer(401, "not signed with the secret of this hook")
        try:
            requests = list(self._requests(call))
            for request in requests:
                self._channel.put(request)
        except ChannelFull:
            return HttpAnswer(503, "no controller takes it here now; send it again")
        except QueueFull as error:
            return HttpAnswer(503, str(error))
        except (ValueError, KeyError) as error:
            _log.warning(
                "a call of a hook was not understood",
                extra={"hook": self.path, "error": type(error).__name__},
            )
            return HttpAnswer(400, "not what this hook takes")
        except Exception:
            _log.exception("a hook failed", extra={"hook": self.path})
            return HttpAnswer(500, "the function of this hook failed; its log says why")
        return HttpAnswer(202, f"{len(requests)} queued")


def http_sources(manager: "Manager") -> list[HttpSource[Any]]:
    """Those of all controllers of a manager."""
    return [
        source
        for controller in manager.controllers
        for source in controller.sources
        if isinstance(source, HttpSource)
    ]


def answer_hooks(manager: "Manager", method: str, call: HttpCall) -> HttpAnswer:
    """Tells the names of a call to every source that has its path."""
    sources = [each for each in http_sources(manager) if each.path == call.path]
    if not sources:
        return HttpAnswer(404, "no hook is here")
    if len(call.body) > HOOK_BYTES_MAX:
        return HttpAnswer(413, f"use {HOOK_BYTES_MAX} bytes at most")
    # Whose answer is the worst is what the caller has to know.
    return max((source.answer(method, call) for source in sources), key=lambda each: each.status)


def _is_signed(call: HttpCall, secret: bytes) -> bool:
    token = call.headers.get("x-gitlab-token")
    if token is not None:
        return hmac.compare_digest(token.encode(), secret)
    expected = hmac.new(secret, call.body, "sha256").hexdigest()
    signature = call.headers.get("x-hub-signature-256") or call.headers.get("x-gitea-signature") or ""
    return hmac.compare_digest(signature.removeprefix("sha256=").encode(), expected.encode())
