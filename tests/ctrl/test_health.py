"""Probes: what is answered, and when a manager is ready."""

import asyncio
from typing import Any

import pytest
from tests.ctrl.scripted import PODS, Asked, Script, answer, pod, pod_list

from kajitori.apimachinery.errors import Invalid, NotFound
from kajitori.client import Client
from kajitori.ctrl import DONE, LeaderElection, Manager, Request, Result
from kajitori.ctrl.health import Checks
from kajitori.testing import VirtualClock, run_virtual
from kajitori.world.random import SeededRandom


def fails() -> None:
    raise OSError("not <yet>")


async def fails_later() -> None:
    await asyncio.sleep(1)
    raise OSError("the database is gone")


async def hangs() -> None:
    await asyncio.sleep(1000)


def checks(**more: Any) -> Checks:
    return Checks("readyz", {"ping": lambda: None, **more})


def asked(of: Checks, path: str = "", query: str = "") -> tuple[int, str]:
    said = run_virtual(of.answer(path, query))
    return said.status, said.text


@pytest.mark.parametrize(
    ("path", "query", "status", "text"),
    [
        ("", "", 500, "[-]never failed: reason withheld\n[+]ping ok\nhealthz check failed\n"),
        ("/", "", 500, "[-]never failed: reason withheld\n[+]ping ok\nhealthz check failed\n"),
        ("", "exclude=never", 200, "ok"),
        ("", "verbose&exclude=never", 200, "[+]never excluded: ok\n[+]ping ok\nhealthz check passed\n"),
        (
            "",
            "exclude=nope&verbose",
            500,
            "[-]never failed: reason withheld\n[+]ping ok\n"
            'warn: some health checks cannot be excluded: no matches for "nope"\nhealthz check failed\n',
        ),
        ("/ping", "", 200, "ok"),
        ("/never", "", 500, "internal server error: not <yet>\n"),
        ("/nope", "", 404, "404 page not found\n"),
    ],
)
def test_answers_are_those_of_controller_runtime(path: str, query: str, status: int, text: str) -> None:
    """As recorded from a manager in Go with the same two checks."""
    assert asked(checks(never=fails), path, query) == (status, text)


def test_nothing_that_fails_is_ok() -> None:
    assert asked(checks()) == (200, "ok")
    assert asked(checks(), query="verbose") == (200, "[+]ping ok\nhealthz check passed\n")


def test_a_check_may_wait_but_not_for_ever() -> None:  # H1, H2
    async def run() -> None:
        many = checks(database=fails_later, other=fails_later, slow=hangs, no=lambda: False, yes=lambda: True)
        said = await many.answer("", "")
        assert asyncio.get_running_loop().time() == 10
        assert said.text.count("[-]") == 4 and "[-]no failed" in said.text and "[+]yes ok" in said.text
        assert await many.failing() == ["database", "no", "other", "slow"]
        assert (await many.answer("/slow", "")).text == "internal server error: not answered within 10 s\n"

    run_virtual(run())


def test_the_reason_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:  # H3
    caplog.set_level("INFO", "kajitori.ctrl.health")
    assert "not <yet>" not in asked(checks(never=fails))[1]
    (record,) = caplog.records
    assert record.getMessage() == "readyz check failed"
    assert (vars(record)["checker"], vars(record)["error"]) == ("never", "not <yet>")


def test_names_are_taken_once_and_stand_in_paths() -> None:
    of = checks()
    with pytest.raises(ValueError, match="there is a check called 'ping' already"):
        of.add("ping", fails)
    for name in ("", "a/b", "a\n"):
        with pytest.raises(ValueError, match=r"use a word, e.g. database"):
            of.add(name, fails)
    of.add("two words", fails)
    assert asked(of, "/two%20words")[0] == 500
    nonsense = asked(of, query="exclude=%0a%22")[1]
    assert 'no matches for "\\n\\""' in nonsense


class Idle:
    async def reconcile(self, request: Request) -> Result:
        return DONE


class Late:
    """A server whose list takes its time."""

    def __init__(self) -> None:
        self.listed = False

    def __call__(self, asked: Asked) -> Any:
        if "leases" in asked.path:
            return NotFound("no lease") if asked.method == "GET" else Invalid("no leases here")
        if asked.method == "POST":
            return answer({})
        if not self.listed or "sendInitialEvents" in asked.query:
            return Invalid("not yet")
        return [] if asked.is_watch else pod_list(5, pod("a", 1))


@pytest.mark.parametrize("election", [None, LeaderElection("shop", "default", "me")])
def test_a_manager_is_ready_from_its_first_lists_to_its_stop(election: LeaderElection | None) -> None:
    async def run() -> None:
        server = Late()
        manager = Manager(
            Client(Script(server)), clock=VirtualClock(), random=SeededRandom(1), leader_election=election
        )
        manager.controller("pods", Idle(), for_=PODS)
        manager.add_readyz_check("mine", lambda: None)
        manager.add_healthz_check("mine", fails)
        assert await manager.readyz.failing() == ["caches-synced"]
        task = asyncio.create_task(manager.run())
        for _ in range(3):
            assert await manager.readyz.failing() == ["caches-synced"]
        await asyncio.sleep(5)
        assert (await manager.readyz.answer("/caches-synced", "")).text.startswith(
            "internal server error: not listed yet: Pod.v1"
        )
        server.listed = True
        await asyncio.sleep(60)
        assert await manager.readyz.failing() == []
        assert await manager.healthz.failing() == ["mine"]
        late = manager.cache.use(PODS, metadata_only=True)
        assert await manager.readyz.failing() == [], "what is watched later does not count"
        late.release()
        manager.stop()
        assert await manager.readyz.failing() == ["shutdown"]
        await task

    run_virtual(run())
