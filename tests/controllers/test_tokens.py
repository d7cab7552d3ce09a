"""Tokens in Secrets, against the real API server."""

import asyncio
import base64
from typing import Any

from tests.controllers.support import SECRETS, SERVICE_ACCOUNTS, SETTLE_SECONDS, START, scenario

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.controllers.bootstraptokens import signature
from kajitori.testing import TestEnv

TOKENS = "serviceaccount-token-controller"
CLEANER = "token-cleaner-controller"
SIGNER = "bootstrap-signer-controller"
REVIEWS = Kind("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", namespaced=False)
CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
NAME = "kubernetes.io/service-account.name"


def kept(name: str, account: str = "robot") -> JsonObject:
    annotations = {NAME: account}
    return {
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "type": "kubernetes.io/service-account-token",
    }


def token_of(secret: Unstructured) -> str:
    return base64.b64decode(secret["data"]["token"]).decode()


async def holder(env: TestEnv, token: str) -> str:
    status = (await env.client().create(REVIEWS, {"spec": {"token": token}}))["status"]
    return str(status["user"].get("username", "")) if status.get("authenticated") else ""


def has_token(secret: Unstructured) -> bool:
    return "token" in (secret.get("data") or {})


def test_a_secret_gets_the_token_of_its_account() -> None:  # K1
    async def play(env: TestEnv) -> None:
        client = env.client()
        account = await client.create(SERVICE_ACCOUNTS, {"metadata": {"name": "robot"}}, namespace="default")
        await client.create(SECRETS, kept("first"))
        secret = await env.wait_for_object(SECRETS, "default", "first", has_token)
        assert base64.b64decode(secret["data"]["namespace"]) == b"default"
        assert secret.annotations["kubernetes.io/service-account.uid"] == account.uid
        token = token_of(secret)
        assert await holder(env, token) == "system:serviceaccount:default:robot"
        # Its use is noted in the Secret.
        label = "kubernetes.io/legacy-token-last-used"
        await env.wait_for_object(SECRETS, "default", "first", lambda each: label in each.labels)
        await client.patch(SECRETS, "default", "first", {"data": {"token": None, "namespace": None}})
        await env.wait_for_object(SECRETS, "default", "first", has_token)
        before = (await client.get(SECRETS, "default", "first")).resource_version
        await asyncio.sleep(SETTLE_SECONDS)
        assert (await client.get(SECRETS, "default", "first")).resource_version == before
        await client.delete(SECRETS, "default", "first")
        assert await holder(env, token) == ""

    scenario(play, {TOKENS})


def test_it_goes_with_its_account() -> None:  # K2
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(SERVICE_ACCOUNTS, {"metadata": {"name": "robot"}}, namespace="default")
        await client.create(SECRETS, kept("first"))
        await env.wait_for_object(SECRETS, "default", "first", has_token)
        await client.create(SECRETS, kept("orphan", "nobody"))
        await client.delete(SERVICE_ACCOUNTS, "default", "robot")
        await asyncio.sleep(SETTLE_SECONDS)
        assert [each.name for each in (await client.list(SECRETS, "default")).items] == []

    scenario(play, {TOKENS})


def test_its_account_no_longer_refers_to_one_that_has_gone() -> None:  # K3
    async def play(env: TestEnv) -> None:
        client = env.client()
        listed = [{"name": "first"}, {"name": "other"}]
        body = {"metadata": {"name": "robot"}, "secrets": listed}
        await client.create(SERVICE_ACCOUNTS, body, namespace="default")
        await client.create(SECRETS, kept("first"))
        await env.wait_for_object(SECRETS, "default", "first", has_token)
        await client.delete(SECRETS, "default", "first")
        await asyncio.sleep(SETTLE_SECONDS)
        account = await client.get(SERVICE_ACCOUNTS, "default", "robot")
        assert [each["name"] for each in account["secrets"]] == ["other"]

    scenario(play, {TOKENS})


def bootstrap(token_id: str, **data: str) -> JsonObject:
    whole: dict[str, Any] = {"token-id": token_id, "token-secret": "0123456789abcdef", **data}
    return {
        "metadata": {"name": f"bootstrap-token-{token_id}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": whole,
    }


def test_bootstrap_tokens_go_when_their_time_is_over() -> None:  # B1
    async def play(env: TestEnv) -> None:
        client = env.client()
        soon = START.replace(hour=1).isoformat().replace("+00:00", "Z")
        for token_id, data in (
            ("aaaaaa", {"expiration": soon}),
            ("bbbbbb", {"expiration": "whenever"}),
            ("cccccc", {}),
        ):
            await client.create(SECRETS, bootstrap(token_id, **data))
        await asyncio.sleep(SETTLE_SECONDS)

        async def left() -> list[str]:
            return [each.name[-6:] for each in (await client.list(SECRETS, "kube-system")).items]

        assert await left() == ["aaaaaa", "cccccc"]
        await asyncio.sleep(3600)
        assert await left() == ["cccccc"]

    scenario(play, {CLEANER})


def test_cluster_info_is_signed_with_every_token_that_may() -> None:  # B2
    async def play(env: TestEnv) -> None:
        client = env.client()
        await client.create(SECRETS, bootstrap("aaaaaa", **{"usage-bootstrap-signing": "true"}))
        await client.create(SECRETS, bootstrap("bbbbbb"))
        info = {
            "metadata": {"name": "cluster-info"},
            "data": {"kubeconfig": "here", "jws-kubeconfig-old": "x"},
        }
        await client.create(CONFIG_MAPS, info, namespace="kube-public")
        await asyncio.sleep(SETTLE_SECONDS)

        async def signatures() -> dict[str, str]:
            data = (await client.get(CONFIG_MAPS, "kube-public", "cluster-info"))["data"]
            return {name: value for name, value in data.items() if name.startswith("jws-")}

        wanted = signature("here", "aaaaaa", "0123456789abcdef")
        assert await signatures() == {"jws-kubeconfig-aaaaaa": wanted}
        await client.delete(SECRETS, "kube-system", "bootstrap-token-aaaaaa")
        await asyncio.sleep(SETTLE_SECONDS)
        assert await signatures() == {}

    scenario(play, {SIGNER})


def test_the_signature_is_kubernetes() -> None:
    text = "Hello from the other side. I must have called a thousand times."
    header = "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9"
    for content, secret, made in (
        (text, "my voice is my passcode", "VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8"),
        ("", "my voice is my passcode", "7Ui1ALizW4jXphVUB7xUqC9vLYLL9RZeOFfVLoB7Tgk"),
    ):
        assert signature(content, "joshua", secret) == f"{header}..{made}"
