"""Who is let in by a real server, over its own road."""

import asyncio
import base64
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.apiserver.authentication.oidc.issuer import NOW, issuing, rsa_key
from tests.apiserver.support import OPTIONS, Api, serving
from tests.apiserver.webhooks.support import Hook, certificate, listening

from kajitori.apiserver.authentication import AuthenticationOptions
from kajitori.apiserver.authentication.options import OidcOptions
from kajitori.apiserver.operating.inflight import RequestLimits
from kajitori.cluster.cluster import Cluster, ClusterError
from kajitori.cluster.operating import Operating
from kajitori.cluster.options import ClusterOptions

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"


def options(**authentication: Any) -> ClusterOptions:
    return replace(OPTIONS, authentication=AuthenticationOptions(**authentication))


async def whoami(api: Api, token: str) -> dict[str, Any]:
    told = await api.ask("POST", WHOAMI, {}, authorization=f"Bearer {token}")
    if told.status == 401:
        assert told.body["message"] == "Unauthorized", "and nothing more"
        return {}
    found: dict[str, Any] = told.body["status"]["userInfo"]
    return found


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not await condition():  # noqa: ASYNC110 - another task of the server has to get there
            await asyncio.sleep(0.01)


def test_tokens_of_an_issuer_are_believed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:  # N2, N3
    async def main() -> None:
        async with issuing() as issuer:
            (tmp_path / "ca").write_text(issuer.ca)
            oidc = OidcOptions(issuer.url, "kube", tmp_path / "ca", groups_claim="groups")
            async with serving(options(oidc=oidc)) as api:
                token = issuer.token(groups=["dev"], exp=NOW * 2)

                async def known() -> bool:
                    return bool(await whoami(api, token))

                await until(known)
                assert await whoami(api, token) == {
                    "username": f"{issuer.url}#jane",
                    "groups": ["dev", "system:authenticated"],
                }
                review = await api.ok("POST", REVIEWS, {"spec": {"token": token}})
                assert review.body["status"]["user"]["groups"] == ["dev", "system:authenticated"]
                assert review.body["status"]["audiences"] == ["https://kubernetes.default.svc"]
                forged = issuer.token(key=rsa_key(1), exp=NOW * 2)
                caplog.clear()
                with caplog.at_level(logging.INFO, "kajitori"):
                    assert await whoami(api, forged) == {}
                assert "failed to verify id token signature" in str(caplog.records[-1].__dict__["why"])
                assert forged not in caplog.text
                review = await api.ok("POST", REVIEWS, {"spec": {"token": forged}})
                assert "failed to verify id token signature" in review.body["status"]["error"]
                issuer.down = True
                assert await whoami(api, token), "remembered for a while"

    asyncio.run(main())


def test_a_configuration_file_is_read_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kajitori.apiserver.authentication.building.LOOK_SECONDS", 0.01)
    file = tmp_path / "authn.yaml"

    def configure(*issuers: Any, prefix: str) -> None:
        jwt = [
            {
                "issuer": {"url": each.url, "certificateAuthority": each.ca, "audiences": ["kube"]},
                "claimMappings": {"username": {"claim": "sub", "prefix": prefix}},
            }
            for each in issuers
        ]
        whole = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AuthenticationConfiguration",
            "jwt": jwt,
            "anonymous": {"enabled": True, "conditions": [{"path": "/livez"}]},
        }
        file.write_bytes(msgspec.json.encode(whole))

    async def main() -> None:
        async with issuing() as first, issuing() as second:
            configure(first, prefix="a:")
            async with serving(options(config_file=file)) as api:
                one, two = first.token(exp=NOW * 2), second.token(exp=NOW * 2)

                async def named(token: str, name: str) -> bool:
                    return bool((await whoami(api, token)).get("username", "") == name)

                await until(lambda: named(one, "a:jane"))
                assert not await named(two, "a:jane")
                configure(first, second, prefix="b:")
                await until(lambda: named(two, "b:jane"))
                assert await named(one, "b:jane"), "what was remembered is forgotten"
                file.write_text("nonsense")
                await asyncio.sleep(0.05)
                assert await named(two, "b:jane"), "nothing changes"
                live = await api.ask("GET", "/livez", authorization="")
                elsewhere = await api.ask("GET", "/version", authorization="")
                assert (live.status, elsewhere.status) == (200, 401)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("authentication", "told"),
    [
        (
            {"oidc": OidcOptions(client_id="x")},
            "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set",
        ),
        (
            {"oidc": OidcOptions("https://a", "x"), "config_file": Path("f")},
            "authentication-config file and oidc-* flags are mutually exclusive",
        ),
        (
            {"oidc": OidcOptions("https://a", "x", signing_algs=("HS256",))},
            'oidc: unsupported signing alg: "HS256"',
        ),
        (
            {"oidc": OidcOptions("http://a", "x")},
            'invalid authentication configuration: jwt[0].issuer.url: Invalid value: "http://a": URL scheme must be '
            "https",
        ),
        (
            {"service_account_issuers": ("a", "a")},
            'service-account-issuer "a" is already specified',
        ),
        (
            {"service_account_jwks_uri": "http://a"},
            "service-account-jwks-uri requires https scheme, parsed as: http://a",
        ),
        (
            {"service_account_max_seconds": 10},
            "the service-account-max-token-expiration must be between 1 hour and 2^32 seconds",
        ),
        (
            {"webhook_config_file": Path("f"), "webhook_version": "v2"},
            'unsupported authentication webhook version "v2", supported versions are "v1", "v1beta1"',
        ),
        (
            {"webhook_config_file": Path("/none")},
            "cannot read the kubeconfig /none: No such file or directory",
        ),
        (
            {"config_file": Path("/none")},
            'failed to load authentication configuration from file "/none": No such file or directory',
        ),
    ],
)
def test_what_contradicts_itself_does_not_start(authentication: dict[str, Any], told: str) -> None:  # P1, B1
    async def main() -> None:
        async with Cluster(options(**authentication)):
            raise AssertionError("started")

    with pytest.raises(ClusterError) as error:
        asyncio.run(main())
    assert str(error.value) == told


def test_a_key_file_without_a_key_does_not_start(tmp_path: Path) -> None:
    (file := tmp_path / "sa.pub").write_text("no key")

    async def main() -> None:
        async with Cluster(options(service_account_key_files=(file,))):
            raise AssertionError("started")

    with pytest.raises(ClusterError) as error:
        asyncio.run(main())
    assert str(error.value) == (
        f"failed to read the service account keys: {file}: data does not contain any valid RSA or ECDSA public keys"
    )


def bootstrap_secret(**data: str) -> dict[str, Any]:
    whole = {
        "token-id": "abcdef",
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        "auth-extra-groups": "system:bootstrappers:racks",
        **data,
    }
    return {
        "metadata": {"name": "bootstrap-token-abcdef", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in whole.items()},
    }


def test_bootstrap_tokens_let_nodes_in() -> None:  # B1, B3
    token = "abcdef.0123456789abcdef"
    path = "/api/v1/namespaces/kube-system/secrets"

    async def main() -> None:
        async with serving(options(bootstrap_tokens=True)) as api:
            assert await whoami(api, token) == {}
            for data, counts in (
                ({}, True),
                ({"expiration": "2099-01-01T00:00:00Z"}, True),
                ({"expiration": "2020-01-01T00:00:00Z"}, False),
                ({"expiration": "soon"}, False),
                ({"usage-bootstrap-authentication": "false"}, False),
                ({"token-secret": "0123456789abcdee"}, False),
                ({"token-id": "other1"}, False),
                ({"auth-extra-groups": "system:masters"}, False),
            ):
                await api.ok("POST", path, bootstrap_secret(**data))
                known = await whoami(api, token)
                assert bool(known) is counts, data
                if counts:
                    assert known == {
                        "username": "system:bootstrap:abcdef",
                        "groups": [
                            "system:bootstrappers",
                            "system:bootstrappers:racks",
                            "system:authenticated",
                        ],
                    }
                await api.ok("DELETE", f"{path}/bootstrap-token-abcdef")
        async with serving(options()) as api:
            await api.ok("POST", path, bootstrap_secret())
            assert await whoami(api, token) == {}, "only when they are enabled"

    asyncio.run(main())


def webhook_file(folder: Path, hook: Hook) -> Path:
    (folder / "ca.crt").write_bytes(certificate()[0])
    cluster = {"server": f"https://127.0.0.1:{hook.port}/authn", "certificate-authority": "ca.crt"}
    config = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "me"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (folder / "webhook").write_bytes(msgspec.json.encode(config))
    return folder / "webhook"


def test_a_webhook_is_asked_about_tokens_that_nobody_knows(tmp_path: Path) -> None:  # W1, W2, N4
    def answer(review: dict[str, Any]) -> Any:
        token = review["spec"]["token"]
        if token == "broken":
            return b"HTTP/1.1 400 Bad\r\ncontent-length: 0\r\n\r\n"
        status: dict[str, Any] = {"authenticated": token.startswith("good")}
        if status["authenticated"]:
            status["user"] = {"username": "wendy", "groups": ["crew"], "extra": {"a/b": ["c"]}}
        elif token == "bad":
            status["error"] = "we do not know them"
        if token == "good-for-another":
            status["audiences"] = ["another"]
        return {**review, "status": status}

    async def main() -> None:
        async with listening(answer) as hook:
            file = webhook_file(tmp_path, hook)
            async with serving(options(webhook_config_file=file, webhook_version="v1")) as api:
                for _ in range(2):
                    assert await whoami(api, "good") == {
                        "username": "wendy",
                        "groups": ["crew", "system:authenticated"],
                        "extra": {"a/b": ["c"]},
                    }
                assert len(hook.reviews) == 1
                assert hook.reviews[0]["apiVersion"] == "authentication.k8s.io/v1"
                assert hook.reviews[0]["spec"] == {
                    "token": "good",
                    "audiences": ["https://kubernetes.default.svc"],
                }
                assert "authorization: Bearer me" in hook.heads[0] and "POST /authn HTTP" in hook.heads[0]
                assert await whoami(api, "good-for-another") == {}
                for _ in range(2):
                    assert await whoami(api, "bad") == {}
                assert len(hook.reviews) == 3, "a refusal is remembered too"
                told = await api.ok("POST", REVIEWS, {"spec": {"token": "bad"}})
                assert told.body["status"] == {
                    "user": {},
                    "error": "[invalid bearer token, we do not know them]",
                }
                for _ in range(2):
                    assert await whoami(api, "broken") == {}
                assert len(hook.reviews) == 5, "what failed is asked again"

    asyncio.run(main())


def test_who_waits_to_be_known_takes_nobodys_place(tmp_path: Path) -> None:
    limits = Operating(limits=RequestLimits(requests_max=1, mutating_requests_max=1))
    status = {"authenticated": True, "user": {"username": "wendy"}}

    async def main() -> None:
        async with listening(lambda review: {**review, "status": status}) as hook:
            file = webhook_file(tmp_path, hook)
            async with serving(replace(options(webhook_config_file=file), operating=limits)) as api:
                answers = await asyncio.gather(*(whoami(api, f"token-{each}") for each in range(3)))
                assert [each.get("username") for each in answers] == ["wendy"] * 3, "and not 429"

    asyncio.run(main())
