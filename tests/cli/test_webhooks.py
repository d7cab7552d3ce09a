"""Webhooks over HTTPS: what an API server, and others, find at the address."""

import argparse
import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.ctrl.webhooks.asking import review
from tests.ctrl.webhooks.widgets import Widget, WidgetRules, widget

from kajitori.apis import Kind, NamespacedName
from kajitori.cli.main import CommandError
from kajitori.cli.webhook_flags import add_webhooks, webhook_place
from kajitori.cli.webhooks import HttpsWebhooks, WebhookPlace
from kajitori.client import Client, Forbidden, InternalError, kind_of
from kajitori.ctrl import SYSTEM_CLOCK, Manager, Validator
from kajitori.ctrl.webhooks import certificate_files
from kajitori.ctrl.webhooks.certificates import Certificates, stepped
from kajitori.ctrl.webhooks.declared import VALIDATING
from kajitori.ctrl.webhooks.rotation import Step
from kajitori.testing import TestEnv

SECRETS = Kind("", "v1", "Secret", "secrets")
PATH = "/validate-example-com-v1-widget"
HERE = WebhookPlace(host="127.0.0.1", port=0)

Story = Callable[[TestEnv, Manager, HttpsWebhooks], Awaitable[None]]


def play(story: Story, place: WebhookPlace = HERE, rules: Any = None) -> None:
    async def run() -> None:
        async with TestEnv(crds=[Widget]) as env:
            host = HttpsWebhooks(place)
            client = env.client("operator")
            manager = Manager(client, webhooks=host)
            async with host.listening(client, lambda: manager.is_leader):
                manager.add(host.keep, needs_leader=False)
                manager.webhook(Widget, rules or WidgetRules())
                async with env.running(manager):
                    await story(env, manager, host)

    asyncio.run(run())


async def connect(
    host: HttpsWebhooks, bundle: bytes, context: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = context or ssl.create_default_context(cadata=bundle.decode())
    port = int(host.url.rpartition(":")[2])
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="127.0.0.1")


async def bundle_of(client: Client) -> bytes:
    registered = await client.get(VALIDATING, "", "validate.v1.widgets.example.com")
    return base64.b64decode(registered["webhooks"][0]["clientConfig"]["caBundle"])


async def ask(
    host: HttpsWebhooks,
    bundle: bytes,
    path: str,
    body: bytes,
    *,
    method: str = "POST",
    content_type: str = "application/json",
) -> tuple[int, bytes]:
    reader, writer = await connect(host, bundle)
    headers = f"Host: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close"
    head = f"{method} {path} HTTP/1.1\r\n{headers}\r\n\r\n"
    writer.write(head.encode() + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head_bytes, _, content = answer.partition(b"\r\n\r\n")
    return int(head_bytes.split(b" ", 2)[1]), content


def test_an_api_server_asks_over_https() -> None:  # W1
    async def story(env: TestEnv, manager: Manager, host: HttpsWebhooks) -> None:
        client = env.client()
        made = await client.create(kind_of(Widget), widget("a"))
        assert made["spec"]["color"] == "grey"
        with pytest.raises(Forbidden, match="no red widgets"):
            await client.create(kind_of(Widget), widget("b", color="red"))
        registered = await client.get(VALIDATING, "", "validate.v1.widgets.example.com")
        assert registered["webhooks"][0]["clientConfig"]["url"] == host.url + PATH
        assert registered.annotations["webhooks.kajitori.dev/owner"] == "127.0.0.1/kajitori"

    play(story)


def test_what_others_send_is_answered_too() -> None:  # W3
    async def story(env: TestEnv, manager: Manager, host: HttpsWebhooks) -> None:
        bundle = await bundle_of(env.client())
        body = review(Widget, "CREATE", widget("a"))
        status, answer = await ask(host, bundle, PATH + "?timeout=10s", body)
        assert status == 200 and msgspec.json.decode(answer)["response"]["allowed"]
        assert (await ask(host, bundle, "/healthz", b"", method="GET"))[0] == 200
        assert (await ask(host, bundle, PATH, b"", method="GET"))[0] == 405
        assert (await ask(host, bundle, "/validate-other", body))[0] == 404
        assert (await ask(host, bundle, "/convert", b"{}"))[0] == 404
        status, answer = await ask(host, bundle, PATH, body, content_type="text/plain")
        told = msgspec.json.decode(answer)["response"]["status"]
        assert (status, told["code"]) == (200, 400)
        assert told["message"] == "contentType=text/plain, expected application/json"
        status, answer = await ask(host, bundle, PATH, b" " * (8 << 20))
        assert (status, msgspec.json.decode(answer)["response"]["status"]["code"]) == (200, 413)
        reader, writer = await connect(host, bundle)
        headers = f"Host: x\r\nContent-Type: application/json\r\nContent-Length: {65 << 20}"
        writer.write(f"POST {PATH} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        writer.transport.abort()

    play(story)


def test_what_an_earlier_version_registered_goes_when_nothing_is_declared() -> None:
    async def run() -> None:
        async with TestEnv(crds=[Widget]) as env:
            for declares in (True, False):
                host, client = HttpsWebhooks(HERE), env.client("operator")
                manager = Manager(client, webhooks=host)
                async with host.listening(client, lambda: True):
                    manager.add(partial(host.forget_undeclared, manager))
                    if declares:
                        manager.webhook(Widget, WidgetRules())
                    async with env.running(manager):
                        await env.wait_quiet()
                    assert len(await client.list(VALIDATING)) == int(declares)

    asyncio.run(run())


class Hanging(Validator[Widget]):
    """Never answers, and tells when it begins and ends."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.ended = asyncio.Event()

    async def validate_create(self, new: Widget) -> None:
        self.began.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.ended.set()


def test_who_hangs_up_or_gives_up_ends_the_function() -> None:  # W4
    rules = Hanging()

    async def story(env: TestEnv, manager: Manager, host: HttpsWebhooks) -> None:
        bundle, body = await bundle_of(env.client()), review(Widget, "CREATE", widget("a"))
        _, writer = await connect(host, bundle)
        headers = f"Host: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        writer.write(f"POST {PATH} HTTP/1.1\r\n{headers}\r\n\r\n".encode() + body)
        await rules.began.wait()
        writer.transport.abort()
        await rules.ended.wait()
        rules.ended.clear()
        status, _ = await ask(host, bundle, PATH + "?timeout=50ms", body)
        assert status == 504 and rules.ended.is_set()

    play(story, rules=rules)


def test_replicas_behind_a_service_share_their_certificates() -> None:
    place = WebhookPlace(
        host="127.0.0.1",
        port=0,
        service=NamespacedName("default", "widgets"),
        service_port=8443,
        secret=NamespacedName("default", "widgets-tls"),
    )

    async def story(env: TestEnv, manager: Manager, host: HttpsWebhooks) -> None:
        client = env.client()
        registered = await client.get(VALIDATING, "", "validate.v1.widgets.example.com")
        secret = await client.get(SECRETS, "default", "widgets-tls")
        assert registered["webhooks"][0]["clientConfig"] == {
            "service": {"namespace": "default", "name": "widgets", "port": 8443, "path": PATH},
            "caBundle": secret["data"]["ca.crt"],
        }
        assert registered.annotations["webhooks.kajitori.dev/owner"] == "default/widgets/kajitori"

    play(story, place)


def test_a_certificate_of_files_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_files, "FILES_SECONDS", 0.01)
    monkeypatch.setattr(certificate_files, "ANNOUNCED_SECONDS", 0.1)
    first, second = (stepped(None, Step.BEGIN, ["127.0.0.1"], SYSTEM_CLOCK.now()) for _ in range(2))
    for name, content in first.data().items():
        (tmp_path / name).write_bytes(content)

    async def story(env: TestEnv, manager: Manager, host: HttpsWebhooks) -> None:
        client = env.client()
        assert await bundle_of(client) == first.bundle
        for name, content in second.data().items():
            (tmp_path / name).write_bytes(content)

        served, number = first, 0
        while served is not second:
            number += 1
            await client.create(kind_of(Widget), widget(f"a{number}"))
            try:
                await ask(host, second.bundle, "/healthz", b"", method="GET")
                served = second
            except ssl.SSLError:
                await asyncio.sleep(0.01)
        await client.create(kind_of(Widget), widget("a"))
        assert await bundle_of(client) == second.bundle + first.bundle

    play(story, WebhookPlace(host="127.0.0.1", port=0, cert_dir=tmp_path))


def test_only_who_has_a_certificate_is_answered(tmp_path: Path) -> None:
    ours = stepped(None, Step.BEGIN, ["127.0.0.1"], SYSTEM_CLOCK.now())
    for name, content in ours.data().items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=r"--webhook-client-ca-file .*nothing: "):
        play(nobody, WebhookPlace(host="127.0.0.1", port=0, client_ca_file=tmp_path / "nothing"))

    async def story(env: TestEnv, manager: Manager, host: HttpsWebhooks) -> None:
        bundle = await bundle_of(env.client())
        with pytest.raises((ssl.SSLError, ConnectionError, IndexError)):
            await ask(host, bundle, "/healthz", b"", method="GET")
        with pytest.raises(InternalError, match="failed calling webhook"):
            await env.client().create(kind_of(Widget), widget("a"))
        context = ssl.create_default_context(cadata=bundle.decode())
        (tmp_path / "client.pem").write_bytes(client_certificate(ours))
        context.load_cert_chain(tmp_path / "client.pem")
        reader, writer = await connect(host, bundle, context)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.transport.abort()

    play(story, WebhookPlace(host="127.0.0.1", port=0, cert_dir=tmp_path, client_ca_file=tmp_path / "ca.crt"))


def client_certificate(authority: Certificates) -> bytes:
    """A certificate and its key, which prove a client."""
    now, key = SYSTEM_CLOCK.now(), ec.generate_private_key(ec.SECP256R1())
    signing = serialization.load_pem_private_key(authority.authority_key, None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")]))
        .issuer_name(x509.load_pem_x509_certificate(authority.bundle).subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signing, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + private


async def nobody(env: TestEnv, manager: Manager, host: HttpsWebhooks) -> None:
    """Is not reached."""


def test_cert_manager_tells_api_servers_itself(tmp_path: Path) -> None:
    made = stepped(None, Step.BEGIN, ["127.0.0.1"], SYSTEM_CLOCK.now())
    for name, content in made.data().items():
        (tmp_path / name).write_bytes(content)

    async def story(env: TestEnv, manager: Manager, host: HttpsWebhooks) -> None:
        client, name = env.client(), "validate.v1.widgets.example.com"
        registered = await client.get(VALIDATING, "", name)
        assert registered.annotations["cert-manager.io/inject-ca-from"] == "default/widgets"
        assert "caBundle" not in registered["webhooks"][0]["clientConfig"]
        # What cert-manager's injector writes is left alone.
        bundle = base64.b64encode(made.bundle).decode()
        hook = {**registered["webhooks"][0]}
        hook["clientConfig"] = {**hook["clientConfig"], "caBundle": bundle}
        await client.patch(VALIDATING, "", name, {"webhooks": [hook]}, field_manager="injector")
        await env.wait_quiet()
        assert await bundle_of(client) == made.bundle

    play(story, WebhookPlace(host="127.0.0.1", port=0, cert_dir=tmp_path, ca_from="default/widgets"))


def test_what_cannot_be_had_is_told(tmp_path: Path) -> None:  # W2
    async def listen(place: WebhookPlace) -> None:
        async with TestEnv() as env, HttpsWebhooks(place).listening(env.client(), lambda: True):
            pass

    async def twice() -> None:
        host = HttpsWebhooks(HERE)
        async with TestEnv() as env, host.listening(env.client(), lambda: True):
            port = int(host.url.rpartition(":")[2])
            await listen(WebhookPlace(host="127.0.0.1", port=port))

    with pytest.raises(CommandError, match=r"--webhook-address 127.0.0.1:\d+: cannot listen there: .*in use"):
        asyncio.run(twice())
    with pytest.raises(CommandError, match=r"--webhook-cert-dir .*: \[Errno 2\] No such file"):
        asyncio.run(listen(WebhookPlace(host="127.0.0.1", port=0, cert_dir=tmp_path)))
    nowhere = WebhookPlace(host="127.0.0.1", port=0, secret=NamespacedName("nowhere", "s"))
    with pytest.raises(CommandError, match="the webhooks' certificates in Secret nowhere/s: "):
        asyncio.run(listen(nowhere))


def place_of(*arguments: str) -> WebhookPlace | None:
    parser = argparse.ArgumentParser()
    add_webhooks(parser)
    return webhook_place(parser.parse_args(arguments))


def test_flags_say_where() -> None:
    assert place_of() is None
    assert place_of("--webhook-address", "192.0.2.7:9443") == WebhookPlace(host="192.0.2.7", port=9443)
    assert place_of("--webhook-host", "me.example") == WebhookPlace(
        host="", port=9443, url="https://me.example:9443"
    )
    assert place_of("--webhook-address", ":1", "--webhook-host", "2001:db8::1") == WebhookPlace(
        host="", port=1, url="https://[2001:db8::1]:1"
    )
    assert place_of("--webhook-url", "https://hooks.example/x/") == WebhookPlace(
        host="", port=9443, url="https://hooks.example/x"
    )
    assert place_of("--webhook-service", "a/b:8443") == WebhookPlace(
        host="",
        port=9443,
        service=NamespacedName("a", "b"),
        service_port=8443,
        secret=NamespacedName("a", "b-tls"),
    )
    assert place_of(
        *("--webhook-service", "a/b", "--webhook-cert-dir", "/c", "--webhook-inject-ca-from", "a/b-cert")
    ) == WebhookPlace(
        host="", port=9443, service=NamespacedName("a", "b"), cert_dir=Path("/c"), ca_from="a/b-cert"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--webhook-address", "9443"], "--webhook-address 9443: write it as HOST:PORT"),
        (
            ["--webhook-address", ":9443"],
            "--webhook-address :9443: say with --webhook-host what the API server calls",
        ),
        (["--webhook-cert-dir", "/c"], "--webhook-address :9443: say with --webhook-host"),
        (["--webhook-url", "http://x"], "--webhook-url http://x: write it as https://NAME:PORT"),
        (["--webhook-url", "https://x", "--webhook-service", "a/b"], "--webhook-url says it all"),
        (["--webhook-service", "b"], "--webhook-service b: write it as NAMESPACE/NAME"),
        (["--webhook-service", "a/b:x"], "--webhook-service a/b:x: write it as NAMESPACE/NAME:PORT"),
        (["--webhook-service", "a/b", "--webhook-inject-ca-from", "a/c"], "say with --webhook-cert-dir"),
        (
            ["--webhook-service", "a/b", "--webhook-secret", "a/c", "--webhook-cert-dir", "/c"],
            "in one of them",
        ),
        (["--webhook-address", "x:0", "--webhook-host", "y"], "--webhook-host needs a port that is known"),
    ],
)
def test_flags_that_do_not_fit_are_told(arguments: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told.replace(".", r"\.")) as error:
        place_of(*arguments)
    assert error.value.code == 2
