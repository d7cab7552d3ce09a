"""Service account tokens: what is in them and when they count."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from kajitori.apiserver.authentication.jwt import split_claims
from kajitori.apiserver.authentication.serviceaccount import ISSUER, TokenError, TokenRules


def test_the_claims_are_kubernetes(world: Any) -> None:
    world.add("pods", "ns", "p", "u-2")
    bound = {"pod": {"name": "p", "uid": "u-2"}, "node": {"name": "n", "uid": "u-3"}}
    claims = split_claims(world.token(bound=bound, seconds=600))
    assert claims == {
        "aud": ["https://kubernetes.default.svc"],
        "exp": 1_800_000_600,
        "iat": 1_800_000_000,
        "iss": ISSUER,
        "jti": "jti-1",
        "kubernetes.io": {
            "namespace": "ns",
            "node": {"name": "n", "uid": "u-3"},
            "pod": {"name": "p", "uid": "u-2"},
            "serviceaccount": {"name": "bot", "uid": "u-1"},
        },
        "nbf": 1_800_000_000,
        "sub": "system:serviceaccount:ns:bot",
    }


def test_the_user_is_the_account_with_what_it_is_bound_to(world: Any) -> None:
    world.add("pods", "ns", "p", "u-2")
    bound = {"pod": {"name": "p", "uid": "u-2"}, "node": {"name": "n", "uid": "u-3"}}
    identity = world.tokens.identify(world.token(bound=bound))
    assert identity.user.to_json() == {
        "username": "system:serviceaccount:ns:bot",
        "uid": "u-1",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"],
        "extra": {
            "authentication.kubernetes.io/credential-id": ["JTI=jti-1"],
            "authentication.kubernetes.io/pod-name": ["p"],
            "authentication.kubernetes.io/pod-uid": ["u-2"],
            "authentication.kubernetes.io/node-name": ["n"],
            "authentication.kubernetes.io/node-uid": ["u-3"],
        },
    }
    assert identity.audiences == ("https://kubernetes.default.svc",)


def expired(world: Any) -> None:
    world.now += 3600 + 61


def too_early(world: Any) -> None:
    world.now -= 61


def account_gone(world: Any) -> None:
    del world.objects["serviceaccounts", "ns", "bot"]


def account_made_again(world: Any) -> None:
    world.add("serviceaccounts", "ns", "bot", "u-9")


def pod_gone(world: Any) -> None:
    del world.objects["pods", "ns", "p"]


def pod_long_deleted(world: Any) -> None:
    world.objects["pods", "ns", "p"]["metadata"]["deletionTimestamp"] = "2027-01-15T07:58:00Z"


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (expired, "service account token has expired"),
        (too_early, "service account token is not valid yet"),
        (account_gone, 'serviceaccounts "bot" not found'),
        (account_made_again, r"service account UID \(u-9\) does not match claim \(u-1\)"),
        (pod_gone, "service account token has been invalidated"),
        (pod_long_deleted, "service account token has been invalidated"),
    ],
)
def test_tokens_end_with_what_they_depend_on(
    world: Any, happens: Callable[[Any], None], why: str
) -> None:  # T1, T2
    world.add("pods", "ns", "p", "u-2")
    token = world.token(bound={"pod": {"name": "p", "uid": "u-2"}})
    identity = world.tokens.identify(token)
    happens(world)
    with pytest.raises(TokenError, match=why):
        world.tokens.identify(token)
    with pytest.raises(TokenError, match=why):
        world.tokens.check(identity)


def test_a_pod_that_is_ending_may_still_ask(world: Any) -> None:  # T1
    pod = world.add("pods", "ns", "p", "u-2")
    token = world.token(bound={"pod": {"name": "p", "uid": "u-2"}})
    pod["metadata"]["deletionTimestamp"] = "2027-01-15T07:59:30Z"
    assert world.tokens.identify(token) is not None
    world.now += 3600 + 59
    pod["metadata"]["deletionTimestamp"] = "2027-01-15T09:00:30Z"
    assert world.tokens.identify(token) is not None


def test_secrets_and_nodes_can_be_what_a_token_depends_on(world: Any) -> None:  # T1
    world.add("secrets", "ns", "s", "u-4")
    world.add("nodes", "", "n", "u-5")
    for kind, resource, where, name, uid in (
        ("secret", "secrets", "ns", "s", "u-4"),
        ("node", "nodes", "", "n", "u-5"),
    ):
        token = world.token(bound={kind: {"name": name, "uid": uid}})
        assert world.tokens.identify(token) is not None
        del world.objects[resource, where, name]
        with pytest.raises(TokenError, match="service account token has been invalidated"):
            world.tokens.identify(token)


def test_a_token_counts_for_its_audiences_only(world: Any) -> None:  # T2
    token = world.token(audiences=["a", "b"])
    assert world.tokens.identify(token, ["b", "c"]).audiences == ("b",)
    with pytest.raises(
        TokenError, match=r'token audiences \["a" "b"\] is invalid for the target audiences \['
    ):
        world.tokens.identify(token)


def test_other_issuers_tokens_are_not_ours_to_judge(world: Any) -> None:  # T3
    token = world.token()
    world.use(TokenRules(issuers=("https://other",)))
    assert world.tokens.identify(token) is None
    assert world.tokens.identify("not a token") is None


def test_a_changed_token_is_refused(world: Any) -> None:
    header, claims, _ = world.token().split(".")
    with pytest.raises(TokenError, match="go-jose/go-jose: error in cryptographic primitive"):
        world.tokens.identify(f"{header}.{claims}.AAAA")


def test_tokens_of_old_clients_live_longer_and_say_when_they_should_not(world: Any) -> None:
    world.add("pods", "ns", "p", "u-2")
    bound = {"pod": {"name": "p", "uid": "u-2"}}
    claims = split_claims(world.token(bound=bound, seconds=3607))
    assert claims is not None
    assert claims["exp"] == 1_800_000_000 + 365 * 24 * 3600
    assert claims["kubernetes.io"]["warnafter"] == 1_800_003_607
    other = split_claims(world.token(bound=bound, seconds=3607, audiences=["vault"]))
    assert other is not None and other["exp"] == 1_800_003_607


def test_others_can_verify_with_what_discovery_says(world: Any) -> None:
    assert world.tokens.openid_configuration("https://127.0.0.1/openid/v1/jwks") == {
        "issuer": ISSUER,
        "jwks_uri": "https://127.0.0.1/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
    [key] = world.tokens.jwks()["keys"]
    assert sorted(key) == ["alg", "crv", "kid", "kty", "use", "x", "y"]


def test_tokens_of_every_named_issuer_are_believed(world: Any) -> None:
    world.use(TokenRules(issuers=("https://old",), audiences=("me",)))
    old = world.token()
    world.use(TokenRules(issuers=("https://new", "https://old"), audiences=("me",), jwks_uri="https://keys"))
    assert (split_claims(world.token()) or {})["iss"] == "https://new"
    assert world.tokens.identify(old) is not None and world.tokens.identify(world.token()) is not None
    assert world.tokens.openid_configuration("https://here")["jwks_uri"] == "https://keys"


def kept(world: Any, name: str = "kept", **labels: str) -> str:
    """A token that is kept in a Secret."""
    prefix = "kubernetes.io/serviceaccount"
    token: str = world.tokens.sign(
        {
            "sub": "system:serviceaccount:ns:bot",
            f"{prefix}/namespace": "ns",
            f"{prefix}/secret.name": name,
            f"{prefix}/service-account.name": "bot",
            f"{prefix}/service-account.uid": "u-1",
        }
    )
    world.add("secrets", "ns", name, "u-s")
    world.objects["secrets", "ns", name]["data"] = {"token": base64.b64encode(token.encode()).decode()}
    world.objects["secrets", "ns", name]["metadata"]["labels"] = labels
    return token


def test_a_kept_token_counts_while_it_stands_in_its_secret(world: Any) -> None:  # T4
    token = kept(world)
    identity = world.tokens.identify(token)
    assert (identity.user.name, identity.user.uid) == ("system:serviceaccount:ns:bot", "u-1")
    assert identity.user.extra == {} and identity.audiences == world.tokens.audiences
    assert world.used == [("ns", "kept", "2027-01-15")]
    world.objects["secrets", "ns", "kept"]["metadata"]["labels"] = {
        "kubernetes.io/legacy-token-last-used": "2027-01-15"
    }
    world.tokens.check(identity)
    assert len(world.used) == 1, "once a day"
    world.objects["secrets", "ns", "kept"]["data"] = {"token": "b3RoZXI="}
    with pytest.raises(TokenError, match="Token does not match server's copy"):
        world.tokens.check(identity)
    del world.objects["secrets", "ns", "kept"]
    with pytest.raises(TokenError, match="Token has been invalidated"):
        world.tokens.identify(token)
    world.use(TokenRules(lookup=False))
    assert world.tokens.identify(token) is not None


def test_a_kept_token_ends_with_its_account_and_when_it_is_marked(world: Any) -> None:  # T4
    marked = kept(world, "old", **{"kubernetes.io/legacy-token-invalid-since": "2026-01-01"})
    with pytest.raises(TokenError, match="has been marked invalid"):
        world.tokens.identify(marked)
    token = kept(world)
    world.add("serviceaccounts", "ns", "bot", "u-9")
    with pytest.raises(TokenError, match=r"ServiceAccount UID \(u-9\) does not match claim \(u-1\)"):
        world.tokens.identify(token)
