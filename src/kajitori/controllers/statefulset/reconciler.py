"""Joins observing, deciding and acting for StatefulSets."""

from kajitori.apimachinery.errors import Conflict
from kajitori.client import Client
from kajitori.controllers.kinds import (
    CONTROLLER_REVISIONS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    STATEFUL_SETS,
)
from kajitori.controllers.statefulset.act import Actor, NameTaken
from kajitori.controllers.statefulset.decide import decide
from kajitori.controllers.statefulset.observe import add_indexes, observe, sets_of_claim, sets_of_orphan
from kajitori.controllers.statefulset.seen import Plan, UpdateStatus
from kajitori.ctrl import DONE, Cache, EventRecorder, Manager, Request, Result, Watch
from kajitori.world.clock import Clock

__all__ = ["StatefulSetReconciler", "setup"]

CONFLICT_SECONDS = 0.05
"""Somebody else changed the same object: what they wrote is in the cache by then."""


class StatefulSetReconciler:
    """Brings the Pods and claims of a set to what it asks for."""

    def __init__(self, client: Client, cache: Cache, events: EventRecorder, clock: Clock) -> None:
        self._client = client
        self._cache = cache
        self._events = events
        self._clock = clock

    async def reconcile(self, request: Request) -> Result:
        seen = observe(self._cache, request, self._clock.now().timestamp())
        if seen is None:
            return DONE
        plan = decide(seen)
        actor = Actor(self._client, self._events, seen.set)
        try:
            await _carry_out(actor, plan)
        except NameTaken:
            return DONE  # the changed status brings us back
        except Conflict:
            return Result(requeue_after_seconds=CONFLICT_SECONDS)
        return Result(requeue_after_seconds=plan.requeue_after_seconds)


async def _carry_out(actor: Actor, plan: Plan) -> None:
    """Everything in order; when something fails, only the status is still told."""
    if plan.problem:
        actor.report_problem(plan.problem_pod, plan.problem)
    done = 0
    try:
        for action in plan.actions:
            done += 1
            await actor.act(action)
    except NameTaken:
        raise
    except Exception:
        for action in plan.actions[done:]:
            if isinstance(action, UpdateStatus):
                await actor.act(action)
        raise


def setup(manager: Manager) -> None:
    """Adds the controller to a manager."""
    cache = manager.cache
    add_indexes(cache)
    manager.controller(
        "statefulset-controller",
        StatefulSetReconciler(manager.client, cache, manager.events, manager.clock),
        for_=STATEFUL_SETS,
        owns=[PODS, CONTROLLER_REVISIONS],
        watches=[
            Watch(PODS, sets_of_orphan(cache)),
            Watch(CONTROLLER_REVISIONS, sets_of_orphan(cache)),
            Watch(PERSISTENT_VOLUME_CLAIMS, sets_of_claim(cache)),
        ],
        workers=4,
    )
