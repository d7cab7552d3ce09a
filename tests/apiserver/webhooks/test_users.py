"""Who the API server is to admission webhooks."""

import asyncio
import base64
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.apiserver.admission.test_webhooks import VALIDATING, answer, configure, webhook
from tests.apiserver.support import CONFIG_MAPS, OPTIONS, Api, config_map, serving
from tests.apiserver.webhooks.support import ca_bundle, certificate, listening, server_tls

from kajitori.apiserver.webhooks.caller import WebhookCaller, WebhookError
from kajitori.apiserver.webhooks.kubeconfig import WebhookConfigError
from kajitori.apiserver.webhooks.users import WebhookUsers
from kajitori.cluster.cluster import Cluster, ClusterError
from kajitori.cluster.options import ClusterOptions


def kubeconfig(folder: Path, users: dict[str, Any], **more: Any) -> Path:
    path = folder / "webhooks.kubeconfig"
    listed = [{"name": name, "user": user} for name, user in users.items()]
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "users": listed, **more}))
    return path


@pytest.mark.parametrize(
    ("server", "token"),
    [
        ("hook.example.com:443", "exact"),
        ("hook.example.com:8443", "with-port"),
        ("other.example.com:8443", "default"),
        ("other.example.com:443", "starred"),
        ("a.b.example.com:443", "starred"),
        ("a.b.example.com:9443", "starred-port"),
        ("x.c.b.example.com:443", "longest"),
        ("example.com:443", "default"),
        ("hook.default.svc:443", "service"),
        ("127.0.0.1:443", "default"),
    ],
)
def test_the_name_of_a_server_chooses_the_user(tmp_path: Path, server: str, token: str) -> None:  # N1
    names = {
        "hook.example.com": "exact",
        "hook.example.com:8443": "with-port",
        "*.example.com": "starred",
        "*.example.com:9443": "starred-port",
        "*.b.example.com": "starred",
        "*.c.b.example.com": "longest",
        "hook.default.svc": "service",
        "*": "default",
    }
    users = WebhookUsers(kubeconfig(tmp_path, {name: {"token": each} for name, each in names.items()}))
    assert users.of(server).headers == {"authorization": f"Bearer {token}"}


def test_others_are_whom_the_current_context_names_or_nobody(tmp_path: Path) -> None:  # N1
    context = {"current-context": "c", "contexts": [{"name": "c", "context": {"user": "me"}}]}
    path = kubeconfig(tmp_path, {"me": {"token": "secret"}}, **context)
    assert WebhookUsers(path).of("a:443").headers == {"authorization": "Bearer secret"}
    assert WebhookUsers(kubeconfig(tmp_path, {"me": {"token": "secret"}})).of("a:443").headers == {}


def test_what_a_user_shows(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    users = {
        "file": {"tokenFile": "token"},
        "password": {"username": "a", "password": "b"},
    }
    found = WebhookUsers(kubeconfig(tmp_path, users))
    assert found.of("file").headers == {"authorization": "Bearer from-file"}
    assert found.of("password").headers == {"authorization": "Basic " + base64.b64encode(b"a:b").decode()}


@pytest.mark.parametrize(
    ("users", "told"),
    [
        (
            {"a": {"exec": {"command": "x"}}},
            "user a: exec is not supported for webhooks; use a token or a cert",
        ),
        ({"a": {"token": "x", "as": "jane"}}, "user a: as is not supported for webhooks"),
        ({"a": {"tokenFile": "nothing"}}, "cannot read tokenFile: No such file or directory"),
        ({"a": {"client-certificate-data": "%"}}, "client-certificate-data is not base64"),
    ],
)
def test_users_that_cannot_be_used_are_refused(
    tmp_path: Path, users: dict[str, Any], told: str
) -> None:  # N2
    with pytest.raises(WebhookConfigError) as caught:
        WebhookUsers(kubeconfig(tmp_path, users))
    assert told in str(caught.value)


def configured(folder: Path, file: str) -> ClusterOptions:
    group = "apiserver.config.k8s.io/v1"
    configuration = {"apiVersion": group, "kind": "WebhookAdmissionConfiguration", "kubeConfigFile": file}
    plugins = [{"name": "ValidatingAdmissionWebhook", "configuration": configuration}]
    path = folder / "admission.yaml"
    path.write_text(
        yaml.safe_dump({"apiVersion": group, "kind": "AdmissionConfiguration", "plugins": plugins})
    )
    return replace(OPTIONS, admission_control_config_file=path)


def test_a_webhook_is_shown_the_token(tmp_path: Path) -> None:
    async def play(api: Api) -> None:
        async with listening(answer) as hook:
            await configure(api, VALIDATING, webhook(hook))
            await api.ok("POST", CONFIG_MAPS, config_map("a"))
            assert "authorization: Bearer secret" in hook.heads[0]

    async def main() -> None:
        path = kubeconfig(tmp_path, {"*": {"token": "secret"}})
        async with serving(configured(tmp_path, str(path))) as api:
            await play(api)

    asyncio.run(main())


def test_a_webhook_is_shown_the_certificate(tmp_path: Path) -> None:
    """One that asks everybody for a certificate of its own authority."""
    context = server_tls()
    context.verify_mode = ssl.CERT_REQUIRED
    public, private = certificate()
    context.load_verify_locations(cadata=public.decode())
    shown = {
        "client-certificate-data": base64.b64encode(public).decode(),
        "client-key-data": base64.b64encode(private).decode(),
    }

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server, serving() as api:
            port = server.sockets[0].getsockname()[1]
            config = {"url": f"https://127.0.0.1:{port}/", "caBundle": ca_bundle()}
            users = WebhookUsers(kubeconfig(tmp_path, {f"127.0.0.1:{port}": shown}))
            assert await WebhookCaller(api.store, users).post(config, b"{}", 5) == b"{}"
            with pytest.raises(WebhookError):
                await WebhookCaller(api.store).post(config, b"{}", 5)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("here", "kubeConfigFile: Invalid value: 'here': must be an absolute file path"),
        ("/dev/nothing", "kubeConfigFile: cannot read the kubeconfig /dev/nothing: No such file"),
        ("/dev/null", "kubeConfigFile: /dev/null: this is no kubeconfig"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_at_the_start(tmp_path: Path, file: str, told: str) -> None:  # N2
    async def start() -> None:
        async with Cluster(configured(tmp_path, file)):
            pass

    with pytest.raises(ClusterError) as caught:
        asyncio.run(start())
    assert told in str(caught.value)
