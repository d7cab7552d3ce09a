"""TokenRequests: what may be asked for, and what comes."""

from typing import Any

import pytest

from kajitori.apimachinery.errors import ApiError
from kajitori.apiserver.authentication.jwt import split_claims
from kajitori.apiserver.authentication.serviceaccount import TokenRules
from kajitori.apiserver.authentication.tokenrequest import token_request


def ask(world: Any, **spec: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    account = world.objects["serviceaccounts", "ns", "bot"]
    return token_request(
        world.tokens, account, spec=spec, lookup=world.lookup, now=world.now, warn=world.warnings.append
    )


def test_what_is_not_asked_for_is_the_default(world: Any) -> None:
    spec, status = ask(world)
    assert spec == {
        "audiences": ["https://kubernetes.default.svc"],
        "expirationSeconds": 3600,
        "boundObjectRef": None,
    }
    assert status["expirationTimestamp"] == "2027-01-15T09:00:00Z"
    assert world.tokens.identify(status["token"]).user.uid == "u-1"


def test_a_token_bound_to_a_pod_tells_the_node(world: Any) -> None:
    world.add("pods", "ns", "p", "u-2", serviceAccountName="bot", nodeName="n")
    world.add("nodes", "", "n", "u-3")
    reference = {"apiVersion": "v1", "kind": "Pod", "name": "p"}
    spec, status = ask(world, boundObjectRef=reference, audiences=["x"], expirationSeconds=600)
    assert (spec["boundObjectRef"], spec["audiences"]) == (reference, ["x"])
    claims = split_claims(status["token"])
    assert claims is not None
    assert claims["kubernetes.io"]["pod"] == {"name": "p", "uid": "u-2"}
    assert claims["kubernetes.io"]["node"] == {"name": "n", "uid": "u-3"}


POD = {"apiVersion": "v1", "kind": "Pod", "name": "p"}


@pytest.mark.parametrize(
    ("spec", "code", "why"),
    [
        ({"expirationSeconds": 10}, 422, "may not specify a duration less than 10 minutes"),
        ({"expirationSeconds": (1 << 32) + 1}, 422, "may not specify a duration larger than 2^32 seconds"),
        (
            {"boundObjectRef": {**POD, "kind": "Job", "apiVersion": "batch/v1"}},
            400,
            "to object of type batch/v1, Kind=Job",
        ),
        ({"boundObjectRef": {**POD, "name": "q"}}, 404, 'pods "q" not found'),
        ({"boundObjectRef": {**POD, "name": "mine", "uid": "u-9"}}, 409, "does not match the UID in record"),
        (
            {"boundObjectRef": POD},
            400,
            'serviceaccount "bot" to pod running with different serviceaccount name.',
        ),
    ],
)
def test_what_cannot_be_had_is_refused(world: Any, spec: dict[str, Any], code: int, why: str) -> None:
    world.add("pods", "ns", "p", "u-2", serviceAccountName="other")
    world.add("pods", "ns", "mine", "u-3", serviceAccountName="bot")
    with pytest.raises(ApiError) as refused:
        ask(world, **spec)
    assert refused.value.code == code
    assert why in refused.value.message


def test_who_asks_for_more_than_is_given_is_told(world: Any) -> None:
    world.use(TokenRules(seconds_max=3600))
    spec, status = ask(world, expirationSeconds=7200)
    assert spec["expirationSeconds"] == 3600
    assert world.warnings == ["requested expiration of 7200 seconds shortened to 3600 seconds"]
    claims = split_claims(status["token"])
    assert claims is not None and claims["exp"] - claims["iat"] == 3600
