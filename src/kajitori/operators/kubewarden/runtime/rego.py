"""What Rego policies are given, and what their results mean: in the manner of OPA and of Gatekeeper. No I/O.

Promises
    G1  OPA: `input.request` is the request, the settings are `data`; the answer is `response` of the result
    G2  Gatekeeper: `input.review` is the request, `input.parameters` the settings; violations reject
    G3  objects of the cluster are where such policies look for them: `data.kubernetes`, `data.inventory`

Source: https://www.openpolicyagent.org/docs/latest/kubernetes-introduction/, kube-mgmt, and Gatekeeper's documentation
of `violation` and of `sync`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from kajitori.apis import JsonObject
from kajitori.operators.kubewarden.runtime.metadata import ExecutionMode
from kajitori.operators.kubewarden.runtime.responses import rejection

__all__ = ["Inventory", "of_result", "what_is_given"]

Inventory = Mapping[tuple[str, str, str], Iterable[JsonObject]]
"""Objects of the cluster by `apiVersion`, `kind` and plural."""


def what_is_given(
    mode: ExecutionMode, request: JsonObject, settings: JsonObject, inventory: Inventory
) -> tuple[JsonObject, JsonObject]:
    """`input` and `data`."""
    if mode is ExecutionMode.OPA:
        data: JsonObject = dict(settings)
        if inventory:
            data["kubernetes"] = _by_plural(inventory)
        return {"request": request}, data
    data = {"inventory": _by_scope(inventory)} if inventory else {}
    return {"parameters": settings, "review": request}, data


def of_result(mode: ExecutionMode, uid: str, result: Any) -> JsonObject:
    """The response that a result set means."""
    first = result[0] if isinstance(result, list) and result else {}
    value = first.get("result") if isinstance(first, dict) else None
    if mode is ExecutionMode.OPA:
        response = value.get("response") if isinstance(value, dict) else None
        if not isinstance(response, dict) or not isinstance(response.get("allowed"), bool):
            return rejection(uid, "internal server error: cannot interpret OPA policy result", 500)
        return {**response, "uid": uid}
    if value is not None and not isinstance(value, list):
        return rejection(uid, "internal server error: cannot interpret Gatekeeper policy result", 500)
    violations = [each for each in value or () if isinstance(each, dict)]
    if not violations:
        return {"uid": uid, "allowed": True}
    messages = [str(each["msg"]) for each in violations if each.get("msg") is not None]
    return {"uid": uid, "allowed": False, "status": {"message": ", ".join(messages)}}


def _by_plural(inventory: Inventory) -> JsonObject:
    """`services.default.web`, `namespaces.default`."""
    found: JsonObject = {}
    for (_, _, plural), objects in inventory.items():
        kept = found.setdefault(plural, {})
        for each in objects:
            metadata = each["metadata"]
            namespace = metadata.get("namespace")
            (kept.setdefault(namespace, {}) if namespace else kept)[metadata["name"]] = each
    return found


def _by_scope(inventory: Inventory) -> JsonObject:
    """`cluster.v1.Namespace.default`, `namespace.default.v1.Service.web`."""
    found: JsonObject = {"cluster": {}, "namespace": {}}
    for (api_version, kind, _), objects in inventory.items():
        for each in objects:
            metadata = each["metadata"]
            namespace = metadata.get("namespace")
            place = found["namespace"].setdefault(namespace, {}) if namespace else found["cluster"]
            place.setdefault(api_version, {}).setdefault(kind, {})[metadata["name"]] = each
    return found
