"""Reconcilers that are given objects: what they get, and when they are cut short."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.ctrl.scripted import PODS, event, pod, pod_list
from tests.ctrl.test_controller import run_manager, served

from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.client import Model
from kajitori.ctrl import DONE, Manager, Result, as_reconciler

SECONDS = 100.0


class TypedPod(msgspec.Struct, frozen=True):
    __kind__ = PODS
    metadata: ObjectMeta = ObjectMeta()


class Slow:
    """Takes its time for each object, and remembers how that ended."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.given = list[Any]()
        self.ended = list[tuple[str, float]]()

    async def reconcile(self, value: Any) -> Result:
        self.given.append(value)
        how = "finished"
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            how = "cut short"
            raise
        finally:
            self.ended.append((how, asyncio.get_running_loop().time()))
        return DONE


def reconciled(slow: Any, *lines: Any, listed: Any = None, model: Model = PODS) -> Any:
    """The figures of the controller after a while; the watch sends `lines`."""

    async def scene(manager: Manager) -> Any:
        await asyncio.sleep(10 * SECONDS)
        return manager.controllers[0].figures

    def set_up(manager: Manager) -> None:
        if isinstance(model, Kind):
            manager.controller("c", as_reconciler(manager.cache, model, slow), for_=model)
        else:
            manager.controller("c", as_reconciler(manager.cache, model, slow), for_=model)

    return run_manager(scene, served(*lines, listed=listed), set_up)


def test_the_object_is_handed_over_frozen() -> None:  # J1
    slow = Slow(0)
    reconciled(slow)
    assert [each.name for each in slow.given] == ["a"]
    with pytest.raises(TypeError, match="frozen"):
        slow.given[0]["metadata"]["name"] = "b"


def test_the_object_is_of_the_class_that_declares_it() -> None:  # J1
    slow = Slow(0)
    reconciled(slow, model=TypedPod)
    assert [type(each) for each in slow.given] == [TypedPod] and slow.given[0].metadata.name == "a"


def test_a_name_without_an_object_is_done() -> None:  # J2
    slow = Slow(0)
    figures = reconciled(slow, 5, event("DELETED", pod("a", 6)))
    assert len(slow.given) == 1 and (figures.success, figures.error) == (2, 0)


def test_when_the_object_goes_its_reconcile_ends() -> None:  # J3
    slow = Slow()
    figures = reconciled(slow, 5, event("DELETED", pod("a", 6)))
    [(how, at)] = slow.ended
    assert how == "cut short" and at < 6
    assert (figures.success, figures.error, figures.timeouts) == (2, 0, 0)


def test_an_object_of_the_same_name_is_another_one() -> None:  # J3
    slow = Slow()
    reconciled(slow, 5, event("DELETED", pod("a", 6)), event("ADDED", pod("a", 7, uid="another")))
    assert [how for how, _ in slow.ended] == ["cut short", "finished"]
    assert [each.uid for each in slow.given] == ["uid-a", "another"]


def test_a_change_cuts_nothing_short() -> None:  # J3
    slow = Slow()
    reconciled(slow, 5, event("MODIFIED", pod("a", 6)))
    assert [how for how, _ in slow.ended] == ["finished", "finished"]


def test_cleaning_up_is_not_cut_short_when_the_object_goes() -> None:  # J3
    slow = Slow()
    going = pod("a", 1, deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["example.com/x"])
    reconciled(slow, 5, event("DELETED", pod("a", 6)), listed=pod_list(5, going))
    assert [how for how, _ in slow.ended] == ["finished"]


@pytest.mark.parametrize("raised", [TimeoutError, ValueError])
def test_errors_of_the_reconciler_are_its_own(raised: Callable[[], Exception]) -> None:
    class Failing:
        calls = 0

        async def reconcile(self, value: Any) -> Result:
            self.calls += 1
            if self.calls == 1:
                raise raised()
            return DONE

    figures = reconciled(Failing())
    assert (figures.error, figures.success) == (1, 1)
