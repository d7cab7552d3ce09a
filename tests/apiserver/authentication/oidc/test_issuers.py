"""Tokens of an issuer that listens, with real keys and signatures."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.apiserver.authentication.oidc.issuer import NOW, Issuer, issuing, rsa_key, signed, signed_text

from kajitori.apiserver.authentication import User
from kajitori.apiserver.authentication.jose import ALGORITHMS
from kajitori.apiserver.authentication.oidc import AuthenticationConfiguration, Issuers, validate
from kajitori.apiserver.authentication.oidc.provider import ProviderError
from kajitori.apiserver.authentication.serviceaccount import TokenError


class World:
    """An issuer, whoever believes it, and the time."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.now = float(NOW)

    def configuration(self, **changes: Any) -> AuthenticationConfiguration:
        whole: dict[str, Any] = {
            "issuer": {"url": self.issuer.url, "certificateAuthority": self.issuer.ca, "audiences": ["kube"]},
            "claimMappings": {
                "username": {"claim": "sub", "prefix": "idp:"},
                "groups": {"claim": "groups", "prefix": ""},
            },
        }
        for name, value in changes.items():
            whole[name] = {**whole.get(name, {}), **value} if isinstance(value, dict) else value
        found = msgspec.convert({"jwt": [whole]}, AuthenticationConfiguration)
        assert validate(found) == []
        return found

    async def believes(self, algorithms: tuple[str, ...] = ALGORITHMS, **changes: Any) -> Issuers:
        issuers = Issuers(
            self.configuration(**changes),
            algorithms=algorithms,
            audiences=("api",),
            wall_clock=lambda: self.now,
        )
        await issuers.run()
        return issuers


Play = Callable[[World], Awaitable[None]]


def issued(play: Play) -> Callable[[], None]:
    """A test that gets a world of its own."""

    def test() -> None:
        async def main() -> None:
            async with issuing() as issuer:
                await play(World(issuer))

        asyncio.run(main())

    test.__name__, test.__doc__ = getattr(play, "__name__", "test"), play.__doc__
    return test


async def user(issuers: Issuers, token: str) -> User:
    found = await issuers.identify(token, ())
    assert found is not None
    return found[0]


async def refused(issuers: Issuers, token: str) -> str:
    with pytest.raises(TokenError) as error:
        await issuers.identify(token, ())
    return str(error.value)


@issued
async def test_a_good_token_names_its_holder(world: World) -> None:
    issuers = await world.believes()
    token = world.issuer.token(groups=["dev", "ops"], jti="7")
    assert issuers.concerns(token)
    assert await user(issuers, token) == User(
        "idp:jane", groups=("dev", "ops"), extra={"authentication.kubernetes.io/credential-id": ("JTI=7",)}
    )
    assert (await issuers.identify(token, ("other", "api"))) == (await user(issuers, token), ("api",))
    assert await issuers.identify(token, ("other",)) is None


@issued
async def test_tokens_of_others_are_not_ours_to_judge(world: World) -> None:  # I2
    issuers = await world.believes()
    token = world.issuer.token(iss="https://other")
    assert not issuers.concerns(token) and not issuers.concerns("a.b.c") and not issuers.concerns("x")
    assert await issuers.identify(token, ()) is None


@issued
async def test_every_algorithm_counts_with_its_own_kind_of_key(world: World) -> None:
    curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    for algorithm in ALGORITHMS:
        curve = curves.get(algorithm)
        world.issuer.keys[algorithm] = rsa_key() if curve is None else ec.generate_private_key(curve)
    issuers = await world.believes()
    for algorithm in ALGORITHMS:
        assert (await user(issuers, world.issuer.token(algorithm, algorithm))).name == "idp:jane"
    header, claims, _ = world.issuer.token().split(".")
    for forged in (
        world.issuer.token("ES256", "RS256", rsa_key(1)),
        world.issuer.token("k1", "RS256", rsa_key(1)),
        f"{header}.{claims}.AAAA",
    ):
        assert await refused(issuers, forged) == (
            "oidc: verify token: failed to verify signature: failed to verify id token signature"
        )


@issued
async def test_only_named_algorithms_count(world: World) -> None:  # P3
    issuers = await world.believes(("RS256",))
    assert await refused(issuers, world.issuer.token(algorithm="PS256")) == (
        'oidc: verify token: oidc: id token signed with unsupported algorithm, expected ["RS256"] got "PS256"'
    )
    none = signed(rsa_key(), "RS256", "k1", {"iss": world.issuer.url}).split(".")
    assert "unsupported algorithm" in await refused(issuers, f"eyJhbGciOiJub25lIn0.{none[1]}.AAAA")


@issued
async def test_time_and_audience_are_checked(world: World) -> None:  # P3
    issuers = await world.believes()
    assert await refused(issuers, world.issuer.token(exp=NOW - 1)) == (
        "oidc: verify token: oidc: token is expired (Token Expiry: 2027-01-15 07:59:59 +0000 UTC)"
    )
    assert "(Token Expiry: 0001-01-01 00:00:00 +0000 UTC)" in await refused(
        issuers, world.issuer.token(exp=None)
    )
    assert "cannot unmarshal bool into Go struct field idToken.sub of type string" in await refused(
        issuers, world.issuer.token(sub=True)
    )
    assert "before the nbf (not before) time" in await refused(issuers, world.issuer.token(nbf=NOW + 61))
    await user(issuers, world.issuer.token(nbf=NOW + 59))
    assert await refused(issuers, world.issuer.token(aud=["a", "b"])) == (
        'oidc: verify token: oidc: expected audience "kube" got ["a" "b"]'
    )
    await user(issuers, world.issuer.token(aud=["a", "kube"]))
    assert await refused(issuers, world.issuer.token(sub=None)) == (
        'oidc: parse username claims "sub": claim not present'
    )


@issued
async def test_no_claim_makes_it_fail_otherwise_than_it_should(world: World) -> None:
    issuers = await world.believes()
    weird: tuple[object, ...] = (None, True, 7, 10**400, 1.5, "", "x", [1], ["a", 2], {"a": 1}, [], {})
    for claim in ("iss", "sub", "aud", "exp", "nbf", "jti", "groups", "_claim_names", "_claim_sources"):
        for value in weird:
            claims = {"iss": world.issuer.url, "aud": "kube", "sub": "j", "exp": NOW + 9, claim: value}
            token = signed_text(rsa_key(), json.dumps(claims))
            with contextlib.suppress(TokenError):
                await issuers.identify(token, ())
            assert issuers.concerns(token) == (claims["iss"] == world.issuer.url)


@issued
async def test_keys_are_fetched_once_and_again_when_they_have_changed(world: World) -> None:  # P1, P2
    world.issuer.cache_control = "public, max-age=300"
    issuers = await world.believes()
    await asyncio.gather(*(user(issuers, world.issuer.token(sub=f"u{each}")) for each in range(5)))
    assert world.issuer.asked.count("/keys") == 1
    world.issuer.keys = {"k2": rsa_key(2)}
    rotated = world.issuer.token("k2")
    assert "failed to verify id token signature" in await refused(issuers, rotated)
    assert world.issuer.asked.count("/keys") == 1, "they may still be used"
    world.now += 280
    await user(issuers, rotated)
    assert world.issuer.asked.count("/keys") == 2


@issued
async def test_an_issuer_that_does_not_answer_is_told(world: World) -> None:  # I1
    issuers = await world.believes()
    world.issuer.down = True
    assert "fetching keys oidc: get keys failed: 503" in await refused(issuers, world.issuer.token())
    world.issuer.down = False
    await user(issuers, world.issuer.token())


@issued
async def test_before_discovery_no_token_counts(world: World) -> None:  # I1
    issuers = Issuers(
        world.configuration(), algorithms=ALGORITHMS, audiences=(), wall_clock=lambda: world.now
    )
    assert await refused(issuers, world.issuer.token()) == "oidc: authenticator not initialized"


@issued
async def test_discovery_may_be_elsewhere_but_must_name_the_issuer(world: World) -> None:
    elsewhere = f"{world.issuer.url}/elsewhere"
    world.issuer.documents["/elsewhere"] = b'{"issuer": "https://me.example.com", "jwks_uri": "%s"}' % (
        f"{world.issuer.url}/keys".encode()
    )
    named = {"url": "https://me.example.com", "discoveryURL": elsewhere}
    issuers = await world.believes(issuer=named)
    assert (await user(issuers, world.issuer.token(iss="https://me.example.com"))).name == "idp:jane"
    wrong = world.configuration(issuer={"url": "https://you.example.com", "discoveryURL": elsewhere})
    with pytest.raises(ProviderError, match="issuer did not match the issuer returned by provider"):
        await issuers.replace(wrong, 0.3)
    assert issuers.concerns(world.issuer.token(iss="https://me.example.com")), "nothing has changed"


@issued
async def test_issuers_that_are_no_longer_believed_are_not_asked(world: World) -> None:
    configuration = world.configuration()
    gone = msgspec.convert(
        {"jwt": [{"issuer": {"url": "https://127.0.0.1:1", "audiences": ["x"]}}]}, AuthenticationConfiguration
    )
    issuers = Issuers(gone, algorithms=ALGORITHMS, audiences=(), wall_clock=lambda: world.now)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("kajitori.apiserver.authentication.oidc.issuers.RETRY_SECONDS", 0.01)
        asking = asyncio.get_running_loop().create_task(issuers.run())
        await asyncio.sleep(0.05)
        assert not asking.done(), "it is asked again and again"
        await issuers.replace(configuration, 5)
        await asyncio.wait_for(asking, 5)
    assert (await user(issuers, world.issuer.token())).name == "idp:jane"


@issued
async def test_distributed_groups_are_fetched_where_the_token_points(world: World) -> None:  # I3
    issuers = await world.believes()
    source: Any = {"endpoint": f"{world.issuer.url}/groups", "access_token": "s3"}
    pointing: dict[str, Any] = {"_claim_names": {"groups": "s"}, "_claim_sources": {"s": source}}
    world.issuer.documents["/groups"] = world.issuer.token(groups=["far"]).encode()
    assert (await user(issuers, world.issuer.token(**pointing))).groups == ("far",)
    assert world.issuer.authorizations == ["Bearer s3"]
    world.issuer.documents["/groups"] = world.issuer.token(key=rsa_key(3), groups=["forged"]).encode()
    assert "verify distributed claim token" in await refused(issuers, world.issuer.token(**pointing))
    del world.issuer.documents["/groups"]
    assert "error while getting distributed claim JWT: 404" in await refused(
        issuers, world.issuer.token(**pointing)
    )
    assert (await user(issuers, world.issuer.token(groups="near", **pointing))).groups == ("near",)
    assert "no claim sources" in await refused(issuers, world.issuer.token(_claim_names={"groups": "s"}))


@issued
async def test_what_is_measured_names_no_issuer(world: World) -> None:
    issuers = await world.believes()
    await user(issuers, world.issuer.token())
    await refused(issuers, world.issuer.token(exp=1))
    text = "\n".join(issuers.figures.lines())
    assert 'result="success"' in text and 'result="failure"' in text and "127.0.0.1" not in text
    assert "apiserver_authentication_jwt_authenticator_jwks_fetch_last_key_set_info" in text
