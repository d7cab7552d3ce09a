"""What it costs that a write is watched over: by RBAC alone, and by a quota and ten policies besides."""

import asyncio
import json
import statistics
from typing import Any

from load import Load
from servers import Server

__all__ = ["RBAC", "policing", "put"]

RULES = (
    "!has(object.metadata.labels) || object.metadata.labels.all(k, k.size() < 64)",
    "has(object.data) && object.data.size() < 100",
    "object.metadata.name.matches('^[a-z0-9.-]+$')",
    "!('forbidden' in object.data)",
    "object.metadata.labels['app'] in ['bench', 'web', 'db']",
    "request.userInfo.username != 'mallory'",
    "object.data.all(k, object.data[k].size() <= 65536)",
    "!has(object.immutable) || object.immutable == false",
    "object.metadata.namespace.startsWith('po')",
    "size(object.metadata.name) <= 200",
)
ROUNDS = 10
ONE, MANY = 100, 1_000
"""Requests of one round, with one client and with 32."""
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
HARD = {"configmaps": "1000000"}


async def policing(server: Server) -> dict[str, float]:
    """A create by somebody who is no admin, in two namespaces in turns, so that both see the same machine."""
    namespaces = {"plain": "poor", "policed": "policed"}
    for name in namespaces.values():
        await _namespace(server.load, name)
    await _quota(server.load, "policed")
    for number, rule in enumerate(RULES):
        await _policy(server.load, f"rule-{number}", rule)
    writer = server.writer
    await _until_denied(writer, "policed")
    p50: dict[str, list[float]] = {name: [] for name in namespaces}
    rate: dict[str, list[float]] = {name: [] for name in namespaces}
    cpu = dict.fromkeys(namespaces, 0.0)
    for turn in range(ROUNDS):
        for name, namespace in namespaces.items():
            requests = [_create(writer, namespace, f"one-{turn}-{number}") for number in range(ONE)]
            p50[name].append((await writer.run(1, ONE, requests.__getitem__, 201)).p50_ms)
            requests = [_create(writer, namespace, f"many-{turn}-{number}") for number in range(MANY)]
            before = server.cpu_seconds()
            rate[name].append((await writer.run(32, MANY, requests.__getitem__, 201)).per_second)
            cpu[name] += server.cpu_seconds() - before
    middle = {name: statistics.median(each) for name, each in p50.items()}
    pace = {name: statistics.median(each) for name, each in rate.items()}
    return {
        "policed1": middle["policed"] / middle["plain"],
        "policed32": pace["plain"] / pace["policed"],
        "policed_cpu": (cpu["policed"] - cpu["plain"]) / (ROUNDS * MANY) * 1e6,
    }


def _body(name: str, **data: str) -> bytes:
    metadata = {"name": name, "labels": {"app": "bench"}}
    return json.dumps({"metadata": metadata, "data": {"payload": "x" * 1024} | data}).encode()


def _create(load: Load, namespace: str, name: str) -> bytes:
    return load.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", _body(name))


async def put(load: Load, path: str, obj: dict[str, Any], *, method: str = "POST") -> None:
    """Writes an object."""
    content_type = "application/json" if method == "POST" else "application/merge-patch+json"
    status, answer = await load.once(method, path, json.dumps(obj).encode(), content_type)
    if status not in (200, 201):
        raise RuntimeError(f"{path} answered {status}: {answer[-300:].decode(errors='replace')}")


async def _namespace(load: Load, name: str) -> None:
    """One in which `writers` may create ConfigMaps."""
    await put(load, "/api/v1/namespaces", {"metadata": {"name": name, "labels": {"policed": name}}})
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}]
    await put(load, f"{RBAC}/namespaces/{name}/roles", {"metadata": {"name": "write"}, "rules": rules})
    group = {"kind": "Group", "name": "writers", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "Role", "name": "write", "apiGroup": "rbac.authorization.k8s.io"}
    binding = {"metadata": {"name": "write"}, "roleRef": role, "subjects": [group]}
    await put(load, f"{RBAC}/namespaces/{name}/rolebindings", binding)


async def _quota(load: Load, namespace: str) -> None:
    """With a status: nobody else might write it."""
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    await put(load, path, {"metadata": {"name": "quota"}, "spec": {"hard": HARD}})
    status = {"hard": HARD, "used": {"configmaps": "1"}}
    await put(load, f"{path}/quota/status", {"status": status}, method="PATCH")


async def _policy(load: Load, name: str, rule: str) -> None:
    about = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["configmaps"],
    }
    spec = {"matchConstraints": {"resourceRules": [about]}, "validations": [{"expression": rule}]}
    await put(load, f"{ADMISSION}/validatingadmissionpolicies", {"metadata": {"name": name}, "spec": spec})
    where = {"namespaceSelector": {"matchLabels": {"policed": "policed"}}}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": where}
    path = f"{ADMISSION}/validatingadmissionpolicybindings"
    await put(load, path, {"metadata": {"name": name}, "spec": binding})


async def _until_denied(load: Load, namespace: str) -> None:
    """Until the policies are in force."""
    for number in range(500):
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        status, _ = await load.once("POST", path, _body(f"probe-{number}", forbidden="1"))
        if status == 422:
            return
        await asyncio.sleep(0.02)
    raise RuntimeError("the policies deny nothing")
