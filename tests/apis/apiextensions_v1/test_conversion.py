"""Conversion between versions."""

from typing import Any

import pytest

from kajitori.apis.apiextensions_v1.conversion import (
    ConversionError,
    conversion_review,
    convert_without_webhook,
    converted_objects,
)


def thing(version: str, **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"e.com/{version}",
        "kind": "Thing",
        "metadata": {"name": "a", "uid": "u", "generation": 3, **metadata},
        "spec": {version: True},
    }


def answer(objects: list[dict[str, Any]], **response: Any) -> dict[str, Any]:
    return {
        "kind": "ConversionReview",
        "apiVersion": "apiextensions.k8s.io/v1",
        "response": {"uid": "r", "result": {"status": "Success"}, "convertedObjects": objects, **response},
    }


def test_without_a_webhook_only_the_version_changes() -> None:
    old = thing("v1")
    new = convert_without_webhook(old, "e.com/v2")
    assert new == {**old, "apiVersion": "e.com/v2"} and old["apiVersion"] == "e.com/v1"
    assert convert_without_webhook(old, "e.com/v1") is old


def test_only_what_needs_it_is_sent_and_metadata_stays() -> None:  # W1 W2
    objects = [thing("v2"), thing("v1", labels={"old": "1"})]
    review = conversion_review(objects, "e.com/v2", "r", ["v7", "v1"])
    assert review["request"] == {"uid": "r", "desiredAPIVersion": "e.com/v2", "objects": [objects[1]]}
    converted = thing("v2", generation=99, labels={"new": "1"})
    first, second = converted_objects(objects, "e.com/v2", review, answer([converted]))
    assert first is objects[0]
    assert second["metadata"] == {"name": "a", "uid": "u", "generation": 3, "labels": {"new": "1"}}
    assert second["spec"] == {"v2": True}


@pytest.mark.parametrize(
    ("received", "message"),
    [
        (
            {},
            "failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind=",
        ),
        (answer([], uid="x"), 'failed: expected response.uid="r", got "x"'),
        (answer([], result={"status": "Failure", "message": "no"}), "failed: no"),
        (answer([]), "returned 0 objects, expected 1"),
        (answer([thing("v1")]), "invalid groupVersion (expected e.com/v2, received e.com/v1)"),
        (answer([{**thing("v2"), "kind": "X"}]), "invalid kind (expected Thing, received X)"),
        (answer([thing("v2", name="b")]), "must have the same name: a != b"),
        (answer([thing("v2", labels={"a": 1})]), "metadata.labels[a] must be a string"),
        (answer([thing("v2", labels={"a": "?"})]), "metadata.labels: Invalid value"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(received: dict[str, Any], message: str) -> None:  # W3
    objects = [thing("v1")]
    review = conversion_review(objects, "e.com/v2", "r", ["v1"])
    with pytest.raises(ConversionError) as caught:
        converted_objects(objects, "e.com/v2", review, received)
    assert message in str(caught.value)
    assert str(caught.value).startswith("conversion webhook for e.com/v1, Kind=Thing")


def test_a_webhook_must_speak_a_review_that_we_do() -> None:
    with pytest.raises(ConversionError, match="no supported conversion review versions"):
        conversion_review([], "e.com/v2", "r", ["v9"])
