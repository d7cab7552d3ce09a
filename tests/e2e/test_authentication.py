"""Flags that say who is believed, seen from outside."""

import datetime
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.support.https import Access, Answer, Api
from tests.support.server import UpProcess, kajitori

pytestmark = pytest.mark.e2e

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


class Authority:
    """Signs certificates of clients."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.crt"
        made = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, None), True)
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=1))
            .not_valid_after(now + datetime.timedelta(minutes=10))
        )

    def client(self, access: Access, *names: tuple[x509.ObjectIdentifier, str]) -> ssl.SSLContext:
        """TLS with a certificate for this subject."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        made = self._builder(subject, key).add_extension(usage, False).sign(self._key, hashes.SHA256())
        pem = made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / "client.pem"
        file.write_bytes(pem)
        context = ssl.create_default_context(cadata=access.ca)
        context.load_cert_chain(file)
        return context


def whoami(access: Access, tls: ssl.SSLContext, **headers: str) -> Any:
    """Who one is with this certificate; a status where one is nobody."""
    named = {"Authorization": "", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with Api(access, tls) as api:
        answer: Answer = api.request("POST", WHOAMI, {}, named)
        return answer.json()["status"]["userInfo"] if answer.status == 201 else answer.status


def test_a_proxy_in_front_says_who_asks(tmp_path: Path) -> None:  # F1, F2
    proxies, people = Authority(tmp_path, "proxies"), Authority(tmp_path, "people")
    flags = (
        f"--requestheader-client-ca-file={proxies.file}",
        f"--client-ca-file={people.file}",
        "--requestheader-allowed-names=front",
        "--requestheader-username-headers=X-Remote-User,X-Also-User",
        "--requestheader-uid-headers=X-Remote-Uid",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    )
    with UpProcess(tmp_path, "--api-only", "--memory", *flags) as up:
        access = Access.of(up.kubeconfig)
        front = proxies.client(access, (NameOID.COMMON_NAME, "front"))
        said = {
            "X_Also_User": "zoe",
            "X_Remote_Group": "crew",
            "X_Remote_Uid": "7",
            "X_Remote_Extra_a%2fB": "c",
        }
        assert whoami(access, front, **said) == {
            "username": "zoe",
            "uid": "7",
            "groups": ["crew", "system:authenticated"],
            "extra": {"a/b": ["c"]},
        }
        assert whoami(access, front) == 401, "of itself it is nobody"
        with Api(access) as api:
            told = api.get("/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication")[
                "data"
            ]
        assert told["requestheader-client-ca-file"] == proxies.file.read_text()
        assert (
            told["client-ca-file"].endswith(people.file.read_text()) and access.ca in told["client-ca-file"]
        )
        assert told["requestheader-username-headers"] == '["X-Remote-User","X-Also-User"]'
        assert told["requestheader-allowed-names"] == '["front"]'
        other = proxies.client(access, (NameOID.COMMON_NAME, "other"))
        assert whoami(access, other, **said) == 401
        person = people.client(
            access, (NameOID.ORGANIZATION_NAME, "crew"), (NameOID.COMMON_NAME, "ann"), (UID, "u-1")
        )
        known = whoami(access, person, **said)
        assert (known["username"], known["uid"], known["groups"]) == (
            "ann",
            "u-1",
            ["crew", "system:authenticated"],
        )
    both = kajitori("up", "--memory", "--port=0", f"--kubeconfig={tmp_path / 'kc'}", *flags[:2], flags[1])
    both = [each.replace("people.crt", "proxies.crt") for each in both]
    refused = subprocess.run(both, capture_output=True, text=True, timeout=20)
    assert refused.returncode == 1
    assert (
        "contain overlapping certificates; --requestheader-allowed-names must be specified" in refused.stderr
    )


UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")


def test_service_account_tokens_follow_their_flags(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    (tmp_path / "sa.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    flags = (
        "--service-account-issuer=https://issuer.example.com",
        f"--service-account-signing-key-file={tmp_path / 'sa.key'}",
        "--service-account-jwks-uri=https://keys.example.com/jwks",
        "--service-account-max-token-expiration=2h",
        "--api-audiences=one,two",
        "--anonymous-auth=false",
    )
    with UpProcess(tmp_path, "--api-only", "--memory", *flags) as up:
        access = Access.of(up.kubeconfig)
        with Api(access) as api:
            found = api.get("/.well-known/openid-configuration")
            assert found["issuer"] == "https://issuer.example.com"
            assert found["jwks_uri"] == "https://keys.example.com/jwks"
            assert found["id_token_signing_alg_values_supported"] == ["ES384"]
            accounts = "/api/v1/namespaces/default/serviceaccounts"
            api.request("POST", accounts, {"metadata": {"name": "robot"}})
            asked = {"spec": {"expirationSeconds": 86400}}
            made = api.request("POST", f"{accounts}/robot/token", asked)
            assert made.json()["spec"] == {
                "audiences": ["one", "two"],
                "expirationSeconds": 7200,
                "boundObjectRef": None,
            }
            assert made.headers["warning"] == (
                '299 - "requested expiration of 86400 seconds shortened to 7200 seconds"'
            )
            token = made.json()["status"]["token"]
            who = api.request("POST", WHOAMI, {}, {"Authorization": f"Bearer {token}"}).json()
            assert who["status"]["userInfo"]["username"] == "system:serviceaccount:default:robot"
            assert api.request("GET", "/readyz", None, {"Authorization": ""}).status == 401


def test_an_issuer_that_is_no_https_url_has_no_discovery(tmp_path: Path) -> None:
    flags = ("--api-only", "--memory", "--service-account-issuer=me")
    with UpProcess(tmp_path, *flags) as up, Api(Access.of(up.kubeconfig)) as api:
        assert api.request("GET", "/.well-known/openid-configuration").status == 404
