"""Bodies that no API server would send to a webhook: each is answered, by a review or by a BadRequest, and soon."""

import asyncio
import logging

import msgspec
import pytest
from tests.ctrl.webhooks.asking import review
from tests.ctrl.webhooks.widgets import Widget, WidgetRules, widget
from tests.fuzz.inputs import LONG, Inputs, guarded

from kajitori.client import BadRequest, kind_of
from kajitori.ctrl.webhooks.declared import CONVERT_PATH, declare
from kajitori.ctrl.webhooks.serving import WebhookRouter

COUNT = 200_000 if LONG else 1500

TOKENS = [
    *(b'"', b"\\u0000", b"\\ud800", b"{", b"}", b"[", b"]", b"null", b"true", b"-0", b"1e999", b","),
    *(
        b'"request":',
        b'"object":',
        b'"spec":',
        b'"metadata":',
        b'"size":',
        b'"operation":"DELETE",',
        b"v1beta1",
    ),
]
OBJECT = widget("a", size=3, color="red", parts=[{"name": "x", "size": 2}], surprise={"deep": [1, None]})
REVIEWS = [
    review(Widget, "CREATE", OBJECT),
    review(Widget, "UPDATE", OBJECT, widget("a", size=1), version="v1beta1"),
    review(Widget, "DELETE", old=OBJECT, dryRun=True, options={"kind": "DeleteOptions"}),
    review(Widget, "CONNECT", OBJECT),
]
CONVERSIONS = [
    msgspec.json.encode(
        {
            "kind": "ConversionReview",
            "apiVersion": "apiextensions.k8s.io/v1",
            "request": {"uid": "u", "desiredAPIVersion": "example.com/v2", "objects": [OBJECT, widget("b")]},
        }
    )
]


def router() -> WebhookRouter:
    made = WebhookRouter()
    made.add(declare(Widget, WidgetRules(), {}))
    made.add_conversion(kind_of(Widget), {("v1", "v2"): lambda value: {**value, "spec": {}}})
    return made


@pytest.mark.parametrize("sort", ["mutate", "validate"])
def test_every_body_is_answered_by_a_review(sort: str) -> None:
    asked, path = router(), f"/{sort}-example-com-v1-widget"

    async def ask_all() -> set[int]:
        codes = set[int]()
        with guarded() as watched:
            for body in Inputs(sort, REVIEWS, TOKENS).take(COUNT):
                watched.reads(body)
                answer = msgspec.json.decode(await asked.answer(path, body) or b"")
                assert answer["kind"] == "AdmissionReview" and isinstance(answer["response"]["uid"], str)
                status = answer["response"]["status"]
                assert (status["code"] == 200) is answer["response"]["allowed"]
                codes.add(status["code"])
        return codes

    codes = asyncio.run(ask_all())
    assert {200, 400} <= codes and not asked.figures.panics, codes


def test_every_conversion_is_answered_or_refused() -> None:
    asked = router()

    async def ask_all() -> set[str]:
        results = set[str]()
        with guarded() as watched:
            for body in Inputs("conversions", CONVERSIONS, TOKENS).take(COUNT):
                watched.reads(body)
                try:
                    answer = msgspec.json.decode(await asked.answer(CONVERT_PATH, body) or b"")
                except BadRequest:
                    results.add("BadRequest")
                    continue
                response = answer["response"]
                results.add(response["result"]["status"])
                assert (response["convertedObjects"] is None) is (response["result"]["status"] == "Failure")
        return results

    logging.getLogger("kajitori.ctrl.webhooks").setLevel(logging.CRITICAL)
    try:
        assert asyncio.run(ask_all()) == {"BadRequest", "Success", "Failure"}
    finally:
        logging.getLogger("kajitori.ctrl.webhooks").setLevel(logging.NOTSET)
    assert not asked.figures.conversion_panics
