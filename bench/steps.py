"""What is measured of a server, step by step. Each step gives figures by name; the same steps fit any API server."""

import asyncio
import contextlib
import json
import statistics
import time
from collections.abc import Callable

from definitions import definition, instances
from load import Figures, Load, pod
from servers import Server

__all__ = ["cascade", "defined", "deletion", "fan_out", "growth", "objects", "rest"]

OBJECTS = 10_000
REQUESTS = 8_000
ONE = 1_000
"""Requests of steps with one client."""
WATCHERS = 100
UPDATES = 200
UPDATES_PER_SECOND = 20
DEFINITIONS = 500
BENCH = "/api/v1/namespaces/bench/configmaps"

Figure = dict[str, float]


async def namespace(load: Load, name: str) -> None:
    """Make it, where it is not there."""
    await load.once("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": name}}).encode())


def config_map(load: Load, path: str, name: str, labels: dict[str, str] | None = None) -> bytes:
    """A request that creates a ConfigMap of 1 KiB."""
    body = {"metadata": {"name": name, "labels": labels or {"app": "bench"}}, "data": {"payload": "x" * 1024}}
    return load.request("POST", path, json.dumps(body).encode())


def merge_patch(load: Load, path: str, value: str) -> bytes:
    body = json.dumps({"metadata": {"labels": {"n": value}}}).encode()
    return load.request("PATCH", path, body, "application/merge-patch+json")


def apply(load: Load, path: str, name: str, value: str) -> bytes:
    """A server-side apply of a ConfigMap of 1 KiB."""
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"payload": "y" * 1000, "n": value},
    }
    target = f"{path}/{name}?fieldManager=bench&force=true"
    return load.request("PATCH", target, json.dumps(body).encode(), "application/apply-patch+yaml")


async def rest(server: Server, idle: bool = True) -> Figure:
    """Ready, memory at rest, and what doing nothing costs in 20 s."""
    figures = {"ready": await server.ready()}
    await asyncio.sleep(4)  # until controllers and operators have settled
    figures["rest"] = server.resident_mib()
    if idle:
        before = server.cpu_seconds()
        await asyncio.sleep(20)
        figures["idle"] = max(server.cpu_seconds() - before, 0.002) / 20 * 100
    return figures


async def objects(server: Server) -> Figure:
    """Writes and reads with one client and with 32, and a LIST of 10,000 Pods, on a server that fills up meanwhile."""
    load = server.load
    await namespace(load, "bench")
    figures: Figure = {}

    def keep(step: str, got: Figures, clients: int) -> None:
        figures[f"{step}{clients}"] = got.per_second if clients > 1 else got.p50_ms

    async def both(step: str, make: Callable[[int, str], bytes], good: int) -> None:
        keep(step, await load.run(1, ONE, lambda number: make(number, "one"), good), 1)
        keep(step, await load.run(32, REQUESTS, lambda number: make(number, "many"), good), 32)

    await both("create", lambda n, who: config_map(load, BENCH, f"{who}-{n}"), 201)
    filled = OBJECTS - REQUESTS - ONE
    await load.run(32, filled, lambda n: config_map(load, BENCH, f"more-{n}"), 201)
    gets = [load.request("GET", f"{BENCH}/many-{number}") for number in range(REQUESTS)]
    await both("get", lambda n, _: gets[n], 200)
    await both("patch", lambda n, who: merge_patch(load, f"{BENCH}/many-{n}", f"{who}{n}"), 200)
    apply_first = [apply(load, BENCH, f"apply-{n}", "0") for n in range(1000)]
    for request in apply_first:
        await load.run(1, 1, lambda _, request=request: request, 201)
    await both("apply", lambda n, who: apply(load, BENCH, f"apply-{n % 1000}", f"{who}{n}"), 200)
    pods = "/api/v1/namespaces/bench/pods"
    await load.run(32, OBJECTS, lambda n: load.request("POST", pods, pod(f"pod-{n}")), 201)
    figures["list"], figures["list_mb"] = await listing(load, pods)
    figures["full"] = server.resident_mib()
    return figures


async def listing(load: Load, path: str, times: int = 5) -> tuple[float, float]:
    """Seconds that a LIST takes (median), and its size in MB."""
    taken: list[float] = []
    size = 0
    connection = await load.connect()
    for _ in range(times):
        begin, before = time.perf_counter(), connection.received_bytes
        status, answer = await connection.exchange(load.request("GET", path))
        taken.append(time.perf_counter() - begin)
        size = connection.received_bytes - before
        if status != 200:
            raise RuntimeError(f"LIST answered {status}: {answer[-300:].decode(errors='replace')}")
    connection.close()
    return statistics.median(taken), size / 1e6


async def fan_out(server: Server) -> Figure:
    """100 watchers of one object that changes 20 times a second: from before the write to each event's arrival."""
    load = server.load
    await namespace(load, "watched")
    path = "/api/v1/namespaces/watched/configmaps"
    _, answer = await load.once("POST", path, json.dumps({"metadata": {"name": "it"}}).encode())
    made = json.loads(answer[answer.index(b"\r\n\r\n") + 4 :])
    since = made["metadata"]["resourceVersion"]
    target = f"{path}?watch=1&resourceVersion={since}&timeoutSeconds=120"
    watchers = [await load.watch(target, UPDATES) for _ in range(WATCHERS)]
    await asyncio.sleep(1)
    connection = await load.connect()
    begin = time.perf_counter()
    for number in range(UPDATES):
        await asyncio.sleep(max(0.0, begin + number / UPDATES_PER_SECOND - time.perf_counter()))
        body = json.dumps({"data": {"sent": repr(time.perf_counter())}}).encode()
        status, _ = await connection.exchange(
            load.request("PATCH", f"{path}/it", body, "application/merge-patch+json")
        )
        if status != 200:
            raise RuntimeError(f"the patch was answered {status}")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(15):
            for each in watchers:
                await each.complete.wait()
    delays = sorted(delay for each in watchers for delay in each.delays)
    for each in (*watchers, connection):
        each.close()
    return {
        "watch_p50": delays[len(delays) // 2] * 1000,
        "watch_p99": delays[len(delays) * 99 // 100] * 1000,
        "watch_lost": WATCHERS * UPDATES - len(delays),
    }


async def growth(server: Server, size: int) -> Figure:
    """What a request takes where so many objects are there that it does not return. Milliseconds, medians."""
    load = server.load
    figures: Figure = {"ready": await server.ready()}
    for name in ("grown", "small"):
        await namespace(load, name)
    grown = "/api/v1/namespaces/grown/configmaps"
    small = "/api/v1/namespaces/small/configmaps"
    await load.run(32, size, lambda n: config_map(load, grown, f"object-{n}"), 201)
    await load.run(8, 100, lambda n: config_map(load, small, f"object-{n}"), 201)
    await load.run(1, 1, lambda _: config_map(load, grown, "rare", {"rare": "yes"}), 201)

    async def step(name: str, count: int, make: Callable[[int], bytes], good: int = 200) -> None:
        figures[name] = (await load.run(1, count, make, good)).p50_ms

    def spread(n: int) -> str:
        return f"object-{n * 7919 % size}"

    await step("create", 500, lambda n: config_map(load, grown, f"new-{n}"), 201)
    await step("get", 500, lambda n: load.request("GET", f"{grown}/{spread(n)}"))
    await step("patch", 500, lambda n: merge_patch(load, f"{grown}/{spread(n)}", str(n)))
    await step("apply", 300, lambda n: apply(load, grown, f"new-{n}", str(n)))
    await step("delete", 300, lambda n: load.request("DELETE", f"{grown}/new-{n}"))
    await step("list_small", 100, lambda _: load.request("GET", small))
    await step("list_page", 50, lambda _: load.request("GET", f"{grown}?limit=100"))
    await step("list_label", 20, lambda _: load.request("GET", f"{grown}?labelSelector=rare%3Dyes"))
    await step("list_name", 100, lambda _: load.request("GET", f"{grown}?fieldSelector=metadata.name%3Drare"))
    figures["resident"] = server.resident_mib()
    return figures


async def defined(server: Server) -> Figure:
    """500 CustomResourceDefinitions of 10 to 50 KB: from the answer to each create until its kind is served, ms."""
    load = server.load
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    connection = await load.connect()
    taken: list[float] = []
    for number in range(DEFINITIONS):
        status, answer = await connection.exchange(load.request("POST", path, definition(number)))
        if status != 201:
            raise RuntimeError(
                f"a definition was answered {status}: {answer[-300:].decode(errors='replace')}"
            )
        begin, status = time.perf_counter(), 0
        while status != 200:
            status, _ = await connection.exchange(load.request("GET", instances(number)))
        taken.append(time.perf_counter() - begin)
    connection.close()
    taken.sort()
    return {"defined": taken[len(taken) // 2] * 1000, "defined_p99": taken[len(taken) * 99 // 100] * 1000}


async def deletion(server: Server) -> Figure:
    """The longest time that a GET takes while a namespace of 10,000 objects is deleted, and how long that takes."""
    load = server.load
    await namespace(load, "doomed")
    doomed = "/api/v1/namespaces/doomed/configmaps"
    await load.run(32, OBJECTS, lambda n: config_map(load, doomed, f"object-{n}"), 201)
    seconds, pause = await _gone(load, "/api/v1/namespaces/doomed", "/api/v1/namespaces/doomed")
    return {"deletion": seconds, "deletion_pause": pause * 1000}


async def cascade(server: Server) -> Figure:
    """The same while an owner goes, and with it the 10,000 objects that it owns."""
    load = server.load
    await namespace(load, "owned")
    path = "/api/v1/namespaces/owned/configmaps"
    _, answer = await load.once("POST", path, json.dumps({"metadata": {"name": "owner"}}).encode())
    uid = json.loads(answer[answer.index(b"\r\n\r\n") + 4 :])["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid, "blockOwnerDeletion": True}

    def owned(n: int) -> bytes:
        about = {"name": f"object-{n}", "ownerReferences": [owner]}
        return load.request(
            "POST", path, json.dumps({"metadata": about, "data": {"key": "x" * 900}}).encode()
        )

    await load.run(32, OBJECTS, owned, 201)
    # In the foreground the owner goes last: when it is gone, everything is.
    seconds, pause = await _gone(
        load, f"{path}/owner", f"{path}/owner", b'{"propagationPolicy":"Foreground"}'
    )
    return {"cascade": seconds, "cascade_pause": pause * 1000}


async def _gone(load: Load, deleted: str, until: str, options: bytes = b"") -> tuple[float, float]:
    """How long it takes until `until` is gone, and the longest GET of something else meanwhile. Seconds."""
    get = load.request("GET", "/api/v1/namespaces/default")
    gone = load.request("GET", until)
    begin = time.perf_counter()
    status, _ = await load.once("DELETE", deleted, options)
    if status != 200:
        raise RuntimeError(f"the deletion was answered {status}")
    longest = 0.0
    connection = await load.connect()
    while True:
        before = time.perf_counter()
        await connection.exchange(get)
        longest = max(longest, time.perf_counter() - before)
        if (await connection.exchange(gone))[0] == 404:
            break
        await asyncio.sleep(0.001)
    connection.close()
    return time.perf_counter() - begin, longest
