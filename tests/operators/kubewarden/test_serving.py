"""S1 of `serving`, L1 to L3 of `loading` as far as the operator's tests do not have them, `metrics`, `trying`."""

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from tests.operators.kubewarden.guests import rego, wapc, wasi

from kajitori.apimachinery.kind import JsonObject
from kajitori.operators.kubewarden.fetching.modules import Modules
from kajitori.operators.kubewarden.fetching.sources import FetchError, Sources
from kajitori.operators.kubewarden.loading import Answering, LoadError, load
from kajitori.operators.kubewarden.metrics import SERIES_MAX, PolicyMetrics
from kajitori.operators.kubewarden.runtime.capabilities import Capabilities, NoServices, Services
from kajitori.operators.kubewarden.runtime.engine import Engine, Limits
from kajitori.operators.kubewarden.runtime.policy import Run, load_policy
from kajitori.operators.kubewarden.serving import PolicyServers
from kajitori.operators.kubewarden.settings import Settings
from kajitori.operators.kubewarden.trying import try_policy
from kajitori.wire.wasm.guest import GuestError
from kajitori.world.clock import SYSTEM_CLOCK

NO = wapc({"accepted": False, "message": "no"})
SERVER: JsonObject = {"spec": {}}


async def loaded(tmp_path: Path, kind: str = "ClusterAdmissionPolicy", **spec: Any) -> Answering:
    obj = {"kind": kind, "metadata": {"name": "p"}, "spec": {"mutating": False, "mode": "monitor", **spec}}
    return await load(
        obj,
        SERVER,
        modules=Modules(),
        sources=Sources(),
        services=cast(Services, NoServices()),
        settings=Settings(),
        clock=SYSTEM_CLOCK,
    )


def test_what_is_answered(tmp_path: Path) -> None:
    (tmp_path / "p.wasm").write_bytes(NO)

    async def run() -> None:
        metrics = PolicyMetrics()
        servers = PolicyServers(metrics)
        servers.run(await loaded(tmp_path, module=f"file://{tmp_path}/p.wasm"))

        async def ask(path: str, body: Any) -> JsonObject | None:
            answer = await servers.answer(
                path, body if isinstance(body, bytes) else json.dumps(body).encode()
            )
            found: JsonObject | None = None if answer is None else json.loads(answer)["response"]
            return found

        review = {
            "apiVersion": "admission.k8s.io/v1",
            "request": {"uid": "u", "kind": {"kind": "Pod"}, "object": {}},
        }
        assert await ask("/validate/clusterwide-p", review) == {"uid": "u", "allowed": True}
        no = {"uid": "u", "allowed": False, "status": {"message": "no"}}
        assert await ask("/audit/clusterwide-p", review) == no
        assert await ask("/validate_raw/clusterwide-p", {"request": {"uid": "r", "a": 1}}) == {
            "uid": "r",
            "allowed": True,
        }
        for path in ("/validate/other", "/x/clusterwide-p", "/", ""):
            assert await ask(path, review) is None
        for body in (b"", b"[]", b"{}", b'{"request": 1}', b"\xff"):
            refused = await ask("/validate/clusterwide-p", body)
            assert refused is not None and "has no request" in refused["status"]["message"]
        registry = CollectorRegistry()
        registry.register(metrics)
        text = generate_latest(registry).decode()
        assert 'accepted="false",error_code="",mutated="false",policy_mode="monitor"' in text
        assert 'policy_evaluation_latency_milliseconds_count{policy_name="clusterwide-p"} 3.0' in text
        metrics.forget("clusterwide-p")
        assert "clusterwide-p" not in generate_latest(registry).decode()
        servers.forget("clusterwide-p")
        assert await ask("/validate/clusterwide-p", review) is None
        servers.close()

    asyncio.run(run())


def test_figures_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "p.wasm").write_bytes(NO)
    policy = asyncio.run(loaded(tmp_path, module=f"file://{tmp_path}/p.wasm"))
    metrics = PolicyMetrics()
    for number in range(SERIES_MAX + 50):
        metrics.count(policy, {"namespace": f"n-{number}"}, {"allowed": True}, "validate", 0.001)
    [counts, _] = metrics.collect()
    assert len(counts.samples) == SERIES_MAX + 1


def test_everything_wrong_with_a_group_is_told(tmp_path: Path) -> None:  # L2, L3
    (tmp_path / "p.wasm").write_bytes(wapc(settings='{"valid": false, "message": "bad"}'))
    module = f"file://{tmp_path}/p.wasm"
    members = {"a": {"module": module}, "b": {"module": module}}
    whole = {"policies": members, "expression": "a()", "message": "m"}
    with pytest.raises(LoadError, match=r"a: Policy settings are invalid: bad; b: Policy") as refused:
        asyncio.run(loaded(tmp_path, "ClusterAdmissionPolicyGroup", **whole))
    assert not refused.value.will_pass
    away = {**whole, "policies": {"a": {"module": f"file://{tmp_path}/none"}}}
    with pytest.raises(LoadError, match=r"a: file://.*is no file") as refused:
        asyncio.run(loaded(tmp_path, "ClusterAdmissionPolicyGroup", **away))
    assert refused.value.will_pass


def test_trying(tmp_path: Path) -> None:
    (tmp_path / "p.wasm").write_bytes(NO)
    tried = try_policy(f"file://{tmp_path}/p.wasm", {"uid": "u"}, {})
    assert (tried.complaint, tried.response["status"]) == (None, {"message": "no"})
    with pytest.raises(FetchError):
        try_policy(f"file://{tmp_path}/none.wasm", {}, {})


# Bytes that somebody has damaged: a policy, or why it is none.

ENGINE = Engine()
RUN = Run(Capabilities("damaged"), Limits(seconds=0.05, memory_bytes=4 << 20))
VECTORS = ENGINE.binary(
    b"""(module
  (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
  (memory (export "memory") 1)
  (func (export "v") (param v128) (result v128) (local.get 0))
  (func (export "two") (result i32 i32) (i32.const 1) (i32.const 2))
  (func (export "_start")))"""
)
MODULES = (wapc(host=("net", "v1/dns_lookup_host", '"x"')), wasi(), rego([{"result": []}]), VECTORS)


@given(
    st.sampled_from(MODULES),
    st.lists(st.tuples(st.integers(8, 4000), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_damaged_modules_harm_nobody(module: bytes, damages: list[tuple[int, int]]) -> None:
    damaged = bytearray(module)
    for place, byte in damages:
        damaged[place % len(damaged)] = byte
    try:
        policy = load_policy(ENGINE, bytes(damaged))
    except GuestError:
        return
    response = policy.validate({"uid": "u", "object": {}}, {}, RUN)
    assert response["uid"] == "u" and isinstance(response["allowed"], bool)
