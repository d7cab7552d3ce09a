"""What an expression of a policy takes: reading, checking and compiling it, and judging an object by it."""

import time
from collections.abc import Callable
from typing import Any

from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.libraries.kubernetes import kubernetes_libraries
from kajitori.apimachinery.cel.standard import STANDARD
from kajitori.apimachinery.cel.types import DYN

__all__ = ["best", "expressions"]

LIMIT = 1_000_000
RULE = """
has(object.spec.template.spec.containers) &&
object.spec.template.spec.containers.all(c,
  has(c.securityContext) &&
  (!has(c.securityContext.privileged) || c.securityContext.privileged == false) &&
  has(c.securityContext.allowPrivilegeEscalation) && c.securityContext.allowPrivilegeEscalation == false) &&
!object.spec.template.spec.containers.exists(c, c.image.endsWith(':latest'))
"""


def expressions() -> dict[str, float]:
    """Microseconds of a run, its cost counted, and milliseconds from text to code; the best of several rounds."""
    environment = Environment([STANDARD, *kubernetes_libraries(36)]).extend(variables={"object": DYN})
    deployment = _deployment()
    rule = environment.compile(RULE).function
    value, _ = rule(deployment, LIMIT)
    assert value is True, deployment
    return {
        "cel_run": best(20_000, lambda: rule(deployment, LIMIT)) * 1e6,
        "cel_compile": best(100, lambda: environment.compile(RULE).function) * 1e3,
    }


def _deployment() -> dict[str, Any]:
    containers = [
        {
            "name": name,
            "image": f"registry.example.com/{name}:1.2",
            "securityContext": {"privileged": False, "allowPrivilegeEscalation": False},
        }
        for name in ("web", "log", "proxy")
    ]
    return {"metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": containers}}}}


def best(times: int, call: Callable[[], Any]) -> float:
    """Seconds of one call, CPU time."""
    rounds: list[float] = []
    for _ in range(5):
        begin = time.process_time()
        for _ in range(times):
            call()
        rounds.append((time.process_time() - begin) / times)
    return min(rounds)
