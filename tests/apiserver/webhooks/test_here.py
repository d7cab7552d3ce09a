"""H4: webhooks that are answered in the process of the API server."""

import asyncio
from pathlib import Path

import pytest

from kajitori.apiserver.webhooks import WebhookCaller, WebhookError
from kajitori.storage import open_store

CONFIG = {"service": {"namespace": "ns", "name": "hook", "path": "/judge", "port": 8443}}


async def answer(path: str, body: bytes) -> bytes | None:
    if body == b"slow":
        await asyncio.sleep(60)
    return path.encode() + body if path == "/judge" else None


def test_a_service_of_this_process_is_asked_in_it(tmp_path: Path) -> None:
    async def run() -> None:
        store = await open_store(None)
        caller = WebhookCaller(store, here={("ns", "hook"): answer})
        assert await caller.post(CONFIG, b"?", 1) == b"/judge?"
        elsewhere = {"service": {**CONFIG["service"], "path": "/other"}}
        with pytest.raises(WebhookError, match="could not find the requested resource"):
            await caller.post(elsewhere, b"?", 1)
        with pytest.raises(WebhookError, match=r"hook\.ns\.svc:8443/judge\?timeout=1s.*deadline exceeded"):
            await caller.post(CONFIG, b"slow", 1)
        with pytest.raises(WebhookError, match='service "hook" not found'):
            await WebhookCaller(store).post(CONFIG, b"?", 1)
        await store.close()

    asyncio.run(run())
