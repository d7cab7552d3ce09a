"""Tokens that are kept in Secrets: whoever makes one of type kubernetes.io/service-account-token gets a token in it.

Promises
    K1  such a Secret has the token of the service account that its annotation names, the authority's certificate and
        the namespace; what somebody takes out comes back, what stands there stays
    K2  it goes when its account has gone, or is another of the same name
    K3  when such a Secret goes, its account no longer refers to it
    K4  of other Secrets nothing is read but their metadata

Source: Kubernetes' serviceaccount tokens controller.
"""

import base64
from collections.abc import Callable, Iterable
from typing import Any

from kajitori.apimachinery.errors import Conflict, NotFound
from kajitori.apimachinery.frozen import Unstructured, thaw
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.client import Client
from kajitori.controllers.kinds import SECRETS, SERVICE_ACCOUNTS
from kajitori.ctrl import DONE, Cache, Manager, Request, Result, Watch

__all__ = ["TokenReconciler", "setup"]

TYPE = "kubernetes.io/service-account-token"
_NAME = "kubernetes.io/service-account.name"
_UID = "kubernetes.io/service-account.uid"
_CLAIMS = "kubernetes.io/serviceaccount"
_BY_ACCOUNT = "account"

Sign = Callable[[JsonObject], str]


class TokenReconciler:
    """Looks after the Secrets of one account."""

    def __init__(self, client: Client, cache: Cache, *, sign: Sign, ca: str) -> None:
        self._client = client
        self._cache = cache
        self._sign = sign
        self._ca = ca
        self._kept: dict[Request, set[str]] = {}
        """Names of Secrets with tokens, so that it is known of one that has gone what it was."""

    async def reconcile(self, request: Request) -> Result:
        index = (_BY_ACCOUNT, f"{request.namespace}/{request.name}")
        secrets = self._cache.list(SECRETS, request.namespace, index=index)
        kept: set[str] = set()
        account = await self._account(request) if secrets or request in self._kept else None
        for each in secrets:
            if await self._tend(each, account):
                kept.add(each.name)
        gone = self._kept.pop(request, set()) - kept
        if kept:
            self._kept[request] = kept
        if gone and account is not None:
            await self._unrefer(account, gone)
        return DONE

    async def _account(self, request: Request) -> Unstructured | None:
        cached = self._cache.get(SERVICE_ACCOUNTS, request.namespace, request.name)
        if cached is not None:
            return cached
        try:
            # A Secret is often made in the same breath; the cache may not have seen the account yet.
            return await self._client.get(SERVICE_ACCOUNTS, request.namespace, request.name)
        except NotFound:
            return None

    async def _tend(self, cached: Unstructured, account: Unstructured | None) -> bool:
        """Whether the Secret is one with a token, and stays."""
        try:
            secret = await self._client.get(SECRETS, cached.namespace, cached.name)
        except NotFound:
            return False
        if secret.get("type") != TYPE:
            return False
        uid = secret.annotations.get(_UID)
        if account is None or (uid and uid != account.uid):
            try:
                await self._client.delete(SECRETS, secret.namespace, secret.name, uid=secret.uid)
            except (NotFound, Conflict):
                return False  # it is gone, or another
            return False
        update = self._completed(secret, account)
        if update is not None:
            try:
                await self._client.update(SECRETS, update)
            except (Conflict, NotFound):
                return True  # it changed: the watch tells of it
        return True

    def _completed(self, secret: Unstructured, account: Unstructured) -> JsonObject | None:
        """The Secret with what it lacks; None when it lacks nothing."""
        body = thaw(secret)
        before: dict[str, str] = body.get("data") or {}
        data = dict(before)
        if self._ca:
            data["ca.crt"] = _encoded(self._ca)
        if not data.get("namespace"):
            data["namespace"] = _encoded(secret.namespace)
        if not data.get("token"):
            data["token"] = _encoded(self._sign(_claims(secret, account)))
        if data == before:
            return None
        body["data"] = data
        annotations = {**(body["metadata"].get("annotations") or {})}
        body["metadata"]["annotations"] = annotations | {_NAME: account.name, _UID: account.uid}
        return body

    async def _unrefer(self, account: Unstructured, gone: set[str]) -> None:
        listed = account.get("secrets") or ()
        rest = [thaw(each) for each in listed if each.get("name") not in gone]
        if len(rest) == len(listed):
            return
        patch = {"metadata": {"resourceVersion": account.resource_version}, "secrets": rest}
        try:
            await self._client.patch(SERVICE_ACCOUNTS, account.namespace, account.name, patch)
        except NotFound:
            return


def _claims(secret: Unstructured, account: Unstructured) -> JsonObject:
    return {
        f"{_CLAIMS}/namespace": secret.namespace,
        f"{_CLAIMS}/secret.name": secret.name,
        f"{_CLAIMS}/service-account.name": account.name,
        f"{_CLAIMS}/service-account.uid": account.uid,
        "sub": f"system:serviceaccount:{secret.namespace}:{account.name}",
    }


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _of_account(secret: Any) -> Iterable[str]:
    name = secret.annotations.get(_NAME)
    return (f"{secret.namespace}/{name}",) if name else ()


def setup(manager: Manager, *, sign: Sign, ca: str) -> None:
    """Adds the controller; `sign` makes tokens of claims, `ca` is the API's authority in PEM."""
    metadata: Kind = SECRETS

    def account_of(secret: Any) -> Iterable[Request]:
        name = secret.annotations.get(_NAME)
        return (Request(secret.namespace, name),) if name else ()

    manager.cache.add_index(metadata, _BY_ACCOUNT, _of_account)
    manager.controller(
        "serviceaccount-token-controller",
        TokenReconciler(manager.client, manager.cache, sign=sign, ca=ca),
        for_=SERVICE_ACCOUNTS,
        watches=[Watch(SECRETS, account_of, metadata_only=True)],
    )
