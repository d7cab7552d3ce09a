"""Takes away tokens that Kubernetes once made by itself, kept in Secrets, and that nobody has used for a year.

Promises
    L1  only a Secret that its service account refers to, that no Pod uses, and that is a token, can go
    L2  it is marked as invalid first, which ends it but can be taken back; a year after that it goes
    L3  nothing happens before its use has been tracked for a year, which begins with the first look

Source: Kubernetes' legacy-serviceaccount-token-cleaner.
"""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from kajitori.apimachinery.errors import AlreadyExists, ApiError, Conflict, NotFound
from kajitori.apimachinery.time import parse_time
from kajitori.client import Client, TransportError
from kajitori.controllers.kinds import CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS
from kajitori.ctrl import Manager

__all__ = ["clean", "setup", "verdict"]

TRACKED = "kube-apiserver-legacy-service-account-token-tracking"
"""The ConfigMap in kube-system that says since when."""
UNUSED = timedelta(days=365)
LOOK_SECONDS = 24 * 3600.0

_TYPE = "kubernetes.io/service-account-token"
_NAME = "kubernetes.io/service-account.name"
_UID = "kubernetes.io/service-account.uid"
_USED = "kubernetes.io/legacy-token-last-used"
_INVALID = "kubernetes.io/legacy-token-invalid-since"

_log = logging.getLogger(__name__)


def verdict(secret: Mapping[str, Any], now: datetime) -> Literal["keep", "mark", "delete"]:
    """What becomes of a token that its account refers to and no Pod uses."""
    metadata = secret["metadata"]
    if secret.get("type") != _TYPE or metadata.get("deletionTimestamp"):
        return "keep"
    before = now - UNUSED
    if parse_time(metadata["creationTimestamp"]) >= before.timestamp():
        return "keep"
    labels = metadata.get("labels") or {}
    if _USED in labels:
        used = _date(labels[_USED])
        if used is None or used >= before.date():
            return "keep"
    invalid = _date(labels.get(_INVALID, ""))
    if invalid is None:
        return "mark"
    return "keep" if invalid >= before.date() else "delete"


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


async def clean(client: Client, now: datetime) -> None:
    """Looks at every such token once. Raises: ApiError, TransportError."""
    since = await _tracked_since(client, now)
    if since is None or now.date() < since + timedelta(days=1) + UNUSED:
        return
    async for page in client.list_pages(SERVICE_ACCOUNTS):
        for account in page.items:
            names = [each.get("name", "") for each in account.get("secrets") or ()]
            used = await _used_by_pods(client, account.namespace) if names else set[str]()
            for name in names:
                if name and name not in used:
                    await _judge(client, account, name, now)


async def _judge(client: Client, account: Any, name: str, now: datetime) -> None:
    try:
        secret = await client.get(SECRETS, account.namespace, name)
    except NotFound:
        return
    annotations = secret.annotations
    if annotations.get(_NAME) != account.name or annotations.get(_UID, account.uid) != account.uid:
        return
    told = {"secret": f"{secret.namespace}/{secret.name}"}
    with contextlib.suppress(NotFound, Conflict):  # it changed: tomorrow is another day
        match verdict(secret, now):
            case "mark":
                _log.info("an unused token is marked as invalid", extra=told)
                patch = {"metadata": {"uid": secret.uid, "labels": {_INVALID: now.date().isoformat()}}}
                await client.patch(SECRETS, secret.namespace, secret.name, patch)
            case "delete":
                _log.info("an unused token is deleted", extra=told)
                version = secret.resource_version
                await client.delete(SECRETS, secret.namespace, secret.name, resource_version=version)
            case "keep":
                pass


async def _tracked_since(client: Client, now: datetime) -> date | None:
    """Since when; from now on where nobody has said so."""
    try:
        tracked = await client.get(CONFIG_MAPS, "kube-system", TRACKED)
    except NotFound:
        begun = {"metadata": {"name": TRACKED}, "data": {"since": now.date().isoformat()}}
        with contextlib.suppress(AlreadyExists):
            await client.create(CONFIG_MAPS, begun, namespace="kube-system")
        return None
    return _date((tracked.get("data") or {}).get("since", ""))


async def _used_by_pods(client: Client, namespace: str) -> Collection[str]:
    used: set[str] = set()
    async for page in client.list_pages(PODS, namespace):
        for pod in page.items:
            used.update(_secret_names(pod.get("spec") or {}))
    return used


def _secret_names(value: Any) -> Iterator[str]:
    """Every Secret that a part of a Pod names."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key == "secretName" and isinstance(each, str):
                yield each
            elif key in ("secret", "secretRef", "secretKeyRef") and isinstance(each, Mapping):
                yield from (each[name] for name in ("name", "secretName") if isinstance(each.get(name), str))
            elif key == "imagePullSecrets":
                yield from (listed.get("name", "") for listed in each or ())
            else:
                yield from _secret_names(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _secret_names(each)


def setup(manager: Manager) -> None:
    """Looks once a day."""

    async def every_day() -> None:
        while True:
            try:
                await clean(manager.client, manager.clock.now().astimezone(UTC))
            except (ApiError, TransportError) as error:
                _log.warning("unused tokens were not looked at", extra={"why": str(error)})
            await asyncio.sleep(LOOK_SECONDS)

    manager.add(every_day)
