"""What a policy in WebAssembly takes: compiling its module, and judging a request of 8 KiB by a fresh instance."""

from pathlib import Path

from expressions import best

from kajitori.operators.kubewarden.runtime.capabilities import Capabilities
from kajitori.operators.kubewarden.runtime.engine import Engine
from kajitori.operators.kubewarden.runtime.policy import Run, load_policy

__all__ = ["wasm"]

POLICY = Path(__file__).parent.parent / "docs" / "howto" / "no-host-network.wat"
REQUEST = {"uid": "1", "operation": "CREATE", "object": {"spec": {}, "data": {"text": "x" * 8192}}}


def wasm() -> dict[str, float]:
    """Microseconds of an evaluation, milliseconds from a small module to code; the best of several rounds."""
    engine, run, module = Engine(), Run(Capabilities("bench")), POLICY.read_bytes()
    policy = load_policy(engine, module)
    assert policy.validate(REQUEST, {}, run)["allowed"] is True
    return {
        "wasm_run": best(1_000, lambda: policy.validate(REQUEST, {}, run)) * 1e6,
        "wasm_compile": best(20, lambda: load_policy(engine, module)) * 1e3,
    }
