"""What many roles cost a request: a GET by somebody who is no admin, with the default roles and with 10,000 rules more.

A tenth of the rules is bound to whoever asks, in roles before the one that lets them; the others are other people's.
"""

import statistics

from load import Load
from policing import RBAC, put
from servers import Server

__all__ = ["authorizing"]

RULES = 10_000
PER_ROLE = 10
ROUNDS = 5
ONE, MANY = 400, 4_000
"""Requests of one round, with one client and with 32."""
CONFIG_MAPS = 100
NAMESPACE = "ruled"
PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
GROUP = "rbac.authorization.k8s.io"


async def authorizing(server: Server) -> dict[str, float]:
    """The same requests before and after; CPU tells more than time where the machine is shared."""
    load = server.load
    await put(load, "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    await _role(
        load, "z-reads", [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}], "writers"
    )
    for number in range(CONFIG_MAPS):
        await put(load, PATH, {"metadata": {"name": f"c{number}"}, "data": {"payload": "x" * 1024}})
    before_ms, before_cpu = await _reads(server)
    for number in range(RULES // PER_ROLE):
        rules = [
            {"apiGroups": ["example.com"], "resources": [f"kind{number}x{each}"], "verbs": ["get", "list"]}
            for each in range(PER_ROLE)
        ]
        await _role(load, f"r{number}", rules, "writers" if number % 10 == 0 else f"group{number}")
    after_ms, after_cpu = await _reads(server)
    return {"ruled1": after_ms / before_ms, "ruled_cpu": after_cpu / before_cpu}


async def _reads(server: Server) -> tuple[float, float]:
    """Milliseconds of the median request of one client, and CPU seconds of all others."""
    reader = server.writer
    gets = [reader.request("GET", f"{PATH}/c{number}") for number in range(CONFIG_MAPS)]
    p50: list[float] = []
    cpu: list[float] = []
    await reader.run(32, MANY, lambda number: gets[number % CONFIG_MAPS], 200)
    for _ in range(ROUNDS):
        p50.append((await reader.run(1, ONE, lambda number: gets[number % CONFIG_MAPS], 200)).p50_ms)
        before = server.cpu_seconds()
        await reader.run(32, MANY, lambda number: gets[number % CONFIG_MAPS], 200)
        cpu.append(server.cpu_seconds() - before)
    return statistics.median(p50), statistics.median(cpu)


async def _role(load: Load, name: str, rules: list[dict[str, list[str]]], group: str) -> None:
    """A role in the namespace, bound to a group."""
    path = f"{RBAC}/namespaces/{NAMESPACE}"
    await put(load, f"{path}/roles", {"metadata": {"name": name}, "rules": rules})
    subject = {"kind": "Group", "name": group, "apiGroup": GROUP}
    role = {"kind": "Role", "name": name, "apiGroup": GROUP}
    await put(
        load, f"{path}/rolebindings", {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
    )
