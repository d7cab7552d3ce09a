"""C1 to C3 of `capabilities`, T1 of `certificates`; host calls go through a real waPC guest."""

import base64
import datetime
import json
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.operators.kubewarden.guests import wapc

from kajitori.apimachinery.kind import JsonObject
from kajitori.operators.kubewarden.certificates import is_trusted
from kajitori.operators.kubewarden.runtime.capabilities import Capabilities, NoServices, Services
from kajitori.operators.kubewarden.runtime.engine import Engine
from kajitori.operators.kubewarden.runtime.policy import Run, load_policy
from kajitori.wire.wasm.wapc import HostCallError


class Told(NoServices):
    """Services that say what they were asked."""

    def list_objects(self, *asked: str) -> JsonObject:
        return {"items": list(asked)}

    def get_object(self, *asked: str) -> JsonObject:
        return {"got": list(asked)}

    def access_review(self, spec: JsonObject) -> JsonObject:
        return {"allowed": spec["user"] == "alice"}

    def addresses(self, host: str) -> list[str]:
        return ["127.0.0.1"]

    def image(self, reference: str) -> tuple[str, JsonObject, JsonObject | None]:
        return "sha256:1", {"layers": []}, {"os": "linux"}


SERVICES = cast(Services, Told())
POD = {"api_version": "v1", "kind": "Pod"}
GRANTED = Capabilities("p", frozenset({("v1", "Pod")}), SERVICES)


def asked(capabilities: Capabilities, path: str, payload: Any) -> Any:
    namespace, _, operation = path.partition("/")
    return json.loads(
        capabilities("kubewarden", namespace, operation, json.dumps(payload).encode()) or b"null"
    )


@pytest.mark.parametrize(
    ("path", "payload", "answer"),
    [
        ("kubernetes/list_resources_all", POD, {"items": ["v1", "Pod", "", "", ""]}),
        (
            "kubernetes/list_resources_by_namespace",
            {**POD, "namespace": "n", "label_selector": "a=b"},
            {"items": ["v1", "Pod", "n", "a=b", ""]},
        ),
        ("kubernetes/get_resource", {**POD, "name": "x", "namespace": None}, {"got": ["v1", "Pod", "", "x"]}),
        ("kubernetes/can_i", {"subject_access_review": {"user": "alice"}}, {"allowed": True}),
        ("net/v1/dns_lookup_host", "localhost", {"ips": ["127.0.0.1"]}),
        ("oci/v1/manifest_digest", "x", {"digest": "sha256:1"}),
        ("oci/v1/oci_manifest", "x", {"layers": []}),
        (
            "oci/v1/oci_manifest_config",
            "x",
            {"manifest": {"layers": []}, "digest": "sha256:1", "config": {"os": "linux"}},
        ),
        ("tracing/log", {"level": "info"}, None),
    ],
)
def test_what_a_policy_may_ask(path: str, payload: Any, answer: Any) -> None:
    assert asked(GRANTED, path, payload) == answer


@pytest.mark.parametrize(
    ("path", "payload", "told"),
    [
        ("kubernetes/get_resource", {**POD, "kind": "Secret", "name": "x"}, "has not been granted access to"),
        ("kubernetes/list_resources_all", {"kind": "Pod"}, "cannot be understood"),
        ("kubernetes/delete", {}, "unknown operation: delete"),
        ("disk/format", {}, "unknown namespace: disk"),
        ("oci/v1/verify", {}, "signatures of images cannot be verified"),
        ("crypto/v1/is_certificate_trusted", {}, "there is no cluster to ask"),
    ],
)
def test_what_it_may_not(path: str, payload: Any, told: str) -> None:  # C1, C3
    with pytest.raises(HostCallError, match=told):
        asked(GRANTED, path, payload)


@pytest.mark.parametrize(
    ("allowed", "may"),
    [
        ((), False),
        (("*",), True),
        (("net/*",), True),
        (("oci/*",), False),
        (("net/v1/dns_lookup_host",), True),
    ],
)
def test_patterns_of_what_is_allowed(allowed: tuple[str, ...], may: bool) -> None:  # C2
    capabilities = Capabilities("p", services=SERVICES, allowed=allowed)
    if may:
        assert asked(capabilities, "net/v1/dns_lookup_host", "localhost")
    else:
        with pytest.raises(HostCallError, match="has not been granted access to the host capability"):
            asked(capabilities, "net/v1/dns_lookup_host", "localhost")


def test_old_policies_list_some_kinds_by_name() -> None:
    answer = json.loads(GRANTED("kubernetes", "namespaces", "list", b""))
    assert answer == {"items": ["v1", "Namespace", "", "", ""]}
    with pytest.raises(HostCallError, match="unknown binding"):
        GRANTED("x", "namespaces", "list", b"")


def test_a_guest_is_answered_and_told() -> None:
    engine = Engine()
    calls = wapc(host=("kubernetes", "get_resource", json.dumps({**POD, "name": "x"})))
    policy = load_policy(engine, calls)
    response = policy.validate({"uid": "u", "object": {}}, {}, Run(GRANTED))
    assert json.loads(base64.b64decode(response["patch"]))[0]["value"] == {"got": ["v1", "Pod", "", "x"]}
    response = policy.validate({"uid": "u", "object": {}}, {}, Run(Capabilities("p", services=SERVICES)))
    assert response["status"]["message"].startswith("Policy has not been granted access to Kubernetes v1/Pod")


# Certificates.

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, signer: Signed | None, *, ca: bool = True, days: int = 10) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[0].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + days * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signer[1] if signer else key, hashes.SHA256())
    )
    return made, key


def shown(signed: Signed, encoding: str = "Pem") -> JsonObject:
    kind = serialization.Encoding.PEM if encoding == "Pem" else serialization.Encoding.DER
    return {"encoding": encoding, "data": list(signed[0].public_bytes(kind))}


def test_certificates() -> None:  # T1
    root = certificate("root", None)
    middle = certificate("middle", root)
    leaf = certificate("leaf", middle, ca=False, days=5)
    chain = [shown(middle), shown(root, "Der")]
    trusted = {"trusted": True, "reason": ""}
    assert is_trusted({"cert": shown(leaf), "cert_chain": chain}, NOW) == trusted
    later, before = "2026-01-07T00:00:00Z", "2025-01-01T00:00:00+00:00"
    expired = is_trusted({"cert": shown(leaf), "cert_chain": chain, "not_after": later}, NOW)
    early = is_trusted({"cert": shown(leaf), "cert_chain": chain, "not_after": before}, NOW)
    assert expired["reason"] == "Certificate is being used after its expiration date"
    assert early["reason"] == "Certificate is being used before its validity date"
    stranger = certificate("root", None)
    for refused in ([shown(stranger)], [shown(root)], [], None):
        answer = is_trusted({"cert": shown(leaf), "cert_chain": refused}, NOW)
        assert answer == {"trusted": False, "reason": "Certificate is not trusted by the provided cert chain"}
    # A certificate that is no authority signs nothing.
    forged = certificate("forged", leaf, ca=False, days=5)
    assert not is_trusted({"cert": shown(forged), "cert_chain": [shown(leaf), *chain]}, NOW)["trusted"]
    with pytest.raises(HostCallError, match="not a valid end-entity certificate"):
        is_trusted({"cert": {"encoding": "Pem", "data": [1]}, "cert_chain": []}, NOW)
    with pytest.raises(HostCallError, match="RFC3339"):
        is_trusted({"cert": shown(leaf), "cert_chain": chain, "not_after": "soon"}, NOW)
