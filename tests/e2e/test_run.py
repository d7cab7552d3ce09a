"""`kajitori run` as a process: what it tells, and how it ends."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from tests.support.https import Access, Api
from tests.support.server import UpProcess, kajitori
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

SECONDS_MAX = 20.0

OPERATOR = """\
import asyncio
import logging
import time

from kajitori.apimachinery.kind import Kind
from kajitori.ctrl import DONE, Manager, Request, Result

CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
log = logging.getLogger("settings")


class Settings:
    async def reconcile(self, request: Request) -> Result:
        log.info("looking", extra={"colour": "blue sky"})
        match request.name:
            case "bad":
                raise OSError("<script>alert(1)</script>")
            case "hangs":
                await asyncio.sleep(1000)
            case "refuses":
                while True:
                    try:
                        await asyncio.sleep(1000)
                    except asyncio.CancelledError:
                        log.info("I will not")
            case "blocks":
                time.sleep(1000)
        return DONE


def setup(manager: Manager) -> None:
    manager.controller("settings", Settings(), for_=CONFIG_MAPS)


async def broken(manager: Manager) -> None:
    {}["colour"]


def breaks(manager: Manager) -> None:
    async def beside() -> None:
        {}["colour"]

    manager.add(beside)
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    with UpProcess(tmp_path_factory.mktemp("up"), "--api-only", "--memory") as up:
        yield up


@pytest.fixture
def api(up: UpProcess) -> Iterator[Api]:
    with Api(Access.of(up.kubeconfig)) as api:
        yield api
        for each in api.get("/api/v1/namespaces/default/configmaps")["items"]:
            api.request("DELETE", f"/api/v1/namespaces/default/configmaps/{each['metadata']['name']}")


def create(api: Api, name: str) -> None:
    body = {"metadata": {"name": name}}
    assert api.request("POST", "/api/v1/namespaces/default/configmaps", body).status == 201


class Running:
    """`kajitori run`, until it is left."""

    def __init__(self, folder: Path, up: UpProcess | None, *flags: str, target: str = "settings.py") -> None:
        (folder / "settings.py").write_text(OPERATOR)
        where = ("--kubeconfig", str(up.kubeconfig)) if up else ()
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                kajitori("run", target, *where, *flags),
                cwd=folder,
                stdout=out,
                stderr=err,
                env={**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
            )

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def until(self, text: str) -> str:
        """Waits for a log line; gives it."""

        def look() -> Sequence[str]:
            time.sleep(0.02)
            assert self.process.poll() is None or text in self.err, (
                self.process.returncode,
                self.out,
                self.err,
            )
            return [line for line in self.err.splitlines() if text in line]

        return until(look, bool)[0]

    def url(self, what: str) -> str:
        found = re.search(r"url=(\S+)/", self.until(f"Serving {what} "))
        assert found is not None
        return found[1]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(SECONDS_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def ask(url: str, path: str, **headers: str) -> tuple[int, str]:
    host, port = url.removeprefix("http://").rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS_MAX)
    try:
        connection.request("GET", path, headers={each.replace("_", "-"): headers[each] for each in headers})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


SERVING = ("--metrics-bind-address", "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0")


def test_it_tells_how_it_is(tmp_path: Path, up: UpProcess, api: Api) -> None:
    create(api, "good")
    create(api, "bad")
    with Running(tmp_path, up, *SERVING) as running:
        running.until("name=good")
        health, metrics = running.url("health"), running.url("metrics")
        assert until(lambda: ask(health, "/readyz"), lambda said: said[0] == 200) == (200, "ok")
        assert ask(health, "/livez?verbose") == (200, "[+]ping ok\nhealthz check passed\n")
        assert ask(health, "/healthz/ping") == (200, "ok")
        assert ask(health, "/metrics")[0] == ask(metrics, "/healthz")[0] == 404
        status, figures = ask(metrics, "/metrics")
        assert status == 200
        assert re.search(
            r'(?m)^controller_runtime_reconcile_total\{controller="settings",result="success"\} [1-9]',
            figures,
        )
        assert "process_resident_memory_bytes" in figures
        openmetrics = ask(metrics, "/metrics", Accept="application/openmetrics-text; version=1.0.0")[1]
        assert openmetrics.endswith("# EOF\n")
        told = json.loads(ask(metrics, "/status?format=json")[1])
        assert [each["name"] for each in told["controllers"]] == ["settings"] and told["failingChecks"] == []
        code, page = ask(metrics, "/", Accept="text/html")
        assert code == 200 and "default/bad" in page and "<script" not in page and "&lt;script&gt;" in page
        explained = json.loads(
            ask(metrics, "/explain?controller=settings&name=default/bad", Accept="application/json")[1]
        )
        assert explained["last"][0]["outcome"] == "error" and explained["failures"] > 0
        assert ask(metrics, "/", Host="evil.example.com")[0] == 403
        assert ask(metrics, "/", Host="localhost:1")[0] == 200
        assert running.end() == 0
    assert running.out == "Running settings. Stop with Ctrl-C.\n\nStopping ...\n"


def test_it_stops_when_nobody_reads_what_it_says_any_more(tmp_path: Path, up: UpProcess) -> None:
    (tmp_path / "settings.py").write_text(OPERATOR)
    command = kajitori("run", "settings.py", "--kubeconfig", str(up.kubeconfig))
    with (
        (tmp_path / "err").open("wb") as err,
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=err) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == b"Running settings. Stop with Ctrl-C.\n"
        until(lambda: (tmp_path / "err").read_text(), lambda said: "Starting workers" in said)
        process.stdout.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_MAX) == 0
    assert "Traceback" not in (tmp_path / "err").read_text()


@pytest.fixture
def chromium() -> str:
    """A real browser. Where there is none the test is skipped, but never in CI: there it is a failure."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no Chromium; run tools/chromium.sh")
        pytest.skip("there is no Chromium; run tools/chromium.sh")
    return found


def test_a_browser_shows_the_status(tmp_path: Path, up: UpProcess, api: Api, chromium: str) -> None:
    create(api, "bad")
    with Running(tmp_path, up, *SERVING) as running:
        running.until("name=bad")
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"]
        shown = subprocess.run(
            [
                chromium,
                *flags,
                f"--user-data-dir={tmp_path}/profile",
                f"{running.url('metrics')}/?refresh=60",
            ],
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
        ).stdout
        assert running.end() == 0
    assert "default/bad</a>" in shown and '<span class="good">ready</span>' in shown
    assert "<script" not in shown and "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_logs_as_json_are_nothing_but_json(tmp_path: Path, up: UpProcess, api: Api) -> None:
    create(api, "bad")
    with Running(tmp_path, up, "--log-format", "json") as running:
        running.until("Reconciler error")
        assert running.end(signal.SIGINT) == 0
    assert running.out == ""
    records: list[Any] = [json.loads(line) for line in running.err.splitlines()]
    looking = next(each for each in records if each["msg"] == "looking" and each["name"] == "bad")
    failed = next(each for each in records if each["msg"] == "Reconciler error")
    assert looking["colour"] == "blue sky" and looking["logger"] == "settings"
    same = ("controller", "controllerKind", "namespace", "name", "reconcileID")
    assert [looking[key] for key in same] == [failed[key] for key in same]
    assert failed["error"] == "OSError: <script>alert(1)</script>"
    assert "settings.py" in failed["stacktrace"] and "kajitori/ctrl" not in failed["stacktrace"]
    assert "Stopping and waiting for workers" in [each["msg"] for each in records]


@pytest.mark.parametrize("name", ["hangs", pytest.param("refuses", marks=pytest.mark.slow)])
def test_a_reconcile_that_does_not_end_is_cut_short(
    tmp_path: Path, up: UpProcess, api: Api, name: str
) -> None:
    create(api, name)
    with Running(tmp_path, up, "--graceful-shutdown-timeout", "100ms") as running:
        running.until(f"name={name}")
        assert running.end() == 1
    assert "a controller did not stop in time" in running.err
    why = (
        "what was under way did not end within 0.1 s" if name == "hangs" else "ends at once: it took too long"
    )
    assert why in running.err


def test_two_signals_at_once_are_one_wish(tmp_path: Path, up: UpProcess, api: Api) -> None:
    with Running(tmp_path, up) as running:
        running.until("Starting workers")
        running.process.send_signal(signal.SIGTERM)
        assert running.end() == 0  # sends it again
    assert "Traceback" not in running.err and "ends at once" not in running.err


@pytest.mark.parametrize("name", ["refuses", "blocks"])
def test_a_second_signal_ends_at_once(tmp_path: Path, up: UpProcess, api: Api, name: str) -> None:
    create(api, name)
    with Running(tmp_path, up) as running:
        running.until(f"name={name}")
        running.process.send_signal(signal.SIGTERM)
        if name == "refuses":
            running.until("Shutdown signal received")
        else:
            time.sleep(0.2)  # The loop is held up, so nothing tells that the first signal has come.
        assert running.end(signal.SIGINT) == 1
    assert "kajitori run: ends at once: it was told to a second time" in running.err


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("broken", "kajitori run: settings.py:broken: setting up failed: KeyError: 'colour'"),
        ("breaks", "kajitori run: KeyError: 'colour'"),
    ],
)
def test_what_fails_is_told_in_a_sentence_and_shown_in_the_log(
    tmp_path: Path, up: UpProcess, function: str, said: str
) -> None:
    with Running(tmp_path, up, target=f"settings.py:{function}") as running:
        assert running.process.wait(SECONDS_MAX) == 1
    assert running.err.splitlines()[-1] == said
    assert "settings.py" in running.err and "ERROR" in running.err


@pytest.mark.parametrize("flag", ["--metrics-bind-address", "--hook-bind-address"])
def test_an_address_that_is_taken_is_told(tmp_path: Path, up: UpProcess, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with Running(tmp_path, up, flag, address) as running:
            assert running.process.wait(SECONDS_MAX) == 1
    assert f"kajitori run: {flag} {address}: cannot listen there: " in running.err


def test_one_port_may_serve_both(tmp_path: Path, up: UpProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    flags = ("--metrics-bind-address", address, "--health-probe-bind-address", address)
    with Running(tmp_path, up, *flags) as running:
        url = running.url("health")
        assert ask(url, "/healthz")[0] == ask(url, "/metrics")[0] == ask(url, "/")[0] == 200
        assert running.end() == 0


def test_other_namespaces_are_not_even_listed(tmp_path: Path, up: UpProcess, api: Api) -> None:
    create(api, "good")
    for name in ("one", "two"):
        api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        api.request("POST", f"/api/v1/namespaces/{name}/configmaps", {"metadata": {"name": f"in-{name}"}})
    with Running(tmp_path, up, *SERVING, "--namespace", "one,default") as running:
        running.until("name=good")
        running.until("name=in-one")
        (cache,) = json.loads(ask(running.url("metrics"), "/?format=json")[1])["caches"]
        assert cache["namespace"] == "default,one"
        assert running.end() == 0
    assert "in-two" not in running.err and "kube-system" not in running.err


def test_a_server_that_is_away_makes_it_unready_not_dead(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {}}],
    }
    (tmp_path / "kc").write_text(json.dumps(config))
    with Running(tmp_path, None, *SERVING, "--kubeconfig", str(tmp_path / "kc")) as running:
        url = running.url("health")
        assert ask(url, "/livez") == (200, "ok")
        code, said = ask(url, "/readyz")
        assert code == 500 and "[-]caches-synced failed: reason withheld\n" in said
        assert running.end() == 0
