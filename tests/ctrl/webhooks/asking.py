"""What an API server sends to webhooks, and what comes back, for tests."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any

import msgspec

from kajitori.apis import JsonObject, Kind, apply_json_patch
from kajitori.client import Model, kind_of
from kajitori.ctrl.webhooks.declared import Handler, WebhookOptions, declare
from kajitori.ctrl.webhooks.serving import WebhookRouter


def router_of(model: Model, handler: Handler, **options: Any) -> WebhookRouter:
    router = WebhookRouter()
    given: WebhookOptions = options  # type: ignore[assignment]
    router.add(declare(model, handler, given))
    return router


def review(
    kind: Kind | type[Any],
    operation: str,
    new: Any = None,
    old: Any = None,
    *,
    version: str = "v1",
    **request: Any,
) -> bytes:
    """The body of an AdmissionReview."""
    found = kind_of(kind)
    gvk = {"group": found.group, "version": found.version, "kind": found.kind}
    resource = {"group": found.group, "version": found.version, "resource": found.plural}
    named = new or old or {}
    asked = {
        "uid": "uid-1",
        "kind": gvk,
        "resource": resource,
        "requestKind": gvk,
        "requestResource": resource,
        "name": named.get("metadata", {}).get("name", ""),
        "namespace": "default",
        "operation": operation,
        "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
        "object": new,
        "oldObject": old,
        "dryRun": False,
        "options": None,
    }
    return msgspec.json.encode(
        {
            "kind": "AdmissionReview",
            "apiVersion": f"admission.k8s.io/{version}",
            "request": {**asked, **request},
        }
    )


def ask(router: WebhookRouter, path: str, body: bytes) -> JsonObject:
    """The whole answer."""
    answer = asyncio.run(router.answer(path, body))
    assert answer is not None, path
    decoded: JsonObject = msgspec.json.decode(answer)
    return decoded


def respond(router: WebhookRouter, body: bytes) -> JsonObject:
    """The response of the only webhook."""
    [declared] = router.webhooks
    response: JsonObject = ask(router, declared.path, body)["response"]
    return response


def patch_of(response: JsonObject) -> Sequence[JsonObject]:
    patch: Sequence[JsonObject] = msgspec.json.decode(base64.b64decode(response.get("patch") or "W10="))
    return patch


def patched(value: JsonObject, response: JsonObject) -> Any:
    return apply_json_patch(value, list(patch_of(response)))
