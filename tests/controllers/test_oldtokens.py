"""Tokens of old that nobody uses, against the real API server."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.controllers.support import CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS, START, scenario

from kajitori.controllers.oldtokens import TRACKED, clean, verdict
from kajitori.testing import TestEnv

CLEANER = "legacy-serviceaccount-token-cleaner-controller"
TYPE = "kubernetes.io/service-account-token"
INVALID = "kubernetes.io/legacy-token-invalid-since"
LATER = START + timedelta(days=800)


def token(name: str, account: str = "robot", **labels: str) -> dict[str, Any]:
    annotations = {"kubernetes.io/service-account.name": account}
    about = {"name": name, "namespace": "default", "annotations": annotations, "labels": labels}
    return {"metadata": about, "type": TYPE}


@pytest.mark.parametrize(
    ("labels", "type_", "age_days", "becomes"),
    [
        ({}, TYPE, 800, "mark"),
        ({}, TYPE, 364, "keep"),
        ({}, "Opaque", 800, "keep"),
        ({"kubernetes.io/legacy-token-last-used": "2028-03-01"}, TYPE, 800, "keep"),
        ({"kubernetes.io/legacy-token-last-used": "2026-03-01"}, TYPE, 800, "mark"),
        ({"kubernetes.io/legacy-token-last-used": "some-time"}, TYPE, 800, "keep"),
        ({INVALID: "2028-01-01"}, TYPE, 800, "keep"),
        ({INVALID: "2026-06-01"}, TYPE, 800, "delete"),
        ({INVALID: "nonsense"}, TYPE, 800, "mark"),
    ],
)
def test_what_becomes_of_a_token(
    labels: dict[str, str], type_: str, age_days: int, becomes: str
) -> None:  # L1, L2
    created = (LATER - timedelta(days=age_days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    secret = {"metadata": {"creationTimestamp": created, "labels": labels}, "type": type_}
    assert verdict(secret, LATER) == becomes


def test_only_what_nobody_uses_goes_and_is_marked_first() -> None:  # L1, L2, L3
    async def play(env: TestEnv) -> None:
        client = env.client()
        await asyncio.sleep(1)
        tracked = await client.get(CONFIG_MAPS, "kube-system", TRACKED)
        assert tracked["data"]["since"] == "2026-01-01"
        names = ["unused", "mounted", "pulled"]
        listed = [{"name": each} for each in names]
        account = {"metadata": {"name": "robot"}, "secrets": listed}
        await client.create(SERVICE_ACCOUNTS, account, namespace="default")
        for name in (*names, "unlisted"):
            await client.create(SECRETS, token(name))
        spec = {
            "containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "v", "secret": {"secretName": "mounted"}}],
            "imagePullSecrets": [{"name": "pulled"}],
        }
        await client.create(PODS, {"metadata": {"name": "p"}, "spec": spec}, namespace="default")

        async def marked(now: datetime) -> list[str]:
            await clean(client, now)
            found = (await client.list(SECRETS, "default")).items
            return sorted(each.name for each in found if INVALID in each.labels)

        assert await marked(START + timedelta(days=365)) == []
        assert await marked(START + timedelta(days=367)) == ["unused"]
        assert await marked(START + timedelta(days=368)) == ["unused"]
        assert await marked(START + timedelta(days=800)) == []
        left = sorted(each.name for each in (await client.list(SECRETS, "default")).items)
        assert left == ["mounted", "pulled", "unlisted"]

    scenario(play, {CLEANER})
