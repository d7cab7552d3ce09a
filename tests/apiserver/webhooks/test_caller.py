"""What is asked of a webhook, and whom it is believed to be: as Go has it, whose servers and tests count on that."""

import asyncio
import base64
import ssl
from pathlib import Path

import pytest
from tests.apiserver.webhooks.support import Hook, listening

from kajitori.apiserver.pki import Pki
from kajitori.apiserver.webhooks.caller import WebhookCaller, WebhookError
from kajitori.storage import open_store


@pytest.mark.parametrize(
    ("path", "asked"),
    [("//judge", "/judge"), ("/judge/", "/judge"), ("/a//b/../c", "/a/c"), ("/", "/"), ("", "/")],
)
def test_the_path_is_asked_for_without_idle_slashes(path: str, asked: str) -> None:
    async def run() -> None:
        store = await open_store(None)
        async with listening(lambda review: review) as hook:
            await WebhookCaller(store).post(hook.config(path), b"{}", 1)
        assert hook.heads[0].startswith(f"POST {asked}?timeout=1s ")
        await store.close()

    asyncio.run(run())


def test_the_certificate_itself_may_be_the_bundle(tmp_path: Path) -> None:  # H2
    """controller-runtime's envtest puts it there, and not its authority's."""
    Pki.begin(tmp_path / "one").wait()
    Pki.begin(tmp_path / "other").wait()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "one/apiserver.crt", tmp_path / "one/apiserver.key")

    async def run() -> None:
        store = await open_store(None)
        hook = Hook(0, lambda review: review)
        async with await asyncio.start_server(hook.serve, "127.0.0.1", 0, ssl=context) as server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            for good in ("one/ca.crt", "one/apiserver.crt"):
                bundle = base64.b64encode((tmp_path / good).read_bytes()).decode()
                assert await WebhookCaller(store).post({"url": url, "caBundle": bundle}, b"{}", 1) == b"{}"
            bundle = base64.b64encode((tmp_path / "other/apiserver.crt").read_bytes()).decode()
            with pytest.raises(WebhookError, match="certificate signed by unknown authority"):
                await WebhookCaller(store).post({"url": url, "caBundle": bundle}, b"{}", 1)
        await store.close()

    asyncio.run(run())
