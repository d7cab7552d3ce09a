"""Who a request comes from."""

import asyncio
import datetime
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kajitori.apimachinery.errors import Unauthorized
from kajitori.apiserver.authentication import (
    ANONYMOUS,
    Authentication,
    AuthenticationError,
    AuthenticationOptions,
    Authenticator,
    User,
)
from kajitori.apiserver.authentication.lookup import StoreLookup
from kajitori.apiserver.authentication.tokenfile import parse_tokens
from kajitori.apiserver.http import Request, Response, serve
from kajitori.apiserver.pki import Pki


class Peer:
    remote = "127.0.0.1:1"

    def certificate(self) -> bytes | None:
        return None


def holder(authenticator: Authenticator, request: Request) -> User:
    """Who asks, which is known at once."""
    user = authenticator.authenticate(request)
    assert isinstance(user, User)
    return user


def asked(authorization: str | None = None, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if authorization is not None:
        named["authorization"] = authorization
    return Request(Peer(), "GET", "/", headers=named, body=b"")


STATIC = {"secret": User("jane", "7", ("dev", "ops"))}


@pytest.mark.parametrize(
    "header", ["Bearer secret", "bearer secret", " BEARER secret ", "Bearer secret more"]
)
def test_a_static_token_names_its_user(header: str) -> None:  # N1
    user = Authenticator(tokens=STATIC).authenticate(asked(header))
    assert user == User("jane", "7", ("dev", "ops", "system:authenticated"))


@pytest.mark.parametrize("header", [None, "", "Basic dTpw", "Bearer", "Bearer ", "secret"])
def test_no_bearer_token_is_anonymous(header: str | None) -> None:  # N1
    assert Authenticator(tokens=STATIC).authenticate(asked(header)) is ANONYMOUS
    with pytest.raises(Unauthorized):
        Authenticator(tokens=STATIC, anonymous=False).authenticate(asked(header))


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer secre", "Bearer a.b.c", "Bearer secretsecret"])
def test_a_wrong_token_is_unauthorized(world: Any, header: str) -> None:  # N2
    authenticator = Authenticator(tokens=STATIC, service_accounts=world.tokens)
    with pytest.raises(Unauthorized) as refused:
        authenticator.authenticate(asked(header))
    assert refused.value.to_status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "Unauthorized",
        "reason": "Unauthorized",
        "code": 401,
    }


def test_a_service_account_is_known_by_its_token_until_it_is_deleted(world: Any) -> None:
    authenticator = Authenticator(service_accounts=world.tokens)
    request = asked(f"Bearer {world.token()}")
    for _ in range(2):
        assert holder(authenticator, request).name == "system:serviceaccount:ns:bot"
    del world.objects["serviceaccounts", "ns", "bot"]
    for _ in range(2):
        with pytest.raises(Unauthorized):
            authenticator.authenticate(request)


def test_a_browser_may_send_its_token_as_a_subprotocol() -> None:
    authenticator = Authenticator(tokens=STATIC)
    protocol = "base64url.bearer.authorization.k8s.io.c2VjcmV0"
    request = asked(upgrade="websocket", sec_websocket_protocol=f"v5.channel.k8s.io, {protocol}")
    assert holder(authenticator, request).name == "jane"
    assert request.headers["sec-websocket-protocol"] == "v5.channel.k8s.io"
    assert authenticator.authenticate(asked(sec_websocket_protocol=protocol)) is ANONYMOUS
    for wrong in (protocol, f"x, {protocol}, {protocol}", f"x, {protocol}=*", f"x, {protocol[:-3]}_w"):
        with pytest.raises(Unauthorized):
            authenticator.authenticate(asked(upgrade="websocket", sec_websocket_protocol=wrong))


def test_token_reviews(world: Any) -> None:
    authenticator = Authenticator(tokens=STATIC, service_accounts=world.tokens)
    own = "https://kubernetes.default.svc"

    def review(token: str, audiences: Sequence[str] = ()) -> dict[str, Any]:
        told = authenticator.review_token(token, audiences)
        assert isinstance(told, dict)
        return told

    assert review("secret") == {
        "authenticated": True,
        "user": {"username": "jane", "uid": "7", "groups": ["dev", "ops", "system:authenticated"]},
        "audiences": [own],
    }
    assert review("secret", ["elsewhere"]) == {"user": {}, "error": "invalid bearer token"}
    assert review("wrong") == {"user": {}, "error": "invalid bearer token"}
    assert review(world.token())["audiences"] == [own]
    assert review(world.token(audiences=["a", own]), ["a", "b"])["audiences"] == ["a"]
    token = world.token()
    world.now += 10_000
    assert review(token) == {"user": {}, "error": "[invalid bearer token, service account token has expired]"}


def test_token_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = ['t1,jane,7,"dev,ops"\n', "t2,joe,8\n", "\n", ",nobody,9\n", "t2,jim,10,\n"]
    assert parse_tokens(lines, "f") == {"t1": User("jane", "7", ("dev", "ops")), "t2": User("jim", "10")}
    assert [each.message for each in caplog.records] == [
        "empty token in token file",
        "duplicate token in token file",
    ]
    for bad in (["a,b\n"], ['"a,b,c\n']):
        with pytest.raises(AuthenticationError, match="token file 'f'"):
            parse_tokens(bad, "f")
    (tmp_path / "t").write_bytes(b"\xff\xfe,b,c\n")
    store: Any = None
    pki = Pki(tmp_path)
    with pytest.raises(AuthenticationError, match="not UTF-8"):
        Authentication(pki, store, AuthenticationOptions(token_auth_file=tmp_path / "t"))
    with pytest.raises(AuthenticationError, match=r"cannot read the token file .*: No such file"):
        Authentication(pki, store, AuthenticationOptions(token_auth_file=tmp_path / "none"))
    authenticator = Authentication(pki, store).authenticator
    assert authenticator.authenticate(asked(f"Bearer {pki.admin_token()}")) == User(
        "admin", "", ("system:masters", "system:authenticated")
    )


class Shelf:
    """A store with the one method that is asked."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Any] = {}

    def get(self, bucket: str, name: str) -> Any:
        return self.items.get((bucket, name))


class Stored(msgspec.Struct):
    value: bytes


def test_objects_are_looked_up_in_the_store_and_seen_to_change() -> None:
    shelf: Any = Shelf()
    lookup = StoreLookup(shelf)
    assert lookup("pods", "ns", "p") is None
    pod = b'{"metadata":{"name":"p","uid":"%b"},"spec":{"nodeName":"n","containers":[]},"status":{}}'
    shelf.items["/pods", "ns/p"] = Stored(pod % b"1")
    assert lookup("pods", "ns", "p") == {"metadata": {"name": "p", "uid": "1"}, "spec": {"nodeName": "n"}}
    assert lookup("pods", "ns", "p") is lookup("pods", "ns", "p")
    shelf.items["/pods", "ns/p"] = Stored(pod % b"2")
    found = lookup("pods", "ns", "p")
    assert found is not None and found["metadata"]["uid"] == "2"
    shelf.items["/nodes", "n"] = Stored(b'{"metadata":{"name":"n","uid":"3"}}')
    assert lookup("nodes", "", "n") is not None


def client_certificate(pki: Pki, folder: Path, *names: x509.NameAttribute[Any]) -> ssl.SSLContext:
    authority = serialization.load_pem_private_key(pki.ca_key_file.read_bytes(), None)
    assert isinstance(authority, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(pki.ca_data()).subject
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(minutes=5))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(authority, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "client.pem").write_bytes(pem)
    context = ssl.create_default_context(cafile=str(pki.ca_file))
    context.load_cert_chain(folder / "client.pem")
    return context


def test_a_client_certificate_names_user_and_groups(tmp_path: Path) -> None:  # N1
    pki = Pki.begin(tmp_path / "pki").wait()
    authenticator = Authenticator(tokens=STATIC)
    users: list[User] = []

    def handler(request: Request) -> Response:
        users.append(holder(authenticator, request))
        return Response(200)

    async def main() -> None:
        server = await serve(handler, ssl_context=pki.ssl_context())
        names = [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ops"),
            x509.NameAttribute(NameOID.COMMON_NAME, "root"),
        ]
        nameless = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ops")]
        for attributes in (names, nameless):
            context = client_certificate(pki, tmp_path, *attributes)
            reader, writer = await asyncio.open_connection("localhost", server.port, ssl=context)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer secret\r\n\r\n" * 2)
            await reader.readuntil(b"\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            writer.close()
        await server.close(1)

    asyncio.run(main())
    assert users[0].name == "root"
    assert users[0].groups == ("system:masters", "ops", "system:authenticated")
    assert users[0].extra["authentication.kubernetes.io/credential-id"][0].startswith("X509SHA256=")
    assert users[0] is users[1]
    assert users[2].name == "jane"


def test_a_client_certificate_ends_on_a_living_connection_too(tmp_path: Path) -> None:  # N5
    pki = Pki.begin(tmp_path / "pki").wait()
    authenticator = Authenticator(tokens=STATIC)
    found: list[str] = []
    ask = b"GET / HTTP/1.1\r\nHost: a\r\n%s\r\n"
    ahead = 0.0
    authenticator.wall_clock = lambda: time.time() + ahead

    def handler(request: Request) -> Response:
        try:
            found.append(holder(authenticator, request).name)
        except Unauthorized:
            found.append("nobody")
        return Response(200)

    async def main() -> None:
        nonlocal ahead
        server = await serve(handler, ssl_context=pki.ssl_context())
        context = client_certificate(pki, tmp_path, x509.NameAttribute(NameOID.COMMON_NAME, "root"))
        reader, writer = await asyncio.open_connection("localhost", server.port, ssl=context)
        for seconds, header in ((0.0, b""), (600.0, b""), (600.0, b"Authorization: Bearer secret\r\n")):
            ahead = seconds
            writer.write(ask % header)
            await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await server.close(1)

    asyncio.run(main())
    assert found == ["root", "nobody", "jane"]
