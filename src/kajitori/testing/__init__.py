"""What a test needs, ours or a user's: an API server in milliseconds, waits that end, virtual time.

def test_a_widget_gets_its_pod() -> None:
    async def scenario() -> None:
        async with TestEnv(crds=[Widget]) as env, env.running(manager_of(env.client("widgets"))):
            await env.client().create(Widget, Widget(...))
            await env.wait_for_object(PODS, "default", "my-widget")

    asyncio.run(scenario())
"""

import typing

from kajitori.testing.cloud import Cloud
from kajitori.testing.conditions import (
    condition_match,
    condition_true,
    containers_ready,
    daemon_set_ready,
    deployment_available,
    job_completed,
    job_failed,
    list_match_n,
    list_n,
    pod_phase_match,
    pod_ready,
    pod_running,
    resource_scaled,
    stateful_set_ready,
)
from kajitori.testing.conversions import check_conversion
from kajitori.testing.env import TestEnv
from kajitori.testing.faultkinds import (
    Cut,
    Late,
    NoAnswer,
    NoBookmarks,
    Refused,
    Reset,
    Slow,
    Stale,
    WatchError,
)
from kajitori.testing.faults import Faults
from kajitori.testing.history import History, NotSafe
from kajitori.testing.kube import Kube
from kajitori.testing.kubelet import Kubelet, bind_pod, end_pod, set_pod_ready
from kajitori.testing.link import Link
from kajitori.testing.podlife import Stages
from kajitori.testing.simulation import Simulation, simulate
from kajitori.testing.virtual_time import Deadlock, VirtualClock, VirtualTimeLoop, run_virtual
from kajitori.testing.waiting import NotInTime

if typing.TYPE_CHECKING:
    from kajitori.testing.examples import objects_of

__all__ = [
    "Cloud",
    "Cut",
    "Deadlock",
    "Faults",
    "History",
    "Kube",
    "Kubelet",
    "Late",
    "Link",
    "NoAnswer",
    "NoBookmarks",
    "NotInTime",
    "NotSafe",
    "Refused",
    "Reset",
    "Simulation",
    "Slow",
    "Stages",
    "Stale",
    "TestEnv",
    "VirtualClock",
    "VirtualTimeLoop",
    "WatchError",
    "bind_pod",
    "check_conversion",
    "condition_match",
    "condition_true",
    "containers_ready",
    "daemon_set_ready",
    "deployment_available",
    "end_pod",
    "job_completed",
    "job_failed",
    "list_match_n",
    "list_n",
    "objects_of",
    "pod_phase_match",
    "pod_ready",
    "pod_running",
    "resource_scaled",
    "run_virtual",
    "set_pod_ready",
    "simulate",
    "stateful_set_ready",
]


def __getattr__(name: str) -> typing.Any:
    if name != "objects_of":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kajitori.testing.examples import objects_of as found  # needs Hypothesis, which few tests do

    globals()[name] = found
    return found
