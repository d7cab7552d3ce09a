"""AdmissionReviews and what is answered, however bad the review or the function."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.ctrl.webhooks.asking import ask, patch_of, patched, respond, review, router_of
from tests.ctrl.webhooks.widgets import Widget, WidgetRules, widget

from kajitori.apis import FieldError, JsonObject, Kind, Unstructured, freeze
from kajitori.client import NotFound
from kajitori.ctrl import (
    AdmissionRequest,
    AdmissionResponse,
    Defaulter,
    Denied,
    FieldsInvalid,
    Mutating,
    Validating,
    Validator,
    current_admission,
)
from kajitori.ctrl.webhooks.reviews import ADMISSION_BYTES_MAX
from kajitori.testing import run_virtual

PODS = Kind("", "v1", "Pod", "pods")


class Says(Validator[Widget]):
    """What a function says."""

    def __init__(self, say: Callable[[], Any]) -> None:
        self._say = say

    def validate_create(self, new: Widget) -> Any:
        return self._say()


class Fills(Defaulter[Widget]):
    def __init__(self, fill: Callable[[Widget], Any]) -> None:
        self._fill = fill

    def default(self, value: Widget) -> Any:
        return self._fill(value)


def raises(error: Exception) -> Callable[..., Any]:
    def function(*_: Any) -> Any:
        raise error

    return function


# Reviews.


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_review_is_answered_in_its_version_with_its_uid(version: str) -> None:  # R1
    body = review(Widget, "CREATE", widget("a"), version=version)
    answer = ask(router_of(Widget, Says(lambda: None)), "/validate-example-com-v1-widget", body)
    assert answer == {
        "kind": "AdmissionReview",
        "apiVersion": f"admission.k8s.io/{version}",
        "response": {"uid": "uid-1", "allowed": True, "status": {"metadata": {}, "code": 200}},
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "request body is empty"),
        (b"{", "the body is no AdmissionReview: "),
        (b"[]", "the body is no AdmissionReview: "),
        (b"\xff\xfe", "the body is no AdmissionReview: "),
        (
            b'{"kind":"Pod","apiVersion":"v1"}',
            "the body is Pod of v1; send an AdmissionReview of admission.k8s.io/v1",
        ),
        (
            b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v2","request":{}}',
            "the body is AdmissionReview of admission.k8s.io/v2; send an AdmissionReview",
        ),
        (
            b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}',
            "the AdmissionReview has no request",
        ),
        (
            b'{"request":{"uid":1}}',
            "the AdmissionReview cannot be read: Expected `str`, got `int` - at `$.request.uid`",
        ),
        (b"[" * 100_000, "the body is no AdmissionReview: "),
        (b'{"request":' + b"[" * 100_000, "the body is no AdmissionReview: "),
        (b'{"request":{}}', 'unknown operation ""'),
        (b'{"request":{"operation":"CREATE"}}', "there is no content to decode"),
        (b'{"request":{"operation":"CREATE","object":null}}', "there is no content to decode"),
        (b'{"request":{"operation":"CREATE","object":7}}', "Widget is wanted, not 7"),
        (
            b'{"request":{"operation":"CREATE","object":{"apiVersion":"v1","kind":"Pod"}}}',
            "Widget of example.com/v1 is wanted, not Pod of v1",
        ),
        (
            b'{"request":{"operation":"CREATE","object":{"spec":{"size":"x"}}}}',
            "this is no Widget as we know it: Expected `int`, got `str` - at `$.spec.size`",
        ),
    ],
)
def test_what_is_no_review_is_refused(body: bytes, told: str) -> None:  # R2, S1
    response = respond(router_of(Widget, Says(lambda: None)), body)
    assert response["allowed"] is False and response["status"]["code"] == 400
    assert response["status"]["message"].startswith(told)


def test_a_body_that_is_too_large_is_refused() -> None:
    response = respond(router_of(Widget, Says(lambda: None)), b" " * ADMISSION_BYTES_MAX)
    assert response["status"]["code"] == 413
    assert response["status"]["message"] == "request entity is too large; limit is 7340032 bytes"


def test_nulls_are_read_as_go_reads_them() -> None:
    nothing = dict.fromkeys(
        ["name", "namespace", "userInfo", "dryRun", "options", "requestKind", "subResource"]
    )
    sent = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": None, "spec": None}
    decoded = msgspec.json.decode(review(Widget, "CREATE", widget("a")))
    decoded["request"].update(nothing, object=sent)
    response = respond(router_of(Widget, Fills(lambda value: value)), msgspec.json.encode(decoded))
    assert response["allowed"] and response["uid"] == "uid-1"


def test_nothing_is_at_other_paths() -> None:
    router = router_of(Widget, WidgetRules())
    for path in ("/", "/convert", "/validate-example-com-v1-widget/", "/mutate--v1-pod"):
        assert asyncio.run(router.answer(path, b"{}")) is None


# What functions say.


def test_warnings_are_shown() -> None:
    body = review(Widget, "CREATE", widget("a"))
    assert respond(router_of(Widget, Says(lambda: ["one", "two"])), body)["warnings"] == ["one", "two"]
    assert respond(router_of(Widget, Says(lambda: "one")), body)["warnings"] == ["one"]


def test_an_object_that_is_no_json_is_refused_as_such() -> None:
    body = review(Widget, "CREATE", widget("a", surprise="x")).replace(b'"x"', b'"\xff"')
    told = "an object of the AdmissionReview cannot be read: "
    fills = Fills(lambda value: replace(value, spec=replace(value.spec, color="grey")))
    reads = Validating(lambda request: AdmissionResponse.deny(str(request.object)))
    for handler in (fills, reads):
        router = router_of(Widget, handler)
        status = respond(router, body)["status"]
        assert status["code"] == 400 and status["message"].startswith(told) and not router.figures.panics
    nameless = body.replace(b'"name":"a"', b'"name":""')
    refuses = Says(raises(FieldsInvalid(FieldError.required("spec.color", "say which"))))
    assert respond(router_of(Widget, refuses), nameless)["status"]["code"] == 422


def test_a_refusal_may_warn_too() -> None:
    body = review(Widget, "CREATE", widget("a"))
    required = FieldError.required("spec.color", "say which")
    for error in (Denied("no", warnings=["really"]), FieldsInvalid(required, warnings=["really"])):
        assert respond(router_of(Widget, Says(raises(error))), body)["warnings"] == ["really"]


def test_refusals_have_their_status() -> None:  # T2
    body = review(Widget, "CREATE", widget("a"))
    invalid = FieldsInvalid(
        FieldError.required("spec.color", "say which"), FieldError.invalid("spec.size", 0, "must be positive")
    )
    errors = [
        "spec.color: Required value: say which",
        "spec.size: Invalid value: 0: must be positive",
    ]
    expected: list[tuple[Exception, JsonObject]] = [
        (Denied("no"), {"metadata": {}, "message": "no", "reason": "Forbidden", "code": 403}),
        (
            invalid,
            {
                "metadata": {},
                "status": "Failure",
                "message": f'Widget.example.com "a" is invalid: [{", ".join(errors)}]',
                "reason": "Invalid",
                "details": {
                    "name": "a",
                    "group": "example.com",
                    "kind": "Widget",
                    "causes": [
                        {
                            "reason": "FieldValueRequired",
                            "message": "Required value: say which",
                            "field": "spec.color",
                        },
                        {
                            "reason": "FieldValueInvalid",
                            "message": "Invalid value: 0: must be positive",
                            "field": "spec.size",
                        },
                    ],
                },
                "code": 422,
            },
        ),
        (
            NotFound("no such pool"),
            {
                "metadata": {},
                "status": "Failure",
                "message": "no such pool",
                "reason": "NotFound",
                "code": 404,
            },
        ),
    ]
    for error, status in expected:
        for handler in (
            Says(raises(error)),
            Fills(raises(error)),
            Validating(raises(error)),
            Mutating(raises(error)),
        ):
            response = respond(router_of(Widget, handler), body)
            assert response == {"uid": "uid-1", "allowed": False, "status": status}


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (Says(raises(KeyError("color"))), "KeyError: 'color'"),
        (Says(raises(TimeoutError())), "TimeoutError"),
        (Says(lambda: 7), "warnings are a list of texts, not 7"),
        (Says(lambda: [1]), "warnings are a list of texts, not [1]"),
        (Fills(raises(ZeroDivisionError("division by zero"))), "ZeroDivisionError: division by zero"),
        (Fills(lambda value: None), "default() gave NoneType, not Widget"),
        (Fills(lambda value: {}), "default() gave dict, not Widget"),
        (Validating(lambda request: None), "it gave NoneType, not an AdmissionResponse"),  # type: ignore[arg-type, return-value]
        (
            Validating(lambda request: AdmissionResponse.patched([{"op": "remove", "path": "/spec"}])),
            "it gave a patch, but only a mutating webhook may change objects",
        ),
        (
            Mutating(lambda request: AdmissionResponse.patched([{"op": "add", "value": object()}])),
            "TypeError: Encoding objects of type object is unsupported",
        ),
    ],
)
def test_mistakes_are_answered_with_one_sentence(
    handler: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:  # S2, T4
    router = router_of(Widget, handler)
    with caplog.at_level(logging.ERROR):
        response = respond(router, review(Widget, "CREATE", widget("a")))
    [declared] = router.webhooks
    assert response == {
        "uid": "uid-1",
        "allowed": False,
        "status": {"metadata": {}, "code": 500, "message": f"webhook {declared.name} failed: {told}"},
    }
    assert router.figures.panics == 1 and router.figures.requests[declared.path, 200] == 1
    assert [each.message for each in caplog.records] == ["a webhook failed"]


def test_who_takes_too_long_is_cut_short() -> None:  # S3
    ended = list[str]()

    async def hang() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("hang")

    async def run() -> tuple[Any, float]:
        router = router_of(Widget, Says(hang), timeout_seconds=3)
        answer = await router.answer("/validate-example-com-v1-widget", review(Widget, "CREATE", widget("a")))
        return msgspec.json.decode(answer or b""), asyncio.get_running_loop().time()

    answer, ended_at = run_virtual(run())
    assert ended == ["hang"] and ended_at == 3
    assert answer["response"]["status"] == {
        "metadata": {},
        "code": 504,
        "message": "webhook validate.v1.widgets.example.com: no answer within 3 s",
    }


def test_who_hangs_up_ends_the_function() -> None:  # S4
    ended = list[str]()

    async def hang() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("hang")

    async def run() -> None:
        router = router_of(Widget, Says(hang))
        path = "/validate-example-com-v1-widget"
        asking = asyncio.create_task(router.answer(path, review(Widget, "CREATE", widget("a"))))
        await asyncio.sleep(1)
        assert router.figures.in_flight[path] == 1
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled() and router.figures.in_flight[path] == 0

    run_virtual(run())
    assert ended == ["hang"]


def test_a_function_knows_who_asks_for_what() -> None:
    seen = list[AdmissionRequest]()

    class Asks(Validator[Widget]):
        async def validate_delete(self, old: Widget) -> None:
            await asyncio.sleep(0)
            seen.append(current_admission.get())

    body = review(
        Widget,
        "DELETE",
        old=widget("a"),
        dryRun=True,
        subResource="status",
        options={"kind": "DeleteOptions"},
    )
    assert respond(router_of(Widget, Asks()), body)["allowed"]
    [request] = seen
    assert (request.user_info.username, request.operation, request.sub_resource) == (
        "alice",
        "DELETE",
        "status",
    )
    assert request.is_dry_run and request.object is None and request.options == {"kind": "DeleteOptions"}
    assert request.old_object is not None and request.old_object.name == "a"
    with pytest.raises(LookupError):
        current_admission.get()


def test_connections_are_let_through() -> None:
    assert respond(router_of(Widget, Says(raises(Denied("no")))), review(Widget, "CONNECT"))["allowed"]


# What is filled in.


def test_what_the_class_does_not_know_stays() -> None:  # T3
    sent = widget(
        "a", size=2, surprise={"deep": [1]}, parts=[{"name": "x", "note": "n"}, {"name": "y", "note": "m"}]
    )
    sent["metadata"]["managedFields"] = [{"manager": "m"}]
    sent["more"] = True

    def fill(value: Widget) -> Widget:
        moved = tuple(replace(each, size=5) for each in reversed(value.spec.parts))
        return replace(value, spec=replace(value.spec, color="grey", parts=moved))

    response = respond(router_of(Widget, Fills(fill)), review(Widget, "CREATE", sent))
    assert response["patchType"] == "JSONPatch" and response["status"]["code"] == 200
    assert patched(sent, response) == {
        **sent,
        "spec": {
            **sent["spec"],
            "color": "grey",
            "parts": [{"name": "y", "note": "m", "size": 5}, {"name": "x", "note": "n", "size": 5}],
        },
    }


def test_nothing_to_fill_in_needs_no_patch() -> None:
    body = review(Widget, "CREATE", widget("a"))
    for fill in (lambda value: value, lambda value: replace(value)):
        response = respond(router_of(Widget, Fills(fill)), body)
        assert response == {"uid": "uid-1", "allowed": True, "status": {"metadata": {}, "code": 200}}


def test_nothing_is_filled_in_when_an_object_goes() -> None:
    assert respond(router_of(Widget, Fills(raises(Denied("no")))), review(Widget, "DELETE", old=widget("a")))[
        "allowed"
    ]


def test_kinds_without_a_class_are_frozen_objects() -> None:  # T1
    class Labelled(Defaulter[Unstructured]):
        async def default(self, value: Unstructured) -> Unstructured:
            metadata = {**value.metadata, "labels": {**value.labels, "a": "b"}}
            metadata.pop("annotations")
            return freeze({**value, "metadata": metadata})

    sent = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "annotations": {"x": "y"}},
        "spec": {},
    }
    router = router_of(PODS, Labelled())
    assert [each.path for each in router.webhooks] == ["/mutate--v1-pod"]
    response = respond(router, review(PODS, "CREATE", sent))
    assert patch_of(response) == [
        {"op": "remove", "path": "/metadata/annotations"},
        {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
    ]
