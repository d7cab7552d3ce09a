"""Webhooks that are asked whether somebody may."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.apiserver.authorization.given import wish

from kajitori.apimachinery.fields import FieldRequirement
from kajitori.apimachinery.labels import parse_label_selector
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization import Attributes, Decision, Undecided, settled
from kajitori.apiserver.authorization.conditions import compile_condition
from kajitori.apiserver.authorization.configured import WebhookSettings
from kajitori.apiserver.authorization.webhook import ANSWERS_MAX, RETRIES_MAX, Webhook
from kajitori.apiserver.authorization.webhook_figures import WebhookFigures
from kajitori.apiserver.webhooks import WebhookError
from kajitori.testing import run_virtual
from kajitori.testing.virtual_time import VirtualClock

ALICE = User("alice", "u1", ("dev",), {"scopes": ("a", "b")})
QUESTION = wish(ALICE, "get", "pods", namespace="ns", name="x")


class Server:
    """What a webhook reaches: a function from a review to a status, or something that goes wrong."""

    def __init__(self, answer: Callable[[dict[str, Any]], Any]) -> None:
        self.answer = answer
        self.reviews: list[Any] = []
        self.figures = WebhookFigures()

    async def post(self, body: bytes) -> bytes:
        review = msgspec.json.decode(body)
        self.reviews.append(review)
        answered = self.answer(review)
        if isinstance(answered, WebhookError):
            raise answered
        return (
            answered if isinstance(answered, bytes) else msgspec.json.encode({**review, "status": answered})
        )

    def webhook(self, *conditions: str, **settings: Any) -> Webhook:
        chosen = WebhookSettings(
            **{
                "name": "w",
                "authorized_seconds": 300.0,
                "unauthorized_seconds": 30.0,
                "version": "v1",
                "fails_closed": False,
                **settings,
            }
        )
        compiled = [compile_condition(each) for each in conditions]
        assert all(each.program for each in compiled), [each.error for each in compiled]
        return Webhook(chosen, self.post, compiled, figures=self.figures, clock=VirtualClock())

    def told(self) -> dict[str, float]:
        """What was counted, without the histograms."""
        lines = [line.rpartition(" ") for line in self.figures.lines() if not line.startswith("#")]
        prefix = "apiserver_authorization_"
        return {name.removeprefix(prefix): float(value) for name, _, value in lines if "seconds" not in name}


async def decide(webhook: Webhook, attributes: Attributes = QUESTION) -> Decision:
    return await settled(lambda: webhook.authorize(attributes))


ALLOWED, DENIED = {"allowed": True, "reason": "yes"}, {"allowed": False, "denied": True, "reason": "no"}


@pytest.mark.parametrize(
    ("status", "decision"),
    [
        (ALLOWED, Decision(True, "yes")),
        (DENIED, Decision(False, "no", denied=True)),
        ({"allowed": False, "reason": "hm"}, Decision(False, "hm")),
        ({}, Decision(False)),
        (
            {"allowed": True, "denied": True},
            Decision(
                False,
                denied=True,
                error="webhook subject access review returned both allow and deny response",
            ),
        ),
    ],
)
def test_answers(status: dict[str, Any], decision: Decision) -> None:
    assert run_virtual(decide(Server(lambda review: status).webhook())) == decision


def test_what_is_asked() -> None:
    attributes = msgspec.structs.replace(
        wish(ALICE, "list", "deployments/scale", group="apps", namespace="ns"),
        field_requirements=(FieldRequirement("metadata.name", True, "x"), FieldRequirement("a", False, "b")),
        label_requirements=tuple(parse_label_selector("a in (b,c),d=e,!f,g,h>1").requirements),
    )
    server = Server(lambda review: ALLOWED)
    run_virtual(decide(server.webhook(), attributes))
    run_virtual(
        decide(
            server.webhook(version="v1beta1"),
            Attributes(user=User("bob", groups=("g",)), verb="get", path="/x"),
        )
    )
    newer, older = server.reviews
    assert newer == {
        "kind": "SubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {
            "resourceAttributes": {
                "namespace": "ns",
                "verb": "list",
                "group": "apps",
                "version": "v1",
                "resource": "deployments",
                "subresource": "scale",
                "fieldSelector": {
                    "requirements": [
                        {"key": "metadata.name", "operator": "In", "values": ["x"]},
                        {"key": "a", "operator": "NotIn", "values": ["b"]},
                    ]
                },
                "labelSelector": {
                    "requirements": [
                        {"key": "a", "operator": "In", "values": ["b", "c"]},
                        {"key": "d", "operator": "In", "values": ["e"]},
                        {"key": "f", "operator": "DoesNotExist"},
                        {"key": "g", "operator": "Exists"},
                    ]
                },
            },
            "user": "alice",
            "groups": ["dev"],
            "extra": {"scopes": ["a", "b"]},
            "uid": "u1",
        },
        "status": {"allowed": False},
    }
    assert older["apiVersion"] == "authorization.k8s.io/v1beta1"
    assert older["spec"] == {
        "nonResourceAttributes": {"path": "/x", "verb": "get"},
        "user": "bob",
        "group": ["g"],
    }


def test_conditions_say_whether_it_is_asked() -> None:  # W1, C1, C2
    async def test() -> None:
        server = Server(lambda review: ALLOWED)
        only = server.webhook(
            "has(request.resourceAttributes)",
            "request.resourceAttributes.subresource == ''",
            "request.uid == 'u1'",
        )
        assert (await decide(only)).allowed
        for other in (
            wish(ALICE, "get", "pods/log"),
            Attributes(user=ALICE, verb="get", path="/"),
            wish(User("x"), "get", "pods"),
        ):
            assert only.authorize(other) == Decision(False)
        assert len(server.reviews) == 1
        told = "cel evaluation error: expression 'request.extra['x'][0] == 'y'' resulted in error: no such key: x"
        broken = ("request.extra['x'][0] == 'y'",)
        assert server.webhook(*broken).authorize(QUESTION) == Decision(False, error=told)
        closed = server.webhook(*broken, fails_closed=True)
        assert closed.authorize(QUESTION) == Decision(False, denied=True, error=told)
        assert closed.authorize(QUESTION) == closed.authorize(QUESTION)
        assert server.webhook(*broken, "request.user == 'bob'").authorize(QUESTION) == Decision(False)
        assert server.told() == {
            'match_condition_evaluation_errors_total{name="w",type="Webhook"}': 4,
            'match_condition_exclusions_total{name="w",type="Webhook"}': 4,
            'webhook_evaluations_total{name="w",result="success"}': 1,
        }

    run_virtual(test())


def test_answers_are_remembered_for_their_time() -> None:  # W2
    async def test() -> None:
        server = Server(lambda review: ALLOWED if review["spec"]["user"] == "alice" else DENIED)
        webhook = server.webhook()
        bob = wish(User("bob"), "get", "pods")
        for _ in range(3):
            assert (await decide(webhook)).allowed and (await decide(webhook, bob)).denied
        assert len(server.reviews) == 2
        await asyncio.sleep(31)
        await decide(webhook)
        await decide(webhook, bob)
        assert [each["spec"]["user"] for each in server.reviews] == ["alice", "bob", "bob"]
        await asyncio.sleep(301)
        with pytest.raises(Undecided):
            webhook.authorize(QUESTION)
        never = server.webhook(authorized_seconds=0.0)
        await decide(never)
        await decide(never)
        assert len(server.reviews) == 5

    run_virtual(test())


def test_what_failed_and_what_is_very_large_is_not_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # W2, W4
    async def test() -> None:
        server = Server(lambda review: WebhookError("gone", status=404))
        webhook = server.webhook()
        assert await decide(webhook) == await decide(webhook) == Decision(False, error="gone")
        server.answer = lambda review: ALLOWED
        large = wish(ALICE, "get", "pods", name="x" * 10_000)
        await decide(webhook, large)
        await decide(webhook, large)
        assert len(server.reviews) == 4
        for number in range(4):
            await decide(webhook, wish(ALICE, "get", "pods", name=str(number)))
        assert len(server.reviews) == 8
        await decide(webhook, wish(ALICE, "get", "pods", name="3"))
        assert len(server.reviews) == 8
        await decide(webhook, wish(ALICE, "get", "pods", name="0"))  # forgotten
        assert len(server.reviews) == 9

    monkeypatch.setattr("kajitori.apiserver.authorization.webhook.ANSWERS_MAX", 3)
    assert ANSWERS_MAX == 8192
    run_virtual(test())


def test_what_may_pass_is_tried_again() -> None:  # W3
    async def test() -> None:
        failures = [WebhookError("busy", status=429), WebhookError("broken", status=500)]
        server = Server(lambda review: failures.pop() if failures else ALLOWED)
        webhook = server.webhook()
        began = asyncio.get_running_loop().time()
        assert (await decide(webhook)).allowed
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.5 + 0.75)
        lost = Server(lambda review: WebhookError("EOF", reset=True))
        assert await decide(lost.webhook()) == Decision(False, error="EOF")
        assert len(lost.reviews) == RETRIES_MAX
        late = Server(lambda review: WebhookError("late", timed_out=True))
        assert await decide(late.webhook(fails_closed=True)) == Decision(False, denied=True, error="late")
        assert len(late.reviews) == 1
        await decide(late.webhook())
        assert late.told() == {
            'webhook_evaluations_fail_open_total{name="w",result="timeout"}': 1,
            'webhook_evaluations_total{name="w",result="timeout"}': 2,
        }

    run_virtual(test())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            b"garbage",
            "couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value",
        ),
        (b"[1]", "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value"),
        (
            b'{"kind":"Pod","apiVersion":"v1"}',
            "converting (v1.Pod) to (v1.SubjectAccessReview): unknown conversion",
        ),
        (
            b'{"kind":"SubjectAccessReview","apiVersion":"foo/v1"}',
            'no kind "SubjectAccessReview" is registered for version "foo/v1" in scheme',
        ),
        (
            b'{"status":{"allowed":"yes"}}',
            "json: cannot unmarshal string into Go struct field SubjectAccessReviewStatus.status.allowed of type bool",
        ),
        (
            b'{"status":1}',
            "json: cannot unmarshal number into Go struct field SubjectAccessReview.status of type v1.",
        ),
    ],
)
def test_answers_that_are_none(answer: bytes, told: str) -> None:
    decision = run_virtual(decide(Server(lambda review: answer).webhook()))
    assert not decision.allowed and decision.error.startswith(told)


def test_what_a_webhook_would_allow_cannot_be_listed() -> None:
    async def test() -> None:
        held = Server(lambda review: ALLOWED).webhook().held(ALICE, "ns")
        assert (held.errors, held.incomplete) == (
            ["webhook authorizer does not support user rule resolution"],
            True,
        )

    run_virtual(test())
