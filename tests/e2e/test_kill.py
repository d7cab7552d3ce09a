"""kill -9 of the server under 16 writers, again and again: what was acknowledged is there, versions never go back.

Each writer creates, updates and deletes ConfigMaps of its own over HTTPS, and notes what it tried and what was
acknowledged. After each kill the server is started on the same directory and compared with the notes. Watchers
follow all the while, and go on after each kill where they were: what they were told adds up to what there is.
KAJITORI_KILL_ROUNDS sets how often; in CI and with KAJITORI_LONG it is 200 times.
"""

import http.client
import os
import random
import signal
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.https import SECONDS_MAX as ANSWER_SECONDS_MAX
from tests.support.https import Access, Answer, Api
from tests.support.server import UpProcess

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

_OFTEN = os.environ.get("KAJITORI_LONG") or os.environ.get("CI") == "true"
ROUNDS = int(os.environ.get("KAJITORI_KILL_ROUNDS", "200" if _OFTEN else "15"))
WRITERS = 16
WATCHERS = 3
OBJECTS = 5
"""How many names a writer has."""
WRITES_A_ROUND_MAX = 600
SECONDS_MAX = 60.0
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@dataclass
class Noted:
    """One name: what it certainly holds, and what it may hold since."""

    acknowledged: int | None = None
    """The number last acknowledged; None after a deletion, or before anything."""
    version: int = 0
    """The resourceVersion that came with it."""
    tried: int | None = None
    """Of a write that was not acknowledged: the number, or -1 for a deletion."""


@dataclass
class Notes:
    """What all writers know, over all rounds."""

    objects: dict[str, Noted] = field(default_factory=dict)
    versions: set[int] = field(default_factory=set)
    """Every resourceVersion that was ever acknowledged."""
    last: int = 0
    """The greatest one."""
    writes: int = 0


class Round:
    """The writers of one life of the server."""

    def __init__(self, notes: Notes, access: Access, tls: ssl.SSLContext, *, until: int) -> None:
        self._notes = notes
        self._access = access
        self._tls = tls
        self._oldest = notes.last
        self._until = notes.writes + until
        self._changed = threading.Condition()
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(WRITERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Until so many writes as wanted are acknowledged, in the middle of further ones."""
        with self._changed:
            done = self._changed.wait_for(
                lambda: self.failures or self._notes.writes >= self._until, SECONDS_MAX
            )
        assert done, f"only {self._notes.writes} of {self._until} writes after {SECONDS_MAX} s"

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        assert not self.failures, self.failures

    def _work(self, writer: int) -> None:
        chance = random.Random(f"{writer} {self._until}")
        try:
            with Api(self._access, self._tls) as api:
                while True:
                    self._write(api, f"w{writer}-{chance.randrange(OBJECTS)}", chance)
        except (OSError, http.client.HTTPException):
            return  # The server was killed.
        except Exception as error:
            with self._changed:
                self.failures.append(f"writer {writer}: {error!r}")
                self._changed.notify()

    def _write(self, api: Api, name: str, chance: random.Random) -> None:
        noted = self._notes.objects.setdefault(name, Noted())
        if noted.acknowledged is not None and chance.random() < 0.1:
            noted.tried = -1
            answer = api.request("DELETE", f"{CONFIGMAPS}/{name}")
            self._acknowledged(noted, answer, 200, number=None)
            return
        number = noted.tried = (noted.acknowledged or 0) + chance.randrange(1, 9)
        body: dict[str, Any] = {"metadata": {"name": name}, "data": {"number": str(number), "pad": "x" * 500}}
        if noted.acknowledged is None:
            self._acknowledged(noted, api.request("POST", CONFIGMAPS, body), 201, number=number)
        else:
            body["metadata"]["resourceVersion"] = str(noted.version)
            self._acknowledged(noted, api.request("PUT", f"{CONFIGMAPS}/{name}", body), 200, number=number)

    def _acknowledged(self, noted: Noted, answer: Answer, status: int, *, number: int | None) -> None:
        assert answer.status == status, answer
        noted.acknowledged, noted.tried = number, None
        with self._changed:
            if number is not None:
                version = noted.version = int(answer.json()["metadata"]["resourceVersion"])
                assert version > self._oldest, f"version {version} went back behind {self._oldest}"
                assert version not in self._notes.versions, f"version {version} was given twice"
                self._notes.versions.add(version)
                self._notes.last = max(self._notes.last, version)
            self._notes.writes += 1
            self._changed.notify()


class Follower:
    """A watcher that keeps a copy, as an informer does, over all lives of the server."""

    def __init__(self, access: Access, tls: ssl.SSLContext) -> None:
        self._access, self._tls = access, tls
        self.copy: dict[str, str] = {}
        """The number of each name."""
        self.version = 0
        self.events = 0
        self.failure: Exception | None = None
        with Api(access, tls) as api:
            listed = api.get(CONFIGMAPS)
        self.version = int(listed["metadata"]["resourceVersion"])
        self.copy = {each["metadata"]["name"]: number_of(each) for each in listed["items"]}
        self._thread = threading.Thread()

    def start(self) -> None:
        """Follows until the server is killed."""
        self._thread = threading.Thread(target=self._follow_to_the_end)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()
        assert self.failure is None, self.failure

    def _follow_to_the_end(self) -> None:
        try:
            self.follow()
        except (OSError, http.client.HTTPException):
            return  # The server was killed.
        except Exception as error:
            self.failure = error

    def follow(self, until: int | None = None) -> None:
        """Takes events from where it is on, up to one of version `until`."""
        connection = http.client.HTTPSConnection(
            self._access.host, self._access.port, context=self._tls, timeout=ANSWER_SECONDS_MAX
        )
        try:
            query = f"?watch=true&resourceVersion={self.version}&allowWatchBookmarks=true"
            token = {"Authorization": f"Bearer {self._access.token}"}
            connection.request("GET", CONFIGMAPS + query, headers=token)
            stream = connection.getresponse()
            while until is None or self.version < until:
                line = stream.readline()
                if not line.endswith(b"\n"):
                    return  # Cut off: half a line tells nothing.
                self._take(msgspec.json.decode(line))
        finally:
            connection.close()

    def _take(self, event: dict[str, Any]) -> None:
        type_, obj = event["type"], event["object"]
        version = int(obj["metadata"]["resourceVersion"])
        if type_ == "BOOKMARK":
            assert version >= self.version
            self.version = version
            return
        assert version > self.version, f"{type_} of version {version} after {self.version}"
        self.version = version
        self.events += 1
        name = obj["metadata"]["name"]
        assert (name in self.copy) == (type_ != "ADDED"), f"{type_} of {name}"
        if type_ == "DELETED":
            del self.copy[name]
        else:
            self.copy[name] = number_of(obj)


def number_of(obj: dict[str, Any]) -> str:
    return str(obj.get("data", {}).get("number", ""))


def catch_up(followers: Sequence[Follower], access: Access, tls: ssl.SSLContext) -> None:
    """Lets all followers come to one version, at which they must know what there is."""
    with Api(access, tls) as api:
        told = api.request("POST", CONFIGMAPS, {"metadata": {"generateName": "mark-"}}).json()["metadata"]
        version = int(told["resourceVersion"])
        listed = api.get(CONFIGMAPS)
        assert int(listed["metadata"]["resourceVersion"]) == version
        there = {each["metadata"]["name"]: number_of(each) for each in listed["items"]}
        for follower in followers:
            assert follower.version < version, "it was told of what is not there any more"
            follower.follow(until=version)
            assert follower.copy == there
        api.request("DELETE", f"{CONFIGMAPS}/{told['name']}")


def compare(notes: Notes, access: Access, tls: ssl.SSLContext) -> None:
    """What is there, with what the writers know; then the notes tell what is there."""
    with Api(access, tls) as api:
        listed = api.get(CONFIGMAPS)
    assert int(listed["metadata"]["resourceVersion"]) >= notes.last
    there = {each["metadata"]["name"]: each for each in listed["items"]}
    for name, noted in notes.objects.items():
        found = there.get(name)
        number = None if found is None else int(found["data"]["number"])
        possible = {noted.acknowledged} if noted.tried is None else {noted.acknowledged, noted.tried}
        if -1 in possible:
            possible = {noted.acknowledged, None}
        assert number in possible, f"{name} is {number}: not one of {possible}"
        if found is not None:
            version = int(found["metadata"]["resourceVersion"])
            if number == noted.acknowledged:
                assert version == noted.version, f"{name} is at version {version}, not {noted.version}"
            else:
                assert version not in notes.versions, f"{name}: version {version} was given twice"
            notes.versions.add(version)
            notes.last = max(notes.last, version)
            noted.version = version
        noted.acknowledged, noted.tried = number, None


def test_no_acknowledged_write_is_lost_and_no_event(tmp_path: Path) -> None:
    chance = random.Random(2)
    notes = Notes()
    # Controllers and operators take their time to start and change nothing here: one life in five has them.
    alone, whole = UpProcess(tmp_path, "--api-only"), UpProcess(tmp_path)
    up = whole.start()
    try:
        access = Access.of(up.kubeconfig)
        tls = access.tls()
        followers = [Follower(access, tls) for _ in range(WATCHERS)]
        for number in range(ROUNDS):
            one = Round(notes, access, tls, until=chance.randrange(1, WRITES_A_ROUND_MAX))
            for follower in followers:
                follower.start()
            one.start()
            try:
                one.wait()
            finally:
                killed = up.end(signal.SIGKILL)
                one.join()
                for follower in followers:
                    follower.join()
            assert killed.code == -signal.SIGKILL and killed.err == ""
            up = whole if number % 5 == 4 else alone
            up.start_on(access.port)
            compare(notes, access, tls)
            catch_up(followers, access, tls)
        ended = up.end()
        assert (ended.code, ended.err) == (0, "")
    finally:
        if up.is_running():
            up.end(signal.SIGKILL)
    assert notes.writes >= ROUNDS * WRITERS
    assert all(follower.events >= notes.writes for follower in followers)
