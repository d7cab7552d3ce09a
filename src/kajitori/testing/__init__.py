"""What a test needs, ours or a user's: an API server in milliseconds, waits that end, virtual time.

def test_a_widget_gets_its_pod() -> None:
    async def scenario() -> None:
        async with TestEnv(crds=[Widget]) as env, env.running(manager_of(env.client("widgets"))):
            await env.client().create(Widget, Widget(...))
            await env.wait_for_object(PODS, "default", "my-widget")

    asyncio.run(scenario())
"""

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
from kajitori.testing.env import TestEnv
from kajitori.testing.faultkinds import (
    Cut,
    Late,
    NoAnswer,
    NoBookmarks,
    Refused,
    Reset,
    Slow,
    WatchError,
)
from kajitori.testing.faults import Faults
from kajitori.testing.history import History, NotSafe
from kajitori.testing.kube import Kube
from kajitori.testing.kubelet import Kubelet, bind_pod, end_pod, set_pod_ready
from kajitori.testing.simulation import Simulation, simulate
from kajitori.testing.virtual_time import Deadlock, VirtualClock, VirtualTimeLoop, run_virtual
from kajitori.testing.waiting import NotInTime

__all__ = [
    "Cut",
    "Deadlock",
    "Faults",
    "History",
    "Kube",
    "Kubelet",
    "Late",
    "NoAnswer",
    "NoBookmarks",
    "NotInTime",
    "NotSafe",
    "Refused",
    "Reset",
    "Simulation",
    "Slow",
    "TestEnv",
    "VirtualClock",
    "VirtualTimeLoop",
    "WatchError",
    "bind_pod",
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
    "pod_phase_match",
    "pod_ready",
    "pod_running",
    "resource_scaled",
    "run_virtual",
    "set_pod_ready",
    "simulate",
    "stateful_set_ready",
]
