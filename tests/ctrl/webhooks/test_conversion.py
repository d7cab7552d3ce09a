"""ConversionReviews and what is answered."""

import asyncio
from typing import Any

import msgspec
import pytest

from kajitori.apis import JsonObject, Kind
from kajitori.client import BadRequest
from kajitori.ctrl import Conversions
from kajitori.ctrl.webhooks.serving import WebhookRouter

HUB = Kind("example.com", "v2", "Widget", "widgets")


def up(value: JsonObject) -> JsonObject:
    value["spec"] = {"length": value["spec"]["size"], "color": value["spec"].get("color", "")}
    return value


def down(value: JsonObject) -> JsonObject:
    return {
        "metadata": value["metadata"],
        "spec": {"size": value["spec"]["length"], "color": value["spec"]["color"]},
    }


CONVERSIONS: Conversions = {
    ("v1", "v2"): up,
    ("v2", "v1"): down,
    ("v1alpha1", "v2"): lambda value: {"spec": {"length": 7, "color": "a"}},
    ("v2", "v1alpha1"): lambda value: {**value, "spec": {}},
}


def of(version: str, name: str, **spec: Any) -> JsonObject:
    return {
        "apiVersion": f"example.com/{version}",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid of {name}", "labels": {"a": "b"}},
        "spec": spec,
    }


def convert(
    wanted: str, *objects: Any, conversions: Conversions = CONVERSIONS, version: str = "v1"
) -> JsonObject:
    router = WebhookRouter()
    router.add_conversion(HUB, conversions)
    request = {"uid": "u", "desiredAPIVersion": wanted, "objects": list(objects)}
    sent = {"kind": "ConversionReview", "apiVersion": f"apiextensions.k8s.io/{version}", "request": request}
    answer = asyncio.run(router.answer("/convert", msgspec.json.encode(sent)))
    decoded: JsonObject = msgspec.json.decode(answer or b"")
    assert decoded["kind"] == "ConversionReview" and decoded["apiVersion"] == sent["apiVersion"]
    assert decoded["response"]["uid"] == "u"
    response: JsonObject = decoded["response"]
    return response


def told(response: JsonObject) -> str:
    assert response["convertedObjects"] is None and response["result"]["status"] == "Failure"
    message: str = response["result"]["message"]
    return message


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_objects_come_back_in_order_in_the_version_that_is_wanted(version: str) -> None:  # V1
    sent = [of("v1", f"w{number}", size=number) for number in range(120)]
    response = convert("example.com/v2", *sent, version=version)
    assert response["result"]["status"] == "Success"
    assert response["convertedObjects"] == [
        {**each, "apiVersion": "example.com/v2", "spec": {"length": each["spec"]["size"], "color": ""}}
        for each in sent
    ]


def test_what_has_no_function_goes_through_the_hub() -> None:
    [converted] = convert("example.com/v1", of("v1alpha1", "a"))["convertedObjects"]
    assert converted == of("v1", "a", size=7, color="a")
    assert convert("example.com/v1", of("v1", "a", size=1))["convertedObjects"] == [of("v1", "a", size=1)]


def test_metadata_survives_what_a_function_does_to_it() -> None:  # V2
    [converted] = convert("example.com/v2", of("v1alpha1", "a"))["convertedObjects"]
    assert converted["metadata"] == of("v1", "a")["metadata"]

    def rename(value: JsonObject) -> JsonObject:
        return {**value, "metadata": {"name": "other", "labels": {"c": "d"}, "annotations": {"e": "f"}}}

    [converted] = convert("example.com/v2", of("v1", "a"), conversions={("v1", "v2"): rename})[
        "convertedObjects"
    ]
    assert converted["metadata"] == {
        **of("v1", "a")["metadata"],
        "labels": {"c": "d"},
        "annotations": {"e": "f"},
    }


def test_an_object_that_cannot_be_converted_fails_the_review() -> None:  # V3
    good = of("v1", "good", size=1)
    assert told(convert("example.com/v2", good, of("v1", "bad"))) == "default/bad: KeyError: 'size'"
    assert told(convert("example.com/v3", good)) == "default/good: there is no conversion from v1 to v3"
    assert told(convert("example.com/v1", of("v9", "x"))) == "default/x: there is no conversion from v9 to v1"
    other = {**good, "kind": "Gadget"}
    assert (
        told(convert("example.com/v2", other))
        == "default/good: Gadget of example.com/v1 is not converted here"
    )
    assert "is not converted to other.com/v2 here" in told(convert("other.com/v2", good))
    assert told(convert("example.com/v2", 7)) == "an object is wanted, not int"

    def refuse(value: JsonObject) -> JsonObject:
        raise ValueError("no negative length")

    meant = convert("example.com/v2", good, conversions={("v1", "v2"): refuse})
    assert told(meant) == "default/good: no negative length"
    nothing: Any = {("v1", "v2"): lambda value: None}
    assert "gave NoneType, no object" in told(convert("example.com/v2", good, conversions=nothing))
    unsendable: Any = {("v1", "v2"): lambda value: {"spec": object()}}
    assert "TypeError" in told(convert("example.com/v2", good, conversions=unsendable))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no ConversionReview"),
        (b"[]", "no ConversionReview"),
        (b'{"kind":"Pod","apiVersion":"v1"}', "the body is Pod of v1"),
        (b"{}", "has no request"),
        (b"[" * 100_000, "no ConversionReview"),
    ],
)
def test_what_is_no_review_is_refused(body: bytes, why: str) -> None:
    router = WebhookRouter()
    router.add_conversion(HUB, CONVERSIONS)
    with pytest.raises(BadRequest, match=why):
        asyncio.run(router.answer("/convert", body))
    assert router.figures.requests["/convert", 400] == 1


def test_a_kind_is_converted_once() -> None:
    router = WebhookRouter()
    router.add_conversion(HUB, CONVERSIONS)
    with pytest.raises(ValueError, match=r"widgets.example.com is converted already"):
        router.add_conversion(HUB, CONVERSIONS)
