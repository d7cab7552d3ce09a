"""Names that come by HTTP: who may tell them, and what they are told."""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest
from tests.ctrl.test_watching import SECRETS, Seen, running, scenario

from kajitori.ctrl import HttpAnswer, HttpCall, HttpSource, Manager, Request, answer_hooks
from kajitori.ctrl.http_source import HOOK_BYTES_MAX
from kajitori.testing import TestEnv

BODY = b'{"repository": {"name": "blog"}}'


def pushed(call: HttpCall) -> list[Request]:
    return [Request("mirrors", json.loads(call.body)["repository"]["name"])]


def call(body: bytes = BODY, path: str = "/push", headers: dict[str, str] | None = None) -> HttpCall:
    return HttpCall(path, headers or {}, body)


def signed(secret: bytes, body: bytes = BODY) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def asked(source: HttpSource, *calls: HttpCall, method: str = "POST") -> tuple[list[HttpAnswer], list[str]]:
    """What who calls is told, and what is reconciled."""
    told, names = list[HttpAnswer](), list[str]()

    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        manager.controller("c", seen, sources=[source])
        async with running(manager):
            await asyncio.sleep(1)
            told.extend(answer_hooks(manager, method, each) for each in calls)
            await asyncio.sleep(1)
            names.extend(seen.take())

    scenario(body)
    return told, names


def test_a_call_reconciles_whom_it_concerns() -> None:  # X1, X2
    told, names = asked(HttpSource("/push", pushed), call())
    assert told == [(202, "1 queued")] and names == ["mirrors/blog"]


def test_only_posts_to_the_path_are_taken() -> None:  # X1
    (nowhere, large), names = asked(
        HttpSource("/push", pushed), call(path="/pus"), call(b" " * (HOOK_BYTES_MAX + 1))
    )
    assert (nowhere.status, large.status, names) == (404, 413, [])
    ((status, text),), names = asked(HttpSource("/push", pushed), call(), method="GET")
    assert (status, text, names) == (405, "send a POST", [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-hub-signature-256": f"sha256={signed(b'secret')}"}, 202),
        ({"x-gitea-signature": signed(b"secret")}, 202),
        ({"x-gitlab-token": "secret"}, 202),
        ({"x-hub-signature-256": f"sha256={signed(b'guessed')}"}, 401),
        ({"x-hub-signature-256": f"sha256={signed(b'secret', b'another body')}"}, 401),
        ({"x-gitlab-token": "guessed"}, 401),
        ({"x-hub-signature-256": "sha256="}, 401),
        ({"x-hub-signature-256": "ü"}, 401),
        ({}, 401),
    ],
)
@pytest.mark.parametrize("secret", ["secret", lambda: "secret"])
def test_with_a_secret_only_who_knows_it_is_heard(
    headers: dict[str, str], status: int, secret: Any
) -> None:  # X1
    told, names = asked(HttpSource("/push", pushed, secret=secret), call(headers=headers))
    assert [each.status for each in told] == [status] and bool(names) == (status == 202)


@pytest.mark.parametrize(("sent", "status"), [(b"{", 400), (b"{}", 400), (b"[]", 500), (b"\xff", 400)])
def test_what_is_not_understood_harms_nobody(
    sent: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:  # X3
    told, names = asked(HttpSource("/push", pushed), call(sent), call())
    assert [each.status for each in told] == [status, 202] and names == ["mirrors/blog"]
    assert len([record for record in caplog.records if "hook" in record.__dict__]) == 1


def test_who_calls_where_nobody_works_is_to_call_again() -> None:  # X2
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        source = HttpSource("/push", pushed)
        manager.controller("c", seen, sources=[source], names_max=1)
        assert answer_hooks(manager, "POST", call()).status == 503
        async with running(manager):
            await asyncio.sleep(1)
            # Of two in one go only one has room.
            two = b'{"repository": {"name": "other"}}'
            assert [answer_hooks(manager, "POST", each).status for each in (call(), call(two))] == [202, 503]
        assert answer_hooks(manager, "POST", call()).status == 503

    scenario(body)


def test_two_controllers_may_share_a_path() -> None:
    async def body(env: TestEnv, manager: Manager, seen: Seen) -> None:
        other = Seen()
        manager.controller("c", seen, for_=SECRETS, sources=[HttpSource("/push", pushed)])
        manager.controller("d", other, sources=[HttpSource("/push", pushed)])
        async with running(manager):
            await asyncio.sleep(1)
            assert answer_hooks(manager, "POST", call()).status == 202
            await asyncio.sleep(1)
            assert seen.take() == other.take() == ["mirrors/blog"]

    scenario(body)


def test_a_path_begins_with_a_slash() -> None:
    with pytest.raises(ValueError, match="begins with /"):
        HttpSource("push", pushed)
