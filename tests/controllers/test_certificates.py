"""Signing requests, from their creation to their end, against the real API server."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from tests.controllers.support import SETTLE_SECONDS, START, scenario

from kajitori.apimachinery.frozen import Unstructured, thaw
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.cli.users import UserError, Wanted, add
from kajitori.client.config import ClusterConfig, ConnectionConfig
from kajitori.controllers.kinds import CERTIFICATE_SIGNING_REQUESTS as REQUESTS
from kajitori.testing import TestEnv

SIGNING = "certificatesigningrequest-signing-controller"
APPROVING = "certificatesigningrequest-approving-controller"
CLEANING = "certificatesigningrequest-cleaner-controller"
BINDINGS = Kind(
    "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)

CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING = "kubernetes.io/kubelet-serving"
CLIENT_USAGES = ("digital signature", "client auth")

KEY = ec.generate_private_key(ec.SECP256R1())
UID = ObjectIdentifier("1.3.6.1.4.1.57683.2")


def csr(
    name: str = "jane",
    *groups: str,
    alternatives: Sequence[x509.GeneralName] = (),
    further: Sequence[x509.NameAttribute[str]] = (),
) -> bytes:
    parts = [*(x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in groups), *further]
    subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


async def ask(
    env: TestEnv, content: bytes, *, signer: str = CLIENT, usages: Sequence[str] = CLIENT_USAGES, **spec: Any
) -> Unstructured:
    encoded = base64.b64encode(content).decode()
    spec |= {"request": encoded, "signerName": signer, "usages": list(usages)}
    return await env.client().create(REQUESTS, {"metadata": {"generateName": "r-"}, "spec": spec})


async def decide(env: TestEnv, request: Unstructured, decision: str = "Approved") -> None:
    body = thaw(request)
    condition = {"type": decision, "status": "True", "reason": "Test"}
    body |= {"apiVersion": REQUESTS.api_version, "kind": REQUESTS.kind, "status": {"conditions": [condition]}}
    await env.client().subresource(REQUESTS, "", request.name, "approval").update(body)


async def decided(env: TestEnv, request: Unstructured) -> JsonObject:
    """The status once nothing more happens."""
    await asyncio.sleep(SETTLE_SECONDS)
    found = await env.client().get(REQUESTS, "", request.name)
    return thaw(found).get("status") or {}


def certificate(status: JsonObject) -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(status["certificate"]))


def test_an_approved_client_gets_what_it_asked_for_and_no_more() -> None:  # S1, S2, S3, G1
    async def play(env: TestEnv) -> None:
        uid = x509.NameAttribute(UID, "0")
        request = await ask(env, csr("jane", "a", "b", further=[uid]))
        assert "certificate" not in await decided(env, request)
        await decide(env, request)
        made = certificate(await decided(env, request))
        texts = [str(each.value) for each in made.subject]
        assert sorted(texts) == ["a", "b", "jane"], "the uid is nobody's to ask for"
        assert made.public_key() == KEY.public_key()
        assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
        extended = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(extended) == [ExtendedKeyUsageOID.CLIENT_AUTH]
        usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
        assert usage.digital_signature and not usage.key_encipherment and not usage.key_cert_sign
        assert 364 <= (made.not_valid_after_utc - START).days <= 365

    scenario(play, {SIGNING})


@pytest.mark.parametrize(
    ("asked", "given"),
    [(None, 365 * 86400 - 300), (600, 600), (3600, 3600), (40 * 3600, 40 * 3600 - 300), (2**31 - 1, None)],
)
def test_how_long_it_lives(asked: int | None, given: int | None) -> None:  # G3
    async def play(env: TestEnv) -> None:
        spec: dict[str, Any] = {} if asked is None else {"expirationSeconds": asked}
        request = await ask(env, csr(), **spec)
        await decide(env, request)
        made = certificate(await decided(env, request))
        lives = (made.not_valid_after_utc - START).total_seconds()
        assert abs(lives - (365 * 86400 - 300 if given is None else given)) < 5

    scenario(play, {SIGNING})


@pytest.mark.parametrize(
    ("signer", "content", "usages", "why"),
    [
        (CLIENT, csr(), ("server auth",), "invalid usage for client certificate: server auth"),
        (CLIENT, csr(), ("digital signature",), "missing required usage for client certificate: client auth"),
        (KUBELET, csr("system:node:a"), CLIENT_USAGES, "subject organization is not system:nodes"),
        (
            KUBELET,
            csr("jane", "system:nodes"),
            CLIENT_USAGES,
            "subject common name does not begin with system:node:",
        ),
        (
            KUBELET,
            csr("system:node:a", "system:nodes", alternatives=[x509.DNSName("a")]),
            CLIENT_USAGES,
            "DNS subjectAltNames are not allowed",
        ),
        (
            KUBELET,
            csr("system:node:a", "system:nodes"),
            ("client auth",),
            "usages did not match [client auth digital signature key encipherment]",
        ),
        (
            SERVING,
            csr("system:node:a", "system:nodes"),
            ("digital signature", "server auth"),
            "DNS or IP subjectAltName is required",
        ),
        (
            SERVING,
            csr("system:node:a", "system:nodes", alternatives=[x509.DNSName("a"), x509.RFC822Name("a@b")]),
            ("digital signature", "server auth"),
            "Email subjectAltNames are not allowed",
        ),
    ],
)
def test_what_breaks_the_signers_rules_fails(
    signer: str, content: bytes, usages: Sequence[str], why: str
) -> None:  # G2, R2
    async def play(env: TestEnv) -> None:
        request = await ask(env, content, signer=signer, usages=usages)
        await decide(env, request)
        status = await decided(env, request)
        assert "certificate" not in status
        approved, failed = status["conditions"]
        assert (approved["type"], failed["type"], failed["reason"], failed["message"]) == (
            "Approved",
            "Failed",
            "SignerValidationFailure",
            why,
        )

    scenario(play, {SIGNING})


def test_nobody_else_gets_one() -> None:  # G1, G4
    async def play(env: TestEnv) -> None:
        denied = await ask(env, csr())
        await decide(env, denied, "Denied")
        foreign = await ask(env, csr(), signer="example.com/own")
        await decide(env, foreign)
        serving = await ask(
            env,
            csr("system:node:a", "system:nodes", alternatives=[x509.DNSName("a.example.com")]),
            signer=SERVING,
            usages=("digital signature", "server auth"),
        )
        await decide(env, serving)
        assert "certificate" not in await decided(env, denied)
        assert "certificate" not in await decided(env, foreign)
        names = certificate(await decided(env, serving)).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        assert names.value.get_values_for_type(x509.DNSName) == ["a.example.com"]

    scenario(play, {SIGNING})


def test_nodes_are_approved_when_they_may_be() -> None:  # A1, A2, A3
    async def play(env: TestEnv) -> None:
        client = env.client()
        other = await ask(env, csr())
        node = await ask(env, csr("system:node:a", "system:nodes"), signer=KUBELET)
        # The admin may do everything, so also create nodeclient; somebody's user may be an admin of nothing.
        status = await decided(env, node)
        assert [each["type"] for each in status["conditions"]] == ["Approved"]
        assert status["conditions"][0]["reason"] == "AutoApproved"
        told = "Auto approving kubelet client certificate after SubjectAccessReview."
        assert status["conditions"][0]["message"] == told
        assert "certificate" in status
        assert await decided(env, other) == {}
        assert (await client.get(REQUESTS, "", node.name))["spec"]["username"] == "admin"

    scenario(play, {SIGNING, APPROVING})


def test_old_requests_go() -> None:  # C1, C2
    async def play(env: TestEnv) -> None:
        client = env.client()
        pending, denied, unsigned, signed = [await ask(env, csr()) for _ in range(4)]
        await decide(env, denied, "Denied")
        await decide(env, unsigned)
        await decide(env, signed)
        now = thaw(await client.get(REQUESTS, "", signed.name))
        now |= {"apiVersion": REQUESTS.api_version, "kind": REQUESTS.kind}
        now["status"]["certificate"] = base64.b64encode(_self_signed()).decode()
        await client.subresource(REQUESTS, "", signed.name, "status").update(now)

        async def left() -> set[str]:
            return {each.name for each in (await client.list(REQUESTS)).items}

        await asyncio.sleep(3590)
        assert await left() == {each.name for each in (pending, denied, unsigned, signed)}
        await asyncio.sleep(30)
        assert await left() == {pending.name, unsigned.name}
        await asyncio.sleep(23 * 3600)
        assert await left() == set()

    scenario(play, {CLEANING})


def test_a_certificate_that_has_ended_takes_its_request_along() -> None:  # C3
    async def play(env: TestEnv) -> None:
        request = await ask(env, csr(), expirationSeconds=600)
        await decide(env, request)
        assert "certificate" in await decided(env, request)
        await asyncio.sleep(590)
        assert (await env.client().list(REQUESTS)).items
        await asyncio.sleep(20)
        assert not (await env.client().list(REQUESTS)).items

    scenario(play, {SIGNING, CLEANING})


def _self_signed() -> bytes:
    from kajitori.apiserver.certificates import authority

    return authority()[0]


def test_who_cannot_get_a_certificate_is_told_and_leaves_nothing_behind() -> None:
    """`kajitori user add` on a cluster where nobody signs: U2."""

    async def play(env: TestEnv) -> None:
        config = ConnectionConfig(ClusterConfig("https://here"))
        with pytest.raises(UserError, match="nobody signed the request within 30 s"):
            await add(env.client(), config, Wanted("ann", ("crew",)))
        assert (await env.client().list(REQUESTS)).items == []

    scenario(play, False)
