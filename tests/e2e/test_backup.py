"""Backups of a server under load, and what a server that starts from one is to its clients."""

import http.client
import json
import subprocess
import threading
from pathlib import Path

import pytest
from tests.support.https import Access, Api
from tests.support.server import UpProcess, kajitori

pytestmark = pytest.mark.e2e

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
WRITERS = 4


def ran(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(kajitori(*map(str, words)), capture_output=True, text=True, check=False, timeout=60)


class Writers:
    """Clients that create objects, and note which were acknowledged."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._stop = threading.Event()
        self.enough = threading.Event()
        self.acknowledged: dict[str, int] = {}
        """Names, with their versions."""
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, writer: int) -> None:
        number = 0
        with Api(self._access) as api:
            while not self._stop.is_set():
                name = f"w{writer}-{number}"
                answer = api.request(
                    "POST", CONFIGMAPS, {"metadata": {"name": name}, "data": {"pad": "x" * 500}}
                )
                assert answer.status == 201, answer
                self.acknowledged[name] = int(answer.json()["metadata"]["resourceVersion"])
                number += 1
                if number == 20:
                    self.enough.set()


def test_a_backup_under_load_is_of_one_moment_and_starts(tmp_path: Path) -> None:
    backup = tmp_path / "monday.db"
    with UpProcess(tmp_path / "first", "--api-only") as up:
        with Writers(Access.of(up.kubeconfig)) as writers:
            assert writers.enough.wait(30)
            before = dict(writers.acknowledged)
            done = ran("backup", "--data-dir", up.data_dir, backup, "-o", "json")
            assert done.returncode == 0 and done.stderr == "", done.stderr
        told = json.loads(done.stdout)
        assert set(before.values()) <= set(range(told["revision"] + 1)), "what was acknowledged is in it"
        refused = ran("restore", backup, "--data-dir", up.data_dir, "--force")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f"the store is in use by process {up.pid}; stop it first" in refused.stderr
    last = max(writers.acknowledged.values())
    second = tmp_path / "second"
    done = ran("restore", backup, "--data-dir", second / "data")
    assert done.returncode == 0, done.stderr
    with UpProcess(second, "--api-only") as up, Api(Access.of(up.kubeconfig)) as api:
        listed = api.get(CONFIGMAPS)
        found = {
            each["metadata"]["name"]: int(each["metadata"]["resourceVersion"]) for each in listed["items"]
        }
        expected = {name: at for name, at in writers.acknowledged.items() if at <= told["revision"]}
        assert found == expected
        assert int(listed["metadata"]["resourceVersion"]) > last, "beyond all that clients have seen"
        # A client that goes on from what it saw of the first server is told to begin anew.
        answer = api.request("GET", f"{CONFIGMAPS}?watch=1&resourceVersion={last}&timeoutSeconds=5")
        assert answer.status == http.client.OK and answer.json()["object"]["reason"] == "Expired", answer
