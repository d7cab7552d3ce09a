"""What is written of log records."""

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.ctrl.scripted import PODS, Asked, Script, pod, pod_list

from kajitori.apimachinery.errors import Invalid
from kajitori.client import Client
from kajitori.ctrl import DONE, Manager, Request, Result
from kajitori.ctrl.logs import LogFormat, log_to
from kajitori.testing import VirtualClock, run_virtual
from kajitori.world.random import SeededRandom

MINE = logging.getLogger("my_operator")


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    """The loggers as they were, afterwards."""
    of_root = logging.getLogger()
    before, level = of_root.handlers[:], of_root.level
    yield
    of_root.handlers[:] = before
    of_root.setLevel(level)


def written(format: LogFormat, *, level: str = "info", colour: bool = False) -> io.StringIO:
    stream = io.StringIO()
    log_to(stream, level=level, format=format, colour=colour)
    return stream


def respond(asked: Asked) -> Any:
    if "sendInitialEvents" in asked.query:
        return Invalid("no")
    return [] if asked.is_watch else pod_list(5, pod("a", 1))


class Talkative:
    async def reconcile(self, request: Request) -> Result:
        MINE.info("no such colour", extra={"colour": "blau"})
        await asyncio.gather(self.beside(), asyncio.to_thread(MINE.warning, "in a thread"))
        return DONE

    async def beside(self) -> None:
        MINE.info("in a task")


def test_a_record_tells_to_which_reconcile_it_belongs() -> None:  # L1
    out = written("json")

    async def run() -> Manager:
        manager = Manager(Client(Script(respond)), clock=VirtualClock(), random=SeededRandom(1))
        manager.controller("pods", Talkative(), for_=PODS)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(5)
        manager.stop()
        await task
        MINE.info("afterwards")
        return manager

    manager = run_virtual(run())
    records = [json.loads(line) for line in out.getvalue().splitlines()]
    mine = {each["msg"]: each for each in records if each["logger"] == "my_operator"}
    (trace,) = manager.explain("pods", Request("default", "a")).traces
    of_reconcile = {
        "controller": "pods",
        "controllerGroup": "",
        "controllerKind": "Pod",
        "namespace": "default",
        "name": "a",
        "reconcileID": trace.reconcile_id,
    }
    for message in ("no such colour", "in a task", "in a thread"):
        assert of_reconcile.items() <= mine[message].items()
    assert mine["no such colour"]["colour"] == "blau" and mine["in a thread"]["level"] == "warn"
    assert set(mine["afterwards"]) == {"level", "ts", "logger", "msg"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", mine["afterwards"]["ts"])


def test_text_is_for_people() -> None:
    out = written("text", level="debug")
    MINE.debug(
        "took %s of %d", "3", 4, extra={"share": 1 / 3, "who": "a b", "ok": True, "none": None, "s": [1]}
    )
    line = re.sub(r"^\S+Z", "TIME", out.getvalue())
    assert (
        line == 'TIME  DEBUG    my_operator  took 3 of 4  share=0.333333 who="a b" ok=true none=null s=[1]\n'
    )


def test_a_terminal_gets_colours() -> None:
    out = written("text", colour=True)
    MINE.error("broken")
    assert "\x1b[31mERROR  \x1b[0m" in out.getvalue()


def test_an_error_is_told_with_its_traceback() -> None:
    for format in ("json", "text"):
        out = written(format)
        try:
            raise ExceptionGroup("two", [OSError("the disk is full"), KeyError("a")])
        except ExceptionGroup:
            MINE.exception("it failed")
        if format == "json":
            record = json.loads(out.getvalue())
            assert record["error"] == "OSError: the disk is full; KeyError: 'a'"
            assert "test_logs.py" in record["stacktrace"] and out.getvalue().count("\n") == 1
        else:
            first, *rest = out.getvalue().splitlines()
            assert first.endswith("""it failed  error="OSError: the disk is full; KeyError: 'a'\"""")
            assert any("test_logs.py" in line for line in rest)


@pytest.mark.parametrize("format", ["json", "text"])
def test_what_is_logged_commands_no_terminal_and_forges_no_record(format: LogFormat) -> None:  # L2
    out = written(format)
    evil = 'x\x1b[2J\nlevel=info msg="all is well"\x9b\u202e'
    MINE.warning(evil, extra={"name_given": evil, "key \x1b": [evil]})
    text = out.getvalue()
    assert text.count("\n") == 1 and text.endswith("\n")
    assert text[:-1].isprintable()
    if format == "json":
        assert json.loads(text)["name_given"] == evil


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("format", ["json", "text"])
def test_what_cannot_be_written_is_described(format: LogFormat) -> None:  # L4
    out = written(format)
    endless: list[Any] = []
    endless.append(endless)
    MINE.info("strange %d", "words", extra={"a": object, "b": Unspeakable(), "c": endless, "d": "\ud800"})
    MINE.info("next", extra={"e": {1: {2}}})
    first, second = out.getvalue().splitlines()
    assert "strange %d" in first and "<Unspeakable>" in first and "next" in second


@pytest.mark.parametrize("format", ["json", "text"])
def test_a_failure_that_repeats_has_one_traceback(format: LogFormat) -> None:  # L3
    out = written(format, level="error")

    class Failing:
        calls = 0

        async def reconcile(self, request: Request) -> Result:
            self.calls += 1
            raise OSError("the disk is full" if self.calls < 4 else "the disk is gone")

    async def run() -> None:
        manager = Manager(Client(Script(respond)), clock=VirtualClock(), random=SeededRandom(1))
        manager.controller("pods", Failing(), for_=PODS)
        task = asyncio.create_task(manager.run())
        await asyncio.sleep(0.1)
        manager.stop()
        await task

    run_virtual(run())
    told = out.getvalue()
    assert told.count("Reconciler error") >= 5 and told.count("test_logs.py") == 2
    assert told.count("Traceback") == 2 and "kajitori/ctrl/controller.py" not in told


def test_levels_and_further_loggers() -> None:
    out = written("json", level="warning")
    MINE.info("not this")
    logging.getLogger("kajitori.ctrl.reflector").warning("this")
    assert [json.loads(line)["msg"] for line in out.getvalue().splitlines()] == ["this"]
